// Methods of delivery with their rates. Writing a method replaces its rates as a whole: a table of steps is edited as
// one.
import { Type } from 'typebox'
import { json, resultId, sql, type Conn, type Tx } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { isCurrency } from '../../platform/money.ts'
import { InvalidValue } from '../../platform/problem.ts'
import { Method, MethodCodeTaken, MethodInput, MethodNotFound, ZoneNotFound, type Rate } from './shipping.ts'

const tags = ['Shipping']
const read = { permission: 'shipping:read' }
const write = { permission: 'shipping:write' }
const params = Type.Object({ methodId: Id })
const problems = [ZoneNotFound, MethodCodeTaken, InvalidValue]

/** Creates the method or replaces it and its rates. Throws InvalidValue, ZoneNotFound, MethodCodeTaken. Idempotent. */
export async function saveMethod(tx: Tx, id: string, method: MethodInput): Promise<void> {
  checkRates(method.kind, method.rates)
  await Promise.all([
    tx.run(sql`
      insert into shipping.method (id, zone_id, channel_id, code, name, description, kind, tax_class, position, active)
      values (${id}, ${method.zoneId}, ${method.channelId ?? null}, ${method.code}, ${method.name},
        ${method.description ?? null}, ${method.kind}, ${method.taxClass ?? 'standard'}, ${method.position ?? 0},
        ${method.active ?? true})
      on conflict (id) do update set zone_id = excluded.zone_id, channel_id = excluded.channel_id, code = excluded.code,
        name = excluded.name, description = excluded.description, kind = excluded.kind, tax_class = excluded.tax_class,
        position = excluded.position, active = excluded.active`),
    tx.run(sql`delete from shipping.rate where method_id = ${id}`),
    tx.run(sql`
      insert into shipping.rate (method_id, currency, from_value, amount_minor)
      select ${id}, currency, "from", "amountMinor"
      from jsonb_to_recordset(${json(method.rates)}::jsonb)
        as rate (currency text, "from" bigint, "amountMinor" bigint)`),
  ])
}

function checkRates(kind: MethodInput['kind'], rates: Rate[]): void {
  const fields = rates.flatMap(({ currency, from }, index) => {
    const path = `body/rates/${index}`
    if (!isCurrency(currency)) return [{ path: `${path}/currency`, message: 'is no ISO 4217 currency' }]
    const first = rates.findIndex((rate) => rate.currency === currency && rate.from === from)
    if (first !== index) return [{ path: `${path}/from`, message: `is the step of body/rates/${first} once more` }]
    const flat = kind !== 'flat' || from === 0
    return flat ? [] : [{ path: `${path}/from`, message: 'must be 0: a flat method has one step' }]
  })
  if (fields.length > 0) throw InvalidValue({ fields })
}

export async function listMethods(
  conn: Conn, { id = null, zoneId = null }: { id?: string | null; zoneId?: string | null } = {},
): Promise<Method[]> {
  return conn.many(Method, sql`
    select id, zone_id as "zoneId", channel_id as "channelId", code, name, description, kind, tax_class as "taxClass",
      position, active,
      (select coalesce(jsonb_agg(
          jsonb_build_object('currency', currency, 'from', from_value, 'amountMinor', amount_minor)
          order by currency, from_value), '[]')
        from shipping.rate where method_id = method.id) as rates
    from shipping.method
    where (${id}::uuid is null or id = ${id}::uuid) and (${zoneId}::uuid is null or zone_id = ${zoneId}::uuid)
    order by zone_id, position, name, id`)
}

async function getMethod(conn: Conn, id: string): Promise<Method> {
  const [method] = await listMethods(conn, { id })
  if (!method) throw MethodNotFound({})
  return method
}

const getMethods = route({
  method: 'GET', path: '/admin/shipping-methods', access: read, tags, summary: 'List shipping methods with their rates',
  query: Type.Object({ zoneId: Type.Optional(Id) }), response: { 200: Type.Object({ items: Type.Array(Method) }) },
  run: async ({ db, query }) => ({ items: await listMethods(db, query) }),
})

const postMethod = route({
  method: 'POST', path: '/admin/shipping-methods', access: write, tags, summary: 'Create a shipping method',
  body: MethodInput, response: { 201: Method }, problems: [MethodNotFound, ...problems],
  async run({ db, context, body }) {
    const id = resultId(context)
    return db.transaction(context, async (tx) => {
      await saveMethod(tx, id, body)
      return getMethod(tx, id)
    })
  },
  replay: ({ db, resultId: id }) => getMethod(db, id),
})

const putMethod = route({
  method: 'PUT', path: '/admin/shipping-methods/:methodId', access: write, tags,
  summary: 'Replace a shipping method and its rates',
  params, body: MethodInput, response: { 200: Method }, problems: [MethodNotFound, ...problems],
  run: ({ db, context, params: { methodId }, body }) => db.transaction(context, async (tx) => {
    await getMethod(tx, methodId)
    await saveMethod(tx, methodId, body)
    return getMethod(tx, methodId)
  }),
})

const deleteMethod = route({
  method: 'DELETE', path: '/admin/shipping-methods/:methodId', access: write, tags, summary: 'Delete a shipping method',
  params, response: { 204: null }, problems: [MethodNotFound],
  run: ({ db, context, params: { methodId } }) => db.transaction(context, async (tx) => {
    if (await tx.run(sql`delete from shipping.method where id = ${methodId}`) === 0) throw MethodNotFound({})
  }),
})

export const methodRoutes = [getMethods, postMethod, putMethod, deleteMethod]
