// The ledger, newest first: each change of what lies on a shelf, why, by whom.

import { Type, type Static } from 'typebox'
import { within } from '../../platform/authority.ts'
import { none, sql, type Actor, type Conn } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id, Page, PageQuery, route, Timestamp } from '../../platform/http.ts'
import { InvalidCursor } from '../../platform/problem.ts'
import { MovementCause, Reference } from './inventory.ts'

export const Movement = Type.Object({
  id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  variantId: Id,
  locationId: Id,
  quantity: Type.Integer({ description: 'Units added; negative: taken' }),
  cause: MovementCause,
  actor: Type.String({ examples: ['staff:0198c2f0-0000-7000-8000-000000000000', 'system'] }),
  reference: Type.Union([Type.String(), Type.Null()], { description: 'The order, delivery note or file behind it' }),
  createdAt: Timestamp,
})

const Query = Type.Object({
  ...PageQuery,
  variantId: Type.Optional(Id),
  locationId: Type.Optional(Id),
  reference: Type.Optional(Reference),
})

/** A page of movements, newest first. */
export async function listMovements(conn: Conn, query: Static<typeof Query>, actor: Actor) {
  const limit = query.limit ?? 20
  const [before] = query.cursor === undefined ? [] : decodeCursor(query.cursor, [Movement.properties.id])
  const rows = await conn.many(Movement, sql`
    select id, variant_id as "variantId", location_id as "locationId",
      quantity, cause, actor, reference, created_at as "createdAt"
    from inventory.movement
    where ${within(actor, 'locations', sql`location_id`)}
      ${query.variantId ? sql`and variant_id = ${query.variantId}` : none}
      ${query.locationId ? sql`and location_id = ${query.locationId}` : none}
      ${query.reference ? sql`and reference = ${query.reference}` : none}
      ${before === undefined ? none : sql`and id < ${before}`}
    order by id desc limit ${limit + 1}`)
  const items = rows.slice(0, limit)
  return { items, nextCursor: rows.length > limit ? encodeCursor([items.at(-1)!.id]) : null }
}

export const getMovements = route({
  method: 'GET', path: '/admin/inventory/movements', tags: ['Inventory'],
  access: { permission: 'inventory:read', within: 'locations' },
  summary: 'List movements of stock, newest first',
  query: Query,
  response: { 200: Page(Movement) },
  problems: [InvalidCursor],
  run: ({ db, context, query }) => listMovements(db, query, context.actor),
})
