// Reads the products of a Shopify export, of either generation: "Handle, Body (HTML), Variant Grams, …" and the newer
// "URL handle, Description, Weight value (grams), …". A product is the rows of one handle: the first describes it, each
// with an option value, SKU or price is a variant, the others bring images. Rows of a handle usually stand together; a
// product is let go when OPEN_PRODUCTS others have begun after its last row, so memory does not grow with the file.
import { claimSku, Columns, expectColumns, remarksOf, Row, unreadColumns } from './cells.ts'
import { openCsv } from './csv.ts'
import { handleOf, optionsOf, plainVariant } from './product.ts'
import type { ImportedProduct, ImportedVariant, ImportItem, OpenFile, ReadOptions, Remark } from './product.ts'

const COLUMNS = {
  handle: ['Handle', 'URL handle'], title: ['Title'], body: ['Body (HTML)', 'Body', 'Description'], vendor: ['Vendor'],
  category: ['Product Category', 'Standard Product Type'], type: ['Type', 'Custom Product Type'], tags: ['Tags'],
  published: ['Published', 'Published on online store'], status: ['Status'],
  option1Name: ['Option1 Name'], option1: ['Option1 Value'], option2Name: ['Option2 Name'], option2: ['Option2 Value'],
  option3Name: ['Option3 Name'], option3: ['Option3 Value'],
  sku: ['Variant SKU', 'SKU'], barcode: ['Variant Barcode', 'Barcode'], price: ['Variant Price', 'Price'],
  compareAt: ['Variant Compare At Price', 'Compare-at price'], grams: ['Variant Grams', 'Weight value (grams)'],
  tracker: ['Variant Inventory Tracker', 'Inventory tracker'],
  quantity: ['Variant Inventory Qty', 'Inventory quantity'],
  policy: ['Variant Inventory Policy', 'Continue selling when out of stock'],
  requiresShipping: ['Variant Requires Shipping', 'Requires shipping'], taxable: ['Variant Taxable', 'Charge tax'],
  taxCode: ['Variant Tax Code', 'Tax code'], image: ['Image Src', 'Product image URL'],
  imagePosition: ['Image Position'], imageAlt: ['Image Alt Text'],
  variantImage: ['Variant Image', 'Variant image URL'], seoTitle: ['SEO Title'], seoDescription: ['SEO Description'],
} as const
type Column = keyof typeof COLUMNS

const OPEN_PRODUCTS = 500
const OPTIONS = [['option1Name', 'option1'], ['option2Name', 'option2'], ['option3Name', 'option3']] as const

const STATUSES = ['', 'active', 'draft', 'archived', 'unlisted']
const OF_A_VARIANT = ['option1', 'option2', 'option3', 'sku', 'price'] as const

type VariantRow = { row: Row<Column>; values: string[]; variant: ImportedVariant }

type Description = Pick<ImportedProduct, 'handleIsMade' | 'title' | 'descriptionHtml' | 'vendor' | 'type' | 'tags'
  | 'status' | 'published' | 'categories' | 'seoTitle' | 'seoDescription'>

/** What has been read of one handle. */
type Draft = {
  handle: string
  line: number
  lines: number[]
  product: Description | undefined
  /** The line that made the product unreadable as a whole. */
  refusedAt: number | undefined
  incomplete: boolean
  optionNames: string[]
  variants: VariantRow[]
  images: { url: string; alt: string; position: number }[]
}

/**
 * The products of the file as they become complete, with remarks about what could not be read. Throws UnreadableFile
 * for another kind of file.
 */
export async function* readShopify(open: OpenFile, options: ReadOptions): AsyncGenerator<ImportItem> {
  const file = await openCsv(open, options.encoding)
  const columns = new Columns<Column>(file, COLUMNS)
  expectColumns(columns, ['handle', 'title'], 'Shopify product file')
  yield* unreadColumns(columns.unread())

  const drafts = new Map<string, Draft>()
  const closed = new Map<string, number>()
  const skus = new Map<string, number>()
  for await (const record of file.rows) {
    if ('problem' in record) {
      // Of the product before it, most likely: that is as sure as a broken row can be.
      const latest = [...drafts.values()].at(-1)
      if (latest) latest.incomplete = true
      yield { kind: 'refused', line: record.line, column: record.column, reason: record.problem, value: record.value }
      continue
    }
    const row = new Row<Column>(record.line, record.cells, columns)
    const handle = handleOf(row.raw('handle') || row.raw('title'))
    const ended = closed.get(handle)
    if (handle === '') row.refuse('handle', 'Missing, and there is no title to make one from')
    else if (ended) row.refuse(
      'handle', `Its product ended ${OPEN_PRODUCTS} products ago, at line ${ended}: put them together`)
    else addRow(drafts, handle, row, options.currency, skus)
    yield* remarksOf(row)
    if (drafts.size > OPEN_PRODUCTS) yield* close(drafts.values().next().value!, drafts, closed)
  }
  for (const draft of drafts.values()) yield* finish(draft)
}

