// What a payment's outcome means for its order. Payments calls this inside the transaction that records the outcome, so
// "paid" and "placed" are one fact: no crash can leave a paid order waiting, or a waiting order paid. An order that
// cannot be placed any more refuses, and payments gives the money back by itself.
import { Type, type Static } from 'typebox'
import { sql, systemContext, type Conn, type Db, type Tx } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { claim } from '../inventory/claim-reservation.ts'
import { release } from '../inventory/release-reservation.ts'
import { post } from '../payments/ledger.ts'
import { PaymentClosed, type PaymentListener } from '../payments/payments.ts'
import { coveredByStoredValue, returnStoredValue } from '../payments/stored-value.ts'
import { confirmCoupons, releaseCoupons } from '../pricing/use-coupons.ts'
import { OrderPlaced, OrderState, statesThatMay } from './orders.ts'
import { note } from './timeline.ts'

const State = Type.Object({ state: OrderState })

/** The state of an order under its row lock. */
export async function lockOrder(tx: Tx, orderId: string): Promise<OrderState | undefined> {
  return (await tx.maybe(State, sql`select state from orders.order where id = ${orderId} for update`))?.state
}

/** The state of an order; undefined for one that does not exist. */
export async function orderState(conn: Conn, orderId: string): Promise<OrderState | undefined> {
  return (await conn.maybe(State, sql`select state from orders.order where id = ${orderId}`))?.state
}

/** Orders' side of the interface that payments owns. */
export const orderPayments: PaymentListener = {
  async lock(tx, orderId) {
    await tx.run(sql`select from orders.order where id = ${orderId} for update`)
  },
  paid: (tx, { orderId, method, state, amountMinor }) => place(tx, orderId, { method, payment: state, amountMinor }),
  failed: (tx, orderId, reason) => note(tx, orderId, 'payment_failed', { reason }),
  ofChannels: (channels, orderId) => sql`${orderId} in (
    select id from orders.order where channel_id = any(${[...channels]}::uuid[]))`,
}

/**
 * Places the order: its holds become promises, its coupon uses are spent, the world is told. 'refused' when it was
 * cancelled or has lapsed, or its goods are gone although it waited; then payments gives the money back. Asked twice it
 * answers the same and does nothing more.
 */
async function place(tx: Tx, orderId: string, data: Record<string, unknown>): Promise<'accepted' | 'refused'> {
  const sale = await lockSale(tx, orderId)
  if (sale?.state === 'placed') return 'accepted'
  if (!sale || !statesThatMay('pay').includes(sale.state)) {
    return refuse(tx, orderId, `the order is ${sale?.state ?? 'unknown'}`)
  }
  // One after the other: stock is locked before coupons everywhere, and a claim may have to lock stock anew.
  const stock = await claim(tx, orderId)
  const coupons = await confirmCoupons(tx, orderId)
  if (stock === 'lost' || coupons === 'lost') {
    await letGo(tx, orderId)
    return refuse(tx, orderId, stock === 'lost' ? 'its goods were sold meanwhile' : 'its coupon was used up meanwhile')
  }
  await Promise.all([
    tx.run(sql`update orders.order set state = 'placed', placed_at = now(), closed_at = null where id = ${orderId}`),
    bookSale(tx, orderId, sale),
    note(tx, orderId, 'placed', data),
    publish(tx, OrderPlaced, { orderId }),
  ])
  return 'accepted'
}

const Sale = Type.Object({
  state: OrderState, number: Type.Integer(), currency: Type.String(), subtotal: Type.Integer(),
  shipping: Type.Integer(), discount: Type.Integer(), tax: Type.Integer(), total: Type.Integer(),
  included: Type.Integer(), includedInShipping: Type.Integer(),
})

function lockSale(tx: Tx, orderId: string): Promise<Static<typeof Sale> | undefined> {
  return tx.maybe(Sale, sql`
    select state, number, currency, subtotal_minor as subtotal, shipping_minor as shipping, discount_minor as discount,
      tax_minor as tax, total_minor as total, case when prices_include_tax then tax_minor else 0 end as included,
      case when prices_include_tax then coalesce((delivery ->> 'taxMinor')::bigint, 0) else 0 end
        as "includedInShipping"
    from orders.order where id = ${orderId} for update`)
}

/** The buyer owes what was ordered; sales are booked without the tax that their prices include. */
async function bookSale(tx: Tx, orderId: string, sale: Static<typeof Sale>): Promise<void> {
  const { number, currency, subtotal, shipping, discount, tax, total, included, includedInShipping } = sale
  await post(tx, {
    source: { type: 'order', id: orderId }, kind: 'sale', currency, orderId, note: `order ${number}`, lines: {
      receivable: total, discount, revenue: included - includedInShipping - subtotal,
      shipping: includedInShipping - shipping, tax: -tax,
    },
  })
}

async function letGo(tx: Tx, orderId: string): Promise<void> {
  await Promise.all([
    release(tx, orderId), releaseCoupons(tx, orderId),
    tx.run(sql`update orders.order set state = 'lapsed', closed_at = now() where id = ${orderId}`),
  ])
  await returnStoredValue(tx, orderId)
}

async function refuse(tx: Tx, orderId: string, reason: string): Promise<'refused'> {
  await note(tx, orderId, 'payment_refused', { reason })
  return 'refused'
}

/**
 * Places an order of which no gateway has to collect anything: its total is nothing, or gift cards and credit paid it
 * all. Answers which. A crash before it lets the order lapse, and its cart can be completed again. An order that owes
 * something is never placed by this, whatever became of its payment's row. Throws PaymentClosed when it has ended.
 */
export async function placeCovered(db: Db, orderId: string): Promise<'none' | 'captured'> {
  return db.transaction(systemContext(), async (tx) => {
    const [, total, coveredMinor] = await Promise.all([
      lockOrder(tx, orderId), tx.one(Total, sql`select total_minor as minor from orders.order where id = ${orderId}`),
      coveredByStoredValue(tx, orderId),
    ])
    const ended = total.minor !== coveredMinor || await place(tx, orderId, { total: total.minor }) === 'refused'
    if (ended && total.minor > 0) throw PaymentClosed({}, 'The order has ended, and what paid it went back.')
    return total.minor > 0 ? 'captured' : 'none'
  })
}

const Total = Type.Object({ minor: Type.Integer() })
