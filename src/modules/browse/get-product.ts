// The page of one product: what it is, its variants with prices by quantity, and whether they are there. By id or
// handle; a former handle leads on to the present one. A new answer costs three trips, an old one none.

import { Type } from 'typebox'
import type { Db } from '../../platform/db.ts'
import { route } from '../../platform/http.ts'
import { Currency } from '../../platform/money.ts'
import { ChannelNotFound, channelTag, GROUPS_TAG, PRODUCTS_TAG, productTag } from '../catalog/catalog.ts'
import { shopperChannel } from '../catalog/channels.ts'
import { getProductByHandle, getProducts, type ByHandle, type ListedProduct } from '../catalog/get-listed-products.ts'
import { availability } from '../inventory/availability.ts'
import { priceVariants } from '../pricing/price-variants.ts'
import { CurrencyNotOffered } from '../pricing/pricing.ts'
import { answerFromMemory, recall, type Made } from '../../platform/answer-from-memory.ts'
import { ProductNotShown, ProductPage, shownPrice, shownStock } from './browse.ts'
import { findMarket } from './market.ts'
import type { Market } from './offers.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

async function makePage(db: Db, channelId: string, handleOrId: string, currency: string | undefined): Promise<Made> {
  const [market, found] = await Promise.all([findMarket(db, channelId, currency), find(db, channelId, handleOrId)])
  if (found.kind === 'missing') throw ProductNotShown({ product: handleOrId })
  if (found.kind === 'moved') {
    const search = currency ? `?currency=${currency}` : ''
    return {
      value: { handle: found.handle }, tags: [PRODUCTS_TAG],
      location: `/store/products/${encodeURIComponent(found.handle)}${search}`,
    }
  }
  return {
    value: await readPage(db, market, found.product),
    tags: [productTag(found.product.id), GROUPS_TAG, channelTag(channelId)],
  }
}

/** An id may also be somebody's handle, so what is no id of a product here is looked up as a handle. */
async function find(db: Db, channelId: string, handleOrId: string): Promise<ByHandle> {
  const [product] = UUID.test(handleOrId) ? await getProducts(db, channelId, [handleOrId]) : []
  return product ? { kind: 'found', product } : getProductByHandle(db, channelId, handleOrId)
}

async function readPage(db: Db, market: Market, product: ListedProduct): Promise<ProductPage> {
  const variantIds = product.variants.map((variant) => variant.id)
  const [prices, stocks] = await Promise.all([priceVariants(db, market, variantIds), availability(db, variantIds)])
  const stepsOf = new Map(prices.map((price) => [price.variantId, price.steps]))
  const stockOf = new Map(stocks.map((stock) => [stock.variantId, stock]))
  return {
    ...product,
    variants: product.variants.map((variant) => ({
      ...variant,
      prices: (stepsOf.get(variant.id) ?? []).map(({ minQuantity, unitMinor, perUnits, compareAtMinor }) => ({
        fromQuantity: minQuantity, ...shownPrice(market.currency, unitMinor, perUnits, compareAtMinor),
      })),
      stock: shownStock(stockOf.get(variant.id)!),
    })),
  }
}

export const getStoreProduct = route({
  method: 'GET', path: '/store/products/:handleOrId', access: 'shopper', tags: ['Shop'],
  summary: 'Read a product',
  description: 'A former handle answers 301 with the present one; fetch follows by itself, and `handle` then differs.',
  params: Type.Object({ handleOrId: Type.String({ minLength: 1, maxLength: 200 }) }),
  query: Type.Object({ currency: Type.Optional(Currency) }),
  response: { 200: ProductPage, 301: Type.Object({ handle: Type.String() }), 304: null },
  problems: [ProductNotShown, CurrencyNotOffered, ChannelNotFound],
  recall,
  async run({ db, context, params: { handleOrId }, query: { currency }, request }) {
    const channelId = shopperChannel(context.actor)
    return answerFromMemory({ db, context, request }, () => makePage(db, channelId, handleOrId, currency))
  },
})
