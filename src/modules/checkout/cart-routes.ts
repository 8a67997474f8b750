// The routes of a cart before it is ordered, and of a quote without one.
import { Type } from 'typebox'
import { Id, route } from '../../platform/http.ts'
import { Currency } from '../../platform/money.ts'
import { getChannel } from '../catalog/channels.ts'
import { CustomerAddressNotFound } from '../customers/customers.ts'
import { DisposableMail, refuseDisposable } from '../identity/refuse-disposable.ts'
import { Address } from '../orders/orders.ts'
import { sharesAt } from '../payments/choose-gateway.ts'
import { readCircuits } from '../payments/gateway-health.ts'
import { listPaymentMethods } from '../payments/open-payment.ts'
import {
  CouponNotApplicable, CurrencyNotOffered, Quote, QuoteTooLarge, ShippingMethodNotAvailable, VariantUnavailable,
} from '../pricing/pricing.ts'
import { quote } from '../pricing/quote.ts'
import { ShippingOption, shippingOptions } from '../shipping/shipping-options.ts'
import { readSaved, savedAddresses } from './own-carts.ts'
import {
  changeLines, channelOf, createCart, priceOrProblem, quoteRequestOf, readCart, showBegun, showCart, updateCart,
  withLines,
} from './cart.ts'
import {
  Cart, CartCompleted, cartDetails, CartExpired, CartLine, CartNotFound, CartTooLarge, CouponCode, MAX_LINES,
  MAX_QUANTITY,
} from './checkout.ts'
import { channelAskedFor } from './place-order.ts'

const params = Type.Object({ cartId: Id })
const cartProblems = [CartNotFound, CartExpired]
const changeProblems = [...cartProblems, CartCompleted, CurrencyNotOffered, CartTooLarge, VariantUnavailable]

export const createCartRoute = route({
  method: 'POST', path: '/store/carts', access: 'shopper', tags: ['Carts'], summary: 'Begin a cart',
  description: 'Answers the cart and its token: send it as Authorization: Bearer <token>.',
  body: Type.Object({ ...cartDetails, lines: Type.Optional(Type.Array(CartLine, { maxItems: MAX_LINES })) }),
  response: { 201: Type.Object({ cart: Cart, token: Type.String() }) },
  problems: [CurrencyNotOffered, CartTooLarge, VariantUnavailable, DisposableMail, ...cartProblems],
  replay: ({ db, context, resultId }) => showBegun(db, context, resultId),
  async run({ db, context, body }) {
    if (body.email) refuseDisposable(db, body.email)
    return createCart(db, context, channelOf(context.actor), body)
  },
})

export const getCart = route({
  method: 'GET', path: '/store/carts/:cartId', access: 'shopper', priority: 'cart', tags: ['Carts'],
  summary: 'Read a cart with a fresh quote',
  params, response: { 200: Cart }, problems: cartProblems,
  run: async ({ db, context, params }) => showCart(db, await readCart(db, context, params.cartId)),
})

export const updateCartRoute = route({
  method: 'PATCH', path: '/store/carts/:cartId', access: 'shopper', priority: 'checkout', tags: ['Carts'],
  summary: 'Set e-mail, addresses, delivery, coupons or currency',
  description: 'What is not named stays; null empties a field.',
  params, body: Type.Object({ ...cartDetails, ...savedAddresses }), response: { 200: Cart },
  problems: [...changeProblems, DisposableMail, CustomerAddressNotFound],
  async run({ db, context, params, body: { shippingAddressId, billingAddressId, ...body } }) {
    if (body.email) refuseDisposable(db, body.email)
    const saved = await readSaved(db, context, { shippingAddressId, billingAddressId })
    return updateCart(db, context, params.cartId, { ...body, ...saved })
  },
})

export const addLines = route({
  method: 'POST', path: '/store/carts/:cartId/lines', access: 'shopper', tags: ['Carts'],
  summary: 'Add to the quantities of many variants at once',
  params, body: Type.Object({ lines: Type.Array(CartLine, { minItems: 1, maxItems: MAX_LINES }) }),
  response: { 200: Cart }, problems: changeProblems,
  replay: async ({ db, context, params }) => showCart(db, await readCart(db, context, params.cartId)),
  run: ({ db, context, params, body }) => changeLines(db, context, params.cartId, body.lines, 'add'),
})

