// How WooCommerce writes what does not fit a cell: lists with escaped commas, paths, line breaks as \n, numbered
// attribute columns, the unit of weight in the header. The rules are those of its own exporter and importer.
import { plain } from './cells.ts'

/** "Blue, Green\, dark" → ['Blue', 'Green, dark']. */
export function splitList(text: string): string[] {
  return text.split(/(?<!\\),/).map((part) => decodeEntities(part.replaceAll('\\,', ',').trim()))
    .filter((part) => part !== '')
}

export function joinList(parts: readonly string[]): string {
  return parts.map((part) => part.replaceAll(',', '\\,')).join(', ')
}

/** "Clothing > T-shirts, Sale" → [['Clothing', 'T-shirts'], ['Sale']]. */
export function splitPaths(text: string): string[][] {
  return splitList(text.replaceAll('&gt;', '>'))
    .map((path) => path.split('>').map((name) => name.trim()).filter((name) => name !== ''))
    .filter((path) => path.length > 0)
}

// A term's name is stored with these five as entities, and exported so.
const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#039;': "'" }
function decodeEntities(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#039);/g, (entity) => ENTITIES[entity]!)
}

/** A line break is written as \n, and a \n that was meant as \\n. */
export function readBreaks(text: string): string {
  return text.replace(/\\\\n|\\n/g, (sign) => (sign === '\\n' ? '\n' : '\\n'))
}

export function writeBreaks(text: string): string {
  return text.replaceAll('\\n', '\\\\n').replace(/\r\n|\r|\n/g, '\\n')
}

// As plain() leaves the header of an English, German, French, Spanish or Italian shop.
const ATTRIBUTE = new RegExp('^(?:attribute?|attributo|atributo)(\\d+)' +
  '(name|nom|nombre|nome|values?|werte?|valeurs?|valor(?:e|es|i)?|visible|sichtbar|global|default)$')

/** The columns of one attribute; -1 where the file lacks one. */
export type AttributeColumns = { name: number; values: number; visible: number }

/**
 * "Attribute 1 name", "Attribute 1 value(s)", "Attribute 1 visible": as many as the file has, in the order of their
 * numbers.
 */
export function attributeColumns(header: readonly string[]): { attributes: AttributeColumns[]; read: Set<number> } {
  const attributes = new Map<number, AttributeColumns>()
  const read = new Set<number>()
  header.forEach((title, index) => {
    const match = ATTRIBUTE.exec(plain(title))
    if (!match) return
    read.add(index)
    const columns = attributes.get(Number(match[1])) ?? { name: -1, values: -1, visible: -1 }
    attributes.set(Number(match[1]), columns)
    if (/^(na|no)m/.test(match[2]!)) columns.name = index
    else if (/^(val|wert)/.test(match[2]!)) columns.values = index
    else if (/^(visible|sichtbar)/.test(match[2]!)) columns.visible = index
  })
  return {
    attributes: [...attributes].sort(([a], [b]) => a - b).map(([, columns]) => columns).filter(({ name }) => name >= 0),
    read,
  }
}

const GRAMS: Record<string, number> = { kg: 1_000, g: 1, lb: 453.59237, lbs: 453.59237, oz: 28.349523125 }

/**
 * "Weight (lbs)": which column it is and how many grams its unit has. A header without unit means kilograms, as a new
 * shop does.
 */
export function weightColumn(header: readonly string[]): { title: string; gramsEach: number } | undefined {
  for (const title of header) {
    const match = /^(?:weight|gewicht|poids|peso)\s*(?:\(\s*(kg|g|lbs?|oz)\s*\))?$/i.exec(title)
    if (match) return { title, gramsEach: GRAMS[match[1]?.toLowerCase() ?? 'kg']! }
  }
  return undefined
}

/**
 * '2026-03-01' or '2026-03-01 08:00' as an instant (UTC unless it says otherwise); a day without time is taken from its
 * beginning.
 */
export function instantOf(text: string, dayAfter = false): string | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/.exec(text)
  if (!match) return undefined
  const zone = match[4]?.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2') ?? 'Z'
  const time = new Date(`${match[1]}T${match[2] ?? '00:00'}${match[3] ?? ':00'}${zone}`)
  if (Number.isNaN(time.getTime()) || !time.toISOString().startsWith(match[4] ? '' : match[1]!)) return undefined
  if (dayAfter && !match[2]) time.setUTCDate(time.getUTCDate() + 1)
  return time.toISOString()
}
