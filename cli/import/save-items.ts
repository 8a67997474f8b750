// Writes what the readers found: batches through the public functions of catalog, pricing and inventory, each batch one
// transaction. Everything is given as it should be in the end, so a second run changes nothing. When the database
// refuses a batch, its products go in one by one, and the one that it means is refused by the line where it stands.
import { setTimeout as sleep } from 'node:timers/promises'
import { SkuTaken } from '../../src/modules/catalog/catalog.ts'
import {
  createCollection, getCollectionByHandle, setCollectionProducts,
} from '../../src/modules/catalog/collections.ts'
import { getVariantsBySku } from '../../src/modules/catalog/get-variants.ts'
import { setTaxRates } from '../../src/modules/pricing/tax-rates.ts'
import { systemContext, type Db, type Tx } from '../../src/platform/db.ts'
import { newId } from '../../src/platform/id.ts'
import { Busy, isProblem, OutcomeUnknown, Problem } from '../../src/platform/problem.ts'
import { UnclearProduct } from './find-again.ts'
import type { ImportedCollection, ImportedProduct, ImportedTaxRate, ImportItem, Remark } from './product.ts'
import { writeProducts, type Market } from './write-products.ts'

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
  /** Of a variant at the market's location. */
  stockLevels: number
  taxRates: number
  unchangedTaxRates: number
  refused: number
  notices: number
}

// A few hundred rows a statement; a lock is held for some ten milliseconds.
const BATCH = 100

// Some eight seconds in all: a restart of PostgreSQL takes less.
const LONGEST_PAUSE_MS = 4_000

/** It says nothing of what was to be written. */
const isAway = (error: unknown): boolean => isProblem(error, Busy) || isProblem(error, OutcomeUnknown)

/** Undoes a dry run: everything was tried, nothing is kept. */
class Undo extends Error {}

/** Saves the items as they come; memory holds one batch. With `dryRun` every batch is rolled back. */
export async function saveItems(
  db: Db, items: AsyncIterable<ImportItem>, market: Market,
  { dryRun, progress }: { dryRun: boolean; progress: Progress },
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
    created: 0, updated: 0, unchanged: 0, variants: 0, collections: 0, stockLevels: 0,
    taxRates: 0, unchangedTaxRates: 0, refused: 0, notices: 0,
  }
  readonly #refusedLines = new Set<number>()
  readonly #productIds = new Map<string, string>()   // handle in the file → product
  readonly #taken = new Map<string, number>()        // product → line
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
    const rates = this.#taxRates.map(({ line, ...rate }) => rate)
    this.#summary.taxRates = rates.length > 0 ? await this.#write((tx) => setTaxRates(tx, rates)) : 0
    this.#summary.unchangedTaxRates = rates.length - this.#summary.taxRates
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
      const saved = await this.#write((tx) => writeProducts(tx, products, this.#market, this.#taken))
      for (const [index, { handle, productId, outcome, variants, stockLevels }] of saved.entries()) {
        this.#summary[outcome]++
        this.#summary.variants += variants.length
        this.#summary.stockLevels += stockLevels
        this.#productIds.set(handle, productId)
        this.#taken.set(productId, products[index]!.line)
      }
      return true
    } catch (error) {
      if (isAway(error) || !(error instanceof Problem || error instanceof UnclearProduct)) throw error
      if (products.length === 1) {
        const { line, handle } = products[0]!
        const reason = error instanceof Problem ? await this.#reasonOf(error) : error.message
        this.#remark('refused', { line, column: '', reason, value: handle })
      }
      return false
    }
  }

  async #reasonOf(problem: Problem): Promise<string> {
    if (!isProblem(problem, SkuTaken)) return describe(problem)
    const [variant] = await getVariantsBySku(this.#db, [String(problem.extra['sku'])])
    return variant ? `The product "${variant.productHandle}" has the SKU ${variant.sku}: change one of the two, ` +
      'or give both the same handle if they are one product' : describe(problem)
  }

  /** A database that is restarting is waited for: writing the same again changes nothing, so nothing is lost. */
  async #write<T>(fn: (tx: Tx) => Promise<T>): Promise<T> {
    for (let pauseMs = 500; ; pauseMs *= 2) {
      try {
        return await this.#writeOnce(fn)
      } catch (error) {
        if (!isAway(error) || pauseMs > LONGEST_PAUSE_MS) throw error
        await sleep(pauseMs)
      }
    }
  }

  async #writeOnce<T>(fn: (tx: Tx) => Promise<T>): Promise<T> {
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

function describe(problem: Problem): string {
  const fields = problem.extra['fields'] as { path: string; message: string }[] | undefined
  const more = fields ? fields.map(({ path, message }) => `${path} ${message}`).join('; ') : problem.detail
  return [problem.kind.title, more ?? JSON.stringify(problem.extra).slice(0, 200)].join(': ')
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
