// Reads the products of a WooCommerce export. A variable product and its variations are rows of their own, far apart
// and in any order, so the file is read twice: the first pass keeps the variations (small) and gives every product its
// handle, the second lets each product go as it comes. WooCommerce writes no handle: it is made from the name, and a
// second import finds a product by its SKU first (find-again.ts). Our own export writes it.
import { claimSku, remarksOf, Row, unreadColumns } from './cells.ts'
import { openCsv } from './csv.ts'
import { handleOf, plainVariant } from './product.ts'
import type { ImportedProduct, ImportedVariant, ImportItem, OpenFile, ReadOptions } from './product.ts'
import { instantOf, readBreaks, splitList, splitPaths } from './woocommerce-cells.ts'
import { sheetOf, type ProductRow, type Sheet } from './woocommerce-sheet.ts'
import { isTaxRateFile, readTaxRates, taxClassOf } from './woocommerce-tax-rates.ts'
import { joinVariations, type Variation } from './woocommerce-variations.ts'

const KINDS = ['simple', 'variable', 'variation', 'grouped', 'external'] as const
type Kind = (typeof KINDS)[number]

/** What the first pass leaves for the second. */
type Findings = {
  handles: Map<number, string>          // line → handle
  taken: Set<string>
  byReference: Map<string, string>      // 'id:741' and SKUs → handle
  variations: Map<string, Variation[]>  // by reference of the parent
  skus: Map<string, number>
  incomplete: Set<string>               // references of parents that miss a variation
}

/**
 * The products (and collections) of a product file, or the rates of a tax rate file. Throws UnreadableFile for another
 * kind.
 */
export async function* readWooCommerce(open: OpenFile, options: ReadOptions): AsyncGenerator<ImportItem> {
  const file = await openCsv(open, options.encoding)
  if (isTaxRateFile(file.header)) return yield* readTaxRates(file)
  const found: Findings = {
    handles: new Map(), taken: new Set(), byReference: new Map(), variations: new Map(), skus: new Map(),
    incomplete: new Set(),
  }
  const sheet = sheetOf(file)
  yield* unreadColumns(sheet.unread)
  for await (const row of sheet.rows) {
    if (!(row instanceof Row)) {
      yield row
      continue
    }
    if (kindOf(row) === 'variation') keepVariation(row, sheet, options.currency, found)
    else if (row.refusals.length === 0) keepHandle(row, found)
    yield* remarksOf(row)
  }

  const again = sheetOf(await openCsv(open, options.encoding))
  for await (const row of again.rows) {
    if (!(row instanceof Row) || !found.handles.has(row.line)) continue
    yield* readProduct(row, again, options.currency, found)
  }
  for (const [parent, orphans] of found.variations) {
    const orphaned = {
      column: again.columns.name('parent'), reason: 'No variable product with this ID or SKU could be read',
      value: parent,
    }
    for (const { line } of orphans) yield { kind: 'refused', line, ...orphaned }
  }
}

/** "simple, downloadable, virtual" → 'simple'; an empty cell is a simple product. */
function kindOf(row: ProductRow): Kind {
  const words = typeWords(row)
  const kind = KINDS.find((each) => words.includes(each))
  const strange = words.find((word) => word !== kind && word !== 'virtual' && word !== 'downloadable')
  if (strange) row.refuse('type', `"${strange}" is not known: ${KINDS.join(', ')}, with virtual or downloadable`)
  return kind ?? 'simple'
}

function typeWords(row: ProductRow): string[] {
  return row.raw('type').toLowerCase().split(',').map((word) => word.trim()).filter((word) => word !== '')
}

function keepHandle(row: ProductRow, { handles, taken, byReference }: Findings): void {
  const name = row.raw('name')
  const id = row.raw('id') && `id:${row.raw('id')}`
  const sku = row.raw('sku')
  if (name === '') return row.refuse('name', 'Missing')
  if (byReference.has(id || sku)) return row.refuse(id ? 'id' : 'sku', 'Another row is this product already')
  const mark = sku || row.raw('id') || String(row.line)
  const plainHandle = handleOf(row.raw('handle')) || handleOf(name) || handleOf(mark)
  const handle = taken.has(plainHandle) ? handleOf(`${plainHandle.slice(0, 150)}-${mark}`) : plainHandle
  if (handle === '' || taken.has(handle)) {
    return row.refuse('name', 'Another product has this name, and no SKU or ID tells them apart')
  }
  taken.add(handle)
  handles.set(row.line, handle)
  if (id) byReference.set(id, handle)
  if (sku && !byReference.has(sku)) byReference.set(sku, handle)
}

