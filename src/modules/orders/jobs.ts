// What orders do by themselves: tell the buyer, give money back after a cancellation, and lapse when nobody pays.
import { systemContext, type Db } from '../../platform/db.ts'
import { firstTime, on, sweep } from '../../platform/events.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'
import { returnPayment } from '../payments/close-payment.ts'
import { paymentStanding } from '../payments/payment-standing.ts'
import { PaymentRefunded, PaymentRefundFailed } from '../payments/payments.ts'
import { findOrder } from './get-order.ts'
import { lapseOrders } from './lapse-orders.ts'
import { OrderCancelled, OrderPlaced } from './orders.ts'
import { finishRefund } from './refund-order.ts'
import { note } from './timeline.ts'

async function sendConfirmation(db: Db, orderId: string, eventId: string): Promise<void> {
  const order = await findOrder(db, orderId)
  if (!order) return
  const standing = await paymentStanding(db, orderId)
  // Only what is left to the buyer to do: a card that was charged needs no words.
  const payment = standing?.kind === 'pending' ? standing : undefined
  await db.transaction(systemContext(eventId), async (tx) => {
    if (!await firstTime(tx, 'orders.send-confirmation', eventId)) return
    await enqueueMessage(tx, 'order-confirmation', order.email, { order, payment })
  })
}

async function noteRefund(db: Db, orderId: string, amountMinor: number, eventId: string): Promise<void> {
  await db.transaction(systemContext(eventId), async (tx) => {
    if (await firstTime(tx, 'orders.note-refund', eventId)) await note(tx, orderId, 'refunded', { amountMinor })
  })
}

export const handlers = [
  on(OrderPlaced, 'orders.send-confirmation', (db, { orderId }, { eventId }) => sendConfirmation(db, orderId, eventId)),
  on(PaymentRefunded, 'orders.note-refund', (db, { orderId, amountMinor }, { eventId }) =>
    noteRefund(db, orderId, amountMinor, eventId)),
  on(PaymentRefunded, 'orders.finish-refund', async (db, { operationId }) => {
    if (operationId) await finishRefund(db, operationId, 'done')
  }),
  on(PaymentRefundFailed, 'orders.free-refund', async (db, { operationId }) => {
    if (operationId) await finishRefund(db, operationId, 'failed')
  }),
  on(OrderCancelled, 'orders.return-payment', (db, { orderId }) => returnPayment(db, systemContext(), orderId)),
]

export const sweeps = [sweep('orders.lapse', { everySeconds: 5 }, lapseOrders)]