const SetLine = Type.Object({ variantId: Id, quantity: Type.Integer({ minimum: 0, maximum: MAX_QUANTITY }) })

export const setLines = route({
  method: 'PUT', path: '/store/carts/:cartId/lines', access: 'shopper', tags: ['Carts'],
  summary: 'Set the quantities of many variants at once; 0 removes',
  params, body: Type.Object({ lines: Type.Array(SetLine, { minItems: 1, maxItems: MAX_LINES }) }),
  response: { 200: Cart }, problems: changeProblems,
  run: ({ db, context, params, body }) => changeLines(db, context, params.cartId, body.lines, 'set'),
})

export const listCartShippingOptions = route({
  method: 'GET', path: '/store/carts/:cartId/shipping-options', access: 'shopper', priority: 'checkout',
  tags: ['Carts'],
  summary: 'List the deliveries that are possible for a cart',
  params, response: { 200: Type.Object({ items: Type.Array(ShippingOption) }) },
  problems: [...cartProblems, VariantUnavailable, QuoteTooLarge, CurrencyNotOffered],
  async run({ db, context, params }) {
    const cart = await readCart(db, context, params.cartId)
    if (cart.lines.length === 0) return { items: [] }
    const request = { ...quoteRequestOf(cart), shippingMethodId: null, couponPolicy: 'report' as const }
    const { lines, subtotalMinor } = await quote(db, request)
    const goods = lines.filter((line) => line.requiresShipping)
    if (goods.length === 0) return { items: [] }
    return {
      items: await shippingOptions(db, {
        channelId: cart.channelId, currency: cart.currency, subtotalMinor,
        country: cart.shippingAddress?.country ?? (await getChannel(db, cart.channelId)).country,
        weightGrams: goods.reduce((sum, line) => sum + line.weightGrams * line.quantity, 0),
      }),
    }
  },
})

const OfferedMethod = Type.Object({
  code: Type.String(), title: Type.String(),
  available: Type.Boolean({ description: 'False: nobody who serves it is well at the moment. Show it last, or not' }),
})

export const listCartPaymentMethods = route({
  method: 'GET', path: '/store/carts/:cartId/payment-methods', access: 'shopper', tags: ['Carts'],
  summary: 'List the ways to pay for a cart',
  description: 'By currency, country and channel, and by amount once there is something to pay.',
  params, response: { 200: Type.Object({ items: Type.Array(OfferedMethod) }) },
  problems: cartProblems,
  async run({ db, context, params }) {
    const [cart, circuits] = await Promise.all([readCart(db, context, params.cartId), readCircuits(db)])
    const [channel, quoted] = await Promise.all([
      channelAskedFor(db, db, cart.channelId),
      cart.lines.length > 0 ? priceOrProblem(db, cart) : undefined,
    ])
    const place = {
      currency: cart.currency, country: cart.shippingAddress?.country ?? null, channel,
      amountMinor: quoted && 'totalMinor' in quoted ? quoted.totalMinor || null : null,
    }
    return { items: listPaymentMethods(db, place).map((method) => ({
      code: method.code, title: method.title,
      available: sharesAt(db, method, place).some(([{ code }]) => circuits[code] !== 'open'),
    })) }
  },
})

export const makeQuote = route({
  method: 'POST', path: '/store/quote', access: 'shopper', priority: 'checkout', tags: ['Checkout'],
  summary: 'What these lines would cost, without a cart',
  body: Type.Object({
    currency: Currency, country: Type.Optional(Address.properties.country), region: Address.properties.region,
    lines: Type.Array(CartLine, { minItems: 1, maxItems: MAX_LINES }), shippingMethodId: Type.Optional(Id),
    couponCodes: Type.Optional(Type.Array(CouponCode, { maxItems: 10 })),
  }),
  response: { 200: Quote }, replay: 'none',
  problems: [
    VariantUnavailable, CurrencyNotOffered, ShippingMethodNotAvailable, CouponNotApplicable, QuoteTooLarge,
    CartTooLarge,
  ],
  run: ({ db, context, body }) => quote(db, {
    ...body, channelId: channelOf(context.actor), lines: withLines([], body.lines, 'add'),
    couponCodes: body.couponCodes ?? [],
  }),
})
