// Refunds what was ordered: units of lines, the delivery, and whatever is given on top. What it comes to follows from
// the frozen lines, never from the request; units and money are reserved in one transaction before the gateway is
// called, and a refund that the gateway refuses gives both back.
import { Type, type Static, type TSchema } from 'typebox'
import { LimitExceeded, within } from '../../platform/authority.ts'
import { json, resultId, sql, systemContext, type Context, type Db, type Tx } from '../../platform/db.ts'
import { Id, route, Timestamp } from '../../platform/http.ts'
import { multiplyDivide, sum } from '../../platform/money.ts'
import { problem } from '../../platform/problem.ts'
import { paymentsOf } from '../payments/get-payment.ts'
import { beginOperation, runOperations } from '../payments/operations.ts'
import { AmountNotAvailable, NotPossible, RefundCause } from '../payments/payments.ts'
import { openStoreCredit } from '../payments/store-credit.ts'
import { lockOrder } from './apply-payment.ts'
import { OrderNotFound } from './orders.ts'

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const Amount = Type.Integer({ minimum: 1, maximum: 2e15 })

export const NotRefundable = problem('not-refundable', 409, 'That much of it cannot be refunded any more', Type.Object({
  lines: Type.Array(Type.Object({ position: Type.Integer(), refundableQuantity: Type.Integer() })),
  refundableShippingMinor: Type.Integer(),
}))

const Wish = Type.Object({
  lines: Type.Optional(Type.Array(
    Type.Object({ position: Type.Integer({ minimum: 1 }), quantity: Type.Integer({ minimum: 1, maximum: 1_000_000 }) }),
    { maxItems: 500, description: 'Units of lines, at what was paid for them' })),
  shippingMinor: Type.Optional(Amount),
  extraMinor: Type.Optional({ ...Amount, description: 'Beyond lines and delivery: goodwill, a lower price' }),
  to: Type.Optional(Type.Enum(['original', 'store_credit'], {
    description: 'Back to what paid it, gateways before gift cards and credit; or all to the credit of its customer',
  })),
  cause: RefundCause, note: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
})
type Wish = Static<typeof Wish>

export const Refund = Type.Object({
  id: Id, state: Type.Enum(['sending', 'unknown', 'done', 'failed']), amountMinor: Type.Integer(),
  storedMinor: Type.Integer({ description: 'Of it, what went to gift cards and store credit' }),
  shippingMinor: Type.Integer(), cause: nullable(RefundCause), note: nullable(Type.String()), createdAt: Timestamp,
  lines: Type.Array(Type.Object({
    position: Type.Integer(), quantity: Type.Integer(), amountMinor: Type.Integer(),
  })),
})
export type Refund = Static<typeof Refund>

const Line = Type.Object({
  position: Type.Integer(), quantity: Type.Integer(), totalMinor: Type.Integer(), refunded: Type.Integer(),
  refundedMinor: Type.Integer(),
})
const Delivery = Type.Object({ left: Type.Integer() })

/**
 * Refunds to what paid the order, or to its customer's credit; answers how the refund stands. Throws OrderNotFound,
 * NotRefundable naming what is left of lines and delivery, AmountNotAvailable when less was captured, LimitExceeded
 * beyond the actor's limit, and NotPossible when nothing was captured or nothing is asked for, or a guest shall have
 * credit.
 */
export async function refundOrder(db: Db, context: Context, orderId: string, wish: Wish): Promise<Refund> {
  const id = resultId(context)
  await db.transaction(context, async (tx) => {
    await requireOrder(tx, orderId)
    const { lines, shippingMinor, amountMinor } = await price(tx, orderId, wish)
    if (amountMinor === 0) throw NotPossible({}, 'Say what to refund: lines, shippingMinor or extraMinor.')
    const storedMinor = await giveBackMoney(tx, orderId, { ...wish, id, amountMinor })
    await tx.commit([
      tx.run(sql`update orders.order set refunded_shipping_minor = refunded_shipping_minor + ${shippingMinor}
        where id = ${orderId}`),
      tx.run(sql`
        with refund as (
          insert into orders.refund (id, order_id, state, shipping_minor, amount_minor, stored_minor)
          values (${id}, ${orderId}, ${storedMinor === amountMinor ? 'done' : 'sending'}, ${shippingMinor},
            ${amountMinor}, ${storedMinor})
        ), asked as (
          select * from jsonb_to_recordset(${json(lines)}::jsonb) as line (
            position integer, quantity integer, "amountMinor" bigint)
        ), taken as (
          update orders.line set refunded_quantity = refunded_quantity + asked.quantity,
            refunded_minor = refunded_minor + "amountMinor"
          from asked where order_id = ${orderId} and line.position = asked.position
        )
        insert into orders.refund_line (refund_id, position, quantity, amount_minor)
        select ${id}::uuid, position, quantity, "amountMinor" from asked`),
    ])
  })
  await runOperations(db, systemContext(context.requestId), orderId)
  return findRefund(db, orderId, id)
}