function* close(draft: Draft, drafts: Map<string, Draft>, closed: Map<string, number>): Generator<ImportItem> {
  drafts.delete(draft.handle)
  closed.set(draft.handle, draft.lines.at(-1)!)
  yield* finish(draft)
}

function addRow(
  drafts: Map<string, Draft>, handle: string, row: Row<Column>, currency: string, skus: Map<string, number>,
): void {
  const known = drafts.get(handle)
  const draft: Draft = known ?? {
    handle, line: row.line, lines: [], product: undefined, refusedAt: undefined, incomplete: false, optionNames: [],
    variants: [], images: [],
  }
  // To the end: the first in the map is always the longest untouched.
  drafts.delete(handle)
  drafts.set(handle, draft)
  draft.lines.push(row.line)
  if (!draft.product && row.raw('title') !== '') {
    draft.product = readProduct(row)
    if (row.refusals.length > 0) draft.refusedAt = row.line
  }
  OPTIONS.forEach(([name], index) => (draft.optionNames[index] ||= row.text(name, 100)))
  addImage(draft, row, 'image')
  const isVariant = !known || OF_A_VARIANT.some((key) => row.raw(key) !== '')
  if (!isVariant) return
  addImage(draft, row, 'variantImage')
  const variant = readVariant(row, currency)
  const values = OPTIONS.map(([, value]) => row.text(value, 200))
  if (row.refusals.length > 0) {
    draft.incomplete = true
    return
  }
  variant.sku = claimSku(row, skus)
  draft.variants.push({ row, variant, values })
}

function readProduct(row: Row<Column>): Description {
  const status = row.raw('status').toLowerCase()
  if (!STATUSES.includes(status)) row.refuse('status', 'None of active, draft, archived')
  const category = row.text('category', 1_000)
  const isCode = /^(gid:|[a-z]{2}(-\d+)+$|\d+$)/.test(category)
  const tags = [...new Set(row.raw('tags').split(',').map((tag) => tag.trim()).filter((tag) => tag !== ''))]
  if (tags.length > 250) row.refuse('tags', 'More than 250 tags')
  return {
    ...(handleOf(row.raw('handle')) === '' && { handleIsMade: true }),
    title: row.text('title', 300), descriptionHtml: row.text('body', 100_000), vendor: row.text('vendor', 200),
    type: row.text('type', 200), tags, status: status === 'draft' || status === 'archived' ? status : 'active',
    published: row.flag('published', true) && status !== 'unlisted',
    categories: category === '' || isCode ? []
      : [category.split('>').map((name) => name.trim()).filter((name) => name !== '')],
    seoTitle: row.text('seoTitle', 300), seoDescription: row.text('seoDescription', 1_000),
  }
}

function readVariant(row: Row<Column>, currency: string): ImportedVariant {
  const priceMinor = row.price('price', currency)
  const compareAt = row.price('compareAt', currency)
  const taxCode = row.raw('taxCode')
  if (priceMinor === null && row.raw('price') === '') row.notice('price', 'No price: not for sale until it gets one')
  return {
    ...plainVariant(),
    barcode: readBarcode(row), priceMinor,
    compareAtMinor: compareAt !== null && priceMinor !== null && compareAt > priceMinor ? compareAt : null,
    weightGrams: row.grams('grams') ?? 0, requiresShipping: row.flag('requiresShipping', true),
    // A tax code of ours is written in lower case; those of tax services are not, and mean nothing here.
    taxClass: !row.flag('taxable', true) ? 'zero' : /^[a-z][a-z0-9-]{0,39}$/.test(taxCode) ? taxCode : null,
    tracked: row.has('tracker') ? row.raw('tracker') !== '' : row.raw('quantity') !== '',
    quantity: row.quantity('quantity'),
    backorder: ['continue', 'true', 'yes'].includes(row.raw('policy').toLowerCase()),
    imageUrl: imageUrl(row, 'variantImage') ?? null,
  }
}

