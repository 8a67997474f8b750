// What customers do by themselves: be there after an order, with what they bought.
import { on } from '../../platform/events.ts'
import { OrderCancelled, OrderPlaced } from '../orders/orders.ts'
import { countPurchases } from './count-purchases.ts'

export const handlers = [
  on(OrderPlaced, 'customers.count-purchases', (db, { orderId }) => countPurchases(db, orderId)),
  on(OrderCancelled, 'customers.count-cancelled', (db, { orderId }) => countPurchases(db, orderId)),
]
