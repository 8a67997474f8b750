// What a shopper asks of orders.
import { getOrder } from './get-order.ts'
import { listMyOrders } from './list-orders.ts'

export const storeRoutes = [getOrder, listMyOrders]
