// Writes products as Shopify's own export does: the first row of a handle describes the product, each further row is a
// variant, an image, or both. What it has no column for (sales with dates, attributes, a fourth option) is left out and
// told.
import { formatAmount } from '../../src/platform/money.ts'
import type { ImportedProduct, ImportedVariant } from '../import/product.ts'
import { csvLine, type Cell } from '../../src/platform/csv.ts'

const HEADER = [
  'Handle', 'Title', 'Body (HTML)', 'Vendor', 'Product Category', 'Type', 'Tags', 'Published', 'Option1 Name',
  'Option1 Value', 'Option2 Name', 'Option2 Value', 'Option3 Name', 'Option3 Value', 'Variant SKU', 'Variant Grams',
  'Variant Inventory Tracker', 'Variant Inventory Qty', 'Variant Inventory Policy', 'Variant Fulfillment Service',
  'Variant Price', 'Variant Compare At Price', 'Variant Requires Shipping', 'Variant Taxable', 'Variant Barcode',
  'Image Src', 'Image Position', 'Image Alt Text', 'Gift Card', 'SEO Title', 'SEO Description', 'Variant Image',
  'Variant Weight Unit', 'Variant Tax Code', 'Status',
]

export type WriteOptions = { currency: string; tell: (handle: string, what: string) => void }

export async function* writeShopify(
  products: AsyncIterable<ImportedProduct> | Iterable<ImportedProduct>, { currency, tell }: WriteOptions,
): AsyncGenerator<string> {
  yield csvLine(HEADER)
  for await (const product of products) {
    if (product.options.length > 3) {
      tell(product.handle, 'has more than three options, which Shopify does not know: left out')
      continue
    }
    if (product.variants.some(({ sale }) => sale)) tell(product.handle, 'has a sale with dates: written without it')
    yield rows(product, currency).map((row) => csvLine(HEADER.map((column) => row[column]))).join('')
  }
}

type SheetRow = Record<string, Cell>

function rows(product: ImportedProduct, currency: string): SheetRow[] {
  const { handle, variants, images, status } = product
  return Array.from({ length: Math.max(variants.length, images.length) }, (_, index): SheetRow => {
    const [variant, image] = [variants[index], images[index]]
    return {
      Handle: handle, Status: status,
      ...(index === 0 && description(product)),
      ...(variant && variantCells(variant, product, currency)),
      ...(image && { 'Image Src': image.url, 'Image Position': index + 1, 'Image Alt Text': image.alt }),
    }
  })
}

function description(product: ImportedProduct): SheetRow {
  return {
    Title: product.title, 'Body (HTML)': product.descriptionHtml, Vendor: product.vendor, Type: product.type,
    'Product Category': product.categories[0]?.join(' > '),
    Tags: product.tags.map((tag) => tag.replaceAll(',', ' ')).join(', '), Published: product.published,
    'Gift Card': false, 'SEO Title': product.seoTitle,
    'SEO Description': product.seoDescription,
    ...Object.fromEntries(optionNames(product).map((name, index) => [`Option${index + 1} Name`, name])),
  }
}

// A product without options has the option "Title" with the value "Default Title".
const optionNames = ({ options }: ImportedProduct): string[] =>
  (options.length > 0 ? options.map(({ name }) => name) : ['Title'])

function variantCells(variant: ImportedVariant, product: ImportedProduct, currency: string): SheetRow {
  const amount = (minor: number | null): string | null => (minor === null ? null : formatAmount(minor, currency))
  const values = product.options.length > 0 ? product.options.map(({ name }) => variant.options[name])
    : ['Default Title']
  const { taxClass } = variant
  return {
    ...Object.fromEntries(values.map((value, index) => [`Option${index + 1} Value`, value])),
    'Variant SKU': variant.sku, 'Variant Grams': variant.weightGrams,
    'Variant Inventory Tracker': variant.tracked ? 'shopify' : '',
    'Variant Inventory Qty': variant.quantity, 'Variant Inventory Policy': variant.backorder ? 'continue' : 'deny',
    'Variant Fulfillment Service': 'manual', 'Variant Price': amount(variant.priceMinor),
    'Variant Compare At Price': amount(variant.compareAtMinor), 'Variant Requires Shipping': variant.requiresShipping,
    'Variant Taxable': taxClass !== 'zero', 'Variant Barcode': variant.barcode, 'Variant Image': variant.imageUrl,
    'Variant Weight Unit': 'g', 'Variant Tax Code': taxClass === 'zero' || taxClass === 'standard' ? null : taxClass,
  }
}
