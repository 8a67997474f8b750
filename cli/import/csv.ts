// CSV as shops really write it: RFC 4180 with any line ends, quoted line breaks, a BOM or none, and ; tab or | for the
// comma. Its own parser instead of a library's because of the bad days: each record knows the line where it begins, and
// a quote that is never closed costs the rows it damaged, not the rest of the file. Memory is bounded by the longest
// record. Bytes are scanned as Latin-1, since the signs that matter are ASCII, and each cell is decoded by itself, so
// that a wrong byte is a matter of one cell.
import { TextDecoder } from 'node:util'
import type { OpenFile } from './product.ts'

export type CsvRow =
  { line: number; cells: string[] } | { line: number; column: string; problem: string; value: string }
export type CsvFile = { header: string[]; rows: AsyncGenerator<CsvRow> }

/** The file as a whole is not what it should be: nothing of it was read. */
export class UnreadableFile extends Error {}

// The longest description that a shop allows is far below this; beyond it a quote was left open.
const MAX_RECORD = 1_000_000
// Two letters for every column of a spreadsheet.
const MAX_COLUMNS = 16_384

/** Whether a file that begins with these bytes says of itself that it is UTF-16. */
export const isMarkedUtf16 = (bytes: Uint8Array): boolean =>
  (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)

/** Reads the header and gives the rows as they come. Blank rows are left out. */
export async function openCsv(open: OpenFile, encoding = 'utf-8'): Promise<CsvFile> {
  const decoder = decoderOf(encoding)
  const records = split(asBytes(open()))
  let first = await records.next()
  while (!first.done && 'cells' in first.value && first.value.cells.every((cell) => cell.trim() === '')) {
    first = await records.next()
  }
  if (first.done) throw new UnreadableFile('The file is empty.')
  if ('problem' in first.value) throw new UnreadableFile(`Line ${first.value.line}: ${first.value.problem}`)
  const header = first.value.cells.map((cell) => {
    const name = decode(cell, decoder)
    if (name === undefined) throw new UnreadableFile(
      `The header is not ${encoding}: save the file as UTF-8, or name its --encoding.`)
    return name.trim()
  })
  return { header, rows: decodeRows(records, header, decoder) }
}

async function* decodeRows(
  records: AsyncGenerator<RawRecord>, header: string[], decoder: TextDecoder,
): AsyncGenerator<CsvRow> {
  let damaged = false
  for await (const record of records) {
    const { line } = record
    if ('problem' in record) {
      damaged = true
      yield { line, column: '', problem: record.problem, value: record.value }
      continue
    }
    // After a quote that went wrong, the next row is the next line with as many cells as the header: what lies between
    // belongs to the damage.
    if (damaged && record.cells.length !== header.length) continue
    damaged = false
    if (record.cells.every((cell) => cell.trim() === '')) continue
    if (record.cut && record.cells.length < header.length) {
      yield { line, column: '', problem: 'The file breaks off in this row', value: record.cells.at(-1)! }
      continue
    }
    yield checkRow(line, record.cells, header, decoder)
  }
}

function checkRow(line: number, raw: string[], header: string[], decoder: TextDecoder): CsvRow {
  const surplus = raw.slice(header.length).find((cell) => cell.trim() !== '')
  if (surplus !== undefined) {
    const problem = `The row has ${raw.length} cells, the header ${header.length}: is a comma or a quote not escaped?`
    return { line, column: '', problem, value: surplus }
  }
  const cells: string[] = []
  for (const [index, cell] of raw.slice(0, header.length).entries()) {
    const text = decode(cell, decoder)
    if (text === undefined) return {
      line, column: header[index]!,
      problem: `This is not ${decoder.encoding} text: save the file as UTF-8, or name its --encoding`, value: cell,
    }
    if (text.includes('\0')) return {
      line, column: header[index]!, problem: 'The cell holds a NUL character', value: text.replaceAll('\0', '␀'),
    }
    cells.push(unescapeCell(text))
  }
  return { line, cells }
}