function keepVariation(row: ProductRow, sheet: Sheet, currency: string, found: Findings): void {
  const parent = row.raw('parent')
  if (parent === '') row.refuse('parent', 'A variation needs the ID (id:741) or SKU of its product')
  const variant = readVariant(row, sheet, currency)
  if (row.refusals.length > 0) {
    found.incomplete.add(parent)
    return
  }
  if (!isPublished(row)) return row.notice('published', 'A variation that is switched off: left out')
  variant.sku = claimSku(row, found.skus)
  const variation: Variation = {
    line: row.line, position: Number(row.raw('position')) || 0, values: new Map(), variant,
    inheritsWeight: row.raw('weight') === '', inheritsTaxClass: row.raw('taxClass').toLowerCase() === 'parent',
    inheritsStock: row.raw('stock') === '' || row.raw('stock').toLowerCase() === 'parent',
  }
  for (const { name, values } of readAttributes(row, sheet, true)) variation.values.set(name, values[0] ?? '')
  const siblings = found.variations.get(parent)
  if (siblings) siblings.push(variation)
  else found.variations.set(parent, [variation])
}

// 1 is published, 0 private, -1 a draft.
function isPublished(row: ProductRow): boolean {
  return row.raw('published') !== '-1' && row.flag('published', true)
}

function readAttributes(
  row: ProductRow, { attributes }: Sheet, isVariation = false,
): { name: string; values: string[]; visible: boolean }[] {
  return attributes.flatMap((columns) => {
    const name = row.at(columns.name)
    if (name === '') return []
    const text = row.at(columns.values)
    const values = isVariation ? [text.replaceAll('\\,', ',')] : splitList(text)
    return [{ name, values: [...new Set(values)], visible: !/^(0|no|nein|false)$/i.test(row.at(columns.visible)) }]
  })
}

function readVariant(row: ProductRow, { gramsEach }: Sheet, currency: string): ImportedVariant {
  const regular = row.price('price', currency)
  const sale = row.price('salePrice', currency)
  const startsAt = readInstant(row, 'saleStarts')
  const endsAt = readInstant(row, 'saleEnds')
  const isSale = sale !== null && regular !== null && sale < regular
  if (sale !== null && !isSale) row.notice('salePrice', 'Not below the regular price: left out')
  const isDated = isSale && (startsAt !== null || endsAt !== null)
  const image = splitList(row.raw('images'))[0]
  const hasStock = !['', 'parent'].includes(row.raw('stock').toLowerCase())
  const inStock = row.raw('inStock').toLowerCase()
  const backorder = /^(1|yes|ja|true|notify)$/i.test(row.raw('backorders'))
  return {
    ...plainVariant(),
    barcode: row.optional('barcode', 100), priceMinor: isSale && !isDated ? sale : regular,
    compareAtMinor: isSale && !isDated ? regular : null,
    sale: isDated ? { priceMinor: sale, startsAt, endsAt } : null,
    weightGrams: row.grams('weight', gramsEach) ?? 0,
    requiresShipping: !typeWords(row).some((word) => word === 'virtual' || word === 'downloadable'),
    taxClass: /^(none|shipping)$/i.test(row.raw('taxStatus')) ? 'zero'
      : taxClassOf(row.raw('taxClass').replace(/^parent$/i, '')),
    // Without a number a shop says only whether there is any: yes is never counted, no is none.
    tracked: hasStock || /^(0|no|nein|false|outofstock)$/.test(inStock),
    quantity: hasStock ? row.quantity('stock') : /^(0|no|nein|false|outofstock)$/.test(inStock) ? 0 : null,
    backorder: backorder || /^(onbackorder|backorder)$/.test(inStock),
    imageUrl: image && isAddress(image) ? image : null,
  }
}

function readInstant(row: ProductRow, key: 'saleStarts' | 'saleEnds'): string | null {
  const text = row.raw(key)
  if (text === '') return null
  const instant = instantOf(text, key === 'saleEnds')
  if (!instant) row.refuse(key, 'Not a date: write it as 2026-03-31')
  return instant ?? null
}

