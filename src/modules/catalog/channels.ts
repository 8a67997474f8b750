// Channels: the shop fronts. A channel is switched off rather than deleted, because orders and prices name it.
import { Type } from 'typebox'
import { answerFromMemory, recall } from '../../platform/answer-from-memory.ts'
import { invalidate } from '../../platform/cache.ts'
import { resultId, sql, type Conn, type Tx } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { Id, route } from '../../platform/http.ts'
import { isCurrency } from '../../platform/money.ts'
import { InvalidValue } from '../../platform/problem.ts'
import {
  Channel, ChannelChanged, ChannelCodeTaken, ChannelInput, ChannelNotFound, channelTag, PRODUCTS_TAG,
} from './catalog.ts'

const columns = sql`id, code, name, currencies, default_currency as "defaultCurrency",
  default_locale as "defaultLocale", country,
  prices_include_tax as "pricesIncludeTax", active, version`

/** The oldest first: what means the shop without naming a channel means that one. */
export async function listChannels(conn: Conn): Promise<Channel[]> {
  return conn.many(Channel, sql`select ${columns} from catalog.channel order by id`)
}

/** Throws ChannelNotFound. */
export async function getChannel(conn: Conn, channelId: string): Promise<Channel> {
  const channel = await conn.maybe(Channel, sql`select ${columns} from catalog.channel where id = ${channelId}`)
  if (!channel) throw ChannelNotFound({ channelId })
  return channel
}

/** Creates the channel, or replaces it. Throws ChannelCodeTaken, InvalidValue. Asked twice it is the same. */
export async function saveChannel(tx: Tx, id: string, channel: ChannelInput): Promise<void> {
  const { code, name, currencies, defaultCurrency, defaultLocale, country, pricesIncludeTax, active = true } = channel
  const unknown = currencies.flatMap((currency, index) =>
    (isCurrency(currency) ? [] : [{ path: `body/currencies/${index}`, message: 'is no ISO 4217 currency' }]))
  if (unknown.length > 0) throw InvalidValue({ fields: unknown })
  if (!currencies.includes(defaultCurrency)) {
    throw InvalidValue({ fields: [{ path: 'body/defaultCurrency',
      message: `must be one of the currencies: ${currencies.join(', ')}` }] })
  }
  await Promise.all([
    tx.run(sql`
      insert into catalog.channel (id, code, name, currencies, default_currency, default_locale, country,
        prices_include_tax, active)
      values (${id}, ${code}, ${name}, ${currencies}, ${defaultCurrency}, ${defaultLocale}, ${country},
        ${pricesIncludeTax}, ${active})
      on conflict (id) do update set code = excluded.code, name = excluded.name, currencies = excluded.currencies,
        default_currency = excluded.default_currency, default_locale = excluded.default_locale,
        country = excluded.country,
        prices_include_tax = excluded.prices_include_tax, active = excluded.active, version = channel.version + 1,
        updated_at = now()`),
    invalidate(tx, [channelTag(id), PRODUCTS_TAG]),
    publish(tx, ChannelChanged, { channelId: id }),
  ])
}

const params = Type.Object({ channelId: Id })
const tags = ['Channels']
const read = { permission: 'catalog:read' }
const write = { permission: 'catalog:write' }
const problems = [ChannelCodeTaken, InvalidValue]

const getChannels = route({
  method: 'GET', path: '/admin/channels', access: read, tags, summary: 'List channels',
  response: { 200: Type.Object({ items: Type.Array(Channel) }) },
  run: async ({ db }) => ({ items: await listChannels(db) }),
})

const readChannel = route({
  method: 'GET', path: '/admin/channels/:channelId', access: read, tags, summary: 'Read a channel',
  params, response: { 200: Channel }, problems: [ChannelNotFound],
  run: ({ db, params: { channelId } }) => getChannel(db, channelId),
})

const postChannel = route({
  method: 'POST', path: '/admin/channels', access: write, tags, summary: 'Create a channel',
  body: ChannelInput, response: { 201: Channel }, problems,
  async run({ db, context, body }) {
    const id = resultId(context)
    return db.transaction(context, async (tx) => {
      await saveChannel(tx, id, body)
      return getChannel(tx, id)
    })
  },
  replay: ({ db, resultId: id }) => getChannel(db, id),
})

const putChannel = route({
  method: 'PUT', path: '/admin/channels/:channelId', access: write, tags, summary: 'Replace a channel',
  description: 'active: false closes it: nothing is shown or sold there.',
  params, body: ChannelInput, response: { 200: Channel }, problems: [ChannelNotFound, ...problems],
  run: ({ db, context, params: { channelId }, body }) => db.transaction(context, async (tx) => {
    await getChannel(tx, channelId)
    await saveChannel(tx, channelId, body)
    return getChannel(tx, channelId)
  }),
})

export const StoreChannel = Type.Object({
  id: Id, code: Type.String(), name: Type.String(), currencies: Type.Array(Type.String()),
  defaultCurrency: Type.String(),
  defaultLocale: Type.String(), country: Type.String(), pricesIncludeTax: Type.Boolean(),
})

/** What a shop page must know before it shows a price. */
export const readStoreChannel = route({
  method: 'GET', path: '/store/channel', access: 'shopper', tags: ['Shop'],
  summary: 'Read the channel of the publishable key',
  response: { 200: StoreChannel, 304: null }, problems: [ChannelNotFound], recall,
  run: ({ db, context, request }) => answerFromMemory({ db, context, request }, async () => {
    const { active, version, ...channel } = await getChannel(db, shopperChannel(context.actor))
    if (!active) throw ChannelNotFound({ channelId: channel.id }, 'This shop is closed.')
    return { value: channel, tags: [channelTag(channel.id)] }
  }),
})

/** The channel of the shopper who asks. */
export function shopperChannel(actor: { kind: string; channelId?: string }): string {
  if (!actor.channelId) throw new Error(`A route for shoppers was called by ${actor.kind}`)
  return actor.channelId
}

export const channelRoutes = [getChannels, readChannel, postChannel, putChannel]
