// kontor export: the catalogue as a file that other shops, and we, read. It is written as it is read, whatever the size
// of the catalogue.
import { createWriteStream, renameSync, rmSync, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { readConfig } from '../src/platform/config.ts'
import { readProducts, type Shown } from './export/read-products.ts'
import { writeShopify } from './export/shopify.ts'
import { writeWooCommerce } from './export/woocommerce.ts'
import type { ImportedProduct } from './import/product.ts'
import { chooseMarket } from './market.ts'
import { withDatabase } from './open-database.ts'
import { interruptible, UsageError, whileGoing, type Command } from './usage.ts'

type Source = () => AsyncIterable<ImportedProduct>
const writers: Record<string, (products: Source, currency: string) => AsyncIterable<string>> = {
  shopify: (products, currency) => writeShopify(products(), { currency, tell }),
  woocommerce: (products, currency) => writeWooCommerce(products, { currency, tell }),
  jsonl: (products, currency) => writeLines(products(), currency),
}

export const exportProducts: Command = {
  summary: 'Write the products to a file that other shops read',
  help: `kontor export shopify [FILE]       CSV with the columns of Shopify
kontor export woocommerce [FILE]   CSV with the columns of WooCommerce
kontor export jsonl [FILE]         one JSON object a line, everything that an import knows

  --channel CODE    whose prices and publications; the first channel unless named
  --currency CODE   of the prices; the channel's own unless named
  --location CODE   whose stock; the first location unless named, as kontor import does
  --url ADDRESS     where the shop's pictures are reached; PUBLIC_URL unless named

The stock is what lies at one location, units promised to orders included: what kontor import sets. So a file that is
imported with the same options changes nothing; a shop with several locations is exported once for each.
Without FILE it goes to the standard output. kontor import reads all of it back but jsonl.
Exit status: 0 written, 2 not, 130 stopped; then FILE is as it was.`,

  async run(args) {
    const { values, positionals: [kind = '', file, ...rest] } = parseArgs({
      args, allowPositionals: true,
      options: {
        channel: { type: 'string' }, currency: { type: 'string' }, location: { type: 'string' },
        url: { type: 'string' },
      },
    })
    const write = writers[kind]
    if (!write) throw new UsageError(`Say what to write: ${Object.keys(writers).join(', ')}.`)
    if (rest.length > 0) throw new UsageError(`Name one file at most: kontor export ${kind} [FILE]`)
    const baseUrl = values.url ?? readConfig(process.env).publicUrl ?? 'http://localhost:8000'
    if (!URL.canParse(baseUrl)) throw new UsageError(`--url: "${baseUrl}" is no address such as https://shop.example`)
    return withDatabase(async (db) => {
      const shown: Shown = { ...await chooseMarket(db, values), baseUrl }
      await interruptible(`Stopped.${file ? ` ${file} is as it was.` : ''}`, async (goOn) => {
        const text = Readable.from(whileGoing(write(() => readProducts(db, shown), shown.currency), goOn))
        if (file) await writeWhole(text, file)
        else await pipeline(text, process.stdout, { end: false })
      })
      return 0
    })
  },
}

/** A file that is there keeps what it has until all of the new one is written. A device or pipe is written as it is. */
async function writeWhole(text: Readable, file: string): Promise<void> {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat?.isDirectory()) throw new UsageError(`${file} is a folder: name a file in it.`)
  if (stat && !stat.isFile()) return pipeline(text, createWriteStream(file))
  const draft = `${file}.part`
  try {
    await pipeline(text, createWriteStream(draft))
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

function tell(handle: string, what: string): void {
  process.stderr.write(`note  ${handle} ${what}\n`)
}

async function* writeLines(products: AsyncIterable<ImportedProduct>, currency: string): AsyncGenerator<string> {
  for await (const { line, incomplete, ...product } of products) yield `${JSON.stringify({ currency, ...product })}\n`
}
