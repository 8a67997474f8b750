// One-shot checkout: everything in one call, without a cart, for buy-now buttons, apps and agents. The same parts as
// place-order.ts, in two trips instead of three: there is no cart to lock, and the Idempotency-Key is what makes a
// repeat harmless.
import { Type, type Static } from 'typebox'
import { resultId, type Context, type Db } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { route } from '../../platform/http.ts'
import { derivedToken } from '../../platform/derived-token.ts'
import { failpoint } from '../../platform/failpoint.ts'
import { hashToken, newId } from '../../platform/id.ts'
import { Currency, Money } from '../../platform/money.ts'
import { Unauthenticated } from '../../platform/problem.ts'
import { DisposableMail, refuseDisposable } from '../identity/refuse-disposable.ts'
import { holdingHotStock } from '../inventory/hot-stock.ts'
import { reserve } from '../inventory/reserve.ts'
import { createOrder } from '../orders/create-order.ts'
import { findOrder, orderOfShopper } from '../orders/get-order.ts'
import { Address, OrderCreated, OrderNotFound } from '../orders/orders.ts'
import { openPayment } from '../payments/open-payment.ts'
import { PaymentStanding, paymentStanding } from '../payments/payment-standing.ts'
import { PaymentClosed, PaymentMethodNotAvailable, ReturnUrlNotAllowed } from '../payments/payments.ts'
import { findStoredValue, shareOut, spend, UsedValue, usedForOrder } from '../payments/stored-value.ts'
import { quote } from '../pricing/quote.ts'
import { useCoupons } from '../pricing/use-coupons.ts'
import { customerOf, quoteRequestOf, withLines } from './cart.ts'
import {
  CartLine, CartNotFound, CartTooLarge, CouponCode, Email, FirstPayment, MAX_LINES, PaymentChoice,
} from './checkout.ts'
import {
  channelAskedFor, COVERED, HOLD_SECONDS, pay, Placed, placingProblems, refuseUnready, showPlaced, type PlacedOrder,
} from './place-order.ts'

const Body = Type.Object({
  currency: Currency,
  lines: Type.Array(CartLine, { minItems: 1, maxItems: MAX_LINES }),
  email: Email,
  shippingAddress: Type.Optional(Address),
  billingAddress: Type.Optional(Address),
  shippingMethodId: Type.Optional(Type.String({ format: 'uuid' })),
  couponCodes: Type.Optional(Type.Array(CouponCode, { maxItems: 10 })),
  expectedTotal: Money,
  payment: FirstPayment,
})

/**
 * Places and pays an order at once; throws what `placeOrder` throws. Asked twice under one Idempotency-Key it makes one
 * order.
 */
export async function checkoutNow(
  db: Db, context: Context, channelId: string, body: Static<typeof Body>,
): Promise<PlacedOrder & { token: string }> {
  const orderId = resultId(context)
  const token = await orderToken(db, orderId)
  const { shippingAddress = null, billingAddress = null, shippingMethodId = null, couponCodes = [] } = body
  const cart = {
    channelId, currency: body.currency, lines: withLines([], body.lines, 'add'), email: body.email, shippingAddress,
    billingAddress, shippingMethodId, couponCodes,
  }
  const customerId = customerOf(context)?.id ?? null
  const place = () => db.transaction(context, async (tx) => {
    const [quoted, channel, stored] = await Promise.all([
      quote(tx, quoteRequestOf(cart)), channelAskedFor(db, tx, channelId),
      findStoredValue(tx, { ...body.payment, currency: body.currency, customerId }),
      reserve(tx, orderId, cart.lines, HOLD_SECONDS),
    ])
    const { uses, dueMinor } = shareOut(stored, quoted.totalMinor)
    refuseUnready(db, { ...cart, channel, dueMinor }, quoted, body)
    failpoint('order.placing')
    await tx.commit([
      createOrder(tx, {
        ...cart, orderId, tokenHash: hashToken(token), customerId, quote: quoted,
        paymentMethod: dueMinor > 0 ? body.payment.method! : COVERED, holdSeconds: HOLD_SECONDS,
      }),
      useCoupons(tx, orderId, quoted, cart.email.toLowerCase()),
      spend(tx, orderId, uses),
      openPayment(tx, {
        paymentId: newId(), orderId, amountMinor: dueMinor, currency: quoted.currency, channel,
        country: shippingAddress?.country ?? null,
      }),
      publish(tx, OrderCreated, { orderId }),
    ])
    return orderId
  })
  await holdingHotStock(db, orderId, async () => cart.lines, place)
  return { ...await pay(db, context, orderId, body.payment), token }
}

