// The vocabulary of browsing: what a shopper sees of a product, with its price in one currency and its availability.
// Prices are those of the channel (with or without tax, as the channel says). No I/O.

import { Type, type Static } from 'typebox'
import { Id, Timestamp } from '../../platform/http.ts'
import { Money } from '../../platform/money.ts'
import { problem } from '../../platform/problem.ts'
import { Attributes, Image, nullable, Options, OptionValues } from '../catalog/catalog.ts'
import { Facet } from '../catalog/count-facets.ts'
import type { Availability } from '../inventory/availability.ts'
import { SHOWN_UP_TO } from '../inventory/inventory.ts'

export const StockStatus = Type.Enum(['in_stock', 'low_stock', 'backorder', 'out_of_stock'])
export const ShownStock = Type.Object({
  status: StockStatus,
  quantity: nullable(Type.Integer({ description: `Units left, told only when they are ${SHOWN_UP_TO} or fewer` })),
})

export const Price = Type.Object({
  price: Money,
  perUnits: Type.Integer({ description: 'The price buys so many units: 1, but for goods cheaper than a cent' }),
  compareAt: nullable(Type.Object(Money.properties, { description: 'The price struck through beside it' })),
})

/** A product in a list. */
export const Card = Type.Object({
  id: Id, handle: Type.String(), title: Type.String(), vendor: Type.String(), type: Type.String(),
  tags: Type.Array(Type.String()), options: Options, image: nullable(Image),
  from: nullable(Type.Object(Price.properties, { description: 'Its cheapest variant; null: not in this currency' })),
  pricesVary: Type.Boolean(), stock: ShownStock, publishedFrom: Timestamp,
})
export type Card = Static<typeof Card>

export const ProductList = Type.Object({
  items: Type.Array(Card), nextCursor: nullable(Type.String()), total: Type.Integer(), facets: Type.Array(Facet),
  countedAll: Type.Boolean({ description: 'false: more match than the thousand that total and facets are counted of' }),
  correctedText: nullable(Type.String({ description: 'Searched instead of q; the next page takes it as q' })),
})

export const ShownVariant = Type.Object({
  id: Id, title: Type.String(), options: OptionValues, sku: nullable(Type.String()), barcode: nullable(Type.String()),
  weightGrams: Type.Integer(), requiresShipping: Type.Boolean(), imageUrl: nullable(Type.String()),
  prices: Type.Array(Type.Object({ fromQuantity: Type.Integer(), ...Price.properties }), {
    description: 'By quantity; each holds until the next. Empty: not sold in this currency',
  }),
  stock: ShownStock,
})

/** A product on its own page. */
export const ProductPage = Type.Object({
  id: Id, handle: Type.String(), title: Type.String(), descriptionHtml: Type.String(),
  vendor: Type.String(), type: Type.String(), tags: Type.Array(Type.String()),
  seoTitle: Type.String(), seoDescription: Type.String(),
  options: Options, attributes: Attributes, images: Type.Array(Image), variants: Type.Array(ShownVariant),
  categories: Type.Array(Type.Object({ id: Id, handle: Type.String(), name: Type.String() })),
  publishedFrom: Timestamp, updatedAt: Timestamp,
})
export type ProductPage = Static<typeof ProductPage>

export const ProductNotShown = problem('product-not-shown', 404, 'This shop shows no such product',
  Type.Object({ product: Type.String() }))

/** What a shopper is told of a stock. How much there is of what there is plenty of is nobody else's business. */
export function shownStock(
  { tracked, available, backorder }: Omit<Availability, 'variantId'>,
): Static<typeof ShownStock> {
  if (!tracked || available > SHOWN_UP_TO) return { status: 'in_stock', quantity: null }
  if (available > 0) return { status: 'low_stock', quantity: available }
  return { status: backorder ? 'backorder' : 'out_of_stock', quantity: 0 }
}

/** A price as it is shown. */
export function shownPrice(currency: string, unitMinor: number, perUnits: number, compareAtMinor: number | null) {
  return {
    price: { amount: unitMinor, currency }, perUnits,
    compareAt: compareAtMinor === null ? null : { amount: compareAtMinor, currency },
  }
}
