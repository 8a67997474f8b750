// Turns a cart into an order. What must be true together happens in one transaction of nine statements in three trips,
// whatever the number of lines; the gateway is called after it, because a network call must never hold a row lock. The
// order waits for its payment with its stock and coupon uses held: paid in time it is placed (see
// orders/apply-payment.ts), otherwise it lapses and the cart is open again.
import { Type } from 'typebox'
import { sql, type Conn, type Context, type Db } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { failpoint } from '../../platform/failpoint.ts'
import { Id, route } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { Money } from '../../platform/money.ts'
import { getChannel } from '../catalog/channels.ts'
import { holdingHotStock } from '../inventory/hot-stock.ts'
import { OutOfStock } from '../inventory/inventory.ts'
import { reserve } from '../inventory/reserve.ts'
import { orderState, placeCovered } from '../orders/apply-payment.ts'
import { createOrder } from '../orders/create-order.ts'
import { orderOfShopper } from '../orders/get-order.ts'
import { Order, OrderCreated, OrderNotFound } from '../orders/orders.ts'
import { authorize } from '../payments/authorize.ts'
import { asksForChannel, openPayment, requireMethod } from '../payments/open-payment.ts'
import {
  PaymentClosed, PaymentMethodNotAvailable, PaymentResult, ReturnUrlNotAllowed,
} from '../payments/payments.ts'
import { requireReturnUrl } from '../payments/return-shopper.ts'
import {
  findStoredValue, shareOut, spend, StoredValueNotUsable, StoredValueSpent,
} from '../payments/stored-value.ts'
import {
  CouponExhausted, CouponNotApplicable, CurrencyNotOffered, QuoteTooLarge, sameTotal, ShippingMethodNotAvailable,
  VariantUnavailable, type Quote,
} from '../pricing/pricing.ts'
import { quote } from '../pricing/quote.ts'
import { useCoupons } from '../pricing/use-coupons.ts'
import { customerOf, quoteRequestOf, readCart, type CartRow } from './cart.ts'
import { CartChanged, CartExpired, CartIncomplete, CartNotFound, FirstPayment, type PaymentChoice } from './checkout.ts'

/**
 * A shopper has this long to pay: enough for a bank's confirmation page, and an abandoned order keeps nothing from
 * others for longer.
 */
export const HOLD_SECONDS = 15 * 60

export type PlaceOrder = { cartId: string; expectedTotal: Money; payment: FirstPayment }
export type PlacedOrder = { orderId: string; payment: PaymentResult }

/**
 * Asked twice, or ten times at once, it makes one order and one payment: the cart's row lock decides, and the others
 * find its order id. Throws CartChanged when the total is not `expectedTotal`, OutOfStock naming the lines, and what a
 * quote may throw. Nothing is half-done.
 */
export async function placeOrder(db: Db, context: Context, input: PlaceOrder): Promise<PlacedOrder> {
  const orderId = newId()
  const place = () => db.transaction(context, async (tx) => {
    const cart = await readCart(tx, context, input.cartId, sql`for update`)
    if (cart.orderId && await orderState(tx, cart.orderId) !== 'lapsed') return cart.orderId

    const customerId = customerOf(context)?.id ?? null
    const [quoted, channel, stored] = await Promise.all([                      // one trip
      quote(tx, quoteRequestOf(cart)), channelAskedFor(db, tx, cart.channelId),
      findStoredValue(tx, { ...input.payment, currency: cart.currency, customerId }),
      reserve(tx, orderId, cart.lines, HOLD_SECONDS),                          // throws OutOfStock, naming the lines
    ])
    const { uses, dueMinor } = shareOut(stored, quoted.totalMinor)
    const email = refuseUnready(db, { ...cart, channel, dueMinor }, quoted, input)

    failpoint('order.placing')
    await tx.commit([                                                          // one trip, the commit included
      createOrder(tx, {
        ...cart, orderId, email, quote: quoted, customerId: cart.customerId ?? customerId,
        paymentMethod: dueMinor > 0 ? input.payment.method! : COVERED, holdSeconds: HOLD_SECONDS,
      }),
      useCoupons(tx, orderId, quoted, email.toLowerCase()),
      spend(tx, orderId, uses),
      openPayment(tx, {
        paymentId: newId(), orderId, amountMinor: dueMinor, currency: quoted.currency, channel,
        country: cart.shippingAddress?.country ?? null,
      }),
      tx.run(sql`update checkout.cart set order_id = ${orderId}, updated_at = now() where id = ${cart.id}`),
      publish(tx, OrderCreated, { orderId }),
    ])
    return orderId
  })
  const linesOfCart = async () => (await readCart(db, context, input.cartId)).lines   // read only when something is hot
  return pay(db, context, await holdingHotStock(db, orderId, linesOfCart, place), input.payment)
}