const Buyer = Type.Object({ customerId: nullable(Type.String()), currency: Type.String() })

/**
 * Begins the operations that bring an amount together: at most one at a gateway, which has the id of the refund, and
 * one for each gift card or credit, which is done at once. Answers how much went to those.
 */
async function giveBackMoney(
  tx: Tx, orderId: string, { id, amountMinor, to, cause, note }: Wish & { id: string; amountMinor: number },
): Promise<number> {
  const payments = (await paymentsOf(tx, orderId)).filter(({ capturedMinor }) => capturedMinor > 0)
  if (payments.length === 0) throw NotPossible({}, 'Nothing was paid for this order.')
  const toStoredValue = to === 'store_credit' ? await creditOfBuyer(tx, orderId) : undefined
  const left = payments.map((one) => one.capturedMinor - one.refundedMinor - one.refundingMinor)
  if (amountMinor > sum(left)) {
    throw AmountNotAvailable({ availableMinor: sum(left) }, 'Ask for what is left, or less.')
  }
  let owed = amountMinor
  let storedMinor = 0
  const parts = payments.map((payment, index) => ({ ...payment, leftMinor: left[index]! }))
    .sort((a, b) => Number(a.stored) - Number(b.stored))
  for (const { id: paymentId, stored, leftMinor } of parts) {
    const part = Math.min(leftMinor, owed)
    if (part === 0) continue
    await beginOperation(tx, null, {
      id: owed === amountMinor ? id : undefined, paymentId, kind: 'refund', amountMinor: part, cause, note,
      toStoredValue,
    })
    owed -= part
    if (stored || toStoredValue) storedMinor += part
  }
  return storedMinor
}

async function creditOfBuyer(tx: Tx, orderId: string): Promise<string> {
  const { customerId, currency } = await tx.one(Buyer, sql`
    select customer_id as "customerId", currency from orders.order where id = ${orderId}`)
  if (!customerId) {
    throw NotPossible({}, 'A guest has no credit: refund to what paid it, or issue a gift card.')
  }
  return openStoreCredit(tx, customerId, currency)
}

async function requireOrder(tx: Tx, orderId: string): Promise<void> {
  const state = await lockOrder(tx, orderId)
  const theirs = await tx.run(sql`select from orders.order
    where id = ${orderId} and ${within(tx.context.actor, 'channels', sql`channel_id`)}`)
  if (!state || theirs === 0) throw OrderNotFound({})
}

/** What was paid for the units, so that the last unit of a line brings its refunds to the line's total exactly. */
async function price(tx: Tx, orderId: string, { lines: asked = [], shippingMinor = 0, extraMinor = 0 }: Wish) {
  const [sold, { left }] = await Promise.all([
    tx.many(Line, sql`select position, quantity, total_minor as "totalMinor", refunded_quantity as refunded,
        refunded_minor as "refundedMinor"
      from orders.line where order_id = ${orderId} order by position`),
    tx.one(Delivery, sql`select coalesce((delivery ->> 'totalMinor')::bigint, 0) - refunded_shipping_minor as left
      from orders.order where id = ${orderId}`),
  ])
  const units = new Map<number, number>()
  for (const { position, quantity } of asked) units.set(position, (units.get(position) ?? 0) + quantity)
  const lines = [...units].map(([position, quantity]) => {
    const line = sold.find((one) => one.position === position)
    if (!line || line.refunded + quantity > line.quantity) throw notRefundable(sold, left)
    const until = multiplyDivide(line.totalMinor, line.refunded + quantity, line.quantity)
    return { position, quantity, amountMinor: Math.max(0, until - line.refundedMinor) }
  })
  if (shippingMinor > left) throw notRefundable(sold, left)
  const ofLines = lines.map((line) => line.amountMinor)
  return { lines, shippingMinor, amountMinor: sum([...ofLines, shippingMinor, extraMinor]) }
}

