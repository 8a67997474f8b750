// Incoming bank transfers, typed in or imported from a statement of the account. Each is recorded once for its
// reference of the bank, so that a statement may be imported again and again; its money is ours to account for at once,
// and belongs to no payment until it is matched.
import { Type, type Static, type TSchema } from 'typebox'
import { json, sql, type Context, type Db } from '../../platform/db.ts'
import { Id, OneLine, route } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { Currency } from '../../platform/money.ts'

const optional = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))
export const NewTransfer = Type.Object({
  bankReference: OneLine(200, { description: 'The bank’s own, unique' }),
  bookedOn: Type.String({ format: 'date' }), currency: Currency,
  amountMinor: Type.Integer({ minimum: 1, maximum: 2e15 }),
  payer: optional(Type.String({ maxLength: 200 })),
  remittance: optional(Type.String({ maxLength: 1_000, description: 'What the payer wrote' })),
})
export type NewTransfer = Static<typeof NewTransfer>

const Recorded = Type.Object({
  id: Id, bankReference: Type.String(),
  outcome: Type.Enum(['recorded', 'known', 'different'], {
    description: '`different`: recorded before with another amount, currency or day, and left as it was',
  }),
})
export type Recorded = Static<typeof Recorded>

/** Records transfers in one statement, each once; what is known already is told. Asked twice, nothing changes. */
export async function recordTransfers(
  db: Db, context: Context, transfers: readonly NewTransfer[],
): Promise<Recorded[]> {
  const asked = transfers.map((one) => ({ payer: null, remittance: null, ...one, id: newId(), entryId: newId() }))
  return db.transaction(context, async (tx) => {
    const recorded = await tx.many(Type.Object({ id: Id }), sql`
      with asked as (
        select * from jsonb_to_recordset(${json(asked)}::jsonb) as one (id uuid, "entryId" uuid, "bankReference" text,
          "bookedOn" date, currency text, "amountMinor" bigint, payer text, remittance text)
      ), recorded as (
        insert into payments.transfer (id, bank_reference, booked_on, currency, amount_minor, payer, remittance)
        select id, "bankReference", "bookedOn", currency, "amountMinor", payer, remittance from asked
        on conflict (bank_reference) do nothing returning id
      ), entry as (
        insert into payments.ledger_entry (id, source_type, source_id, kind, currency, note)
        select "entryId", 'transfer', id, 'received', currency, "bankReference" from asked join recorded using (id)
      ), lines as (
        insert into payments.ledger_line (entry_id, account, amount_minor)
        select "entryId", account, "amountMinor" * side from asked join recorded using (id)
        cross join (values ('clearing:manual', 1), ('unapplied', -1)) as line (account, side)
      )
      select id from recorded`)
    const isNew = new Set(recorded.map(({ id }) => id))
    const there = await tx.many(NewTransferRow, sql`
      select id, bank_reference as "bankReference", booked_on::text as "bookedOn", currency,
        amount_minor as "amountMinor"
      from payments.transfer where bank_reference = any(${asked.map((one) => one.bankReference)}::text[])`)
    const known = new Map(there.map((one) => [one.bankReference, one]))
    return asked.map(({ id, bankReference, bookedOn, currency, amountMinor }): Recorded => {
      const one = known.get(bankReference)!
      const same = one.bookedOn === bookedOn && one.currency === currency && one.amountMinor === amountMinor
      return { id: one.id, bankReference, outcome: isNew.has(id) ? 'recorded' : same ? 'known' : 'different' }
    })
  })
}

const NewTransferRow = Type.Object({
  id: Id, bankReference: Type.String(), bookedOn: Type.String(), currency: Type.String(), amountMinor: Type.Integer(),
})

export const recordTransfersRoute = route({
  method: 'POST', path: '/admin/transfers', operationId: 'recordTransfers', access: { permission: 'payments:write' },
  tags: ['Transfers'], summary: 'Record incoming bank transfers, or import them',
  description: 'Each once for its bank reference: a statement may be imported again.',
  body: Type.Object({ items: Type.Array(NewTransfer, { minItems: 1, maxItems: 1_000 }) }),
  response: { 200: Type.Object({ items: Type.Array(Recorded) }) },
  // A repeat finds all of them known, whoever recorded them.
  replay: 'none', bankNumbers: true,
  run: async ({ db, context, body }) => ({ items: await recordTransfers(db, context, body.items) }),
})
