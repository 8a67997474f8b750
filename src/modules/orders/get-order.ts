// Reads an order as it was sold. A guest reads it with the secret that placed it, a customer with their session, staff
// with a permission; the row scope is a where clause.
import { Type, type Static } from 'typebox'
import { within } from '../../platform/authority.ts'
import { sql, type Actor, type Conn, type Statement } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { paymentsOf } from '../payments/get-payment.ts'
import { Payment } from '../payments/payments.ts'
import { Order, OrderNotFound, TimelineEntry } from './orders.ts'

/** The order, or undefined. `scope` narrows whose it must be. */
export async function findOrder(conn: Conn, orderId: string, scope: Statement = sql`true`): Promise<Order | undefined> {
  return conn.maybe(Order, sql`
    select o.id, number, state, channel_id as "channelId", currency, email, total_minor as "totalMinor",
      created_at as "createdAt", placed_at as "placedAt", closed_at as "closedAt",
      shipping_address as "shippingAddress", billing_address as "billingAddress",
      prices_include_tax as "pricesIncludeTax", delivery, promotions, subtotal_minor as "subtotalMinor",
      shipping_minor as "shippingMinor", discount_minor as "discountMinor", tax_minor as "taxMinor",
      payment_method as "paymentMethod", holds_until as "holdsUntil",
      (select jsonb_agg(jsonb_build_object(
          'position', position, 'variantId', variant_id, 'productId', product_id, 'sku', sku,
          'productTitle', product_title, 'variantTitle', variant_title, 'imageUrl', image_url,
          'requiresShipping', requires_shipping, 'weightGrams', weight_grams, 'quantity', quantity,
          'unitMinor', unit_minor, 'perUnits', per_units, 'taxRatePpm', tax_rate_ppm,
          'subtotalMinor', line.subtotal_minor, 'discountMinor', line.discount_minor, 'taxMinor', line.tax_minor,
          'totalMinor', line.total_minor) order by position)
        from orders.line where line.order_id = o.id) as lines
    from orders.order o where o.id = ${orderId} and ${scope}`)
}

/**
 * The condition on orders `o` that keeps a statement to those of a shopper: a guest's by the token, a customer's by
 * their session, and with it what was ordered with an address that is proven to be theirs. Throws OrderNotFound for
 * anybody else.
 */
export function ordersOf(actor: Actor): Statement {
  if (actor.kind !== 'shopper') throw OrderNotFound({})
  const { channelId, tokenHash = null, customer } = actor
  const address = customer?.owns ? customer.email : null
  return sql`o.channel_id = ${channelId} and (o.customer_id = ${customer?.id ?? null}::uuid
    or (o.customer_id is null and (o.token_hash = ${tokenHash} or lower(o.email) = ${address})))`
}

/** The order of a shopper; throws OrderNotFound for a foreign one as for one that does not exist. */
export async function orderOfShopper(conn: Conn, actor: Actor, orderId: string): Promise<Order> {
  const order = await findOrder(conn, orderId, ordersOf(actor))
  if (!order) throw OrderNotFound({},
    'Send the token that came with its cart or checkout as Authorization: Bearer <token>, or sign in.')
  return order
}

const params = Type.Object({ orderId: Id })

export const getOrder = route({
  method: 'GET', path: '/store/orders/:orderId', access: 'shopper', tags: ['Orders'],
  summary: 'Read an order that you placed',
  description: 'A guest sends the token of the cart or checkout that placed it, a customer their session.',
  params, response: { 200: Order }, problems: [OrderNotFound],
  run: ({ db, context, params }) => orderOfShopper(db, context.actor, params.orderId),
})

export const getAnyOrder = route({
  method: 'GET', path: '/admin/orders/:orderId', tags: ['Orders'],
  access: { permission: 'orders:read', within: 'channels' },
  summary: 'Read an order with its payments and its timeline', params,
  response: { 200: Type.Object({ order: Order, payments: Type.Array(Payment), timeline: Type.Array(TimelineEntry) }) },
  problems: [OrderNotFound],
  async run({ db, context, params }) {
    const ofTheirs = within(context.actor, 'channels', sql`o.channel_id`)
    const [order, payments, timeline] = await Promise.all([
      findOrder(db, params.orderId, ofTheirs), paymentsOf(db, params.orderId), readTimeline(db, params.orderId),
    ])
    if (!order) throw OrderNotFound({})
    return { order, payments, timeline }
  },
})

function readTimeline(conn: Conn, orderId: string): Promise<Static<typeof TimelineEntry>[]> {
  return conn.many(
    TimelineEntry, sql`select at, kind, actor, data from orders.timeline_entry where order_id = ${orderId} order by id`
  )
}
