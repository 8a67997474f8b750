// A flood of wrong sign-ins, from a thousand addresses on a thousand accounts, while people sign in and others buy.
// Most people come from where they signed in before; some are strangers who solve the challenge that they are asked.
// Whoever is put off asks once more, after as long as they were told.
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { zeroBits } from '../src/modules/identity/challenge.ts'
import { hashPassword } from '../src/modules/identity/hash-password.ts'
import { STRANGERS } from '../src/modules/identity/limit-sign-in.ts'
import { sql } from '../src/platform/db.ts'
import { newId } from '../src/platform/id.ts'
import { HERE, type Answer, type Ground } from './ground.ts'

export type Flood = {
  guesses: number; hashed: number; mayHash: number; guessedIn: number; people: number; letIn: number
  quietP99Ms: number; floodP99Ms: number; notIn: string[]
}

const ACCOUNTS = 1_000
const PEOPLE = 20
const A_STRANGER_OF = 5        // so many people; each time from another address
const ORDER_EVERY_MS = 250
const PASSWORD = 'four words in a row'

/** So many guesses, spread over these seconds. Of them `mayHash` may reach the hashing: who guesses is a stranger. */
export async function flood(
  ground: Ground, { guesses, seconds, people = PEOPLE }: { guesses: number; seconds: number; people?: number },
): Promise<Flood> {
  await makeAccounts(ground)
  for (let person = 0; person < people; person++) await signIn(ground, person, homeOf(person))
  await ground.shop.db.run(sql`delete from identity.rate_limit`)
  const variantId = await ground.shop.variant({ stock: [1_000_000] })
  const quiet = await orders(ground, variantId, Math.max(4, seconds / 5))
  const began = performance.now()
  const [guessed, came, busy] = await Promise.all([
    guessAll(ground, guesses, seconds), comeAll(ground, people, seconds), orders(ground, variantId, seconds),
  ])
  return {
    guesses, hashed: guessed.filter((status) => status === 401).length,
    mayHash: Math.ceil(STRANGERS.acts * (1 + (performance.now() - began) / 1_000 / STRANGERS.seconds)),
    guessedIn: guessed.filter((status) => status === 200).length,
    people: came.length, letIn: came.filter(({ status }) => status === 200).length,
    quietP99Ms: p99(quiet), floodP99Ms: p99(busy),
    notIn: came.filter(({ status }) => status !== 200).map(({ text }) => text.slice(0, 200)),
  }
}

const homeOf = (person: number): string => `10.1.0.${person + 1}`
const accountOf = (number: number): string => `flood-${number}@example.com`

async function makeAccounts({ shop }: Ground): Promise<void> {
  const emails = Array.from({ length: ACCOUNTS }, (_, number) => accountOf(number))
  const passwordHash = await hashPassword(PASSWORD)
  await shop.db.run(sql`
    insert into identity.staff (id, email, name, role_code, password_hash)
    select id, email, email, 'support', ${passwordHash}
    from unnest(${emails.map(() => newId())}::uuid[], ${emails}::text[]) as account (id, email)`)
}

type Try = { account: number; address: string; password?: string; challenge?: string }

function post({ ask }: Ground, { account, address, password = PASSWORD, challenge }: Try): Promise<Answer> {
  return ask({
    method: 'POST', url: '/admin/session', remoteAddress: address, payload: { email: accountOf(account), password },
    headers: { ...HERE, ...challenge ? { 'x-challenge': challenge } : {} },
  })
}

/** As a person's browser does: it solves what it is asked, and waits as long as it is told, once. */
async function signIn(ground: Ground, account: number, address: string): Promise<Answer> {
  const first = await post(ground, { account, address })
  if (first.status === 428) {
    return post(ground, { account, address, challenge: await solve(JSON.parse(first.text).challenge) })
  }
  if (first.status !== 429 && first.status !== 503) return first
  await sleep(Number(first.headers['retry-after']) * 1_000)
  return post(ground, { account, address })
}

/** In pieces: the shop under test shares this process. */
async function solve({ token, bits }: { token: string; bits: number }): Promise<string> {
  for (let number = 0; ; number++) {
    const answer = `${token}.${number}`
    if (zeroBits(createHash('sha256').update(answer).digest()) >= bits) return answer
    if (number % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** People are among the accounts that are guessed at: nobody may be locked out by that. */
async function guessAll(ground: Ground, guesses: number, seconds: number): Promise<number[]> {
  return spread(guesses, seconds, async (turn) => {
    const address = `10.${2 + turn % ACCOUNTS % 4}.${turn % ACCOUNTS >> 2 & 255}.9`
    return (await post(ground, { account: turn * 7 % ACCOUNTS, address, password: `guess ${turn}` })).status
  })
}

async function comeAll(ground: Ground, people: number, seconds: number): Promise<Answer[]> {
  const times = Math.max(1, Math.round(seconds / 15))
  return spread(people * times, seconds, (turn) => {
    const person = turn % people
    return signIn(ground, person, person < people / A_STRANGER_OF ? `10.9.${turn >> 8}.${turn & 255}` : homeOf(person))
  })
}

async function spread<T>(count: number, seconds: number, act: (turn: number) => Promise<T>): Promise<T[]> {
  const began = performance.now()
  return Promise.all(Array.from({ length: count }, async (_, turn) => {
    await sleep(Math.max(0, began + turn * seconds * 1_000 / count - performance.now()))
    return act(turn)
  }))
}

/** Milliseconds that each order takes which is completed meanwhile. */
async function orders({ shop }: Ground, variantId: string, seconds: number): Promise<number[]> {
  return spread(Math.round(seconds * 1_000 / ORDER_EVERY_MS), seconds, async () => {
    const cart = await shop.cart([{ variantId, quantity: 1 }])
    const began = performance.now()
    await shop.complete(cart)
    return performance.now() - began
  })
}

const p99 = (took: number[]): number => Math.round(took.toSorted((a, b) => a - b)[Math.floor(took.length * 0.99)] ?? 0)
