// The judgement after the harm: the shop comes to rest by itself, its invariants hold (src/invariants.sql), its
// payments are those of the bank's own log, and whatever a client was told is true.
import { setTimeout as sleep } from 'node:timers/promises'
import { Type, type Static } from 'typebox'
import type { BankOperation, Charge } from '../plugins/simulator/bank.ts'
import { findBroken } from '../src/invariants.ts'
import { sql, type Db } from '../src/platform/db.ts'
import type { Entry } from './journal.ts'
import type { Stage } from './stage.ts'

const REST_WITHIN_MS = 45_000
const TIME_PASSES_EVERY_MS = 400
const STUCK_AFTER_MS = 12_000

/** Lets the shop come to rest, and answers all that is broken then. */
export async function judge(stage: Stage): Promise<string[]> {
  const restless = await rest(stage)
  return [
    ...restless, ...await findBroken(stage.db), ...await compareWithBank(stage),
    ...await compareWithJournal(stage.db, stage.journal.read()),
  ]
}

/** Five minutes pass again and again, until nothing is under way, or nothing changes any more. */
async function rest(stage: Stage): Promise<string[]> {
  let left = ''
  let changedAt = Date.now()
  for (const deadline = Date.now() + REST_WITHIN_MS; Date.now() < deadline; await sleep(TIME_PASSES_EVERY_MS)) {
    const now = JSON.stringify(await stage.underWay())
    if (now === '{}') return []
    if (now !== left) changedAt = Date.now()
    else if (Date.now() - changedAt > STUCK_AFTER_MS) break
    left = now
    await stage.letTimePass()
  }
  return [`I11 the shop does not come to rest: ${left}`]
}

const Attempt = Type.Object({
  id: Type.String(), orderId: Type.String(), order: Type.String(), state: Type.String(), total: Type.Integer(),
  captured: Type.Integer(), refunded: Type.Integer(), authorized: Type.Integer(),
})

async function compareWithBank({ db, bank }: Stage): Promise<string[]> {
  const charges = await (await fetch(`${bank.url}/charges`)).json() as Charge[]
  const operations = await (await fetch(`${bank.url}/operations`)).json() as BankOperation[]
  const attempts = await db.many(Attempt, sql`
    select attempt.id, order_id as "orderId", "order".state as order, attempt.state, total_minor as total,
      captured_minor as captured, refunded_minor as refunded, authorized_minor as authorized
    from payments.attempt join payments.payment on payment.id = payment_id join orders.order on "order".id = order_id
    where gateway = ${bank.code}`)
  const ofKey = new Map(attempts.map((attempt) => [attempt.id, attempt]))
  const broken: string[] = []
  const paid = new Map<string, Charge[]>()
  for (const charge of charges) {
    const attempt = ofKey.get(charge.key)
    if (!attempt) broken.push(`I4 the bank has a charge ${charge.key} that no attempt knows`)
    else {
      if (attempt.state !== charge.state) {
        broken.push(`I4 the attempt ${charge.key} is ${attempt.state}, at the bank it is ${charge.state}`)
      }
      if (charge.state === 'authorized' || charge.state === 'captured') {
        paid.set(attempt.orderId, [...paid.get(attempt.orderId) ?? [], charge])
      }
    }
  }
  const charged = new Set(charges.map(({ key }) => key))
  for (const { id, state } of attempts) {
    if ((state === 'authorized' || state === 'captured') && !charged.has(id)) {
      broken.push(`I3 the attempt ${id} is ${state}, and the bank knows nothing of it`)
    }
  }
  const refused = new Set(operations.filter(({ error }) => error).map(({ reference }) => reference))
  const known = await ordersThatStaffKnows(db)
  for (const [id, all] of paid) {
    const isExcused = known.has(id) && all.some(({ reference }) => refused.has(reference))
    broken.push(...compareOrder(attempts.filter(({ orderId }) => orderId === id), all, isExcused))
  }
  broken.push(...await compareClearing(db, bank.code, charges))
  // An attempt that waits for its shopper is ended under a key of its own.
  const ours = new Set((await db.many(Type.Object({ id: Type.String() }), sql`
    select id from payments.operation union all select id from payments.attempt`)).map(({ id }) => id))
  for (const { key } of operations) {
    if (!ours.has(key.replace(/-end$/, ''))) broken.push(`I6 the bank did ${key}, for which nobody here asked`)
  }
  return broken
}

