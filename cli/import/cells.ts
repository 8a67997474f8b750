// What a cell means. Each reading either has one meaning or is refused with its column and the reason: a price of
// "1,299" may be one or a thousand, and nobody is served by a guess. A row is read to its end, so that all that is
// wrong with it is named at once.
import { parseAmount } from '../../src/platform/money.ts'
import { UnreadableFile, type CsvFile } from './csv.ts'
import type { ImportItem, Remark } from './product.ts'

// As the catalogue and the stock hold them.
const MAX_GRAMS = 100_000_000
const MAX_QUANTITY = 1_000_000_000
const MAX_PRICE = 1_000_000_000_000_000

const TRUE = new Set('1 true yes y on x ja wahr oui vrai si sí sì sim verdadero vero tak ano'.split(' '))
const FALSE = new Set('0 false no n off nein falsch non faux não nao falso nee nie ne'.split(' '))

/** Which column holds what. Names are compared without case, blanks and signs: a spreadsheet may have touched them. */
export class Columns<Key extends string> {
  readonly header: readonly string[]
  readonly #index: Map<Key, number>

  constructor(file: CsvFile, names: Record<Key, readonly string[]>) {
    this.header = file.header
    const present = new Map<string, number>()
    file.header.forEach((name, index) => {
      if (!present.has(plain(name))) present.set(plain(name), index)
    })
    this.#index = new Map(Object.entries<readonly string[]>(names).flatMap(([key, aliases]) => {
      const found = aliases.map((alias) => present.get(plain(alias))).find((index) => index !== undefined)
      return found === undefined ? [] : [[key as Key, found] as const]
    }))
  }

  has(key: Key): boolean {
    return this.#index.has(key)
  }

  index(key: Key): number {
    return this.#index.get(key) ?? -1
  }

  name(key: Key): string {
    return this.header[this.index(key)] ?? key
  }

  /** Columns that nothing here reads, and those whose name stood over another one already: the first is read. */
  unread(also: ReadonlySet<number> = new Set()): { unknown: string[]; repeated: string[] } {
    const read = new Set(this.#index.values())
    const names = new Set([...read].map((index) => plain(this.header[index]!)))
    const unread = this.header.filter((name, index) => name !== '' && !read.has(index) && !also.has(index))
    return {
      unknown: unread.filter((name) => !names.has(plain(name))),
      repeated: unread.filter((name) => names.has(plain(name))),
    }
  }
}

/** Header names as they are compared: 'Variant SKU' and 'variant_sku' are the same. */
export function plain(name: string): string {
  return name.normalize('NFC').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '')
}

/** Refuses a file of another kind, naming what is missing and what it looks like. */
export function expectColumns<Key extends string>(columns: Columns<Key>, needed: readonly Key[], kind: string): void {
  const missing = needed.filter((key) => !columns.has(key))
  if (missing.length === 0) return
  const names = new Set(columns.header.map(plain))
  const looks = names.has('handle') || names.has('urlhandle') ? 'a Shopify product file'
    : names.has('regularprice') || names.has('taxclass') ? 'a WooCommerce file' : undefined
  const hint = looks && !looks.includes(kind.split(' ')[0]!) ? `It looks like ${looks}.`
    : `Its first line reads: ${columns.header.join(', ').slice(0, 200)}`
  throw new UnreadableFile(
    `This is no ${kind}: it has no column ${missing.map((key) => `"${key}"`).join(', ')}. ${hint}`)
}

/** One row under its header. Readings that fail are collected in `refusals`, oddities in `notices`. */
export class Row<Key extends string> {
  readonly line: number
  readonly refusals: Remark[] = []
  readonly notices: Remark[] = []
  readonly #cells: readonly string[]
  readonly #columns: Columns<Key>

  constructor(line: number, cells: readonly string[], columns: Columns<Key>) {
    this.line = line
    this.#cells = cells
    this.#columns = columns
  }

  /** Whether the file has this column at all. */
  has(key: Key): boolean {
    return this.#columns.has(key)
  }

  raw(key: Key): string {
    return this.#cells[this.#columns.index(key)]?.trim() ?? ''
  }

  at(index: number): string {
    return this.#cells[index]?.trim() ?? ''
  }

