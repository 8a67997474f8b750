// What a writer writes, the reader of the same format reads as the same product, whatever is in its cells.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  handleOf, type ImportedProduct, type ImportedVariant, type ImportItem, type OpenFile,
} from '../import/product.ts'
import { readShopify } from '../import/shopify.ts'
import { readWooCommerce } from '../import/woocommerce.ts'
import { writeShopify, type WriteOptions } from './shopify.ts'
import { writeWooCommerce } from './woocommerce.ts'

const options: WriteOptions = { currency: 'EUR', tell() {} }

// What makes trouble in cells: formulas, quotes, delimiters, breaks, other scripts. Not the signs by which the formats
// themselves cut texts.
const signs = [..."=+-@'\"; |\n.0aZé字🜚<%"]
const word = fc.string({ unit: fc.constantFrom(...signs), minLength: 1, maxLength: 12 })
  .map((text) => text.trim()).filter((text) => text !== '')
const line = word.map((text) => text.replaceAll('\n', ' ').trim()).filter((text) => text !== '')
const price = fc.integer({ min: 0, max: 10 ** 12 })
const url = fc.integer({ min: 1, max: 9 }).map((number) => `https://images.example.com/${number}.jpg`)

const variant = fc.record({
  barcode: fc.option(
    fc.stringMatching(/^[0-9]{8,13}$/)
  ), priceMinor: fc.option(price), weightGrams: fc.nat({ max: 100_000 }),
  requiresShipping: fc.boolean(), taxClass: fc.constantFrom(null, 'zero', 'reduced', 'books'), backorder: fc.boolean(),
  quantity: fc.option(fc.nat({ max: 10_000 })), higher: fc.option(fc.integer({ min: 1, max: 1_000 })),
}).map(({ higher, ...rest }): Omit<ImportedVariant, 'options' | 'sku' | 'imageUrl'> => ({
  ...rest, tracked: rest.quantity !== null, sale: null,
  compareAtMinor: rest.priceMinor === null || higher === null ? null : rest.priceMinor + higher,
}))

const unique = <T>(values: fc.Arbitrary<T>, maxLength: number, minLength = 0): fc.Arbitrary<T[]> =>
  fc.uniqueArray(values, { maxLength, minLength })

const product = fc.record({
  title: line, descriptionHtml: word.map((text) => text.replace(/^\n+/, '')), vendor: line, tags: unique(line, 3),
  state: fc.constantFrom(['active', true] as const, ['active', false] as const, ['draft', false] as const),
  images: unique(url, 3),
  // A category that is only digits is a number of Google's list to Shopify's reader.
  category: fc.option(fc.array(line.map((text) => `c${text}`), { minLength: 1, maxLength: 3 })),
  options: unique(line, 3).chain(
    (names) => fc.tuple(...names.map((name) => unique(line, 3, 1).map((values) => ({ name, values }))))
  ),
  variants: fc.array(variant, { minLength: 27, maxLength: 27 }),
})

const products = fc.array(
  product, { minLength: 1, maxLength: 4 }
).map((all) => all.map((each, number): ImportedProduct => {
  const { state: [status, published], category, images, variants, ...rest } = each
  const combinations = each.options.reduce<Record<string, string>[]>((found, { name, values }) =>
    found.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))), [{}])
  return {
    ...rest, line: 0, incomplete: false, title: `${rest.title} ${number}`, handle: handleOf(`${rest.title} ${number}`),
    type: '', status,
    published, seoTitle: '',
    seoDescription: '', attributes: {}, categories: category ? [category]
      : [], images: images.map((address) => ({ url: address, alt: '' })),
    variants: combinations.map((values, index) => ({
      ...variants[index]!, options: values, sku: `S${number}-${index}`,
      imageUrl: each.options.length > 0 && images.length > 0 ? images[index % images.length]! : null,
    })),
  }
}))

async function back(written: AsyncIterable<string>, read: typeof readShopify): Promise<ImportItem[]> {
  let text = ''
  for await (const piece of written) text += piece
  const open: OpenFile = () => Readable.from([Buffer.from(text)])
  return Array.fromAsync(read(open, { currency: 'EUR' }))
}

const found = (items: ImportItem[]): ImportedProduct[] =>
  items.flatMap((item) => (item.kind === 'product' ? [{ ...item.product, line: 0 }] : []))

test('Shopify: written and read is the same', async () => {
  await fc.assert(fc.asyncProperty(products, async (all) => {
    assert.deepEqual(found(await back(writeShopify(all, options), readShopify)), all)
  }), { numRuns: 150 })
})

test('WooCommerce: written and read is the same', async () => {
  await fc.assert(fc.asyncProperty(products, async (all) => {
    assert.deepEqual(found(await back(writeWooCommerce(() => all, options), readWooCommerce)), all)
  }), { numRuns: 150 })
})

test('a sale with dates survives WooCommerce', async () => {
  const [first] = fc.sample(products, { numRuns: 1, seed: 7 })[0]!
  const sale = { priceMinor: 100, startsAt: '2026-03-01T00:00:00.000Z', endsAt: '2026-04-01T00:00:00.000Z' }
  const all = [
    { ...first!, variants: first!.variants.map((one) => ({ ...one, priceMinor: 200, compareAtMinor: null, sale })) },
  ]
  assert.deepEqual(found(await back(writeWooCommerce(() => all, options), readWooCommerce)), all)
})
