// The screen on which transfers meet payments: what came, what is left of it, and which payments it may be for. A
// reference in what the payer wrote is proof enough to propose first; the same amount is a hint.
import { Type, type Static, type TSchema } from 'typebox'
import { joined, sql, type Conn, type Statement } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id, Page, PageQuery, route, Timestamp } from '../../platform/http.ts'
import { Currency } from '../../platform/money.ts'
import { InvalidCursor, problem } from '../../platform/problem.ts'
import { paymentSetup } from './gateway.ts'
import { referencesIn } from './transfer-reference.ts'

export const TransferNotFound = problem('transfer-not-found', 404, 'No such transfer')

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
export const Transfer = Type.Object({
  id: Id, bankReference: Type.String(), bookedOn: Type.String({ format: 'date' }), currency: Currency,
  amountMinor: Type.Integer(), payer: nullable(Type.String()), remittance: nullable(Type.String()),
  appliedMinor: Type.Integer(), returnedMinor: Type.Integer(),
  openMinor: Type.Integer({ description: 'What belongs to no payment and was not sent back' }),
  uses: Type.Array(Type.Object({
    id: Id, paymentId: nullable(Type.String({ description: 'Null: it was sent back' })), amountMinor: Type.Integer(),
    note: nullable(Type.String()), createdAt: Timestamp,
  })),
})
export type Transfer = Static<typeof Transfer>

function readTransfers(conn: Conn, which: Statement): Promise<Transfer[]> {
  return conn.many(Transfer, sql`
    select id, bank_reference as "bankReference", booked_on::text as "bookedOn", currency,
      amount_minor as "amountMinor", payer, remittance, applied_minor as "appliedMinor",
      returned_minor as "returnedMinor", amount_minor - applied_minor - returned_minor as "openMinor", (
        select coalesce(jsonb_agg(jsonb_build_object('id', use.id, 'paymentId', payment_id,
          'amountMinor', use.amount_minor, 'note', note, 'createdAt', created_at) order by created_at), '[]')
        from payments.transfer_use use where transfer_id = transfer.id) as uses
    from payments.transfer where ${which}`)
}

/** One transfer; throws TransferNotFound. */
export async function findTransfer(conn: Conn, transferId: string): Promise<Transfer> {
  const [transfer] = await readTransfers(conn, sql`id = ${transferId}`)
  if (!transfer) throw TransferNotFound({})
  return transfer
}

export const listTransfers = route({
  method: 'GET', path: '/admin/transfers', access: { permission: 'payments:read' }, tags: ['Transfers'],
  summary: 'List incoming transfers, newest first',
  query: Type.Object({
    ...PageQuery, open: Type.Optional(Type.Boolean({ description: 'Only those with something left' })),
  }),
  response: { 200: Page(Transfer) }, problems: [InvalidCursor],
  async run({ db, query }) {
    const limit = query.limit ?? 20
    const wanted = [query.open ? sql`applied_minor + returned_minor < amount_minor` : sql`true`]
    if (query.cursor) {
      const [bookedOn, id] = decodeCursor(query.cursor, [Type.String({ format: 'date' }), Id])
      wanted.push(sql`(booked_on, id) < (${bookedOn}::date, ${id}::uuid)`)
    }
    const rows = await readTransfers(db, sql`${joined(wanted, sql` and `)}
      order by booked_on desc, id desc limit ${limit + 1}`)
    const items = rows.slice(0, limit)
    const last = items.at(-1)
    return { items, nextCursor: rows.length > limit && last ? encodeCursor([last.bookedOn, last.id]) : null }
  },
})

const Proposal = Type.Object({
  paymentId: Id, orderId: Id, reference: nullable(Type.String()), owedMinor: Type.Integer(), createdAt: Timestamp,
  because: Type.Array(Type.Enum(['reference', 'amount'])),
})

/** Payments that the rest of a transfer may be for: those it names first, then those that owe as much. */
export async function proposalsFor(
  conn: Conn, byHand: readonly string[], { remittance, currency, openMinor }: Transfer,
): Promise<Static<typeof Proposal>[]> {
  const named = referencesIn(remittance ?? '')
  return conn.many(Proposal, sql`
    select payment.id as "paymentId", order_id as "orderId", reference, attempt.created_at as "createdAt",
      amount_minor - captured_minor - capturing_minor as "owedMinor", (
        select jsonb_agg(why) from (values ('reference', reference = any(${named}::text[])),
          ('amount', amount_minor - captured_minor - capturing_minor = ${openMinor})) as reason (why, fits)
        where fits) as because
    from payments.attempt join payments.payment on payment.id = payment_id
    where attempt.id in (
        select id from payments.attempt
        where gateway = any(${[...byHand]}::text[]) and reference = any(${named}::text[])
          and state in ('pending', 'captured')
        union all
        select pending.id from payments.attempt pending join payments.payment owed on owed.id = pending.payment_id
        where pending.state = 'pending' and pending.gateway = any(${[...byHand]}::text[])
          and owed.amount_minor = ${openMinor})
      and currency = ${currency} and not closed and amount_minor > captured_minor + capturing_minor
    order by (reference = any(${named}::text[])) desc, attempt.created_at desc limit 20`)
}

export const proposePayments = route({
  method: 'GET', path: '/admin/transfers/:transferId/proposals', operationId: 'proposePayments',
  access: { permission: 'payments:read' }, tags: ['Transfers'],
  summary: 'Propose payments for a transfer', params: Type.Object({ transferId: Id }),
  description: 'Those whose reference the payer wrote come first, then those that owe exactly what is left.',
  response: { 200: Type.Object({ transfer: Transfer, items: Type.Array(Proposal) }) }, problems: [TransferNotFound],
  async run({ db, params }) {
    const transfer = await findTransfer(db, params.transferId)
    const byHand = [...paymentSetup.of(db).gateways.values()].filter(({ properties }) => properties.byHand)
    return { transfer, items: await proposalsFor(db, byHand.map(({ code }) => code), transfer) }
  },
})