  refuse(key: Key, reason: string): void {
    this.refusals.push(this.#remark(key, reason))
  }

  notice(key: Key, reason: string): void {
    this.notices.push(this.#remark(key, reason))
  }

  #remark(key: Key, reason: string): Remark {
    return { line: this.line, column: this.#columns.name(key), reason, value: this.raw(key) }
  }

  /** Refused when it is longer than the catalogue keeps. */
  text(key: Key, maxLength: number): string {
    const value = this.raw(key)
    if (value.length > maxLength) this.refuse(key, `Longer than ${maxLength} characters`)
    return value
  }

  optional(key: Key, maxLength: number): string | null {
    return this.text(key, maxLength) || null
  }

  flag(key: Key, fallback: boolean): boolean {
    const value = this.raw(key).toLowerCase()
    if (value === '') return fallback
    if (!TRUE.has(value) && !FALSE.has(value)) this.refuse(key, 'Neither yes nor no')
    return TRUE.has(value)
  }

  /** Minor units; null when the cell is empty. */
  price(key: Key, currency: string): number | null {
    const number = this.#decimal(key)
    if (number === null) return null
    if (number.startsWith('-')) return this.#fail(key, 'A price cannot be negative')
    try {
      const minor = parseAmount(number, currency)
      return minor <= MAX_PRICE ? minor : this.#fail(key, 'Larger than any price can be')
    } catch {
      return this.#fail(key, number.length > 20 ? 'Larger than any price can be'
        : `More digits after the point than ${currency} knows`)
    }
  }

  /** Whole grams, from a number in units of `gramsEach`. */
  grams(key: Key, gramsEach = 1): number | null {
    const number = this.#decimal(key)
    if (number === null) return null
    const grams = Math.round(Number(number) * gramsEach)
    if (grams < 0) return this.#fail(key, 'A weight cannot be negative')
    return grams <= MAX_GRAMS ? grams : this.#fail(key, 'Heavier than a hundred tonnes')
  }

  /** Units in stock. A shop that oversold writes a negative number: nothing is left then. */
  quantity(key: Key): number | null {
    const number = this.#decimal(key)
    if (number === null) return null
    const quantity = Number(number)
    if (!Number.isInteger(quantity)) return this.#fail(key, 'Stock is counted in whole units')
    if (Math.abs(quantity) > MAX_QUANTITY) return this.#fail(key, 'More than any shelf holds')
    if (quantity < 0) this.notice(key, 'Below zero, taken as 0')
    return Math.max(0, quantity)
  }

  #decimal(key: Key): string | null {
    const value = this.raw(key)
    if (value === '') return null
    const number = decimalOf(value)
    if (number !== undefined) return number
    return this.#fail(key, /^-?\d{1,3},\d{3}$/.test(value)
      ? 'May be a decimal comma or thousands: write it with a point, or without the comma' : 'Not a number')
  }

  #fail(key: Key, reason: string): null {
    this.refuse(key, reason)
    return null
  }
}

/** Columns that nobody reads are named once. */
export function* unreadColumns({ unknown, repeated }: ReturnType<Columns<string>['unread']>): Generator<ImportItem> {
  const notice = { kind: 'notice', line: 1, column: '' } as const
  if (unknown.length > 0) yield { ...notice, reason: 'These columns are not imported', value: unknown.join(', ') }
  if (repeated.length > 0) yield {
    ...notice, reason: 'These columns are there twice, and the first is read', value: repeated.join(', '),
  }
}

/** What there is to tell about a row, refusals first. */
export function* remarksOf({ refusals, notices }: { refusals: Remark[]; notices: Remark[] }): Generator<ImportItem> {
  for (const remark of refusals) yield { kind: 'refused', ...remark }
  for (const remark of notices) yield { kind: 'notice', ...remark }
}

/** An SKU belongs to one variant. Files of shops that do not hold to it still go in: whoever comes second has none. */
export function claimSku(row: Pick<Row<'sku'>, 'line' | 'text' | 'notice'>, skus: Map<string, number>): string | null {
  const sku = row.text('sku', 200)
  if (sku === '') return null
  const line = skus.get(sku)
  if (line !== undefined) {
    row.notice('sku', `Line ${line} has this SKU already: imported without it`)
    return null
  }
  skus.set(sku, row.line)
  return sku
}

/**
 * '1.299,00', '1,299.00', '1 299,00' and '1299' as digits with a point; undefined when it is no number or may be two.
 */
export function decimalOf(text: string): string | undefined {
  const value = text.trim().replace(/(?<=\d)[ \u00a0\u2009\u202f'’](?=\d{3}(?!\d))/g, '')
  if (/^-?\d+(\.\d+)?$/.test(value)) return value
  if (/^-?\.\d+$/.test(value)) return value.replace('.', '0.')
  if (/^-?\d+\.$/.test(value)) return value.slice(0, -1)
  if (/^-?\d{1,3}(,\d{3})+\.\d+$/.test(value) || /^-?\d{1,3}(,\d{3}){2,}$/.test(value)) return value.replaceAll(',', '')
  if (/^-?\d{1,3}(\.\d{3})+,\d+$/.test(value) || /^-?\d{1,3}(\.\d{3}){2,}$/.test(value)) {
    return value.replaceAll('.', '').replace(',', '.')
  }
  if (/^-?0,\d+$/.test(value) || /^-?\d+,(\d{1,2}|\d{4,})$/.test(value)) return value.replace(',', '.')
  return undefined
}
