// What staff ask of orders.
import { cancelOrderRoute } from './cancel-order.ts'
import { getAnyOrder } from './get-order.ts'
import { listOrders } from './list-orders.ts'
import { listRefunds, refundOrderRoute } from './refund-order.ts'

export const adminRoutes = [listOrders, getAnyOrder, cancelOrderRoute, refundOrderRoute, listRefunds]