/**
 * Shopify writes an apostrophe before a number, so that a spreadsheet keeps its zeros; a spreadsheet that did not is
 * told.
 */
function readBarcode(row: Row<Column>): string | null {
  const barcode = row.text('barcode', 100).replace(/^'(?=\d+$)/, '')
  if (!/^\d([.,]\d+)?E\+\d+$/i.test(barcode)) return barcode || null
  row.notice('barcode', 'Rounded by a spreadsheet, left out')
  return null
}

function imageUrl(row: Row<Column>, key: 'image' | 'variantImage'): string | undefined {
  const text = row.raw(key).replace(/^\/\//, 'https://')
  if (text === '') return undefined
  if (text.length <= 2_000 && URL.canParse(text) && /^https?:/i.test(text)) return text
  if (!row.notices.some(({ value }) => value === row.raw(key))) row.notice(key, 'No web address of an image, left out')
  return undefined
}

function addImage(draft: Draft, row: Row<Column>, key: 'image' | 'variantImage'): void {
  const text = row.raw(key).replace(/^\/\//, 'https://')
  const known = draft.images.find(({ url }) => url === text)
  const alt = key === 'image' ? row.text('imageAlt', 500) : ''
  if (known) {
    known.alt ||= alt
    return
  }
  const url = imageUrl(row, key)
  // Images of variants come after those with a place of their own.
  const position = key === 'image' ? Number(row.raw('imagePosition')) || draft.images.length + 1
    : Number.MAX_SAFE_INTEGER
  if (url) draft.images.push({ url, alt, position })
}

function* finish(draft: Draft): Generator<ImportItem> {
  const { product, handle, line } = draft
  if (!product) yield refused(line, 'Title', 'None of the rows of this product has a title', handle)
  if (!product || draft.refusedAt !== undefined) {
    const cause = draft.refusedAt ?? line
    for (const other of draft.lines) {
      if (other !== cause) yield refused(other, '', `Its product is refused, see line ${cause}`, handle)
    }
    return
  }
  const names = optionNames(draft)
  const variants = yield* distinctVariants(draft, names)
  if (variants.length === 0) return
  yield {
    kind: 'product',
    product: {
      line, handle, ...product, options: optionsOf(names.filter((name) => name !== ''), variants), variants,
      images: draft.images.sort((a, b) => a.position - b.position).map(({ url, alt }) => ({ url, alt })),
      attributes: {}, incomplete: draft.incomplete,
    },
  }
}

/**
 * The names of the options that some variant has a value for, at their places; '' elsewhere. "Title: Default Title"
 * says that there is none.
 */
function optionNames({ variants, optionNames: given }: Draft): string[] {
  const taken = new Set<string>()
  return OPTIONS.map((_, index) => {
    const values = new Set(variants.map(({ values }) => values[index]!))
    const isDefault = variants.length === 1 && given[index]?.toLowerCase() === 'title' && values.has('Default Title')
    if (isDefault || (values.size <= 1 && (values.has('') || values.size === 0))) return ''
    let name = given[index] || `Option ${index + 1}`
    if (taken.has(name)) name = `${name} ${index + 1}`
    taken.add(name)
    return name
  })
}

function* distinctVariants(draft: Draft, names: string[]): Generator<ImportItem, ImportedVariant[]> {
  const variants = new Map<string, { line: number; variant: ImportedVariant }>()
  for (const { row, values, variant } of draft.variants) {
    const missing = names.findIndex((name, index) => name !== '' && values[index] === '')
    if (missing >= 0) {
      draft.incomplete = true
      yield refused(
        row.line, `Option${missing + 1} Value`, `No value for ${names[missing]}, which the other variants have`, '')
      continue
    }
    const combination = values.filter((_, index) => names[index] !== '')
    const twin = variants.get(JSON.stringify(combination))
    if (twin) {
      yield refused(row.line, 'Option1 Value', `Line ${twin.line} is this variant already`, combination.join(' / '))
      continue
    }
    variant.options = Object.fromEntries(names.flatMap((name, index) => (name === '' ? [] : [[name, values[index]!]])))
    variants.set(JSON.stringify(combination), { line: row.line, variant })
  }
  return [...variants.values()].map(({ variant }) => variant)
}

function refused(line: number, column: string, reason: string, value: string): ImportItem {
  return { kind: 'refused', ...({ line, column, reason, value } satisfies Remark) }
}