/** What the ledger says lies at the bank is what the bank took, less what it gave back and kept. */
async function compareClearing(db: Db, gateway: string, charges: Charge[]): Promise<string[]> {
  const { cleared } = await db.one(Type.Object({ cleared: Type.Integer() }), sql`
    select coalesce(sum(amount_minor), 0)::bigint as cleared from payments.ledger_line
    where account = ${`clearing:${gateway}`}`)
  const atBank = sum(charges, 'capturedMinor') - sum(charges, 'refundedMinor') - sum(charges, 'feeMinor')
  return cleared === atBank ? [] : [`I5 by the ledger ${cleared} lie at the bank, by its own log ${atBank}`]
}

/** Orders of which staff was told that a refund or a void failed. */
async function ordersThatStaffKnows(db: Db): Promise<Set<string>> {
  const rows = await db.many(Type.Object({ id: Type.String() }), sql`
    select distinct payload ->> 'orderId' as id from platform.event
    where type = 'payment.alert' and payload ->> 'reason' ~ '^a (refund|void) failed' and relayed_at is not null`)
  return new Set(rows.map(({ id }) => id))
}

/** Money of an order that ended may stay at the bank for one reason: the bank refuses to return it, and staff knows. */
function compareOrder(attempts: Static<typeof Attempt>[], charges: Charge[], isExcused: boolean): string[] {
  const [{ order, orderId, total, captured, refunded } = attempts[0]!] = attempts
  const broken: string[] = []
  const [atBank, back] = [sum(charges, 'capturedMinor'), sum(charges, 'refundedMinor')]
  if (charges.length > 1) broken.push(`I3 the order ${orderId} is charged ${charges.length} times`)
  if (atBank - back > total) broken.push(`I3 ${atBank - back} were taken for the order ${orderId} of ${total}`)
  if (captured !== atBank || refunded !== back) {
    broken.push(`I6 of the order ${orderId} ${captured} are captured and ${refunded} refunded, ` +
      `at the bank ${atBank} and ${back}`)
  }
  const ended = order === 'cancelled' || order === 'lapsed'
  if (ended && !isExcused && (atBank > back || charges.some(({ state }) => state === 'authorized'))) {
    broken.push(`I4 the order ${orderId} is ${order}, and the bank still holds its money`)
  }
  return broken
}

const sum = (charges: Charge[], what: 'capturedMinor' | 'refundedMinor' | 'feeMinor'): number =>
  charges.reduce((total, charge) => total + charge[what], 0)

const Order = Type.Object({ id: Type.String(), cartId: Type.Union([Type.String(), Type.Null()]) })
const Operation = Type.Object({ id: Type.String(), paymentId: Type.String(), kind: Type.String(),
  amountMinor: Type.Integer() })

export async function compareWithJournal(db: Db, entries: Entry[]): Promise<string[]> {
  const broken: string[] = []
  const orders = await db.many(Order, sql`
    select "order".id, cart.id as "cartId" from orders.order left join checkout.cart on cart.order_id = "order".id`)
  const known = new Set(orders.map(({ id }) => id))
  const ofCart = new Map<string, string>()
  for (const { what, status, orderId, cartId } of entries) {
    if (what !== 'complete' || status !== 201) continue
    if (!orderId || !known.has(orderId)) broken.push(`I9 a client was told of the order ${orderId}, which is not there`)
    const before = ofCart.get(cartId!)
    if (before && before !== orderId) broken.push(`I10 the cart ${cartId} became two orders, ${before} and ${orderId}`)
    ofCart.set(cartId!, orderId!)
  }
  // Each that was asked for once is there once at most, and there if it was acknowledged.
  const made = await db.many(Operation, sql`
    select id, payment_id as "paymentId", kind, amount_minor as "amountMinor" from payments.operation
    where note is null`)
  const signature = (one: { paymentId: string; kind: string; amountMinor: number }): string =>
    `${one.kind} of ${one.amountMinor} on ${one.paymentId}`
  const asked = countBy(new Map(entries.flatMap((entry) => (
    entry.operation ? [[entry.key, signature(entry.operation)] as const] : []))).values())
  const told = countBy(entries.flatMap(({ operation, status }) => (
    operation && status === 200 ? [signature(operation)] : [])))
  const done = countBy(made.map(signature))
  for (const [what, count] of done) {
    const times = asked.get(what) ?? count
    if (count > times) broken.push(`I10 ${what} was asked ${times} times and begun ${count} times`)
  }
  for (const [what, count] of told) {
    if ((done.get(what) ?? 0) < count) broken.push(`I9 ${what} was acknowledged and is not there`)
  }
  return broken
}

function countBy(names: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
