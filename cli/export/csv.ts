// Rows of CSV as every spreadsheet and shop reads them. Text that a spreadsheet would run as a formula gets an
// apostrophe, which our reader takes away again; numbers are numbers.
import { escapeCell } from '../import/csv.ts'

export type Cell = string | number | boolean | null | undefined

export function csvLine(cells: readonly Cell[]): string {
  return cells.map(csvCell).join(',') + '\r\n'
}

function csvCell(cell: Cell): string {
  if (cell === null || cell === undefined) return ''
  if (typeof cell !== 'string') return String(cell)
  const text = escapeCell(cell)
  return /[",;\t|\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
