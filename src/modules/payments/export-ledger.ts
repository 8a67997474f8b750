// The ledger as a file for bookkeeping: a row for each line of an entry, oldest first, written as it is read, so that
// ten years of a shop take no more memory than a day. docs/payments.md says what each column holds.
import { Readable } from 'node:stream'
import { Type, type Static } from 'typebox'
import { sql, type Conn } from '../../platform/db.ts'
import { csvLine } from '../../platform/csv.ts'
import { route } from '../../platform/http.ts'
import { formatAmount } from '../../platform/money.ts'
import { columns, LedgerEntry, Period, within } from './list-ledger.ts'

const HEADER = [
  'entry_id', 'booked_at', 'kind', 'account', 'currency', 'debit', 'credit', 'amount_minor', 'reference', 'order_id',
  'payment_id', 'source_type', 'source_id',
] as const

// A trip for so many entries: a page of a few hundred kilobytes.
const AT_ONCE = 1_000

/** The entries of a period, a page at a time, oldest first. */
async function* entriesOf(conn: Conn, asked: Static<typeof Period>): AsyncGenerator<LedgerEntry[]> {
  let after = sql`true`
  for (;;) {
    const page = await conn.many(LedgerEntry, sql`
      select ${columns} from payments.ledger_entry entry where ${within(asked)} and ${after}
      order by at, entry.id limit ${AT_ONCE}`)
    yield page
    const last = page.at(-1)
    if (!last || page.length < AT_ONCE) return
    after = sql`(at, entry.id) > (${last.at}::timestamptz, ${last.id}::uuid)`
  }
}

/** The lines of the file. Text that a spreadsheet would run is escaped; amounts are decimals of their currency. */
export async function* writeLedger(conn: Conn, asked: Static<typeof Period>): AsyncGenerator<string> {
  yield csvLine(HEADER)
  for await (const page of entriesOf(conn, asked)) yield page.map(rowsOf).join('')
}

function rowsOf(entry: LedgerEntry): string {
  const { id, at, kind, currency, note, orderId, paymentId, sourceType, sourceId, lines } = entry
  return lines.map(({ account, amountMinor }) => csvLine([
    id, at, kind, account, currency, amountMinor > 0 ? formatAmount(amountMinor, currency) : '',
    amountMinor < 0 ? formatAmount(-amountMinor, currency) : '', amountMinor, note, orderId, paymentId, sourceType,
    sourceId,
  ])).join('')
}

export const exportLedger = route({
  method: 'GET', path: '/admin/ledger/export', operationId: 'exportLedger', access: { permission: 'payments:read' },
  tags: ['Ledger'], summary: 'Export the ledger as CSV',
  description: 'A row for each line of an entry, oldest first. Every period that is over stays as it is: to export a ' +
    'month, name its first moment and that of the next one.',
  query: Period, response: { 200: Type.Unknown({ description: 'text/csv' }) },
  async run({ db, query, reply }) {
    reply.type('text/csv; charset=utf-8').header('content-disposition', 'attachment; filename="ledger.csv"')
    return Readable.from(writeLedger(db, query))
  },
})
