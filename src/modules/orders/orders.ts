// The words of orders: what an order looks like, which state may follow which, what can be wrong, and what it tells
// others. No I/O.
import { Type, type Static, type TSchema } from 'typebox'
import { event } from '../../platform/events.ts'
import { Id, OneLine, Timestamp } from '../../platform/http.ts'
import { Currency } from '../../platform/money.ts'
import { problem } from '../../platform/problem.ts'

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

export const Address = Type.Object({
  name: OneLine(200),
  company: Type.Optional(OneLine(200)),
  line1: OneLine(200),
  line2: Type.Optional(OneLine(200)),
  postalCode: Type.Optional(OneLine(20)),
  city: OneLine(100),
  region: Type.Optional(
    Type.String({ pattern: '^[A-Z0-9]{1,3}$', description: 'ISO 3166-2 without the country: BC of CA-BC' })
  ),
  country: Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2' }),
  phone: Type.Optional(OneLine(40)),
})
export type Address = Static<typeof Address>

export const OrderState = Type.Enum(['awaiting_payment', 'placed', 'lapsed', 'cancelled'])
export type OrderState = Static<typeof OrderState>

/**
 * Which act leads from which state to which. What is missing here is refused; an act that already happened answers with
 * the present state.
 */
export const transitions: Record<OrderState, Partial<Record<'pay' | 'lapse' | 'cancel', OrderState>>> = {
  awaiting_payment: { pay: 'placed', lapse: 'lapsed', cancel: 'cancelled' },
  placed: { cancel: 'cancelled' },
  lapsed: {},
  cancelled: {},
}

/** The states from which an act leads somewhere. */
export function statesThatMay(act: 'pay' | 'lapse' | 'cancel'): OrderState[] {
  return (Object.keys(transitions) as OrderState[]).filter((state) => transitions[state][act])
}

export const OrderLine = Type.Object({
  position: Type.Integer(), variantId: Id, productId: Id, sku: Type.String(), productTitle: Type.String(),
  variantTitle: Type.String(),
  imageUrl: nullable(Type.String()), requiresShipping: Type.Boolean(), weightGrams: Type.Integer(),
  quantity: Type.Integer(),
  unitMinor: Type.Integer(), perUnits: Type.Integer(), taxRatePpm: Type.Integer(),
  subtotalMinor: Type.Integer(), discountMinor: Type.Integer(), taxMinor: Type.Integer(), totalMinor: Type.Integer(),
})

/** Amounts are minor units of `currency`. `totalMinor` is what is to be paid. */
const summary = {
  id: Id, number: Type.Integer(
    { description: 'What people call the order' }
  ), state: OrderState, channelId: Id, currency: Currency,
  email: Type.String(), totalMinor: Type.Integer(), createdAt: Timestamp, placedAt: nullable(Timestamp),
  closedAt: nullable(Timestamp),
}
export const OrderSummary = Type.Object({ ...summary, lineCount: Type.Integer(), unitCount: Type.Integer() })

export const Order = Type.Object({
  ...summary,
  shippingAddress: nullable(Address), billingAddress: nullable(Address), pricesIncludeTax: Type.Boolean(),
  lines: Type.Array(OrderLine),
  delivery: nullable(Type.Object({
    methodId: Id, code: Type.String(), name: Type.String(), amountMinor: Type.Integer(), discountMinor: Type.Integer(),
    taxRatePpm: Type.Integer(), taxMinor: Type.Integer(), totalMinor: Type.Integer(),
  })),
  promotions: Type.Array(
    Type.Object({ promotionId: Id, code: nullable(Type.String()), name: Type.String(), amountMinor: Type.Integer() })
  ),
  subtotalMinor: Type.Integer(), shippingMinor: Type.Integer(), discountMinor: Type.Integer(), taxMinor: Type.Integer(),
  paymentMethod: nullable(Type.String()),
  holdsUntil: Timestamp,
})
export type Order = Static<typeof Order>

export const TimelineEntry = Type.Object({
  at: Timestamp, kind: Type.String(), actor: Type.String({ description: 'system, shopper, staff:<id> or key:<id>' }),
  data: Type.Record(Type.String(), Type.Unknown()),
})

export const OrderNotFound = problem('order-not-found', 404, 'No such order')
export const OrderClosed = problem(
  'order-closed', 409, 'The order is in a state that does not allow this', Type.Object({ state: OrderState })
)

/** Written with the order. It tells nobody outside: nothing is sold before `order.placed`. */
export const OrderCreated = event('order.created', Type.Object({ orderId: Id }))
export const OrderPlaced = event('order.placed', Type.Object({ orderId: Id }))
/** Nobody paid in time; its holds were given back. */
export const OrderLapsed = event('order.lapsed', Type.Object({ orderId: Id }))
export const OrderCancelled = event('order.cancelled', Type.Object({ orderId: Id, reason: Type.String() }))
