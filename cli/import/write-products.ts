// Writes a batch of products with everything that a file says of them, through the public functions of catalog, pricing
// and inventory, in the transaction of the caller. It says how things should be in the end, so that writing the same
// again changes nothing.
import { createHash } from 'node:crypto'
import { listAttributes, saveAttribute } from '../../src/modules/catalog/attributes.ts'
import type { Channel, Product } from '../../src/modules/catalog/catalog.ts'
import { saveCategoryPaths } from '../../src/modules/catalog/categories.ts'
import { publishProducts, unpublishProducts } from '../../src/modules/catalog/publish-products.ts'
import { saveProducts, type ProductToSave, type SavedProduct } from '../../src/modules/catalog/save-products.ts'
import { availability } from '../../src/modules/inventory/availability.ts'
import { readStock } from '../../src/modules/inventory/list-stock.ts'
import { lockStock } from '../../src/modules/inventory/lock-stock.ts'
import { setStock, setTracked } from '../../src/modules/inventory/set-stock.ts'
import { createPriceList } from '../../src/modules/pricing/price-lists.ts'
import { setPrices, type SetPrice } from '../../src/modules/pricing/set-prices.ts'
import type { Tx } from '../../src/platform/db.ts'
import { findAgain } from './find-again.ts'
import { keepUnsaid, optionsKey } from './keep-unsaid.ts'
import type { ImportedProduct, ImportedVariant } from './product.ts'

/** Where the goods are sold, in which currency the file names its prices, and where its stock lies. */
export type Market = { channel: Channel; currency: string; locationId: string }

// Backorders without a bound in the file get the highest that a stock takes.
const BACKORDER_LIMIT = 1_000_000

/** `stockLevels`: how many of its variants lie there in another number than before. */
export type WrittenProduct = SavedProduct & { stockLevels: number }

/**
 * One batch of products with prices and stock; `taken` as findAgain takes it. A product is "updated" when anything of
 * it changed, its prices and stock included. Throws UnclearProduct and the problems of saveProducts; then nothing of
 * the batch is written.
 */
export async function writeProducts(
  tx: Tx, products: ImportedProduct[], market: Market, taken: ReadonlyMap<string, number> = new Map(),
): Promise<WrittenProduct[]> {
  const present = await findAgain(tx, products, taken)
  const categories = await categoryIds(tx, products)
  const codes = await attributeCodes(tx, products)
  const wanted = products.map((product, index) =>
    keepUnsaid(product, asProduct(product, categories, codes), present[index]))
  const saved = await saveProducts(tx, wanted)
  const published = await writePublications(tx, saved, products, present, market.channel.id)
  const variants = saved.flatMap((product, index) => {
    const ids = new Map(product.variants.map(({ variantId, options }) => [optionsKey(options), variantId]))
    return products[index]!.variants.map((variant) =>
      ({ ...variant, variantId: ids.get(optionsKey(variant.options))! }))
  })
  const priced = new Set(await writePrices(tx, variants, market))
  const { recounted, reset } = await writeStock(tx, variants, market.locationId)
  return saved.map((product, index) => {
    const isOf = (changed: ReadonlySet<string>) => product.variants.filter(({ variantId }) => changed.has(variantId))
    const isChanged = published.has(product.productId) || [priced, recounted, reset].some((set) => isOf(set).length > 0)
    return {
      ...product, handle: products[index]!.handle, stockLevels: isOf(recounted).length,
      outcome: product.outcome === 'unchanged' && isChanged ? 'updated' : product.outcome,
    }
  })
}

/** Shows them in the channel, or not, and answers which this changed. Dates that staff set to come or to end stay. */
async function writePublications(
  tx: Tx, saved: SavedProduct[], products: ImportedProduct[], present: (Product | undefined)[], channelId: string,
): Promise<Set<string>> {
  const changed = saved.filter((_, index) => {
    const dates = present[index]?.publications.find((each) => each.channelId === channelId)
    if (!products[index]!.published) return dates !== undefined
    return !dates || (dates.publishedUntil !== null && Date.parse(dates.publishedUntil) <= Date.now())
  }).map(({ productId }) => productId)
  const shown = new Set(saved.flatMap(({ productId }, index) => (products[index]!.published ? [productId] : [])))
  await publishProducts(tx, channelId, changed.filter((id) => shown.has(id)))
  await unpublishProducts(tx, channelId, changed.filter((id) => !shown.has(id)))
  return new Set(changed)
}

function asProduct(
  product: ImportedProduct, categories: Map<string, string>, codes: Map<string, string>,
): ProductToSave {
  const { handle, title, descriptionHtml, vendor, type, tags, status, options, images, seoTitle } = product
  return {
    handle, title, descriptionHtml, vendor, type, tags, status, options, images: images.slice(0, 250), seoTitle,
    seoDescription: product.seoDescription,
    ...(product.categories.length > 0 && {
      categoryIds: product.categories.map((path) => categories.get(path.join('\n'))!),
    }),
    attributes: Object.fromEntries(Object.entries(product.attributes).flatMap(([name, values]) => {
      const code = codes.get(name)
      return code ? [[code, values.join(', ').slice(0, 2_000)]] : []
    })),
    variants: product.variants.map(
      ({ options: values, sku, barcode, weightGrams, requiresShipping, taxClass, imageUrl }) =>
        ({ options: values, sku, barcode, weightGrams, requiresShipping, taxClass, imageUrl })),
  }
}

