// What staff book by hand: what a gateway paid out or kept, a bank that takes money back, a debt that nobody will pay.
// It corrects or adds; what the shop booked by itself is never changed.
import { Type, type Static } from 'typebox'
import { LimitExceeded, requireNoRefundLimit } from '../../platform/authority.ts'
import { resultId, sql, type Context, type Db } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { Currency, isCurrency } from '../../platform/money.ts'
import { problem } from '../../platform/problem.ts'
import { post, type Account } from './ledger.ts'
import { AccountCode, columns, LedgerEntry } from './list-ledger.ts'

export const EntryRefused = problem('ledger-entry-refused', 422, 'This cannot be booked')

const NewEntry = Type.Object({
  currency: Currency, note: Type.String({ minLength: 1, maxLength: 500, pattern: '\\S' }),
  orderId: Type.Optional(Id),
  lines: Type.Array(Type.Object({
    account: AccountCode,
    amountMinor: Type.Integer({ minimum: -2e15, maximum: 2e15, description: 'Debits above zero, credits below' }),
  }), { minItems: 2, maxItems: 20 }),
})

/**
 * Books an entry of staff. Throws EntryRefused when it does not balance, names an account twice or books nothing there,
 * or touches an account that the shop keeps by itself, and LimitExceeded for whoever has a limit of refunds.
 */
export async function postByStaff(db: Db, context: Context, entry: Static<typeof NewEntry>): Promise<LedgerEntry> {
  requireNoRefundLimit(context.actor)
  refuseWrong(entry)
  const id = resultId(context)
  await db.transaction(context, (tx) => post(tx, {
    ...entry, source: { type: 'staff', id }, kind: 'correction',
    lines: Object.fromEntries(entry.lines.map(({ account, amountMinor }) => [account as Account, amountMinor])),
  }))
  return findEntry(db, id)
}

// Their balance is what payments and transfers say that it is (src/invariants.sql); a booking by hand would break that.
const KEPT = ['unapplied', 'gift_card', 'store_credit']

function refuseWrong({ currency, lines, orderId }: Static<typeof NewEntry>): void {
  const refuse = (detail: string): never => { throw EntryRefused({}, detail) }
  if (!isCurrency(currency)) refuse(`${currency} is no currency.`)
  const sum = lines.reduce((total, { amountMinor }) => total + BigInt(amountMinor), 0n)
  if (sum !== 0n) refuse(`The lines add up to ${sum}; debits and credits of an entry are equal.`)
  if (new Set(lines.map(({ account }) => account)).size < lines.length) refuse('An account stands there twice.')
  if (lines.some(({ amountMinor }) => amountMinor === 0)) refuse('A line books nothing.')
  const kept = lines.find(({ account }) => KEPT.includes(account))
  if (kept) refuse(`The shop keeps ${kept.account} by itself.`)
  if (orderId && lines.some(({ account }) => account === 'receivable')) {
    refuse('What an order owes follows from its payments: write it off, or book it without the order.')
  }
}

async function findEntry(db: Db, id: string): Promise<LedgerEntry> {
  return db.one(LedgerEntry, sql`
    select ${columns} from payments.ledger_entry entry where source_type = 'staff' and source_id = ${id}`)
}

export const postLedgerEntry = route({
  method: 'POST', path: '/admin/ledger/entries', operationId: 'postLedgerEntry',
  access: { permission: 'payments:write' }, tags: ['Ledger'], summary: 'Book an entry by hand',
  description: 'A payout (debit `bank`, credit `clearing:<gateway>`), a fee, a dispute, a write-off. What is booked ' +
    'stays: book the opposite to take it back.',
  body: NewEntry, response: { 201: LedgerEntry }, problems: [EntryRefused, LimitExceeded],
  replay: ({ db, resultId: id }) => findEntry(db, id),
  run: ({ db, context, body }) => postByStaff(db, context, body),
})
