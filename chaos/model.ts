// What orders, payments, reservations and coupons may do, in one page without a database: pure functions from a state
// and an event to a state and what follows from it. The shop itself decides in SQL, under locks; programmes/model.ts
// drives both with the same events, one after the other and at once, and the shop must always be where one order of the
// events takes the model.
import { attemptTransitions, type AttemptState } from '../src/modules/payments/payments.ts'
import { transitions, type OrderState } from '../src/modules/orders/orders.ts'

export type Method = 'card' | 'card-later' | 'transfer'
export type Order = {
  id: number
  state: OrderState
  quantity: number
  coupon: boolean
  method: Method
  total: number
  payment: AttemptState
  captured: number
  refunded: number
  /** On the model's clock; for an order that waits. */
  holdsUntil: number
}
export type Shop = { onHand: number; couponUses: number; couponLimit: number; orders: readonly Order[] }

/** `order` is the id of the event that placed it. */
export type Event =
  | { kind: 'place'; id: number; quantity: number; coupon: boolean; method: Method; declined: boolean }
  | { kind: 'pay'; order: number }
  | { kind: 'cancel'; order: number }
  | { kind: 'capture'; order: number; amount: number }
  | { kind: 'refund'; order: number; amount: number }
  | { kind: 'receive'; order: number }
  | { kind: 'lapse' }
  | { kind: 'restock'; units: number }

/** Refusals that are right for it; none: it is accepted. */
export type Answer = readonly string[]
export type Effect = 'hold' | 'promise' | 'free' | 'charge' | 'capture' | 'refund' | 'void'
export type Step = { shop: Shop; answer: Answer; effects: readonly Effect[] }

export const PRICE = 1_000
export const DELIVERY = 490
export const HOLD_MINUTES = 15
const OFF = 10                 // per cent, with the coupon

export const totalOf = (quantity: number, coupon: boolean): number =>
  quantity * PRICE * (coupon ? 100 - OFF : 100) / 100 + DELIVERY

const lives = ({ state }: Order): boolean => state === 'awaiting_payment' || state === 'placed'
export const reserved = ({ orders }: Shop): number =>
  orders.filter(lives).reduce((sum, { quantity }) => sum + quantity, 0)

const done = (shop: Shop, effects: readonly Effect[] = []): Step => ({ shop, answer: [], effects })
const refused = (shop: Shop, ...answer: string[]): Step => ({ shop, answer, effects: [] })

function change(shop: Shop, { id }: Order, changed: Partial<Order>): Shop {
  return { ...shop, orders: shop.orders.map((order) => (order.id === id ? { ...order, ...changed } : order)) }
}

export function step(shop: Shop, event: Event, now: number): Step {
  if (event.kind === 'place') return place(shop, event, now)
  if (event.kind === 'restock') return done({ ...shop, onHand: shop.onHand + event.units })
  if (event.kind === 'lapse') return lapse(shop, now)
  const order = shop.orders.find(({ id }) => id === event.order)!
  switch (event.kind) {
    case 'pay': return pay(shop, order)
    case 'cancel': return cancel(shop, order)
    case 'capture': return capture(shop, order, event.amount)
    case 'refund': return refund(shop, order, event.amount)
    case 'receive': return receive(shop, order)
  }
}

function place(shop: Shop, event: Event & { kind: 'place' }, now: number): Step {
  const { id, quantity, coupon, method, declined } = event
  const without = [
    ...quantity > shop.onHand - reserved(shop) ? ['out-of-stock'] : [],
    // A used-up coupon is left out of the price before it is refused: the total that was shown holds no more.
    ...coupon && shop.couponUses >= shop.couponLimit
      ? ['coupon-exhausted', 'coupon-not-applicable', 'cart-changed'] : [],
  ]
  if (without.length > 0) return refused(shop, ...without)
  const total = totalOf(quantity, coupon)
  const payment = declined && method !== 'transfer' ? 'declined'
    : ({ card: 'captured', 'card-later': 'authorized', transfer: 'pending' } as const)[method]
  const order: Order = {
    id, quantity, coupon, method, total,
    state: payment === 'declined' ? 'awaiting_payment' : transitions.awaiting_payment.pay!,
    payment, captured: payment === 'captured' ? total : 0, refunded: 0, holdsUntil: now + HOLD_MINUTES,
  }
  return done(
    { ...shop, couponUses: shop.couponUses + (coupon ? 1 : 0), orders: [...shop.orders, order] },
    payment === 'declined' ? ['hold', 'charge'] : ['hold', 'charge', 'promise'],
  )
}

/** Again, with the same method. What was paid answers as it stands, also when the order was cancelled since. */
function pay(shop: Shop, order: Order): Step {
  if (order.state === 'placed' || order.payment === 'captured') return done(shop)
  if (order.state !== 'awaiting_payment') return refused(shop, 'payment-closed')
  const payment = order.method === 'card' ? 'captured' : 'authorized'
  const captured = order.method === 'card' ? order.total : 0
  return done(change(shop, order, { state: 'placed', payment, captured }), ['charge', 'promise'])
}

function cancel(shop: Shop, order: Order): Step {
  if (order.state === 'cancelled') return done(shop)
  const state = transitions[order.state].cancel
  if (!state) return refused(shop, 'order-closed')
  return done(end(shop, order, state), ['free', ...givenBack(order)])
}

/** Its goods and its coupon are free, and what it paid goes back. */
function end(shop: Shop, order: Order, state: OrderState): Shop {
  const couponUses = shop.couponUses - (order.coupon ? 1 : 0)
  const { captured, payment: before } = order
  const payment = captured === 0 && attemptTransitions[before].includes('voided') ? 'voided' : before
  return { ...change(shop, order, { state, payment, refunded: captured }), couponUses }
}

const givenBack = ({ captured, refunded, payment }: Order): Effect[] =>
  (captured > refunded ? ['refund'] : captured === 0 && payment === 'authorized' ? ['void'] : [])

function capture(shop: Shop, order: Order, amount: number): Step {
  const authorized = order.payment === 'authorized' || order.payment === 'captured'
  if (!authorized || order.state !== 'placed') return refused(shop, NOT_POSSIBLE, NOT_LEFT)
  if (amount > order.total - order.captured) return refused(shop, NOT_LEFT)
  return done(change(shop, order, { payment: 'captured', captured: order.captured + amount }), ['capture'])
}

function refund(shop: Shop, order: Order, amount: number): Step {
  if (order.payment !== 'captured' && order.payment !== 'authorized') return refused(shop, NOT_POSSIBLE)
  if (amount > order.captured - order.refunded) return refused(shop, NOT_LEFT)
  return done(change(shop, order, { refunded: order.refunded + amount }), ['refund'])
}

const NOT_POSSIBLE = 'payment-operation-not-possible'
const NOT_LEFT = 'amount-not-available'

/** A transfer has arrived. Said twice, it arrived once. */
function receive(shop: Shop, order: Order): Step {
  if (order.method !== 'transfer' || order.payment === 'voided') return refused(shop, NOT_POSSIBLE)
  if (order.payment === 'captured') return done(shop)
  return done(change(shop, order, { payment: 'captured', captured: order.total }), ['capture'])
}

/** Orders whose time is over before they were paid. */
function lapse(shop: Shop, now: number): Step {
  let after = shop
  for (const order of shop.orders) {
    const state = order.holdsUntil <= now ? transitions[order.state].lapse : undefined
    if (state) after = end(after, order, state)
  }
  return done(after, after === shop ? [] : ['free'])
}
