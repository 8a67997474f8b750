// Stock as staff see it: what lies where, how much of it is promised.

import { Type, type Static } from 'typebox'
import { within } from '../../platform/authority.ts'
import { none, sql, type Actor, type Conn } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id, Page, PageQuery, route } from '../../platform/http.ts'
import { InvalidCursor } from '../../platform/problem.ts'
import { getVariants } from '../catalog/get-variants.ts'
import { MAX_QUANTITY, Stock } from './inventory.ts'

const columns = sql`variant_id as "variantId", location_id as "locationId", on_hand as "onHand", reserved,
  backorder_limit as "backorderLimit", greatest(on_hand - reserved, 0) as available`

const Query = Type.Object({
  ...PageQuery,
  variantId: Type.Optional(Type.Array(Id, { maxItems: 100, description: 'Only these variants' })),
  locationId: Type.Optional(Id),
  availableBelow: Type.Optional(Type.Integer({
    minimum: 0, maximum: MAX_QUANTITY, description: 'Only where less than this lies free',
  })),
})

/** The stocks of these variants at these locations, in key order. */
export function readStock(conn: Conn, places: { variantId: string, locationId: string }[]): Promise<Stock[]> {
  return conn.many(Stock, sql`
    select ${columns} from inventory.stock
    where (variant_id, location_id) in (
      select * from unnest(
        ${places.map((place) => place.variantId)}::uuid[], ${places.map((place) => place.locationId)}::uuid[]))
    order by variant_id, location_id`)
}

const NamedStock = Type.Object({
  ...Stock.properties,
  variant: Type.Union([
    Type.Object({
      sku: Type.Union([Type.String(), Type.Null()]), title: Type.String(), productId: Id, productTitle: Type.String(),
    }),
    Type.Null(),
  ]),
})

async function listStock(conn: Conn, query: Static<typeof Query>, actor: Actor) {
  const limit = query.limit ?? 20
  const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, [Id, Id])
  const rows = await conn.many(Stock, sql`
    select ${columns} from inventory.stock
    where ${within(actor, 'locations', sql`location_id`)}
      ${query.variantId ? sql`and variant_id = any(${query.variantId}::uuid[])` : none}
      ${query.locationId ? sql`and location_id = ${query.locationId}` : none}
      ${query.availableBelow === undefined ? none : sql`and greatest(on_hand - reserved, 0) < ${query.availableBelow}`}
      ${after ? sql`and (variant_id, location_id) > (${after[0]}::uuid, ${after[1]}::uuid)` : none}
    order by variant_id, location_id limit ${limit + 1}`)
  const page = rows.slice(0, limit)
  const variants = new Map((await getVariants(conn, page.map((row) => row.variantId))).map((one) => [one.id, one]))
  const items = page.map((row) => {
    const { sku, title, productId, productTitle } = variants.get(row.variantId) ?? {}
    return { ...row, variant: productId === undefined ? null : { sku, title, productId, productTitle } }
  })
  const last = page.at(-1)
  return { items, nextCursor: rows.length > limit && last ? encodeCursor([last.variantId, last.locationId]) : null }
}

export const getStock = route({
  method: 'GET', path: '/admin/inventory/stock', tags: ['Inventory'],
  access: { permission: 'inventory:read', within: 'locations' },
  summary: 'List stock by variant and location',
  query: Query,
  response: { 200: Page(NamedStock) },
  problems: [InvalidCursor],
  run: ({ db, context, query }) => listStock(db, query, context.actor),
})
