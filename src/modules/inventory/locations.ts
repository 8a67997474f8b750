// The places where stock lies: shops and warehouses. Small reads and writes without rules, but one: a place with a
// history is never deleted.

import { Type, type Static } from 'typebox'
import { within } from '../../platform/authority.ts'
import { resultId, sql, type Conn, type Tx } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { Location, LocationCodeTaken, LocationInUse, LocationNotFound } from './inventory.ts'

const columns = sql`id, code, name, priority, active, created_at as "createdAt"`
const { code, name, priority, active } = Location.properties
const NewLocation = Type.Object({ code, name, priority: Type.Optional(priority), active: Type.Optional(active) })
type NewLocation = Static<typeof NewLocation>

async function getLocation(conn: Conn, locationId: string) {
  const location = await conn.maybe(Location, sql`select ${columns} from inventory.location where id = ${locationId}`)
  if (!location) throw LocationNotFound({ locationIds: [locationId] })
  return location
}

/** All locations, in the order in which they serve. */
export async function getLocations(conn: Conn, scope = sql`true`): Promise<Static<typeof Location>[]> {
  return conn.many(Location, sql`
    select ${columns} from inventory.location where ${scope} order by priority, code limit 1000`)
}

/** Throws LocationCodeTaken. */
export async function addLocation(
  tx: Tx, id: string, { code, name, priority = 100, active = true }: NewLocation,
): Promise<Static<typeof Location>> {
  return tx.one(Location, sql`
    insert into inventory.location (id, code, name, priority, active)
    values (${id}, ${code}, ${name}, ${priority}, ${active})
    returning ${columns}`)
}

export const listLocations = route({
  method: 'GET', path: '/admin/inventory/locations', tags: ['Inventory'],
  access: { permission: 'inventory:read', within: 'locations' },
  summary: 'List locations', description: 'All of them, in the order in which they serve.',
  response: { 200: Type.Object({ items: Type.Array(Location) }) },
  run: async ({ db, context }) => ({ items: await getLocations(db, within(context.actor, 'locations', sql`id`)) }),
})

export const createLocation = route({
  method: 'POST', path: '/admin/inventory/locations', access: { permission: 'inventory:write' }, tags: ['Inventory'],
  summary: 'Add a location',
  body: NewLocation,
  response: { 201: Location },
  problems: [LocationCodeTaken, LocationNotFound],
  replay: ({ db, resultId }) => getLocation(db, resultId),
  run: ({ db, context, body }) => db.transaction(context, (tx) => addLocation(tx, resultId(context), body)),
})

export const updateLocation = route({
  method: 'PATCH', path: '/admin/inventory/locations/:locationId', access: { permission: 'inventory:write' },
  tags: ['Inventory'], summary: 'Change a location',
  params: Type.Object({ locationId: Id }),
  body: Type.Partial(Type.Object({ code, name, priority, active }), { minProperties: 1 }),
  response: { 200: Location },
  problems: [LocationNotFound, LocationCodeTaken],
  run: ({ db, context, params, body }) => db.transaction(context, async (tx) => {
    const location = await tx.maybe(Location, sql`
      update inventory.location
      set code = coalesce(${body.code ?? null}, code), name = coalesce(${body.name ?? null}, name),
        priority = coalesce(${body.priority ?? null}, priority), active = coalesce(${body.active ?? null}, active)
      where id = ${params.locationId} returning ${columns}`)
    if (!location) throw LocationNotFound({ locationIds: [params.locationId] })
    if (body.active !== undefined) {
      await tx.run(sql`
        insert into inventory.stock_change (variant_id)
        select variant_id from inventory.stock where location_id = ${location.id}`)
    }
    return location
  }),
})

export const deleteLocation = route({
  method: 'DELETE', path: '/admin/inventory/locations/:locationId', access: { permission: 'inventory:write' },
  tags: ['Inventory'], summary: 'Delete a location that never held stock',
  params: Type.Object({ locationId: Id }),
  response: { 204: null },
  problems: [LocationNotFound, LocationInUse],
  run: ({ db, context, params }) => db.transaction(context, async (tx) => {
    const deleted = await tx.run(sql`delete from inventory.location where id = ${params.locationId}`)
    if (deleted === 0) throw LocationNotFound({ locationIds: [params.locationId] })
  }),
})
