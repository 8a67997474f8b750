// The columns of a WooCommerce product file and its rows under them: fixed ones by name, attributes as many as there
// are, the weight with its unit in the header. The second name of a column is that of a German shop, whose export
// translates its header.
import { Columns, expectColumns, Row } from './cells.ts'
import type { CsvFile } from './csv.ts'
import type { ImportItem } from './product.ts'
import { attributeColumns, weightColumn, type AttributeColumns } from './woocommerce-cells.ts'

const COLUMNS = {
  id: ['ID'], type: ['Type', 'Typ'], sku: ['SKU', 'Artikelnummer'], name: ['Name'], position: ['Position'],
  barcode: ['GTIN, UPC, EAN, or ISBN', 'GTIN, UPC, EAN oder ISBN'],
  published: ['Published', 'Veröffentlicht'], visibility: ['Visibility in catalog', 'Sichtbarkeit im Katalog'],
  summary: ['Short description', 'Kurzbeschreibung'], description: ['Description', 'Beschreibung'],
  saleStarts: ['Date sale price starts', 'Datum, an dem Angebotspreis beginnt'],
  saleEnds: ['Date sale price ends', 'Datum, an dem Angebotspreis endet'],
  salePrice: ['Sale price', 'Angebotspreis'], price: ['Regular price', 'Regulärer Preis'],
  taxStatus: ['Tax status', 'Steuerstatus'], taxClass: ['Tax class', 'Steuerklasse'],
  inStock: ['In stock?', 'Vorrätig?'], stock: ['Stock', 'Lager', 'Bestand'], weight: [] as string[],
  backorders: ['Backorders allowed?', 'Lieferrückstände erlaubt?'],
  categories: ['Categories', 'Kategorien'], tags: ['Tags', 'Schlagwörter'], brands: ['Brands', 'Marken'],
  images: ['Images', 'Bilder'], parent: ['Parent', 'Übergeordnetes Produkt'],
  // As our own export writes them.
  handle: ['Meta: kontor_handle'], productType: ['Meta: kontor_type'],
  grouped: ['Grouped products', 'Gruppierte Produkte'], url: ['External URL', 'Externe URL'],
}
export type Column = keyof typeof COLUMNS
export type ProductRow = Row<Column>

export type Sheet = {
  columns: Columns<Column>
  attributes: AttributeColumns[]
  gramsEach: number
  unread: ReturnType<Columns<Column>['unread']>
  rows: AsyncGenerator<ProductRow | ImportItem>
}

export function sheetOf(file: CsvFile): Sheet {
  const weight = weightColumn(file.header)
  const columns = new Columns<Column>(file, { ...COLUMNS, weight: weight ? [weight.title] : [] })
  expectColumns(columns, ['name', 'type'], 'WooCommerce product file')
  const { attributes, read } = attributeColumns(file.header)
  const rows = async function* (): Sheet['rows'] {
    for await (const record of file.rows) {
      if ('problem' in record) yield {
        kind: 'refused', line: record.line, column: record.column, reason: record.problem, value: record.value,
      }
      else yield new Row<Column>(record.line, record.cells, columns)
    }
  }
  return { columns, attributes, gramsEach: weight?.gramsEach ?? 1_000, unread: columns.unread(read), rows: rows() }
}
