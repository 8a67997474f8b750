// Rows of CSV as every spreadsheet and shop reads them. Text that a spreadsheet would run as a formula gets an
// apostrophe, which our reader (cli/import/csv.ts) takes away again; numbers are numbers.
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

/**
 * A spreadsheet runs a cell that begins with = + - or @ as a formula, so shops write an apostrophe before it. Ours puts
 * one before any text of apostrophes and such a sign, and takes one away: nothing is lost on the way there and back.
 */
function escapeCell(text: string): string {
  return /^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text
}
