// The list of orders for staff: newest first, by state, e-mail, number or time. A cursor holds the last row's place, so
// a page costs the same at the millionth order as at the first.
import { Type } from 'typebox'
import { within } from '../../platform/authority.ts'
import { joined, sql } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id, Page, PageQuery, route, Timestamp } from '../../platform/http.ts'
import { InvalidCursor } from '../../platform/problem.ts'
import { OrderState, OrderSummary } from './orders.ts'

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
  async run({ db, context, query }) {
    const limit = query.limit ?? 20
    const wanted = [within(context.actor, 'channels', sql`channel_id`)]
    if (query.state) wanted.push(sql`state = ${query.state}`)
    if (query.email) wanted.push(sql`lower(email) = lower(${query.email})`)
    if (query.number) wanted.push(sql`number = ${query.number}`)
    if (query.channelId) wanted.push(sql`channel_id = ${query.channelId}`)
    if (query.createdFrom) wanted.push(sql`created_at >= ${query.createdFrom}`)
    if (query.createdBefore) wanted.push(sql`created_at < ${query.createdBefore}`)
    if (query.cursor) {
      const [at, id] = decodeCursor(query.cursor, [Timestamp, Id])
      wanted.push(sql`(created_at, id) < (${at}::timestamptz, ${id}::uuid)`)
    }
    const rows = await db.many(OrderSummary, sql`
      select id, number, state, channel_id as "channelId", currency, email, total_minor as "totalMinor",
      created_at as "createdAt",
        placed_at as "placedAt", closed_at as "closedAt", lines."lineCount", lines."unitCount"
      from (
        select * from orders.order where ${joined(wanted, sql` and `)} order by created_at desc,
          id desc limit ${limit + 1}
      ) o cross join lateral (
        select count(*)::int as "lineCount", coalesce(sum(quantity),
          0)::int as "unitCount" from orders.line where line.order_id = o.id
      ) lines
      order by created_at desc, id desc`)
    const items = rows.slice(0, limit)
    const last = items.at(-1)
    return { items, nextCursor: rows.length > limit && last ? encodeCursor([last.createdAt, last.id]) : null }
  },
})
