// The neutral shape between the files of other shops and our catalogue: a reader turns rows into these items, a writer
// turns them back. It knows no database. A cell that cannot be read never spoils more than its row: the row is refused
// by line, column and reason, and what is imported although something about it is odd gets a notice.

export type ImportedVariant = {
  /** Option name → value; {} when the product has no options. */
  options: Record<string, string>
  sku: string | null
  barcode: string | null
  /** Minor units; null: the file names no price, so it is not for sale until it gets one. */
  priceMinor: number | null
  /** The price struck through beside it, always above priceMinor. */
  compareAtMinor: number | null
  /** A lower price for a time; without dates it would be the price itself. */
  sale: { priceMinor: number; startsAt: string | null; endsAt: string | null } | null
  weightGrams: number
  requiresShipping: boolean
  /** null: the shop's standard class. */
  taxClass: string | null
  tracked: boolean
  /** Units in stock; null: the file does not say, so what is known stays. */
  quantity: number | null
  backorder: boolean
  imageUrl: string | null
}

export type ImportedProduct = {
  /** Where its first row stands. */
  line: number
  handle: string
  /** The file names no handle: this one is made of the title, and a SKU says more about which product it is. */
  handleIsMade?: true
  title: string
  descriptionHtml: string
  vendor: string
  type: string
  tags: string[]
  status: 'draft' | 'active' | 'archived'
  published: boolean
  /** In the merchant's order, each value as the variants name it. */
  options: { name: string; values: string[] }[]
  variants: ImportedVariant[]
  images: { url: string; alt: string }[]
  /** Each from the root down: ['Clothing', 'T-shirts']. */
  categories: string[][]
  /** What describes the product without making variants of it: Material → ['Wool']. */
  attributes: Record<string, string[]>
  seoTitle: string
  seoDescription: string
  /** A row of it was refused: what the shop has of it already must not be taken for given up. */
  incomplete: boolean
}

/** A product that only groups others (WooCommerce): it becomes a collection of them. */
export type ImportedCollection = {
  line: number; handle: string; title: string; descriptionHtml: string; productHandles: string[]
}

export type ImportedTaxRate = {
  line: number; country: string; region: string | null; taxClass: string; ratePpm: number; name: string
}

/**
 * Something to tell about one place in the file. `column` is the header as the file writes it, or '' when it is the row
 * as a whole.
 */
export type Remark = { line: number; column: string; reason: string; value: string }

export type ImportItem =
  | { kind: 'product'; product: ImportedProduct }
  | { kind: 'collection'; collection: ImportedCollection }
  | { kind: 'tax-rate'; taxRate: ImportedTaxRate }
  | ({ kind: 'refused' } & Remark)   // the row did not go in
  | ({ kind: 'notice' } & Remark)    // it went in, with this difference

/** Where a file comes from. It is opened anew for each pass over it. */
export type OpenFile = () => AsyncIterable<Uint8Array>

export type ReadOptions = {
  /** ISO 4217: what the file's amounts are in, since such files do not say it. */
  currency: string
  /** As TextDecoder names it; 'utf-8' unless told. */
  encoding?: string
}

/** A handle as the catalogue wants it: lower case, no blanks nor characters that mean something in an address. */
export function handleOf(text: string): string {
  const handle = text.normalize('NFC').toLowerCase().replace(/[^\p{L}\p{N}\p{M}._~-]+/gu, '-').replace(/^-+|-+$/g, '')
  return handle.slice(0, 200).replace(/[\ud800-\udbff]$/, '')
}

/** A row that is a product without options gets this one variant; the readers fill it. */
export function plainVariant(): ImportedVariant {
  return {
    options: {}, sku: null, barcode: null, priceMinor: null, compareAtMinor: null, sale: null, weightGrams: 0,
    requiresShipping: true, taxClass: null, tracked: true, quantity: null, backorder: false, imageUrl: null,
  }
}

/** The options that these variants span, names and values in order of appearance. */
export function optionsOf(
  names: readonly string[], variants: readonly ImportedVariant[],
): { name: string; values: string[] }[] {
  return names.map((name) => ({
    name, values: [...new Set(variants.map((variant) => variant.options[name]).filter((value) => value !== undefined))],
  }))
}
