// The words of checkout: the cart as a shopper sees it, and what can be wrong with one. No I/O.
import { Type, type Static } from 'typebox'
import { Id, OneLine, Timestamp } from '../../platform/http.ts'
import { Currency, Money } from '../../platform/money.ts'
import { problem } from '../../platform/problem.ts'
import { Address } from '../orders/orders.ts'
import { GiftCardCode } from '../payments/gift-cards.ts'
import { Quote } from '../pricing/pricing.ts'

/** Beyond this a cart is a mistake or an attack; B2B orders in the thousands of lines are imported, not clicked. */
export const MAX_LINES = 200
export const MAX_QUANTITY = 1_000_000

export const CartLine = Type.Object({ variantId: Id, quantity: Type.Integer({ minimum: 1, maximum: MAX_QUANTITY }) })
export type CartLine = Static<typeof CartLine>
export const Email = Type.String({ format: 'email', maxLength: 254 })
export const CouponCode = OneLine(40)

/** How the shopper wants to pay. `data` is what the gateway's own form returned; no price, no card number. */
export const PaymentChoice = Type.Object({
  method: Type.Optional(Type.String({
    pattern: '^[a-z0-9][a-z0-9-]{0,39}$',
    description: 'The code of a payment method; needed for what gift cards and credit leave to pay',
  })),
  data: Type.Optional(Type.Record(
    Type.String({ maxLength: 60 }), Type.Union([Type.String({ maxLength: 500 }), Type.Number(), Type.Boolean()])
  )),
  returnUrl: Type.Optional(Type.String({
    maxLength: 2_000, description: 'The page of the storefront for a shopper who comes back from a page of the gateway',
  })),
})
export type PaymentChoice = Static<typeof PaymentChoice>

/** The same for an order that is being made: what was paid before comes first, the method collects the rest. */
export const FirstPayment = Type.Object({
  ...PaymentChoice.properties,
  giftCards: Type.Optional(Type.Array(GiftCardCode, {
    maxItems: 10, description: 'Codes of gift cards; used as far as they are needed, those that end first first',
  })),
  storeCredit: Type.Optional(Type.Boolean({ description: 'Use the credit of the customer who is signed in' })),
})
export type FirstPayment = Static<typeof FirstPayment>

/** The part of a cart that the shopper fills in. null empties a field. */
export const cartDetails = {
  currency: Type.Optional(Currency),
  email: Type.Optional(Type.Union([Email, Type.Null()])),
  shippingAddress: Type.Optional(Type.Union([Address, Type.Null()])),
  billingAddress: Type.Optional(Type.Union([Address, Type.Null()])),
  shippingMethodId: Type.Optional(Type.Union([Id, Type.Null()])),
  couponCodes: Type.Optional(Type.Array(CouponCode, { maxItems: 10 })),
}

/** A reason why the cart cannot be ordered as it is: a problem of the quote, in place of the total. */
export const CartIssue = Type.Object(
  { code: Type.String(), title: Type.String(), detail: Type.Optional(Type.String()) }, { additionalProperties: true }
)

export const Cart = Type.Object({
  id: Id, channelId: Id, currency: Currency, lines: Type.Array(CartLine),
  email: Type.Union([Type.String(), Type.Null()]),
  shippingAddress: Type.Union([Address, Type.Null()]), billingAddress: Type.Union([Address, Type.Null()]),
  shippingMethodId: Type.Union([Id, Type.Null()]), couponCodes: Type.Array(Type.String()),
  orderId: Type.Union([Id, Type.Null()]),
  customerId: Type.Union([Id, Type.Null()], { description: 'Whose it is: then their session opens it, and no token' }),
  createdAt: Timestamp, updatedAt: Timestamp, expiresAt: Timestamp,
  quote: Type.Union([Quote, Type.Null()]),
  issues: Type.Array(CartIssue),
})
export type Cart = Static<typeof Cart>

export const CartNotFound = problem('cart-not-found', 404, 'No such cart')
export const CartExpired = problem('cart-expired', 410, 'The cart has expired; begin a new one')
export const CartCompleted = problem(
  'cart-completed', 409, 'The cart has become an order and cannot be changed', Type.Object({ orderId: Id })
)
export const CartIncomplete = problem('cart-incomplete', 422, 'Something is missing before this can be ordered',
  Type.Object({
  missing: Type.Array(Type.Enum(['lines', 'email', 'shippingAddress', 'shippingMethodId'])),
}))
export const CartTooLarge = problem('cart-too-large', 422, 'The cart holds too much', Type.Object(
  { maxLines: Type.Integer(), maxQuantity: Type.Integer() }
))
/** The total is not the one that the shopper saw. Nothing was ordered; the new quote is in the answer. */
export const CartChanged = problem(
  'cart-changed', 409, 'The total has changed', Type.Object({ expectedTotal: Money, quote: Quote })
)
