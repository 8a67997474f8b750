// Lists of orders, newest first: for staff by state, e-mail, number or time, for customers their own. A cursor holds
// the last row's place, so a page costs the same at the millionth order as at the first.
import { Type } from 'typebox'
import { within } from '../../platform/authority.ts'
import { joined, signedCustomer, sql, type Conn, type Context, type Statement } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id, Page, PageQuery, route, Timestamp } from '../../platform/http.ts'
import { InvalidCursor } from '../../platform/problem.ts'
import { OrderState, OrderSummary } from './orders.ts'

type Asked = { limit?: number; cursor?: string }

/** A page of the orders `o` that fit all of `wanted`. Throws InvalidCursor. */
async function pageOfOrders(conn: Conn, wanted: Statement[], { limit = 20, cursor }: Asked) {
  const fitting = [...wanted]
  if (cursor) {
    const [at, id] = decodeCursor(cursor, [Timestamp, Id])
    fitting.push(sql`(o.created_at, o.id) < (${at}::timestamptz, ${id}::uuid)`)
  }
  const rows = await conn.many(OrderSummary, sql`
    select id, number, state, channel_id as "channelId", currency, email, total_minor as "totalMinor",
      created_at as "createdAt", placed_at as "placedAt", closed_at as "closedAt", lines."lineCount", lines."unitCount"
    from (
      select * from orders.order o where ${joined(fitting, sql` and `)} order by o.created_at desc, o.id desc
      limit ${limit + 1}
    ) o cross join lateral (
      select count(*)::int as "lineCount", coalesce(sum(quantity), 0)::int as "unitCount" from orders.line
      where line.order_id = o.id
    ) lines
    order by created_at desc, id desc`)
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, nextCursor: rows.length > limit && last ? encodeCursor([last.createdAt, last.id]) : null }
}

export const listOrders = route({
  method: 'GET', path: '/admin/orders', access: { permission: 'orders:read', within: 'channels' }, tags: ['Orders'],
  summary: 'List orders, newest first',
  query: Type.Object({
    ...PageQuery,
    state: Type.Optional(OrderState),
    email: Type.Optional(Type.String({ maxLength: 254 })),
    number: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
    channelId: Type.Optional(Id),
    createdFrom: Type.Optional(Timestamp),
    createdBefore: Type.Optional(Timestamp),
  }),
  response: { 200: Page(OrderSummary) }, problems: [InvalidCursor],
  run({ db, context, query }) {
    const wanted = [within(context.actor, 'channels', sql`o.channel_id`)]
    if (query.state) wanted.push(sql`o.state = ${query.state}`)
    if (query.email) wanted.push(sql`lower(o.email) = lower(${query.email})`)
    if (query.number) wanted.push(sql`o.number = ${query.number}`)
    if (query.channelId) wanted.push(sql`o.channel_id = ${query.channelId}`)
    if (query.createdFrom) wanted.push(sql`o.created_at >= ${query.createdFrom}`)
    if (query.createdBefore) wanted.push(sql`o.created_at < ${query.createdBefore}`)
    return pageOfOrders(db, wanted, query)
  },
})

export const listMyOrders = route({
  method: 'GET', path: '/store/account/orders', operationId: 'listMyOrders', access: 'customer', tags: ['Orders'],
  summary: 'List the own orders, newest first',
  description: 'Those placed while signed in, and those placed as a guest with an address that is proven to be theirs.',
  query: Type.Object(PageQuery), response: { 200: Page(OrderSummary) }, problems: [InvalidCursor],
  run: ({ db, context, query }) =>
    pageOfOrders(db, [sql`o.channel_id = ${channelOf(context)}`, theirs(context)], query),
})

const channelOf = ({ actor }: Context): string | null => (actor.kind === 'shopper' ? actor.channelId : null)

// Two conditions, each with an index, and no token beside them: one without an index would read all orders.
function theirs(context: Context): Statement {
  const { id, owns, email } = signedCustomer(context)
  return owns ? sql`(o.customer_id = ${id} or (o.customer_id is null and lower(o.email) = ${email}))`
    : sql`o.customer_id = ${id}`
}
