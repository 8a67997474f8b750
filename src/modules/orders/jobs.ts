// What orders do by themselves: tell the buyer, give money back after a cancellation, and lapse when nobody pays.
import { systemContext, type Db } from '../../platform/db.ts'
import { firstTime, on, sweep } from '../../platform/events.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'
import { returnPayment } from '../payments/close-payment.ts'
import { findOrder } from './get-order.ts'
import { lapseOrders } from './lapse-orders.ts'
import { OrderCancelled, OrderPlaced } from './orders.ts'

async function sendConfirmation(db: Db, orderId: string, eventId: string): Promise<void> {
  const order = await findOrder(db, orderId)
  if (!order) return
  await db.transaction(systemContext(eventId), async (tx) => {
    if (
      await firstTime(tx, 'orders.send-confirmation', eventId)
    ) await enqueueMessage(tx, 'order-confirmation', order.email, { order })
  })
}

export const handlers = [
  on(OrderPlaced, 'orders.send-confirmation', (db, { orderId }, { eventId }) => sendConfirmation(db, orderId, eventId)),
  on(OrderCancelled, 'orders.return-payment', (db, { orderId }) => returnPayment(db, systemContext(), orderId)),
]

export const sweeps = [sweep('orders.lapse', { everySeconds: 5 }, lapseOrders)]
