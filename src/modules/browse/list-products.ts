// The list of products that a shopper walks through: by words, category, collection, facets, price and stock. What
// matches is catalogue's knowledge, what it costs pricing's, whether it is there inventory's; this puts them together.
// A new answer costs a few trips (the market; what matches, in which order; the cards), whatever the size of the shop,
// an old one none.

import { Type, type Static } from 'typebox'
import type { Db } from '../../platform/db.ts'
import { Id, PageQuery, route } from '../../platform/http.ts'
import { Currency } from '../../platform/money.ts'
import { InvalidCursor, InvalidRequest } from '../../platform/problem.ts'
import { ChannelNotFound, GROUPS_TAG, PRODUCTS_TAG, productTag } from '../catalog/catalog.ts'
import { shopperChannel } from '../catalog/channels.ts'
import { getProducts } from '../catalog/get-listed-products.ts'
import type { SearchFilter } from '../catalog/matching-products.ts'
import { searchProducts } from '../catalog/search-products.ts'
import { CurrencyNotOffered } from '../pricing/pricing.ts'
import { answerFromMemory, recall, type Made } from '../../platform/answer-from-memory.ts'
import { ProductList, shownPrice, shownStock, type Card } from './browse.ts'
import { findMarket } from './market.ts'
import { offered, pageByPrice, readOffers, type Market } from './offers.ts'

const Minor = Type.Integer({ minimum: 0, maximum: 1_000_000_000_000_000 })
const some = <T extends ReturnType<typeof Type.String>>(item: T, description: string) =>
  Type.Optional(Type.Array(item, { maxItems: 50, description }))
const Value = Type.String({ minLength: 1, maxLength: 200 })
// 'Colour:Red': the first colon parts name and value
const NamedValue = Type.String({ maxLength: 301, pattern: '^[^:]{1,100}:.{1,200}$' })

const Query = Type.Object({
  ...PageQuery,
  q: Type.Optional(Type.String({ maxLength: 200, description: 'Words, or their beginnings; a typo is forgiven' })),
  categoryId: Type.Optional(Id),
  collectionId: Type.Optional(Id),
  vendor: some(Value, 'One of these vendors'),
  type: some(Value, 'One of these types'),
  tag: some(Value, 'One of these tags'),
  option: some(NamedValue, 'Option and value, as Colour:Red; values of one option add up'),
  attribute: some(NamedValue, 'Attribute and value, as material:Wool'),
  minPrice: Type.Optional(Minor),
  maxPrice: Type.Optional(Minor),
  inStock: Type.Optional(Type.Boolean({
    description: 'true: only what can be ordered now; false: only what is sold out',
  })),
  sort: Type.Optional(Type.Enum(['relevance', 'newest', 'title', 'position', 'price', '-price'], {
    description: 'Unless told: by relevance with q, in its order within a collection, else the newest first',
  })),
  currency: Type.Optional(Currency),
})
type Query = Static<typeof Query>

// What was counted in part is known in full a moment later; and what comes into stock was not shown here, so nothing
// says that the list is out of date. Such lists are made anew soon.
const SOON_MS = 2_000

async function makeList(db: Db, channelId: string, query: Query): Promise<Made> {
  const market = await findMarket(db, channelId, query.currency)
  const { productIds, ...found } = await findProducts(db, market, query)
  const items = await readCards(db, market, productIds)
  return {
    value: { items, ...found },
    tags: [PRODUCTS_TAG, GROUPS_TAG, ...productIds.map(productTag)],
    ...(query.inStock === undefined && found.countedAll ? {} : { maxAgeMs: SOON_MS }),
  }
}

async function findProducts(db: Db, market: Market, query: Query) {
  const { limit = 20, cursor, sort, minPrice: minMinor, maxPrice: maxMinor, inStock } = query
  const { q, categoryId, collectionId } = query
  const bounds = { minMinor, maxMinor, inStock }
  const filter: SearchFilter = {
    channelId: market.channelId, categoryId, collectionId, text: q?.trim() || undefined, facets: facetsOf(query),
  }
  const among = offered(market, bounds)
  const byPrice = sort === 'price' || sort === '-price'
  const { hits, counts, correctedText = null, ...rest } = await searchProducts(db, {
    ...filter, among, countFacets: true, ...byPrice ? { sort: 'newest', limit: 1 } : { sort, limit, cursor },
  })
  const page = byPrice
    ? await pageByPrice(db, market, { ...filter, text: correctedText ?? filter.text },
      { ...bounds, limit, cursor, descending: sort === '-price' })
    : { productIds: hits.map((hit) => hit.productId), nextCursor: rest.nextCursor }
  return { ...page, ...counts!, correctedText }
}

function facetsOf({ vendor, type, tag, option = [], attribute = [] }: Query): Record<string, string[]> {
  const facets: Record<string, string[]> = Object.create(null)
  if (vendor) facets['vendor'] = vendor
  if (type) facets['type'] = type
  if (tag) facets['tag'] = tag
  for (const [kind, pairs] of [['option', option], ['attribute', attribute]] as const) {
    for (const pair of pairs) {
      const colon = pair.indexOf(':')
      ;(facets[`${kind}.${pair.slice(0, colon)}`] ??= []).push(pair.slice(colon + 1))
    }
  }
  return facets
}

async function readCards(db: Db, market: Market, productIds: string[]): Promise<Card[]> {
  const [products, offers] = await Promise.all([
    getProducts(db, market.channelId, productIds), readOffers(db, market, productIds),
  ])
  const offerOf = new Map(offers.map((offer) => [offer.productId, offer]))
  return products.map(({ id, handle, title, vendor, type, tags, options, images, publishedFrom }) => {
    const offer = offerOf.get(id)
    return {
      id, handle, title, vendor, type, tags, options, image: images[0] ?? null, publishedFrom,
      from: offer ? shownPrice(market.currency, offer.unitMinor, offer.perUnits, offer.compareAtMinor) : null,
      pricesVary: offer?.pricesVary ?? false,
      stock: shownStock(offer ?? { tracked: true, available: 0, backorder: false }),
    }
  })
}

export const getStoreProducts = route({
  method: 'GET', path: '/store/products', access: 'shopper', tags: ['Shop'],
  summary: 'List and search products',
  description: 'Facets are counted as if each were not filtered itself. Of more than a thousand products the first ' +
    'answer counts a thousand (`countedAll` is false); answers a moment later count all. Counts of 250 and more may ' +
    'be half a minute old. Words that more than a thousand products have are not ranked: those with the words in ' +
    'the title come first, the newest of them before others. Prices are in minor units of the currency.',
  query: Query,
  response: { 200: ProductList, 304: null },
  problems: [InvalidCursor, CurrencyNotOffered, ChannelNotFound],
  recall,
  async run({ db, context, query, request }) {
    const { minPrice = 0, maxPrice = Infinity } = query
    if (minPrice > maxPrice) {
      throw InvalidRequest({ fields: [{ path: 'query/minPrice', message: 'is above maxPrice: nothing costs that' }] })
    }
    const channelId = shopperChannel(context.actor)
    return answerFromMemory({ db, context, request }, () => makeList(db, channelId, query))
  },
})
