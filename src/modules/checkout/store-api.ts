// What a shopper asks of checkout, in the order of a purchase.
import {
  addLines, createCartRoute, getCart, listCartPaymentMethods, listCartShippingOptions, makeQuote, setLines,
  updateCartRoute,
} from './cart-routes.ts'
import { checkoutNowRoute, getOrderPayment, payOrder } from './checkout-now.ts'
import { ownCartRoutes } from './own-carts.ts'
import { completeCart } from './place-order.ts'

export const storeRoutes = [
  createCartRoute, getCart, addLines, setLines, updateCartRoute, listCartShippingOptions, listCartPaymentMethods,
  completeCart, payOrder, getOrderPayment, makeQuote, checkoutNowRoute, ...ownCartRoutes,
]