const notRefundable = (sold: Static<typeof Line>[], refundableShippingMinor: number): Error => NotRefundable({
  lines: sold.map(({ position, quantity, refunded }) => ({ position, refundableQuantity: quantity - refunded })),
  refundableShippingMinor,
}, 'Ask for what is left of each line and of the delivery, or less.')

/**
 * Writes down how a refund ended. One that failed gives its units back, unless a part of it went to a gift card: then
 * they count as refunded, and the rest can be given with extraMinor. Asked twice, the second time does nothing.
 */
export async function finishRefund(db: Db, refundId: string, state: 'done' | 'failed'): Promise<void> {
  await db.transaction(systemContext(), async (tx) => {
    const finished = await tx.maybe(Finished, sql`
      update orders.refund set state = ${state} where id = ${refundId} and state = 'sending'
      returning order_id as "orderId", shipping_minor as "shippingMinor", stored_minor as "storedMinor"`)
    if (!finished || state === 'done' || finished.storedMinor > 0) return
    const { orderId, shippingMinor } = finished
    await tx.commit([
      tx.run(sql`update orders.order set refunded_shipping_minor = refunded_shipping_minor - ${shippingMinor}
        where id = ${orderId}`),
      tx.run(sql`update orders.line set refunded_quantity = refunded_quantity - refund_line.quantity,
          refunded_minor = refunded_minor - refund_line.amount_minor
        from orders.refund_line
        where refund_id = ${refundId} and order_id = ${orderId} and line.position = refund_line.position`),
    ])
  })
}

const Finished = Type.Object({ orderId: Id, shippingMinor: Type.Integer(), storedMinor: Type.Integer() })

/** The refunds of an order that were made of its lines, oldest first, as their operations stand. */
export async function refundsOf(db: Db, orderId: string): Promise<Refund[]> {
  const [rows, payments] = await Promise.all([
    db.many(Type.Omit(Refund, ['state', 'cause', 'note']), sql`
      select id, amount_minor as "amountMinor", shipping_minor as "shippingMinor",
        stored_minor as "storedMinor", created_at as "createdAt", (
        select coalesce(jsonb_agg(jsonb_build_object('position', position, 'quantity', quantity,
          'amountMinor', refund_line.amount_minor) order by position), '[]')
        from orders.refund_line where refund_id = refund.id) as lines
      from orders.refund where order_id = ${orderId} order by created_at, id`),
    paymentsOf(db, orderId),
  ])
  const operations = new Map(payments.flatMap((payment) => payment.operations.map((one) => [one.id, one])))
  return rows.map((row) => {
    const { state, cause, note } = operations.get(row.id)!
    return { ...row, state, cause, note }
  })
}

async function findRefund(db: Db, orderId: string, id: string): Promise<Refund> {
  return (await refundsOf(db, orderId)).find((one) => one.id === id)!
}

const params = Type.Object({ orderId: Id })

export const refundOrderRoute = route({
  method: 'POST', path: '/admin/orders/:orderId/refunds', operationId: 'refundOrder', priority: 'pay', tags: ['Orders'],
  access: { permission: 'payments:write', within: 'channels' },
  summary: 'Refund lines, delivery, or an amount, to what paid it or to store credit',
  description: 'Lines cost what was paid for them, discounts and tax included. Nothing is refunded twice.',
  params, body: Wish, response: { 201: Refund },
  problems: [OrderNotFound, NotRefundable, AmountNotAvailable, NotPossible, LimitExceeded],
  replay: ({ db, params: { orderId }, resultId: id }) => findRefund(db, orderId, id),
  run: ({ db, context, params: { orderId }, body }) => refundOrder(db, context, orderId, body),
})

export const listRefunds = route({
  method: 'GET', path: '/admin/orders/:orderId/refunds', tags: ['Orders'],
  access: { permission: 'payments:read', within: 'channels' }, summary: 'List the refunds of an order',
  params, response: { 200: Type.Object({ items: Type.Array(Refund) }) }, problems: [OrderNotFound],
  async run({ db, context, params: { orderId } }) {
    const theirs = await db.run(sql`select from orders.order
      where id = ${orderId} and ${within(context.actor, 'channels', sql`channel_id`)}`)
    if (theirs === 0) throw OrderNotFound({})
    return { items: await refundsOf(db, orderId) }
  },
})
