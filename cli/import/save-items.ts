// Writes what the readers found: batches through the public functions of catalog, pricing and inventory, each batch one
// transaction. Everything is given as it should be in the end, so a second run changes nothing. When the database
// refuses a batch, its products go in one by one, and the one that it means is refused by the line where it stands.
import { createHash } from 'node:crypto'
import { listAttributes, saveAttribute } from '../../src/modules/catalog/attributes.ts'
import type { Channel } from '../../src/modules/catalog/catalog.ts'
import { saveCategoryPaths } from '../../src/modules/catalog/categories.ts'
import {
  createCollection, getCollectionByHandle, setCollectionProducts,
} from '../../src/modules/catalog/collections.ts'
import { publishProducts, unpublishProducts } from '../../src/modules/catalog/publish-products.ts'
import { saveProducts, type ProductToSave, type SavedProduct } from '../../src/modules/catalog/save-products.ts'
import { setStock, setTracked } from '../../src/modules/inventory/set-stock.ts'
import { createPriceList } from '../../src/modules/pricing/price-lists.ts'
import { setPrices, type SetPrice } from '../../src/modules/pricing/set-prices.ts'
import { setTaxRates } from '../../src/modules/pricing/tax-rates.ts'
import { systemContext, type Db, type Tx } from '../../src/platform/db.ts'
import { newId } from '../../src/platform/id.ts'
import { Problem } from '../../src/platform/problem.ts'
import type {
  ImportedCollection, ImportedProduct, ImportedTaxRate, ImportedVariant, ImportItem, Remark,
} from './product.ts'

/** Where the goods are sold, in which currency the file names its prices, and where its stock lies. */
export type Market = { channel: Channel; currency: string; locationId: string }

export type Progress = {
  remark(kind: 'refused' | 'notice', remark: Remark): void
  saved(summary: Summary): void
}

export type Summary = {
  created: number
  updated: number
  unchanged: number
  variants: number
  collections: number
  taxRates: number
  refused: number
  notices: number
}

// A few hundred rows a statement; a lock is held for some ten milliseconds.
const BATCH = 100
// Backorders without a bound in the file get the highest that a stock takes.
const BACKORDER_LIMIT = 1_000_000

/** Undoes a dry run: everything was tried, nothing is kept. */
class Undo extends Error {}

/** Saves the items as they come; memory holds one batch. With `dryRun` every batch is rolled back. */
export async function saveItems(
  db: Db, items: AsyncIterable<ImportItem>, market: Market, { dryRun, progress }: {
    dryRun: boolean; progress: Progress,
  },
): Promise<Summary> {
  const importer = new Importer(db, market, dryRun, progress)
  for await (const item of items) await importer.take(item)
  return importer.finish()
}

class Importer {
  readonly #db: Db
  readonly #market: Market
  readonly #dryRun: boolean
  readonly #progress: Progress
  readonly #summary: Summary = {
    created: 0, updated: 0, unchanged: 0, variants: 0, collections: 0, taxRates: 0, refused: 0, notices: 0,
  }
  readonly #refusedLines = new Set<number>()
  readonly #productIds = new Map<string, string>()
  readonly #collections: ImportedCollection[] = []
  readonly #taxRates: ImportedTaxRate[] = []
  #batch: ImportedProduct[] = []

  constructor(db: Db, market: Market, dryRun: boolean, progress: Progress) {
    this.#db = db
    this.#market = market
    this.#dryRun = dryRun
    this.#progress = progress
  }

  async take(item: ImportItem): Promise<void> {
    if (item.kind === 'refused' || item.kind === 'notice') return this.#remark(item.kind, item)
    if (item.kind === 'collection') this.#collections.push(item.collection)
    else if (item.kind === 'tax-rate') this.#taxRates.push(item.taxRate)
    else if (this.#batch.push(item.product) === BATCH) await this.#flush()
  }

  async finish(): Promise<Summary> {
    await this.#flush()
    if (this.#taxRates.length > 0) await this.#write(
      (tx) => setTaxRates(tx, this.#taxRates.map(({ line, ...rate }) => rate))
    )
    this.#summary.taxRates = this.#taxRates.length
    for (const collection of this.#collections) {
      await this.#write((tx) => saveCollection(tx, collection, this.#productIds, this.#dryRun))
      this.#summary.collections++
    }
    this.#progress.saved(this.#summary)
    return this.#summary
  }

  #remark(kind: 'refused' | 'notice', remark: Remark): void {
    if (kind === 'notice') this.#summary.notices++
    else this.#summary.refused = this.#refusedLines.add(remark.line).size
    this.#progress.remark(kind, remark)
  }

  async #flush(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    if (batch.length > 0 && !(await this.#save(batch))) for (const product of batch) await this.#save([product])
    this.#progress.saved(this.#summary)
  }

  /** Whether it went in. A single product that does not is refused. */
  async #save(products: ImportedProduct[]): Promise<boolean> {
    try {
      for (const saved of await this.#write((tx) => writeProducts(tx, products, this.#market))) {
        this.#summary[saved.outcome]++
        this.#summary.variants += saved.variants.length
        this.#productIds.set(saved.handle, saved.productId)
      }
      return true
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      if (products.length === 1) {
        const { line, handle } = products[0]!
        this.#remark('refused', { line, column: '', reason: reasonOf(error), value: handle })
      }
      return false
    }
  }

  async #write<T>(fn: (tx: Tx) => Promise<T>): Promise<T> {
    let result: { value: T } | undefined
    try {
      await this.#db.transaction(systemContext(), async (tx) => {
        result = { value: await fn(tx) }
        if (this.#dryRun) throw new Undo()
      })
    } catch (error) {
      if (!(error instanceof Undo)) throw error
    }
    return result!.value
  }
}

