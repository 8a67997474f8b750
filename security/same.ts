// Does an answer tell whether somebody or something exists? Each pair asks the same of one that is there and one that
// is not: the answers have to be equal to the byte, and must not take longer for one of them. The two of a pair are
// asked right after each other, in changing order, so that what else the machine does falls on both.
import { randomBytes } from 'node:crypto'
import type { InjectOptions } from 'fastify'
import { challenges } from '../src/modules/identity/challenge.ts'
import { hashPassword } from '../src/modules/identity/hash-password.ts'
import { sql, type Db } from '../src/platform/db.ts'
import { newId } from '../src/platform/id.ts'
import { HERE, type Answer, type Ground } from './ground.ts'

export type Pair = {
  name: string
  there: (turn: number) => InjectOptions
  absent: (turn: number) => InjectOptions
}
export type Compared = { name: string; there: number; absent: number; pairs: number; wrong?: string }

const SLOWER_BY_MS = 1.5       // medians that differ by less tell nobody anything over a network
const SLOWER_BY = 0.1          // nor by less than a tenth
const SIGMAS = 4               // and the sign of the difference has to be no chance: 1 in 16,000

/** `pairs` of each kind, each judged by itself. */
export async function trySame(
  { ask }: Pick<Ground, 'ask'>, kinds: readonly Pair[], pairs: number,
): Promise<Compared[]> {
  const compared: Compared[] = []
  for (const { name, there, absent } of kinds) {
    const took = { there: [] as number[], absent: [] as number[] }
    let wrong: string | undefined
    for (let turn = -2; turn < pairs; turn++) {
      const answers: { there?: Answer; absent?: Answer } = {}
      for (const which of turn % 2 === 0 ? ['there', 'absent'] as const : ['absent', 'there'] as const) {
        const asked = { there, absent }[which](turn + 2)
        const began = performance.now()
        answers[which] = await ask(asked)
        if (turn >= 0) took[which].push(performance.now() - began)
      }
      wrong ??= difference(answers.there!, answers.absent!)
    }
    wrong ??= slower(took.there, took.absent)
    compared.push({ name, there: median(took.there), absent: median(took.absent), pairs, ...wrong ? { wrong } : {} })
  }
  return compared
}

function difference(there: Answer, absent: Answer): string | undefined {
  if (there.status === 429 || absent.status === 429) return 'the limits refused it: nothing was compared'
  const [one, other] = [seen(there), seen(absent)]
  return one === other ? undefined : `there: ${one}, absent: ${other}`
}

// What is told anew with each answer tells nothing: the time, the request's own number, what the browser is to keep,
// and the id that was asked for.
function seen({ status, text, headers }: Answer): string {
  const told = Object.keys(headers).filter((name) => !/^(date|x-request-id|content-length)$/.test(name)).sort()
    .map((name) => (/^(set-cookie|etag|ratelimit.*)$/.test(name) ? name : `${name}: ${headers[name]}`))
  const body = text.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}|"(?:requestId|browser)":"[^"]*"/g, '…')
  return `${status} ${body} (${told.join('; ')})`
}

function slower(there: number[], absent: number[]): string | undefined {
  const [one, other] = [median(there), median(absent)]
  const more = there.filter((took, index) => took > absent[index]!).length
  const sigmas = Math.abs(more - there.length / 2) / (Math.sqrt(there.length) / 2)
  const apart = Math.abs(one - other)
  if (apart < SLOWER_BY_MS || apart < SLOWER_BY * Math.min(one, other) || sigmas < SIGMAS) return undefined
  return `takes ${one.toFixed(1)} ms for what is there, and ${other.toFixed(1)} ms for what is not`
}

const median = (of: number[]): number => of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0

/** Of staff and of customers. */
async function addAccounts(db: Db, addresses: string[]): Promise<void> {
  const passwordHash = await hashPassword('a password that nobody tries')
  const each = sql`unnest(${addresses.map(() => newId())}::uuid[], ${addresses}::text[]) as account (id, email)`
  await db.run(sql`
    insert into identity.staff (id, email, name, role_code, password_hash)
    select id, email, email, 'support', ${passwordHash} from ${each}`)
  await db.run(sql`
    insert into accounts.account (customer_id, email, password_hash, email_proven_at)
    select id, email, ${passwordHash}, now() from ${each}`)
}

