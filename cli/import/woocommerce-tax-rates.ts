// Reads the other CSV that WooCommerce knows: tax rates. Our rates are by country and region, one for each tax class; a
// row by postcode or city, or one that is added on top of another (a second priority), has no place in that and is
// refused rather than bent.
import { Columns, decimalOf, expectColumns, plain, Row } from './cells.ts'
import type { CsvFile } from './csv.ts'
import type { ImportedTaxRate, ImportItem } from './product.ts'

const COLUMNS = {
  country: ['Country Code'], state: ['State Code'], postcode: ['ZIP/Postcode', 'Postcode / ZIP'], city: ['City'],
  rate: ['Rate %'], name: ['Tax Name'], priority: ['Priority'], compound: ['Compound'], shipping: ['Shipping'],
  taxClass: ['Tax Class'],
} as const
type Column = keyof typeof COLUMNS

export function isTaxRateFile(header: readonly string[]): boolean {
  const names = new Set(header.map(plain))
  return names.has('countrycode') && names.has('rate') && !names.has('regularprice')
}

/** WooCommerce's own classes under our names, others as they are; '' is the standard class. */
export function taxClassOf(slug: string): string | null {
  const name = slug.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40)
  return name === '' || name === 'standard' ? null : name.replace(/^(reduced|zero)-rate$/, '$1')
}

export async function* readTaxRates(file: CsvFile): AsyncGenerator<ImportItem> {
  const columns = new Columns<Column>(file, COLUMNS)
  expectColumns(columns, ['country', 'rate'], 'WooCommerce tax rate file')
  const seen = new Map<string, number>()
  for await (const record of file.rows) {
    if ('problem' in record) {
      yield { kind: 'refused', line: record.line, column: record.column, reason: record.problem, value: record.value }
      continue
    }
    const row = new Row<Column>(record.line, record.cells, columns)
    const taxRate = readRate(row)
    const place = `${taxRate.country} ${taxRate.region ?? ''} ${taxRate.taxClass}`
    if (row.refusals.length === 0 && seen.has(place)) row.refuse(
      'rate', `Line ${seen.get(place)} gives the rate of this place and class already`)
    for (const remark of row.refusals) yield { kind: 'refused', ...remark }
    if (row.refusals.length > 0) continue
    seen.set(place, row.line)
    yield { kind: 'tax-rate', taxRate }
  }
}

function readRate(row: Row<Column>): ImportedTaxRate {
  const everywhere = (key: Column): string => row.raw(key).replace(/^\*$/, '')
  const country = row.raw('country').toUpperCase()
  const region = everywhere('state').toUpperCase().replace(`${country}-`, '')
  if (!/^[A-Z]{2}$/.test(country)) row.refuse('country', 'Not a country code of two letters')
  if (!/^[A-Z0-9]{0,3}$/.test(region)) row.refuse('state', 'Not a region code of up to three characters')
  if (everywhere('postcode') !== '') row.refuse(
    'postcode', 'Rates by postcode are not known here: give one for the country or region')
  if (everywhere('city') !== '') row.refuse(
    'city', 'Rates by city are not known here: give one for the country or region')
  if (!['', '0', '1'].includes(row.raw('priority'))) row.refuse(
    'priority', 'Rates on top of another are not known here: give their sum')
  const rate = Number(decimalOf(row.raw('rate').replace(/%$/, '')) ?? NaN)
  if (!(rate >= 0 && rate <= 100)) row.refuse('rate', 'Not a percentage from 0 to 100')
  const taxClass = taxClassOf(row.raw('taxClass')) ?? 'standard'
  return {
    line: row.line, country, region: region || null, taxClass, ratePpm: Math.round(rate * 10_000),
    name: row.text('name', 100) || 'Tax',
  }
}
