// The bank's messages about a charge, in any order, again and again, at once, before and beside the answer that was
// lost: whatever the order, the end is what the bank's log says. Among them are forged ones, and ones about another
// account, amount or currency, which must change nothing and be kept for people.
import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Type } from 'typebox'
import { oneOf, randomFrom, type Random } from '../../bench/random.ts'
import type { Charge } from '../../plugins/simulator/bank.ts'
import { sql } from '../../src/platform/db.ts'
import { newId } from '../../src/platform/id.ts'
import { SECRET } from '../bank.ts'
import { address, PRICE, thing } from '../bounded.ts'
import { judge } from '../check.ts'
import type { Programme } from '../programme.ts'
import { openStage, type Stage } from '../stage.ts'

const AT_ONCE = 25
// The bank itself says nothing: every message comes from here.
const FAULTS = ['', 'charge_then_drop', 'charge_then_500', 'decline', 'delay', 'look_up_later']
const ACCOUNT = 'sim_account'
const CHARGED_WITHIN_MS = 20_000

export const webhooks: Programme = {
  name: 'webhooks', about: "a bank's messages in any order, repeated, forged and foreign", unit: 'permutations',
  counts: { full: 10_000, quick: 50 },
  async open(sabotage) {
    const stage = await openStage(13, sabotage)
    await stage.startShop()
    const variantId = await thing(stage, [1_000_000])
    return {
      async round(seed) {
        const random = randomFrom(seed)
        const played = await Promise.all(Array.from({ length: AT_ONCE }, () => play(stage, variantId, random)))
        const wrong = [...played.flatMap((one) => one.wrong), ...await judge(stage)]
        return {
          count: AT_ONCE, figures: { messages: played.reduce((sum, { sent }) => sum + sent, 0) },
          violations: [...wrong, ...await inbox(stage, played.flatMap(({ messages }) => messages))],
        }
      },
      close: () => stage.close(),
    }
  },
}

type Kind = 'true' | 'other account' | 'other amount' | 'other currency'
type Message = { id: string; kind: Kind; body: string }

async function play(
  stage: Stage, variantId: string, random: Random,
): Promise<{ sent: number; wrong: string[]; messages: Message[] }> {
  const email = `${newId()}@example.com`
  const [fault, method] = [`${oneOf(FAULTS, random)},webhook_never`, random() < 0.5 ? 'card' : 'card-later']
  const ordered = order(stage, { variantId, email, fault, method })
  // Half of them begin before the shop has an answer of its own.
  if (random() < 0.5) await ordered
  const messages = messagesAbout(await chargeOf(stage, email), random)
  const deliveries = shuffled(messages.flatMap((message) => Array(1 + Math.floor(random() * 3)).fill(message)), random)
  const wrong: string[] = []
  const expect = async (status: number, message: Message, forged = false): Promise<void> => {
    const answered = await send(stage, message.body, forged)
    const what = `${message.kind}${forged ? ', forged' : ''}`
    if (answered !== status) wrong.push(`a message (${what}) was answered ${answered}`)
  }
  await Promise.all(deliveries.map((message: Message) => expect(200, message)))
  await expect(400, messages[0]!, true)
  await ordered
  return { sent: deliveries.length + 1, wrong, messages }
}

type Bought = { variantId: string; email: string; fault: string; method: string }

/** Comes back when the shop is busy, and does not mind what else is answered: the judgement compares with the bank. */
async function order({ url, terms }: Stage, { variantId, email, fault, method }: Bought): Promise<void> {
  const key = newId()
  const ask = () => fetch(`${url}/store/checkout`, {
    method: 'POST', headers: {
      'content-type': 'application/json', 'x-publishable-key': terms.key, 'idempotency-key': key,
    }, body: JSON.stringify({
      currency: 'EUR', lines: [{ variantId, quantity: 1 }], email, shippingAddress: address,
      shippingMethodId: terms.methodId, expectedTotal: { amount: PRICE + 490, currency: 'EUR' },
      payment: { method, data: { fault } },
    }),
  })
  for (;;) {
    const answer = await ask()
    await answer.arrayBuffer()
    if (answer.status !== 503) return
    await sleep(50)
  }
}

const Key = Type.Object({ key: Type.String() })

/** The bank's record of what this buyer pays, as soon as there is one. */
async function chargeOf({ db, bank }: Stage, email: string): Promise<Charge> {
  for (const deadline = Date.now() + CHARGED_WITHIN_MS; Date.now() < deadline; await sleep(5)) {
    const attempt = await db.maybe(Key, sql`
      select attempt.id::text as key from payments.attempt join payments.payment on payment.id = payment_id
      join orders.order on "order".id = order_id where email = ${email}`)
    if (!attempt) continue
    const answer = await fetch(`${bank.url}/charges/${attempt.key}`)
    const charge = await answer.json() as Charge
    if (answer.ok) return charge
  }
  throw new Error(`The bank was never asked to charge ${email}`)
}

/** True ones about the beginning and the end, and of each that is none of ours at most one. */
function messagesAbout({ key, reference, amountMinor, currency }: Charge, random: Random): Message[] {
  const facts = { about: 'charge', key, reference, account: ACCOUNT, amountMinor, currency }
  const message = (kind: Kind, changed: Partial<Record<keyof typeof facts, unknown>> = {}): Message => {
    const id = `evt_${newId()}`
    return { id, kind, body: JSON.stringify({ eventId: id, ...facts, ...changed }) }
  }
  const strange = [
    message('other account', { account: 'sim_somebody' }), message('other amount', { amountMinor: amountMinor + 1 }),
    message('other currency', { currency: 'USD' }),
  ].filter(() => random() < 0.3)
  return [message('true'), message('true'), message('true', { key: null }), ...strange]
}

function shuffled<T>(items: T[], random: Random): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[items[last], items[other]] = [items[other]!, items[last]!]
  }
  return items
}

async function send({ url }: Stage, body: string, forged: boolean): Promise<number> {
  const timestamp = String(Math.floor(Date.now() / 1_000))
  const signature = createHmac('sha256', forged ? 'a guess' : SECRET).update(`${timestamp}.${body}`).digest('hex')
  const answer = await fetch(`${url}/webhooks/simulator`, {
    method: 'POST', body, headers: {
      'content-type': 'application/json', 'x-simulator-timestamp': timestamp, 'x-simulator-signature': signature,
    },
  })
  await answer.arrayBuffer()
  return answer.status
}

const Kept = Type.Object({ id: Type.String(), state: Type.String() })

/** Each message is there once; true ones are done, the others wait for people. */
async function inbox({ db }: Stage, messages: readonly Message[]): Promise<string[]> {
  const rows = await db.many(Kept, sql`
    select event_id as id, state from payments.webhook_event where event_id = any(${messages.map(({ id }) => id)})`)
  return messages.flatMap(({ id, kind }) => {
    const found = rows.filter((row) => row.id === id).map(({ state }) => state).join(' and ')
    const should = kind === 'true' ? 'done' : 'quarantined'
    return found === should ? [] : [`I7 a message (${kind}) is ${found || 'lost'}, and should be ${should}`]
  })
}