const orderToken = (db: Db, orderId: string): Promise<string> => derivedToken(db, 'order_', orderId)

const PlacedNow = Type.Object({
  ...Placed.properties,
  token: Type.String({ description: 'Of a guest: reads the order later, and pays it, as a bearer token' }),
})

async function show(db: Db, orderId: string) {
  const order = await findOrder(db, orderId)
  if (!order) throw OrderNotFound({})
  return order
}

export const checkoutNowRoute = route({
  method: 'POST', path: '/store/checkout', access: 'shopper', priority: 'pay', tags: ['Checkout'],
  summary: 'Order and pay in one call',
  description: 'Ask POST /store/quote for the total first. With an Idempotency-Key a repeat answers the same order.',
  body: Body, response: { 201: PlacedNow }, problems: [...placingProblems, CartTooLarge, DisposableMail],
  // A first answer that was lost may have been lost before the payment: paying again resumes it, and does nothing when
  // it is paid.
  replay: async ({ db, context, body, resultId }) => {
    const { payment } = await pay(db, context, resultId, body.payment)
    return { order: await show(db, resultId), payment, token: await orderToken(db, resultId) }
  },
  async run({ db, context, body }) {
    if (context.actor.kind !== 'shopper') throw Unauthenticated({})
    refuseDisposable(db, body.email)
    const { orderId, payment, token } = await checkoutNow(db, context, context.actor.channelId, body)
    return { order: await show(db, orderId), payment, token }
  },
})

export const payOrder = route({
  method: 'POST', path: '/store/orders/:orderId/pay', access: 'shopper', priority: 'pay', tags: ['Checkout'],
  summary: 'Pay an order that waits for its payment',
  description: 'After a decline, with the same or another method. A paid or undecided one answers its state.',
  params: Type.Object({ orderId: Type.String({ format: 'uuid' }) }), body: Type.Object({ payment: PaymentChoice }),
  response: { 200: Placed },
  problems: [OrderNotFound, CartNotFound, PaymentClosed, PaymentMethodNotAvailable, ReturnUrlNotAllowed],
  replay: async ({ db, context, params, body }) => payAgain(db, context, params.orderId, body.payment),
  run: async ({ db, context, params, body }) => payAgain(db, context, params.orderId, body.payment),
})

export const getOrderPayment = route({
  method: 'GET', path: '/store/orders/:orderId/payment', access: 'shopper', tags: ['Checkout'],
  summary: 'How the payment of an order stands',
  description: 'What completing it answered, as it is by now: paid, declined, where to go on, what a transfer has to ' +
    'name. null where nobody tried to pay, or nothing is left to pay. And what gift cards and credit paid of it.',
  params: Type.Object({ orderId: Type.String({ format: 'uuid' }) }),
  response: { 200: Type.Object({
    payment: Type.Union([PaymentStanding, Type.Null()]), storedValue: Type.Array(UsedValue),
  }) },
  problems: [OrderNotFound],
  async run({ db, context, params: { orderId } }) {
    await orderOfShopper(db, context.actor, orderId)
    const [payment, storedValue] = await Promise.all([paymentStanding(db, orderId), usedForOrder(db, orderId)])
    return { payment, storedValue }
  },
})

async function payAgain(db: Db, context: Context, orderId: string, choice: PaymentChoice) {
  await orderOfShopper(db, context.actor, orderId)
  return showPlaced(db, context, await pay(db, context, orderId, choice))
}
