// What a shopper asks of orders.
import { getOrder } from './get-order.ts'

export const storeRoutes = [getOrder]
