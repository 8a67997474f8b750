// The catalogue as the neutral products that the writers take: page by page through the modules' public functions, so
// memory holds one page.
import { listAttributes } from '../../src/modules/catalog/attributes.ts'
import type { Category, Product } from '../../src/modules/catalog/catalog.ts'
import { listCategories } from '../../src/modules/catalog/categories.ts'
import { getProduct } from '../../src/modules/catalog/get-product.ts'
import { listProducts } from '../../src/modules/catalog/list-products.ts'
import { availability } from '../../src/modules/inventory/availability.ts'
import { readStock } from '../../src/modules/inventory/list-stock.ts'
import { priceVariants } from '../../src/modules/pricing/price-variants.ts'
import type { Db } from '../../src/platform/db.ts'
import type { ImportedProduct } from '../import/product.ts'
import type { Market } from '../import/write-products.ts'

/**
 * Of which market it tells, the same that an import would write: the stock is what lies at the one location, promised
 * units included. `baseUrl`: what addresses of the shop's own pictures begin with, since a file is read elsewhere.
 */
export type Shown = Market & { baseUrl: string }

export async function* readProducts(
  db: Db, { channel, currency, locationId, baseUrl }: Shown,
): AsyncGenerator<ImportedProduct> {
  const paths = categoryPaths(await listCategories(db))
  const names = new Map((await listAttributes(db)).map(({ code, name }) => [code, name]))
  let cursor: string | undefined
  do {
    const page = await listProducts(db, { limit: 100, ...(cursor === undefined ? {} : { cursor }) })
    const products = await Promise.all(page.items.map(({ id }) => getProduct(db, id)))
    const variantIds = products.flatMap(({ variants }) => variants.filter(({ active }) => active).map(({ id }) => id))
    const [prices, stock, tracked] = await Promise.all([
      priceVariants(db, { channelId: channel.id, currency }, variantIds),
      readStock(db, variantIds.map((variantId) => ({ variantId, locationId }))), availability(db, variantIds),
    ])
    const priceOf = new Map(prices.map(({ variantId, steps }) => [
      variantId, steps.find(({ minQuantity, perUnits }) => minQuantity === 1 && perUnits === 1),
    ]))
    const stockOf = new Map(stock.map((one) => [one.variantId, one]))
    const untracked = new Set(tracked.filter((one) => !one.tracked).map(({ variantId }) => variantId))
    const around = { channel, baseUrl, paths, names, priceOf, stockOf, untracked }
    for (const product of products) yield neutral(product, around)
    cursor = page.nextCursor ?? undefined
  } while (cursor)
}

type Around = Pick<Shown, 'channel' | 'baseUrl'> & {
  paths: Map<string, string[]>
  names: Map<string, string>
  priceOf: Map<string, { unitMinor: number; compareAtMinor: number | null } | undefined>
  stockOf: Map<string, { onHand: number; backorderLimit: number }>
  untracked: Set<string>
}

function neutral(
  product: Product, { channel, baseUrl, paths, names, priceOf, stockOf, untracked }: Around,
): ImportedProduct {
  const { handle, title, descriptionHtml, vendor, type, tags, status, options, seoTitle, seoDescription } = product
  const images = product.images.map(({ id, url, alt }) => ({ id, url: new URL(url, baseUrl).href, alt }))
  return {
    line: 0, incomplete: false, handle, title, descriptionHtml, vendor, type, tags, status, options, seoTitle,
    seoDescription, published: product.publications.some(({ channelId }) => channelId === channel.id),
    images: images.map(({ url, alt }) => ({ url, alt })),
    categories: product.categoryIds.flatMap((id) => (paths.has(id) ? [paths.get(id)!] : [])),
    attributes: Object.fromEntries(Object.entries(product.attributes)
      .map(([code, value]) => [names.get(code) ?? code, [String(value)]])),
    variants: product.variants.filter(({ active }) => active).map((variant) => {
      const price = priceOf.get(variant.id)
      const { onHand, backorderLimit } = stockOf.get(variant.id) ?? { onHand: 0, backorderLimit: 0 }
      const tracked = !untracked.has(variant.id)
      return {
        options: variant.options, sku: variant.sku, barcode: variant.barcode, weightGrams: variant.weightGrams,
        requiresShipping: variant.requiresShipping,
        taxClass: variant.taxClass ?? (product.taxClass === 'standard' ? null : product.taxClass),
        priceMinor: price?.unitMinor ?? null, compareAtMinor: price?.compareAtMinor ?? null, sale: null,
        tracked, quantity: tracked ? onHand : null, backorder: backorderLimit > 0,
        imageUrl: images.find(({ id }) => id === variant.imageId)?.url ?? null,
      }
    }),
  }
}

function categoryPaths(categories: readonly Category[]): Map<string, string[]> {
  const paths = new Map<string, string[]>()
  for (const { id, parentId, name } of categories) paths.set(id, [...(parentId ? paths.get(parentId) ?? [] : []), name])
  return paths
}