/** What escapeCell added, taken away. */
export function unescapeCell(text: string): string {
  return /^'+[=+\-@\t\r]/.test(text) ? text.slice(1) : text
}

function decoderOf(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true })
  } catch {
    throw new UnreadableFile(`"${encoding}" is no encoding that is known here: try utf-8, windows-1252 or iso-8859-2.`)
  }
}

// A copy even of plain ASCII: a piece of a string keeps the whole of it in memory, and some cells are kept for long.
function decode(raw: string, decoder: TextDecoder): string | undefined {
  if (!/[\x80-\xff]/.test(raw)) return Buffer.from(raw, 'latin1').toString('latin1')
  try {
    return decoder.decode(Buffer.from(raw, 'latin1'))
  } catch {
    return undefined
  }
}

/**
 * The bytes as Latin-1 text, without a BOM; UTF-16, which spreadsheets call "Unicode text", is turned into UTF-8 first.
 */
async function* asBytes(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let utf16: TextDecoder | undefined
  let beginning: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of source) {
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (beginning) {
      beginning = bytes = Buffer.concat([beginning, bytes])
      if (bytes.length < 4) continue
      beginning = undefined
      const mark = bytes.toString('latin1', 0, 4)
      if (mark.startsWith('\xff\xfe')) utf16 = new TextDecoder('utf-16le')
      else if (mark.startsWith('\xfe\xff')) utf16 = new TextDecoder('utf-16be')
      else if (mark.startsWith('\xef\xbb\xbf')) bytes = bytes.subarray(3)
      else refuseOtherKinds(bytes)
    }
    yield utf16 ? Buffer.from(utf16.decode(bytes, { stream: true })).toString('latin1') : bytes.toString('latin1')
  }
  if (beginning?.length) yield beginning.toString('latin1').replace(/^\xef\xbb\xbf/, '')
}

function refuseOtherKinds(bytes: Buffer): void {
  if (bytes.toString('latin1', 0, 2) === 'PK') {
    throw new UnreadableFile('This is a workbook or a ZIP archive: open it and save the sheet as CSV (UTF-8).')
  }
  const isNul = (at: number): boolean => bytes[at] === 0
  if (isNul(0) !== isNul(1) && isNul(0) === isNul(2) && isNul(1) === isNul(3)) throw new UnreadableFile(
    'This is UTF-16 without the mark that says so: save the file as UTF-8.')
  if (bytes.subarray(0, 4_096).includes(0)) throw new UnreadableFile('This is no text: a CSV file was expected.')
}

const OPEN_QUOTE = 'A quote is opened here and never closed as it should be: "…", with "" for a quote inside'
const TOO_LONG = 'The row is longer than a million bytes: is a line break missing, or is this no table?'

/** `cut`: the file ends with it, and without a line end. */
type RawRecord = { line: number; cells: string[]; cut: boolean } | { line: number; problem: string; value: string }

async function* split(chunks: AsyncGenerator<string>): AsyncGenerator<RawRecord> {
  let text = ''
  let start = 0
  let line = 1
  let delimiter: string | undefined
  let isSkipping = false
  for (let atEnd = false; !atEnd;) {
    const chunk = await chunks.next()
    atEnd = chunk.done === true
    text = text.slice(start) + (chunk.done ? '' : chunk.value)
    start = 0
    if (isSkipping) {
      start = endOfCell(text, 0, '\n')
      if (start >= text.length - 1 && !atEnd) continue          // its last sign may be half a line end
      start = endOfLine(text, start)
      line++
      isSkipping = false
    }
    delimiter ??= delimiterOf(text, atEnd)
    while (delimiter && start < text.length) {
      let record = parseRecord(text, start, delimiter, atEnd)
      if (record === 'more' && text.length - start > MAX_RECORD) {
        if (endOfCell(text, start, '\n') === text.length) {
          yield { line, problem: TOO_LONG, value: text.slice(start, start + 60) }
          start = text.length
          isSkipping = true
          break
        }
        record = 'open'
      }
      if (record === 'more') break
      const next = record === 'open' ? endOfLine(text, start) : record.next
      if (record === 'open') yield { line, problem: OPEN_QUOTE, value: text.slice(start, start + 60) }
      else yield { line, cells: record.cells, cut: !/[\r\n]/.test(text[next - 1]!) }
      line += countLines(text, start, next)
      start = next
    }
  }
}

