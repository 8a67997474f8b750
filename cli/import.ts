// kontor import: the products of another shop, read from its export file. The file is the truth for what it names:
// titles, prices, stock.
import { createReadStream, statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Db } from '../src/platform/db.ts'
import { isMarkedUtf16, UnreadableFile } from './import/csv.ts'
import type { ImportItem, OpenFile, ReadOptions } from './import/product.ts'
import { saveItems, type Summary } from './import/save-items.ts'
import { readShopify } from './import/shopify.ts'
import { readWooCommerce } from './import/woocommerce.ts'
import type { Market } from './import/write-products.ts'
import { chooseMarket } from './market.ts'
import { withDatabase } from './open-database.ts'
import { interruptible, ProgressLine, UsageError, whileGoing, type Command } from './usage.ts'

type Reader = { read: (open: OpenFile, options: ReadOptions) => AsyncGenerator<ImportItem>; passes: number }
const readers: Record<string, Reader> = {
  shopify: { read: readShopify, passes: 1 },
  woocommerce: { read: readWooCommerce, passes: 2 },
}

export const importProducts: Command = {
  summary: 'Import products (and tax rates) from a file of another shop',
  help: `kontor import shopify FILE [options]      a product export of Shopify, old or new columns
kontor import woocommerce FILE [options]  a product export of WooCommerce, or its tax rates

  --dry-run            try everything, keep nothing
  --channel CODE       where the products are published; the first channel unless named
  --currency CODE      what the file's prices are in; the channel's own unless named
  --location CODE      where its stock lies, promised units included; the first location unless named
  --encoding NAME      of the file, such as windows-1252; utf-8 unless named

A product is found again by its handle; where the file has none (WooCommerce), by its SKUs whatever it is called now,
and without SKUs by its name. The file is the truth for what it says, so a title that was edited in the shop becomes the
file's again; the handle stays. What could be two products is refused and changes neither. A second run changes nothing.

What cannot be read is named by line, column and reason, and the rest goes in.
Ctrl-C stops between two batches; what went in before stays.
Exit status: 0 all rows went in, 1 some did not, 2 the file, an option or the database could not be used, 130 stopped.`,

  async run(args) {
    const { values, positionals: [kind = '', file, ...rest] } = parseArgs({
      args, allowPositionals: true, options: {
        'dry-run': { type: 'boolean' }, channel: { type: 'string' }, currency: { type: 'string' },
        location: { type: 'string' }, encoding: { type: 'string' },
      },
    })
    const reader = readers[kind]
    if (!reader) throw new UsageError(`Say what the file is: ${Object.keys(readers).join(' or ')}.`)
    if (!file || rest.length > 0) throw new UsageError(`Name one file: kontor import ${kind} FILE`)
    const dryRun = values['dry-run'] ?? false
    const size = sizeOf(file)
    return withDatabase(async (db) => {
      const market = await chooseMarket(db, values)
      const encoding = values.encoding === undefined ? {} : { encoding: values.encoding }
      const after = dryRun ? 'Stopped. It was a dry run: nothing was kept.'
        : 'Stopped. What was imported until now is in; run the same command again to go on.'
      const summary = await interruptible(after, (goOn) =>
        importFile(db, { ...reader, file, size, market, dryRun, goOn, ...encoding }))
      process.stdout.write(describe(summary, dryRun))
      return summary.refused > 0 ? 1 : 0
    })
  },
}

function sizeOf(file: string): number {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (!stat) throw new UsageError(`There is no file ${file}`)
  if (!stat.isFile()) throw new UsageError(
    `${file} is not a file. It is read more than once, so it cannot be a pipe either.`)
  return stat.size
}

type Task = Reader & {
  file: string; size: number; market: Market; dryRun: boolean; goOn: () => void; encoding?: string
}

async function importFile(db: Db, task: Task): Promise<Summary> {
  const { read, passes, file, size, market, dryRun, goOn, encoding } = task
  const line = new ProgressLine()
  let bytes = 0
  const open: OpenFile = () => createReadStream(file).on('data', (chunk: string | Buffer) => {
    if (bytes === 0 && isMarkedUtf16(Buffer.from(chunk))) line.line(`note  ${file} is UTF-16 and read as that`)
    bytes += chunk.length
  })
  const items = read(open, { currency: market.currency, ...(encoding === undefined ? {} : { encoding }) })
  try {
    const summary = await saveItems(db, whileGoing(items, goOn), market, {
      dryRun,
      progress: {
        remark: (kind, remark) => line.line(remarkText(file, kind, remark)),
        // The last batch is still to be written when the last byte was read.
        saved: (summary) => line.show(Math.min(0.99, bytes / (size * passes)), `${productsIn(summary)} so far`),
      },
    })
    line.show(1, productsIn(summary))
    return summary
  } catch (error) {
    if (error instanceof UnreadableFile) throw new UsageError(`${file}: ${error.message}`)
    throw error
  } finally {
    line.end()
  }
}

type RemarkLine = { line: number; column: string; reason: string; value: string }
function remarkText(file: string, kind: 'refused' | 'notice', { line, column, reason, value }: RemarkLine): string {
  const shown = value.replace(/\s+/g, ' ').slice(0, 80)
  const where = `${file}:${line}${column ? `, ${column}` : ''}`
  return `${kind === 'refused' ? 'not imported' : 'note'}  ${where}: ${reason}${shown ? ` ("${shown}")` : ''}`
}

function productsIn({ created, updated, unchanged }: Summary): string {
  const count = created + updated + unchanged
  return count === 1 ? '1 product' : `${count.toLocaleString('en')} products`
}

function describe(summary: Summary, dryRun: boolean): string {
  const { created, updated, unchanged, variants, collections, stockLevels, refused, notices } = summary
  const counts: [count: number, one: string, many: string][] = [
    [created, 'product created', 'products created'], [updated, 'product updated', 'products updated'],
    [unchanged, 'product unchanged', 'products unchanged'], [variants, 'variant', 'variants'],
    [collections, 'collection', 'collections'], [stockLevels, 'stock level changed', 'stock levels changed'],
    [summary.taxRates, 'tax rate written', 'tax rates written'],
    [summary.unchangedTaxRates, 'tax rate unchanged', 'tax rates unchanged'],
    [refused, 'row not imported', 'rows not imported'], [notices, 'note', 'notes'],
  ]
  const parts = counts.filter(([count]) => count > 0)
    .map(([count, one, many]) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`)
  const text = parts.join(', ') || 'Nothing: the file has a header and no rows'
  return `${text}.${dryRun ? ' This was a dry run: nothing was kept.' : ''}\n`
}