async function categoryIds(tx: Tx, products: ImportedProduct[]): Promise<Map<string, string>> {
  const paths = new Map(products.flatMap(({ categories }) => categories.map((path) => [path.join('\n'), path])))
  if (paths.size === 0) return new Map()
  const ids = await saveCategoryPaths(tx, [...paths.values()])
  return new Map([...paths.keys()].map((path, index) => [path, ids[index]!]))
}

/**
 * Attribute name → code, defined as text where it is new. A name that the shop defines as something else is left out.
 */
async function attributeCodes(tx: Tx, products: ImportedProduct[]): Promise<Map<string, string>> {
  const names = new Set(products.flatMap(({ attributes }) => Object.keys(attributes)))
  if (names.size === 0) return new Map()
  const known = new Map((await listAttributes(tx)).map(({ code, kind }) => [code, kind]))
  const codes = new Map<string, string>()
  for (const name of names) {
    const code = name.normalize('NFKD').toLowerCase().replace(/\p{M}/gu, '').replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '').slice(0, 60).replace(/-$/, '')
    if (code === '' || (known.get(code) ?? 'text') !== 'text') continue
    if (!known.has(code)) await saveAttribute(tx, code, { name: name.slice(0, 200), kind: 'text' })
    known.set(code, 'text')
    codes.set(name, code)
  }
  return codes
}

type Known = ImportedVariant & { variantId: string }

/** Answers the variants whose price is another one now. */
async function writePrices(tx: Tx, variants: Known[], { channel, currency }: Market): Promise<string[]> {
  const lists = new Map<string, string>()
  for (const { sale } of variants) {
    const key = sale && saleKey(sale)
    if (key && !lists.has(key)) lists.set(key, await saleList(tx, sale, { channelId: channel.id, currency }))
  }
  return setPrices(tx, variants.flatMap(({ variantId, priceMinor, compareAtMinor, sale }): SetPrice[] => [
    ...(priceMinor === null ? []
      : [{ variantId, unitMinor: priceMinor, compareAtMinor, channelId: channel.id, currency }]),
    ...(sale ? [{
      variantId, unitMinor: sale.priceMinor, compareAtMinor: priceMinor, priceListId: lists.get(saleKey(sale))!,
    }] : []),
  ]))
}

type Sale = NonNullable<ImportedVariant['sale']>
const saleKey = ({ startsAt, endsAt }: Sale): string => `${startsAt ?? ''} – ${endsAt ?? ''}`

/** The price list of a sale with these dates. Its id follows from them, so a second import finds it again. */
async function saleList(tx: Tx, sale: Sale, market: { channelId: string; currency: string }): Promise<string> {
  const hash = createHash('sha256').update(`${market.channelId} ${market.currency} ${saleKey(sale)}`).digest('hex')
  // A UUIDv8: one of our own making.
  const id = hash.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-8$3-8$4-$5')
  const [from, until] = [sale.startsAt, sale.endsAt].map((instant) => instant?.slice(0, 10) ?? '…')
  const { startsAt, endsAt } = sale
  await createPriceList(tx, id, { ...market, name: `Sale ${from} – ${until}`, priority: 10, startsAt, endsAt })
  return id
}

/**
 * Answers the variants whose number is another one now, and those that are counted, or sold beyond it, in another way.
 * A limit of backorders stays, since files only say that there may be some.
 */
async function writeStock(
  tx: Tx, variants: Known[], locationId: string,
): Promise<{ recounted: Set<string>; reset: Set<string> }> {
  const isCounted = ({ tracked, quantity }: Known): boolean => tracked && quantity !== null
  const counted = variants.filter(isCounted)
  await lockStock(tx, counted.map(({ variantId }) => variantId))
  const read = async () => new Map((await readStock(tx, counted.map(({ variantId }) => ({ variantId, locationId }))))
    .map((stock) => [stock.variantId, stock]))
  const before = await read()
  const wereTracked = new Map((await availability(tx, variants.map(({ variantId }) => variantId)))
    .map(({ variantId, tracked }) => [variantId, tracked]))
  await setStock(tx, counted.map(({ variantId, quantity, backorder }) => ({
    variantId, locationId, onHand: quantity!, tracked: true,
    backorderLimit: backorder ? before.get(variantId)?.backorderLimit || BACKORDER_LIMIT : 0,
  })), 'import')
  await setTracked(tx, variants.filter((variant) => !isCounted(variant))
    .map(({ variantId, tracked }) => ({ variantId, tracked })))
  const after = await read()
  const changed = (of: 'onHand' | 'backorderLimit') => counted.flatMap(({ variantId }) =>
    ((before.get(variantId)?.[of] ?? 0) === (after.get(variantId)?.[of] ?? 0) ? [] : [variantId]))
  const retracked = variants.filter(({ variantId, tracked }) => wereTracked.get(variantId) !== tracked)
  return {
    recounted: new Set(changed('onHand')),
    reset: new Set([...changed('backorderLimit'), ...retracked.map(({ variantId }) => variantId)]),
  }
}
