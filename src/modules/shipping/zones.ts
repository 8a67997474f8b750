// Zones: the sets of countries that share their methods. Writing a zone replaces its countries as a whole.
import { Type } from 'typebox'
import { resultId, sql, type Conn, type Tx } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { CountryInAnotherZone, Zone, ZoneInput, ZoneNotFound } from './shipping.ts'

const tags = ['Shipping']
const read = { permission: 'shipping:read' }
const write = { permission: 'shipping:write' }
const params = Type.Object({ zoneId: Id })

/** Creates the zone or replaces it. Throws CountryInAnotherZone. Idempotent. */
export async function saveZone(tx: Tx, id: string, { name, countries }: ZoneInput): Promise<void> {
  await Promise.all([
    tx.run(sql`
      insert into shipping.zone (id, name) values (${id}, ${name})
      on conflict (id) do update set name = excluded.name`),
    tx.run(sql`delete from shipping.zone_country where zone_id = ${id} and country <> all(${countries}::text[])`),
    tx.run(sql`
      insert into shipping.zone_country (country, zone_id)
      select country, ${id} from unnest(${countries}::text[]) country
      where not exists (select from shipping.zone_country z where z.zone_id = ${id} and z.country = country.country)
      order by country`),
  ])
}

export async function listZones(conn: Conn, id: string | null = null): Promise<Zone[]> {
  return conn.many(Zone, sql`
    select zone.id, zone.name,
      coalesce(array_agg(country order by country) filter (where country is not null), '{}') as countries
    from shipping.zone left join shipping.zone_country on zone_country.zone_id = zone.id
    where ${id}::uuid is null or zone.id = ${id}::uuid
    group by zone.id order by zone.name, zone.id`)
}

async function getZone(conn: Conn, id: string): Promise<Zone> {
  const [zone] = await listZones(conn, id)
  if (!zone) throw ZoneNotFound({})
  return zone
}

const getZones = route({
  method: 'GET', path: '/admin/shipping-zones', access: read, tags, summary: 'List shipping zones',
  response: { 200: Type.Object({ items: Type.Array(Zone) }) },
  run: async ({ db }) => ({ items: await listZones(db) }),
})

const postZone = route({
  method: 'POST', path: '/admin/shipping-zones', access: write, tags, summary: 'Create a shipping zone',
  body: ZoneInput, response: { 201: Zone }, problems: [ZoneNotFound, CountryInAnotherZone],
  async run({ db, context, body }) {
    const id = resultId(context)
    return db.transaction(context, async (tx) => {
      await saveZone(tx, id, body)
      return getZone(tx, id)
    })
  },
  replay: ({ db, resultId: id }) => getZone(db, id),
})

const putZone = route({
  method: 'PUT', path: '/admin/shipping-zones/:zoneId', access: write, tags, summary: 'Replace a shipping zone',
  params, body: ZoneInput, response: { 200: Zone }, problems: [ZoneNotFound, CountryInAnotherZone],
  run: ({ db, context, params: { zoneId }, body }) => db.transaction(context, async (tx) => {
    await getZone(tx, zoneId)
    await saveZone(tx, zoneId, body)
    return getZone(tx, zoneId)
  }),
})

const deleteZone = route({
  method: 'DELETE', path: '/admin/shipping-zones/:zoneId', access: write, tags, params,
  summary: 'Delete a shipping zone with its methods', response: { 204: null }, problems: [ZoneNotFound],
  run: ({ db, context, params: { zoneId } }) => db.transaction(context, async (tx) => {
    if (await tx.run(sql`delete from shipping.zone where id = ${zoneId}`) === 0) throw ZoneNotFound({})
  }),
})

export const zoneRoutes = [getZones, postZone, putZone, deleteZone]
