// A transfer meets the payment that it is for. What it brings is captured, in parts if it is too little; what it brings
// too much stays ours to give back, until staff apply it elsewhere or send it back. Under the locks of order, payment
// and transfer nothing is used twice.
import { Type, type Static } from 'typebox'
import { resultId, sql, systemContext, type Context, type Db, type Tx } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { paymentSetup } from './gateway.ts'
import { findPayment } from './get-payment.ts'
import { post } from './ledger.ts'
import { findTransfer, Transfer, TransferNotFound } from './list-transfers.ts'
import { runOperations } from './operations.ts'
import { AmountNotAvailable, AttemptState, NotPossible, paymentListener, PaymentNotFound } from './payments.ts'
import { applyOutcome } from './record-charge.ts'

const Owing = Type.Object({
  amount: Type.Integer(), owed: Type.Integer(), currency: Type.String(), closed: Type.Boolean(),
  attemptId: Type.Union([Id, Type.Null()]), gateway: Type.Union([Type.String(), Type.Null()]),
  state: Type.Union([AttemptState, Type.Null()]), reference: Type.Union([Type.String(), Type.Null()]),
})
type Owing = Static<typeof Owing>
const Open = Type.Object({ open: Type.Integer(), currency: Type.String() })

export type Match = { transferId: string; paymentId: string; amountMinor?: number | undefined }

/**
 * Applies a transfer, or a part of it, to a payment that waits for one; answers the transfer. Throws TransferNotFound,
 * PaymentNotFound, AmountNotAvailable when less is owed or left, and NotPossible when the payment waits for no transfer
 * or is of another currency.
 */
export async function matchTransfer(db: Db, context: Context, match: Match): Promise<Transfer> {
  const { transferId, paymentId } = match
  const { orderId } = await findPayment(db, context.actor, paymentId)
  const id = resultId(context)
  const operations = await db.transaction(context, async (tx) => {
    await paymentListener.of(db).lock(tx, orderId)          // order, payment, transfer: as everywhere
    const owing = await lockOwing(tx, paymentId)
    const open = await lockOpen(tx, transferId)
    refuseForeign(db, owing, open.currency)
    const left = Math.min(owing.owed, open.open)
    const amountMinor = match.amountMinor ?? left
    if (amountMinor > left || amountMinor <= 0) {
      throw AmountNotAvailable({ availableMinor: left }, 'Apply what is owed and left, or less.')
    }
    const applied = await capture(tx, db, { ...owing, paymentId }, amountMinor)
    await Promise.all([
      use(tx, { id, transferId, paymentId, amountMinor }),
      post(tx, {
        source: { type: 'transfer', id }, kind: 'match', currency: open.currency, orderId, paymentId,
        lines: { unapplied: amountMinor, receivable: -amountMinor },
      }),
    ])
    return applied
  })
  if (operations) await runOperations(db, systemContext(context.requestId), orderId)
  return findTransfer(db, transferId)
}

async function lockOwing(tx: Tx, paymentId: string): Promise<Owing> {
  const [, owing] = await Promise.all([
    tx.run(sql`select from payments.payment where id = ${paymentId} for update`),
    tx.one(Owing, sql`
      select amount_minor as amount, amount_minor - captured_minor - capturing_minor as owed, currency, closed,
        attempt.id as "attemptId", gateway, state, reference
      from payments.payment
      left join payments.attempt on attempt.payment_id = payment.id and state in ('pending', 'captured')
      where payment.id = ${paymentId}`),
  ])
  return owing
}

async function lockOpen(tx: Tx, transferId: string): Promise<Static<typeof Open>> {
  const open = await tx.maybe(Open, sql`
    select amount_minor - applied_minor - returned_minor as open, currency
    from payments.transfer where id = ${transferId} for update`)
  if (!open) throw TransferNotFound({})
  return open
}