function isAddress(text: string): boolean {
  return text.length <= 2_000 && /^https?:\/\//i.test(text) && URL.canParse(text)
}

function* readProduct(row: ProductRow, sheet: Sheet, currency: string, found: Findings): Generator<ImportItem> {
  const handle = found.handles.get(row.line)!
  const kind = kindOf(row)
  const product = describe(row, sheet, handle, kind)
  const own = readVariant(row, sheet, currency)
  const references = [`id:${row.raw('id')}`, row.raw('sku')]
  const variations = kind === 'variable' ? references.flatMap((reference) => found.variations.get(reference) ?? []) : []
  if (kind === 'variable' && variations.length === 0) row.refuse(
    'type', 'A variable product, but no variation of it could be read')
  if (row.refusals.length > 0) return yield* remarksOf(row)
  if (kind === 'grouped') return yield* asCollection(row, product, found)

  if (kind === 'variable') {
    for (const reference of references) found.variations.delete(reference)
    const joined = joinVariations(variations, own, readAttributes(row, sheet))
    yield* joined.remarks
    Object.assign(product, {
      options: joined.options, variants: joined.variants,
      incomplete: references.some((reference) => found.incomplete.has(reference)),
    })
    if (joined.variants.length > 2_000) row.refuse('type', 'More than 2,000 variants')
  } else {
    own.sku = claimSku(row, found.skus)
    if (own.priceMinor === null) row.notice('price', 'No price: not for sale until it gets one')
    product.variants = [{ ...own, imageUrl: null }]
  }
  const options = new Set(product.options.map(({ name }) => name))
  const shown = new Set(product.images.map(({ url }) => url))
  for (const { imageUrl } of product.variants) {
    if (imageUrl && !shown.has(imageUrl)) product.images.push({ url: imageUrl, alt: '' })
    if (imageUrl) shown.add(imageUrl)
  }
  product.attributes = Object.fromEntries(Object.entries(product.attributes).filter(([name]) => !options.has(name)))
  yield* remarksOf(row)
  if (row.refusals.length === 0) yield { kind: 'product', product }
}

function describe(row: ProductRow, sheet: Sheet, handle: string, kind: Kind): ImportedProduct {
  const hidden = row.raw('visibility').toLowerCase() === 'hidden'
  if (hidden) row.notice('visibility', 'Hidden: imported, but not published')
  if (kind === 'external') row.notice('url', 'Sold elsewhere: imported as a draft')
  const addresses = splitList(row.raw('images'))
  if (!addresses.every(isAddress)) row.notice('images', 'Not every image is a web address: those are left out')
  const published = isPublished(row)
  // The short description stands above the long one, as shops show it.
  const descriptionHtml = (['summary', 'description'] as const).map((key) => readBreaks(row.raw(key)))
    .filter((text) => text !== '').join('\n')
  if (descriptionHtml.length > 100_000) row.refuse('description', 'Longer than 100000 characters')
  return {
    line: row.line, handle, ...(handleOf(row.raw('handle')) === '' && { handleIsMade: true }),
    title: row.text('name', 300), descriptionHtml, vendor: splitPaths(row.raw('brands'))[0]?.at(-1) ?? '',
    type: row.text('productType', 200), tags: [...new Set(splitList(row.raw('tags')))].slice(0, 250),
    status: published && kind !== 'external' ? 'active' : 'draft',
    published: published && !hidden && kind !== 'external',
    options: [], variants: [], images: [...new Set(addresses.filter(isAddress))].map((url) => ({ url, alt: '' })),
    categories: splitPaths(row.raw('categories')),
    attributes: Object.fromEntries(readAttributes(row, sheet).flatMap(({ name, values, visible }) =>
      (visible && values.length > 0 ? [[name, values] as const] : []))),
    seoTitle: '', seoDescription: '', incomplete: false,
  }
}

function* asCollection(row: ProductRow, product: ImportedProduct, found: Findings): Generator<ImportItem> {
  const { line, handle, title, descriptionHtml } = product
  const members = splitList(row.raw('grouped'))
  const missing = members.filter((member) => !found.byReference.has(member))
  if (missing.length > 0) row.notice('grouped', `Not in this file: ${missing.join(', ')}`)
  yield* remarksOf(row)
  const productHandles = members.flatMap((member) => found.byReference.get(member) ?? [])
  yield { kind: 'collection', collection: { line, handle, title, descriptionHtml, productHandles } }
}