function reasonOf(problem: Problem): string {
  const fields = problem.extra['fields'] as { path: string; message: string }[] | undefined
  const more = fields ? fields.map(({ path, message }) => `${path} ${message}`).join('; ') : problem.detail
  return [problem.kind.title, more ?? JSON.stringify(problem.extra).slice(0, 200)].join(': ')
}

/** One batch of products with prices and stock. Throws the problems of saveProducts; then nothing of it is written. */
export async function writeProducts(tx: Tx, products: ImportedProduct[], market: Market): Promise<SavedProduct[]> {
  const categories = await categoryIds(tx, products)
  const codes = await attributeCodes(tx, products)
  const saved = await saveProducts(tx, products.map((product) => asProduct(product, categories, codes)))
  const idsOf = (published: boolean): string[] =>
    saved.flatMap(({ productId }, index) => (products[index]!.published === published ? [productId] : []))
  await publishProducts(tx, market.channel.id, idsOf(true))
  await unpublishProducts(tx, market.channel.id, idsOf(false))
  const variants = saved.flatMap((product, index) => {
    const ids = new Map(product.variants.map(({ variantId, options }) => [optionsKey(options), variantId]))
    return products[index]!.variants.map(
      (variant) => ({ ...variant, variantId: ids.get(optionsKey(variant.options))! })
    )
  })
  await writePrices(tx, variants, market)
  await writeStock(tx, variants, market.locationId)
  return saved
}

const optionsKey = (options: Record<string, string>): string => JSON.stringify(Object.entries(options).sort())

function asProduct(
  product: ImportedProduct, categories: Map<string, string>, codes: Map<string, string>,
): ProductToSave {
  const {
    handle, title, descriptionHtml, vendor, type, tags, status, options, images, seoTitle, seoDescription,
  } = product
  return {
    handle, title, descriptionHtml, vendor, type, tags, status, options, images: images.slice(0, 250), seoTitle,
    seoDescription,
    ...(product.categories.length > 0 && {
      categoryIds: product.categories.map((path) => categories.get(path.join('\n'))!),
    }),
    attributes: Object.fromEntries(Object.entries(product.attributes).flatMap(([name, values]) => {
      const code = codes.get(name)
      return code ? [[code, values.join(', ').slice(0, 2_000)]] : []
    })),
    variants: product.variants.map((
      { options: values, sku, barcode, weightGrams, requiresShipping, taxClass, imageUrl }
    ) => (
      { options: values, sku, barcode, weightGrams, requiresShipping, taxClass, imageUrl })),
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

async function writePrices(tx: Tx, variants: Known[], { channel, currency }: Market): Promise<void> {
  const lists = new Map<string, string>()
  for (const { sale } of variants) {
    const key = sale && saleKey(sale)
    if (key && !lists.has(key)) lists.set(key, await saleList(tx, sale, { channelId: channel.id, currency }))
  }
  await setPrices(tx, variants.flatMap(({ variantId, priceMinor, compareAtMinor, sale }): SetPrice[] => [
    ...(
      priceMinor === null ? [] : [{ variantId, unitMinor: priceMinor, compareAtMinor, channelId: channel.id, currency }]
    ),
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

async function writeStock(tx: Tx, variants: Known[], locationId: string): Promise<void> {
  await setStock(tx, variants.filter(({ tracked, quantity }) => tracked && quantity !== null).map((variant) => ({
    variantId: variant.variantId, locationId, onHand: variant.quantity!, tracked: true,
    backorderLimit: variant.backorder ? BACKORDER_LIMIT : 0,
  })), 'import')
  await setTracked(tx, variants.filter(({ tracked, quantity }) => !tracked || quantity === null)
    .map(({ variantId, tracked }) => ({ variantId, tracked })))
}

async function saveCollection(
  tx: Tx, collection: ImportedCollection, productIds: Map<string, string>, dryRun: boolean,
): Promise<void> {
  const { handle, title, descriptionHtml, productHandles } = collection
  const found = await getCollectionByHandle(tx, handle)
  const id = found.kind === 'found' ? found.collection.id : newId()
  if (found.kind !== 'found') await createCollection(tx, id, { handle, title, descriptionHtml })
  if (!dryRun) await setCollectionProducts(tx, id, productHandles.flatMap((member) => productIds.get(member) ?? []))
}
