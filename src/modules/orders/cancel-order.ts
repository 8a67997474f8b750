// Cancels an order: its goods are free again in the same transaction, and what was paid goes back by itself. The
// gateway is called by a job after the commit, so a crash in between delays the money and cannot lose it.
import { Type, type Static } from 'typebox'
import { LimitExceeded, requireRefund, within } from '../../platform/authority.ts'
import { sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { Id, route } from '../../platform/http.ts'
import { release } from '../inventory/release-reservation.ts'
import { paymentsOf } from '../payments/get-payment.ts'
import { reverseSale } from '../payments/ledger.ts'
import { releaseCoupons } from '../pricing/use-coupons.ts'
import { lockOrder } from './apply-payment.ts'
import { findOrder } from './get-order.ts'
import { Order, OrderCancelled, OrderClosed, OrderNotFound, statesThatMay } from './orders.ts'
import { note } from './timeline.ts'

const CancelReason = Type.Enum(['customer', 'out_of_stock', 'fraud', 'payment', 'other'])

/**
 * Throws OrderNotFound, OrderClosed when the order lapsed, and LimitExceeded when more was paid than the actor may
 * refund. Asked twice it answers the cancelled order and does nothing more.
 */
export async function cancelOrder(
  db: Db, context: Context, orderId: string, reason: Static<typeof CancelReason>,
): Promise<void> {
  await db.transaction(context, async (tx) => {
    const state = await lockOrder(tx, orderId)
    const theirs = await tx.run(sql`
      select from orders.order where id = ${orderId} and ${within(context.actor, 'channels', sql`channel_id`)}`)
    if (!state || theirs === 0) throw OrderNotFound({})
    if (state === 'cancelled') return
    if (!statesThatMay('cancel').includes(state)) throw OrderClosed(
      { state }, 'Only an order that waits for payment or is placed can be cancelled.'
    )
    await requireMayGiveBack(tx, orderId)
    await release(tx, orderId)
    await releaseCoupons(tx, orderId)
    await tx.commit([
      tx.run(sql`update orders.order set state = 'cancelled', closed_at = now() where id = ${orderId}`),
      state === 'placed' ? reverseSale(tx, orderId) : Promise.resolve(),
      note(tx, orderId, 'cancelled', { reason }),
      publish(tx, OrderCancelled, { orderId, reason }),
    ])
  })
}

/** Cancelling gives back what was paid, so it is no way around the limit for refunds. */
async function requireMayGiveBack(tx: Tx, orderId: string): Promise<void> {
  const { actor } = tx.context
  if (!('limits' in actor) || !actor.limits?.refund) return
  for (const { currency, capturedMinor, refundedMinor } of await paymentsOf(tx, orderId)) {
    requireRefund(actor, { currency, amountMinor: capturedMinor - refundedMinor, refundedMinor })
  }
}

async function read(db: Db, orderId: string): Promise<Order> {
  const order = await findOrder(db, orderId)
  if (!order) throw OrderNotFound({})
  return order
}

export const cancelOrderRoute = route({
  method: 'POST', path: '/admin/orders/:orderId/cancel', priority: 'pay', tags: ['Orders'],
  access: { permission: 'orders:write', within: 'channels' },
  summary: 'Cancel an order',
  description: 'Frees its stock at once; an authorisation is voided and a captured payment refunded by a job.',
  params: Type.Object({ orderId: Id }), body: Type.Object({ reason: CancelReason }),
  response: { 200: Order }, problems: [OrderNotFound, OrderClosed, LimitExceeded],
  replay: ({ db, params }) => read(db, params.orderId),
  async run({ db, context, params, body }) {
    await cancelOrder(db, context, params.orderId, body.reason)
    return read(db, params.orderId)
  },
})
