// Writes products as WooCommerce's own exporter does: a product with options is a variable product followed by its
// variations, which name it by its ID. The IDs are running numbers, as an import into another shop needs them to find
// each other and nothing else.
import { formatAmount } from '../../src/platform/money.ts'
import type { ImportedProduct, ImportedVariant } from '../import/product.ts'
import { joinList, writeBreaks } from '../import/woocommerce-cells.ts'
import { csvLine, type Cell } from '../../src/platform/csv.ts'
import type { WriteOptions } from './shopify.ts'

const GTIN = 'GTIN, UPC, EAN, or ISBN'
// WooCommerce has no column for them; it keeps what is named Meta, and exports it again.
const HANDLE = 'Meta: kontor_handle'
const TYPE = 'Meta: kontor_type'
const HEADER = [
  'ID', 'Type', 'SKU', GTIN, 'Name', 'Published', 'Is featured?', 'Visibility in catalog', 'Short description',
  'Description', 'Date sale price starts', 'Date sale price ends', 'Tax status', 'Tax class', 'In stock?', 'Stock',
  'Backorders allowed?', 'Weight (g)', 'Sale price', 'Regular price', 'Categories', 'Tags', 'Brands', 'Images',
  'Parent', 'Position', HANDLE, TYPE,
]

type Source = () => AsyncIterable<ImportedProduct> | Iterable<ImportedProduct>

/** Goes over the products twice: the header has to know how many attributes there are. */
export async function* writeWooCommerce(products: Source, { currency }: WriteOptions): AsyncGenerator<string> {
  let attributes = 0
  for await (const { options, attributes: own } of products()) {
    attributes = Math.max(attributes, options.length + Object.keys(own).length)
  }
  const header = [...HEADER, ...Array.from({ length: attributes }, (_, index) => columnsOf(index)).flat()]
  yield csvLine(header)
  let id = 0
  for await (const product of products()) {
    const rows = productRows(product, { id: ++id, currency })
    id += rows.length - 1
    yield rows.map((row) => csvLine(header.map((column) => row[column]))).join('')
  }
}

type SheetRow = Record<string, Cell>
const columnsOf = (index: number): string[] =>
  ['name', 'value(s)', 'visible', 'global'].map((part) => `Attribute ${index + 1} ${part}`)

function productRows(product: ImportedProduct, { id, currency }: { id: number; currency: string }): SheetRow[] {
  const isSimple = product.options.length === 0 && product.variants.length === 1
  const parent: SheetRow = {
    ID: id, Type: 'variable', Name: product.title, Published: product.status === 'active' ? 1 : -1, 'Is featured?': 0,
    'Visibility in catalog': product.published || product.status !== 'active' ? 'visible' : 'hidden',
    Description: writeBreaks(product.descriptionHtml), 'Tax status': 'taxable', 'In stock?': 1,
    'Backorders allowed?': 0, Tags: joinList(product.tags), Brands: product.vendor.replaceAll(',', '\\,'),
    Categories: joinList(product.categories.map((path) => path.join(' > '))),
    Images: joinList(product.images.map(({ url }) => url)), Position: 0,
    [HANDLE]: product.handle, [TYPE]: product.type, ...attributeCells(product),
  }
  if (isSimple) return [{ ...parent, ...variantCells(product.variants[0]!, 'simple', currency) }]
  return [parent, ...product.variants.map((variant, index): SheetRow => ({
    ID: id + index + 1, ...variantCells(variant, 'variation', currency), Parent: `id:${id}`, Position: index,
    Published: 1, Name: `${product.title} - ${Object.values(variant.options).join(', ')}`, Images: variant.imageUrl,
    ...Object.fromEntries(product.options.flatMap(({ name }, at) => {
      const [nameColumn, valueColumn] = columnsOf(at)
      return [[nameColumn, name], [valueColumn, joinList([variant.options[name] ?? ''])]]
    })),
  }))]
}

function attributeCells({ options, attributes }: ImportedProduct): SheetRow {
  const all = [...options.map(({ name, values }) => [name, values] as const), ...Object.entries(attributes)]
  return Object.fromEntries(all.flatMap(([name, values], index) => {
    const [nameColumn, valueColumn, visible, global] = columnsOf(index) as [string, string, string, string]
    return [[nameColumn, name], [valueColumn, joinList(values)], [visible, 1], [global, 0]]
  }))
}

function variantCells(variant: ImportedVariant, type: 'simple' | 'variation', currency: string): SheetRow {
  const { priceMinor, compareAtMinor, sale, quantity, tracked, taxClass } = variant
  const amount = (minor: number | null | undefined): string | null =>
    (minor == null ? null : formatAmount(minor, currency))
  return {
    Type: variant.requiresShipping ? type : `${type}, virtual`, SKU: variant.sku, [GTIN]: variant.barcode,
    'Tax status': 'taxable',
    'Tax class': taxClass === 'reduced' || taxClass === 'zero' ? `${taxClass}-rate` : taxClass === 'standard' ? ''
      : taxClass,
    'Weight (g)': variant.weightGrams, 'In stock?': tracked && quantity === 0 ? 0 : 1, Stock: tracked ? quantity : null,
    'Backorders allowed?': variant.backorder ? 1 : 0,
    'Regular price': amount(sale ? priceMinor : compareAtMinor ?? priceMinor),
    'Sale price': amount(sale ? sale.priceMinor : compareAtMinor === null ? null : priceMinor),
    'Date sale price starts': sale?.startsAt, 'Date sale price ends': sale?.endsAt,
  }
}