/** The way to pay of an order that no gateway has to collect anything of. */
export const COVERED = 'stored-value'

/**
 * Pays a new or a waiting order: idempotent and resumable. One of which nothing is left to pay is placed at once.
 * Throws PaymentClosed for such an order that has ended.
 */
export async function pay(db: Db, context: Context, orderId: string, choice: PaymentChoice): Promise<PlacedOrder> {
  failpoint('order.placed')
  const payment = await authorize(db, context, { orderId, ...choice })
  return { orderId, payment: payment.kind === 'none' ? { kind: await placeCovered(db, orderId) } : payment }
}

/** The code of the channel where a way to pay asks for it; most shops spare themselves the statement. */
export async function channelAskedFor(db: Db, conn: Conn, channelId: string): Promise<string | null> {
  return asksForChannel(db) ? (await getChannel(conn, channelId)).code : null
}

type Ready = Pick<CartRow, 'lines' | 'email' | 'shippingAddress' | 'shippingMethodId'> & {
  channel: string | null; dueMinor: number
}

/**
 * Refuses what cannot be ordered: something missing, a total that the shopper has not seen, a way to pay that is not
 * offered. Answers the e-mail.
 */
export function refuseUnready(
  db: Db, cart: Ready, quoted: Quote, { expectedTotal, payment }: Omit<PlaceOrder, 'cartId'>,
): string {
  const goods = quoted.lines.some((line) => line.requiresShipping)
  const missing = [
    cart.lines.length === 0 && 'lines', !cart.email && 'email', goods && !cart.shippingAddress && 'shippingAddress',
    goods && !cart.shippingMethodId && 'shippingMethodId',
  ].filter((name) => name !== false) as ('lines' | 'email' | 'shippingAddress' | 'shippingMethodId')[]
  if (missing.length > 0) throw CartIncomplete({ missing }, `Add ${missing.join(', ')} and try again.`)
  if (!sameTotal(quoted, expectedTotal)) {
    throw CartChanged({ expectedTotal, quote: quoted }, 'Show the new total to the shopper, then send that.')
  }
  const country = cart.shippingAddress?.country ?? null
  if (cart.dueMinor > 0) {
    requireReturnUrl(db, payment.returnUrl)
    const { channel, dueMinor: amountMinor } = cart
    requireMethod(db, payment.method, { currency: quoted.currency, country, channel, amountMinor })
  }
  return cart.email!
}

export const Placed = Type.Object({ order: Order, payment: PaymentResult })
export const placingProblems = [
  CartIncomplete, CartChanged, OutOfStock, CouponExhausted, CouponNotApplicable, CurrencyNotOffered, QuoteTooLarge,
  ShippingMethodNotAvailable, VariantUnavailable, PaymentMethodNotAvailable, PaymentClosed,
  ReturnUrlNotAllowed, OrderNotFound, StoredValueNotUsable, StoredValueSpent,
] as const

/** The order as it stands now, with what became of its payment. */
export async function showPlaced(db: Db, context: Context, { orderId, payment }: PlacedOrder) {
  return { order: await orderOfShopper(db, context.actor, orderId), payment }
}

type Completion = { db: Db; context: Context; params: { cartId: string }; body: Omit<PlaceOrder, 'cartId'> }

async function complete({ db, context, params, body }: Completion) {
  return showPlaced(db, context, await placeOrder(db, context, { ...params, ...body }))
}

export const completeCart = route({
  method: 'POST', path: '/store/carts/:cartId/complete', access: 'shopper', priority: 'pay', tags: ['Checkout'],
  summary: 'Order the cart and pay',
  description: 'A declined payment leaves the order waiting: complete again with another method. While a payment is ' +
    'undecided, a repeat answers its state.',
  params: Type.Object({ cartId: Id }), body: Type.Object({ expectedTotal: Money, payment: FirstPayment }),
  response: { 201: Placed }, problems: [CartNotFound, CartExpired, ...placingProblems],
  // The cart knows its order and the order its payment, so a repeat of the whole act renders the present state by
  // itself.
  replay: (input) => complete(input),
  run: (input) => complete(input),
})
