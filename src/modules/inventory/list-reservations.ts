// Who holds what: the promises behind "reserved", and the orders that wait because their stock was lost.

import { Type, type Static } from 'typebox'
import { within } from '../../platform/authority.ts'
import { none, sql, type Actor, type Conn } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id, Page, PageQuery, route, Timestamp } from '../../platform/http.ts'
import { InvalidCursor } from '../../platform/problem.ts'

const ReservationState = Type.Enum(['held', 'claimed', 'short'], {
  description: 'held: until it expires. claimed: for a placed order. short: its stock was lost',
})
const Reservation = Type.Object({
  id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  orderId: Id,
  variantId: Id,
  locationId: Id,
  quantity: Type.Integer({ description: 'Units not yet shipped' }),
  state: ReservationState,
  expiresAt: Type.Union([Timestamp, Type.Null()]),
  createdAt: Timestamp,
})

const Query = Type.Object({
  ...PageQuery,
  orderId: Type.Optional(Id),
  variantId: Type.Optional(Id),
  state: Type.Optional(ReservationState),
})

/** Promises that are not yet kept, newest first. Those that expired are over, swept or not. */
async function listReservations(conn: Conn, query: Static<typeof Query>, actor: Actor) {
  const { limit = 20, cursor, orderId, variantId, state } = query
  const [before] = cursor === undefined ? [] : decodeCursor(cursor, [Reservation.properties.id])
  const rows = await conn.many(Reservation, sql`
    select id, order_id as "orderId", variant_id as "variantId", location_id as "locationId",
      quantity - shipped as quantity, state, expires_at as "expiresAt", created_at as "createdAt"
    from inventory.reservation
    where state in ('held', 'claimed', 'short') and (expires_at is null or expires_at > statement_timestamp())
      and ${within(actor, 'locations', sql`location_id`)}
      ${orderId ? sql`and order_id = ${orderId}` : none}
      ${variantId ? sql`and variant_id = ${variantId}` : none}
      ${state ? sql`and state = ${state}` : none}
      ${before === undefined ? none : sql`and id < ${before}`}
    order by id desc limit ${limit + 1}`)
  const items = rows.slice(0, limit)
  return { items, nextCursor: rows.length > limit ? encodeCursor([items.at(-1)!.id]) : null }
}

export const getReservations = route({
  method: 'GET', path: '/admin/inventory/reservations', tags: ['Inventory'],
  access: { permission: 'inventory:read', within: 'locations' },
  summary: 'List what is promised to whom',
  query: Query,
  response: { 200: Page(Reservation) },
  problems: [InvalidCursor],
  run: ({ db, context, query }) => listReservations(db, query, context.actor),
})