/** What a stranger may ask that could tell: accounts, orders, carts, tokens and keys. */
export async function pairsOf(ground: Ground, pairs: number): Promise<Pair[]> {
  const { shop, keys, victim, gone } = ground
  const turns = pairs + 2
  // So many accounts that no limit of an account is met; addresses change as well.
  const addresses = Array.from({ length: turns }, (_, turn) => `known-${turn}@example.com`)
  await addAccounts(shop.db, addresses)
  const from = (turn: number): Pick<InjectOptions, 'remoteAddress'> => ({
    remoteAddress: `10.${turn >> 8 & 255}.${turn & 255}.7`,
  })
  const known = (turn: number): string => addresses[turn]!
  const unknown = (turn: number): string => `nobody-${turn}@example.com`
  const post = (url: string, payload: (turn: number) => object) => (turn: number): InjectOptions => ({
    method: 'POST', url, headers: { ...HERE, 'x-challenge': 'solved', 'x-publishable-key': keys.own },
    payload: payload(turn), ...from(turn),
  })
  const get = (url: string, headers: Record<string, string>) => (turn: number): InjectOptions => (
    { method: 'GET', url, headers, ...from(turn) })
  const shopper = { 'x-publishable-key': keys.own, authorization: `Bearer ${randomToken()}` }
  // So many who ask are a flood, and are asked for a challenge: that is the same for all, and here it is solved.
  challenges.set(shop.db, { ask: async () => ({ kind: 'none', token: '' }), passes: async () => true })
  const wrong = { password: 'this is not the password' }
  return [
    {
      name: 'sign in with a wrong password, to an account or none',
      there: post('/admin/session', (turn) => ({ email: known(turn), ...wrong })),
      absent: post('/admin/session', (turn) => ({ email: unknown(turn), ...wrong })),
    },
    {
      name: 'ask for a new password, for an account or none',
      there: post('/admin/password-reset', (turn) => ({ email: known(turn) })),
      absent: post('/admin/password-reset', (turn) => ({ email: unknown(turn) })),
    },
    {
      name: 'ask for a link to sign in, to an account or none',
      there: post('/admin/session/link', (turn) => ({ email: known(turn) })),
      absent: post('/admin/session/link', (turn) => ({ email: unknown(turn) })),
    },
    {
      name: 'sign in as a customer with a wrong password, to an account or none',
      there: post('/store/account/session', (turn) => ({ email: known(turn), ...wrong })),
      absent: post('/store/account/session', (turn) => ({ email: unknown(turn), ...wrong })),
    },
    ...['registration', 'sign-in', 'password-reset'].map((purpose) => ({
      name: `ask as a customer for a link (${purpose}), to an account or none`,
      there: post('/store/account/links', (turn) => ({ email: known(turn), purpose })),
      absent: post('/store/account/links', (turn) => ({ email: unknown(turn), purpose })),
    })),
    {
      name: "somebody's order and no order, with a wrong token",
      there: get(`/store/orders/${victim.orderId}`, shopper), absent: get(`/store/orders/${newId()}`, shopper),
    },
    {
      name: "somebody's cart and no cart, with a wrong token",
      there: get(`/store/carts/${victim.cartId}`, shopper), absent: get(`/store/carts/${newId()}`, shopper),
    },
    {
      name: 'a key that was revoked and one that never was',
      there: get('/admin/orders', gone['a revoked key']!),
      absent: get('/admin/orders', { authorization: `Bearer sk_${randomToken()}` }),
    },
    {
      name: 'a session that has ended and one that never was',
      there: get('/admin/orders', gone['an ended session']!),
      absent: get('/admin/orders', { ...HERE, cookie: `kontor_session=${randomToken()}` }),
    },
  ]
}

const randomToken = (): string => randomBytes(32).toString('base64url')