/** The sign that the header uses most; undefined until a whole first line is there. Blank lines before it are none. */
function delimiterOf(text: string, atEnd: boolean): string | undefined {
  const begin = Math.max(0, text.search(/[^\s]/))
  const end = endOfCell(text, begin, '\n')
  if (end === text.length && !atEnd && text.length <= MAX_RECORD) return undefined
  const header = text.slice(begin, end).replace(/"[^"]*"/g, '')
  const counts = [',', ';', '\t', '|'].map((sign) => [sign, header.split(sign).length] as const)
  if (counts.some(([, count]) => count > MAX_COLUMNS)) throw new UnreadableFile(
    'The first line has more columns than a table can have.')
  return counts.reduce((best, each) => (each[1] > best[1] ? each : best))[0]
}

type Parsed = { cells: string[]; next: number }

/** The record at `start`: 'more' when it may go on behind the text, 'open' when one of its quotes is. */
function parseRecord(text: string, start: number, delimiter: string, atEnd: boolean): Parsed | 'more' | 'open' {
  const cells: string[] = []
  for (let at = start; ;) {
    if (text[at] === '"') {
      const cell = parseQuoted(text, at, delimiter, atEnd)
      if (typeof cell === 'string') return cell
      cells.push(cell.value)
      at = cell.next
    } else {
      const end = endOfCell(text, at, delimiter)
      if (end === text.length && !atEnd) return 'more'
      cells.push(text.slice(at, end))
      at = end
    }
    if (text[at] === delimiter) {
      at++
      if (at === text.length && !atEnd) return 'more'
      continue
    }
    if (text[at] === '\r' && at + 1 === text.length && !atEnd) return 'more'
    return { cells, next: endOfLine(text, at) }
  }
}

/**
 * The quoted cell at `start`. A quote inside it that nobody doubled is taken as it stands, as in "6" nails", but not
 * in a cell that also breaks the line: there it is likelier that the quote before was left open.
 */
function parseQuoted(
  text: string, start: number, delimiter: string, atEnd: boolean,
): { value: string; next: number } | 'more' | 'open' {
  let value = ''
  let stray = false
  let broke = false
  for (let from = start + 1; ;) {
    const quote = text.indexOf('"', from)
    const after = text[quote + 1]
    if (quote < 0 || (after === undefined && !atEnd)) return atEnd ? 'open' : 'more'
    const isDoubled = after === '"'
    const isEnd = after === undefined || after === delimiter || after === '\n' || after === '\r'
    const piece = text.slice(from, isEnd ? quote : quote + 1)
    value += piece
    stray ||= !isDoubled && !isEnd
    broke ||= /[\r\n]/.test(piece)
    if (stray && broke) return 'open'
    if (isEnd) return { value, next: quote + 1 }
    from = quote + (isDoubled ? 2 : 1)
  }
}

function endOfCell(text: string, from: number, delimiter: string): number {
  for (let at = from; at < text.length; at++) {
    const sign = text[at]
    if (sign === delimiter || sign === '\n' || sign === '\r') return at
  }
  return text.length
}

/** Where the next line begins, seen from anywhere in a line. */
function endOfLine(text: string, from: number): number {
  const end = endOfCell(text, from, '\n')
  return Math.min(text.length, text[end] === '\r' && text[end + 1] === '\n' ? end + 2 : end + 1)
}

function countLines(text: string, from: number, to: number): number {
  let lines = 0
  for (let at = from; at < to; at = endOfLine(text, at)) lines++
  return lines
}
