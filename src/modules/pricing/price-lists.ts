// Price lists: a base list for each channel and currency, and lists above it for sales, seasons and customers to
// come. Whenever a list changes, starts or ends, everybody who shows its prices is told.
import { Type, type Static } from 'typebox'
import { mapConstraint, resultId, sql, systemContext, type Conn, type Db, type Tx } from '../../platform/db.ts'
import { sweep } from '../../platform/events.ts'
import { Id, OneLine, Page, PageQuery, Timestamp, route } from '../../platform/http.ts'
import { Currency } from '../../platform/money.ts'
import { InvalidCursor, InvalidValue } from '../../platform/problem.ts'
import { ChannelNotFound } from '../catalog/catalog.ts'
import { getChannel } from '../catalog/channels.ts'
import { announceList } from './internal/announce.ts'
import { idAfter, page } from './internal/page.ts'
import { BasePriceListExists, CurrencyNotOffered, nullable, PriceListNotFound } from './pricing.ts'

const changeable = {
  name: OneLine(100),
  priority: Type.Integer({
    minimum: 0, maximum: 1000, description: '0 is the base list; of the others the highest decides',
  }),
  startsAt: nullable(Timestamp),
  endsAt: nullable(Timestamp),
}
export const PriceList = Type.Object({ id: Id, channelId: Id, currency: Currency, ...changeable })
export type PriceList = Static<typeof PriceList>
export const NewPriceList = Type.Object({
  channelId: Id, currency: Currency, name: changeable.name, priority: changeable.priority,
  startsAt: Type.Optional(changeable.startsAt), endsAt: Type.Optional(changeable.endsAt),
})

mapConstraint('price_list_base',
  () => BasePriceListExists({}, 'Set its prices, or give the new list a priority above 0.'))
mapConstraint('price_list_ends_after_start',
  () => InvalidValue({ fields: [{ path: 'body/endsAt', message: 'must be after startsAt' }] }))
mapConstraint('price_list_base_has_no_dates', () => InvalidValue({
  fields: [{ path: 'body/startsAt', message: 'must be left out: a base list (priority 0) always holds' }] }))

const columns = sql`
  id, channel_id as "channelId", currency, name, priority, starts_at as "startsAt", ends_at as "endsAt"`
const params = Type.Object({ priceListId: Id })
const read = { permission: 'pricing:read' }
const write = { permission: 'pricing:write' }
const tags = ['Pricing']
const problems = [PriceListNotFound, BasePriceListExists, InvalidValue]

/** Throws ChannelNotFound, CurrencyNotOffered, BasePriceListExists, InvalidValue. Idempotent by id. */
export async function createPriceList(tx: Tx, id: string, list: Static<typeof NewPriceList>): Promise<PriceList> {
  const { currencies } = await getChannel(tx, list.channelId)
  if (!currencies.includes(list.currency)) throw CurrencyNotOffered({ currency: list.currency, offered: currencies })
  await tx.run(sql`
    insert into pricing.price_list (id, channel_id, currency, name, priority, starts_at, ends_at)
    values (${id}, ${list.channelId}, ${list.currency}, ${list.name}, ${list.priority},
      ${list.startsAt ?? null}, ${list.endsAt ?? null})
    on conflict (id) do nothing`)
  return getPriceList(tx, id)
}

export async function getPriceList(conn: Conn, id: string): Promise<PriceList> {
  const list = await conn.maybe(PriceList, sql`select ${columns} from pricing.price_list where id = ${id}`)
  if (!list) throw PriceListNotFound({})
  return list
}

const listPriceLists = route({
  method: 'GET', path: '/admin/price-lists', access: read, tags, summary: 'List price lists, the newest first',
  query: Type.Object({ ...PageQuery, channelId: Type.Optional(Id), currency: Type.Optional(Currency) }),
  response: { 200: Page(PriceList) }, problems: [InvalidCursor],
  async run({ db, query: { limit = 20, cursor, channelId = null, currency = null } }) {
    const after = idAfter(cursor)
    const rows = await db.many(PriceList, sql`
      select ${columns} from pricing.price_list
      where (${channelId}::uuid is null or channel_id = ${channelId}::uuid)
        and (${currency}::text is null or currency = ${currency}::text)
        and (${after}::uuid is null or id < ${after}::uuid)
      order by id desc limit ${limit + 1}`)
    return page(rows, limit, ({ id }) => id)
  },
})

const postPriceList = route({
  method: 'POST', path: '/admin/price-lists', access: write, tags, summary: 'Create a price list',
  body: NewPriceList, response: { 201: PriceList }, problems: [...problems, ChannelNotFound, CurrencyNotOffered],
  async run({ db, context, body }) {
    const id = resultId(context)
    return db.transaction(context, (tx) => createPriceList(tx, id, body))
  },
  replay: ({ db, resultId: id }) => getPriceList(db, id),
})

const patchPriceList = route({
  method: 'PATCH', path: '/admin/price-lists/:priceListId', access: write, tags, params,
  summary: 'Change the name, priority or dates of a price list',
  body: Type.Partial(Type.Object(changeable)), response: { 200: PriceList }, problems,
  run: ({ db, context, params: { priceListId }, body }) => db.transaction(context, async (tx) => {
    const before = await tx.maybe(PriceList, sql`
      select ${columns} from pricing.price_list where id = ${priceListId} for update`)
    if (!before) throw PriceListNotFound({})
    const list = { ...before, ...body }
    await tx.run(sql`
      update pricing.price_list set name = ${list.name}, priority = ${list.priority}, starts_at = ${list.startsAt},
        ends_at = ${list.endsAt}, announced_at = now()
      where id = ${priceListId}`)
    await announceList(tx, priceListId)
    return getPriceList(tx, priceListId)
  }),
})

const deletePriceList = route({
  method: 'DELETE', path: '/admin/price-lists/:priceListId', access: write, tags, params,
  summary: 'Delete a price list with its prices', response: { 204: null }, problems: [PriceListNotFound],
  run: ({ db, context, params: { priceListId } }) => db.transaction(context, async (tx) => {
    await announceList(tx, priceListId)
    if (await tx.run(sql`delete from pricing.price_list where id = ${priceListId}`) === 0) throw PriceListNotFound({})
  }),
})

export const priceListRoutes = [listPriceLists, postPriceList, patchPriceList, deletePriceList]

/** Announces lists that have started or ended since they were announced last: caches hear of it within seconds. */
export async function announceDueLists(db: Db): Promise<void> {
  await db.transaction(systemContext(), async (tx) => {
    const due = await tx.many(Type.Object({ id: Type.String() }), sql`
      update pricing.price_list set announced_at = now()
      where id in (
        select id from pricing.price_list
        where (starts_at <= now() and starts_at > announced_at) or (ends_at <= now() and ends_at > announced_at)
        order by id limit 10 for update skip locked)
      returning id`)
    for (const { id } of due) await announceList(tx, id)
  })
}

export const announceLists = sweep('pricing.announce-lists', { everySeconds: 5 }, announceDueLists)