function refuseForeign(db: Db, { attemptId, gateway, closed, currency }: Owing, transferred: string): void {
  if (!attemptId || closed || !paymentSetup.of(db).gateways.get(gateway!)?.properties.byHand) {
    throw NotPossible({}, 'This payment waits for no transfer. Send the money back, or apply it to another one.')
  }
  if (currency !== transferred) {
    throw NotPossible({}, `The transfer is of ${transferred}, the payment of ${currency}.`)
  }
}

/** The first money ends the waiting; what comes later adds to it. True when the order did not take it. */
async function capture(
  tx: Tx, db: Db, { attemptId, state, reference, amount, currency, paymentId }: Owing & { paymentId: string },
  capturedMinor: number,
): Promise<boolean> {
  if (state === 'captured') {
    await tx.run(sql`update payments.payment set captured_minor = captured_minor + ${capturedMinor}
      where id = ${paymentId}`)
    return false
  }
  const { operations } = await applyOutcome(tx, db, attemptId!, {
    kind: 'captured', reference: reference ?? attemptId!, amountMinor: amount, currency, capturedMinor,
  }, { booked: true })
  return operations
}

type Use = { id: string; transferId: string; paymentId: string | null; amountMinor: number; note?: string | undefined }

async function use(tx: Tx, { id, transferId, paymentId, amountMinor, note }: Use): Promise<void> {
  await Promise.all([
    tx.run(sql`update payments.transfer set applied_minor = applied_minor + ${paymentId ? amountMinor : 0},
      returned_minor = returned_minor + ${paymentId ? 0 : amountMinor} where id = ${transferId}`),
    tx.run(sql`insert into payments.transfer_use (id, transfer_id, payment_id, amount_minor, note)
      values (${id}, ${transferId}, ${paymentId}, ${amountMinor}, ${note ?? null})`),
  ])
}

/** Notes that what is left of a transfer, or a part, was sent back. Throws TransferNotFound and AmountNotAvailable. */
export async function returnTransfer(
  db: Db, context: Context, transferId: string, { amountMinor, note }: { amountMinor?: number; note?: string },
): Promise<Transfer> {
  const id = resultId(context)
  await db.transaction(context, async (tx) => {
    const { open, currency } = await lockOpen(tx, transferId)
    const amount = amountMinor ?? open
    if (amount > open || amount <= 0) throw AmountNotAvailable({ availableMinor: open }, 'Send back what is left.')
    await Promise.all([
      use(tx, { id, transferId, paymentId: null, amountMinor: amount, note }),
      post(tx, {
        source: { type: 'transfer', id }, kind: 'returned', currency, note: note ?? null,
        lines: { unapplied: amount, 'clearing:manual': -amount },
      }),
    ])
  })
  return findTransfer(db, transferId)
}

const amount = Type.Optional(Type.Integer({
  minimum: 1, maximum: 2e15, description: 'In minor units; as much as fits unless told',
}))
const shared = {
  method: 'POST', access: { permission: 'payments:write' }, priority: 'pay', tags: ['Transfers'],
  params: Type.Object({ transferId: Id }), response: { 200: Transfer },
} as const

export const matchTransferRoute = route({
  ...shared, path: '/admin/transfers/:transferId/match', operationId: 'matchTransfer',
  summary: 'Apply a transfer to a payment',
  description: 'Too little leaves the rest of the payment owed, too much stays with the transfer.',
  body: Type.Object({ paymentId: Id, amountMinor: amount }),
  problems: [TransferNotFound, PaymentNotFound, AmountNotAvailable, NotPossible],
  replay: ({ db, params }) => findTransfer(db, params.transferId),
  run: ({ db, context, params, body }) => matchTransfer(db, context, { ...params, ...body }),
})

export const returnTransferRoute = route({
  ...shared, path: '/admin/transfers/:transferId/return', operationId: 'returnTransfer',
  summary: 'Note that money of a transfer was sent back',
  body: Type.Object({ amountMinor: amount, note: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })) }),
  problems: [TransferNotFound, AmountNotAvailable],
  replay: ({ db, params }) => findTransfer(db, params.transferId),
  run: ({ db, context, params, body }) => returnTransfer(db, context, params.transferId, body),
})
