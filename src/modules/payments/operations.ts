// Captures, refunds and voids. The amount is reserved on the payment's row before the gateway is called (two that
// together exceed what is there cannot both begin: the CHECKs stand behind the conditions), the operation's row and key
// are committed before the call, the outcome after it.
import { Type, type Static } from 'typebox'
import { sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { newId } from '../../platform/id.ts'
import { callGateway } from './call-gateway.ts'
import { paymentSetup, type OperationOutcome } from './gateway.ts'
import {
  AmountNotAvailable, NotPossible, PaymentAlert, PaymentNotFound, PaymentRefunded, secondsUntilCheck,
} from './payments.ts'

type Kind = 'capture' | 'refund' | 'void'

const Amounts = Type.Object({
  paymentId: Type.String(), authorized: Type.Integer(), capturing: Type.Integer(), captured: Type.Integer(),
  refunding: Type.Integer(), refunded: Type.Integer(),
  attemptId: Type.Union([Type.String(), Type.Null()]), gateway: Type.Union([Type.String(), Type.Null()]),
  state: Type.Union([Type.String(), Type.Null()]),
  voiding: Type.Boolean(),
})

async function lockPayment(tx: Tx, paymentId: string): Promise<Static<typeof Amounts>> {
  // first the lock, then a snapshot that sees what it waited for
  await tx.run(sql`select from payments.payment where id = ${paymentId} for update`)
  const payment = await tx.maybe(Amounts, sql`
    select payment.id as "paymentId", authorized_minor as authorized, capturing_minor as capturing,
    captured_minor as captured,
      refunding_minor as refunding, refunded_minor as refunded, attempt.id as "attemptId", gateway, state,
      exists (
        select from payments.operation where attempt_id = attempt.id and kind = 'void' and state <> 'failed'
      ) as voiding
    from payments.payment left join payments.attempt on attempt.payment_id = payment.id and state in ('authorized',
      'captured')
    where payment.id = ${paymentId}`)
  if (!payment) throw PaymentNotFound({})
  return payment
}

export type OperationOrder = {
  paymentId: string; kind: Kind; /** All that is left,
  unless told. */ amountMinor?: number | undefined; note?: string | undefined; id?: string | undefined,
}

/**
 * Begins an operation inside a transaction; `runOperations` carries it out after the commit. Throws AmountNotAvailable
 * when less than that is left (or nothing), NotPossible when the payment was never authorised, was captured (void) or
 * is being voided (capture).
 */
export async function beginOperation(
  tx: Tx, { paymentId, kind, amountMinor, note, id = newId() }: OperationOrder,
): Promise<string> {
  const payment = await lockPayment(tx, paymentId)
  if (!payment.attemptId) throw NotPossible(
    {}, 'Nothing was authorised for this payment, or it was given back already.'
  )
  if (
    kind === 'void' && (payment.captured > 0 || payment.capturing > 0)
  ) throw NotPossible({}, 'It was captured: refund it instead.')
  if (kind !== 'refund' && payment.voiding) throw NotPossible({}, 'The authorisation is being given back.')
  const available = kind === 'refund' ? payment.captured - payment.refunded - payment.refunding
    : payment.authorized - payment.captured - payment.capturing
  const amount = amountMinor ?? available
  if (amount > available || amount <= 0) throw AmountNotAvailable(
    { availableMinor: available }, 'Ask for what is left, or less.'
  )
  await Promise.all([
    tx.run(sql`update payments.payment set capturing_minor = capturing_minor + ${kind === 'capture' ? amount : 0},
      refunding_minor = refunding_minor + ${kind === 'refund' ? amount : 0} where id = ${paymentId}`),
    tx.run(sql`insert into payments.operation (id, payment_id, attempt_id, kind, amount_minor, state, note, next_check_at)
      values (
        ${id}, ${paymentId}, ${payment.attemptId}, ${kind}, ${amount}, 'sending', ${note ?? null},
        now() + make_interval(secs => ${2 * secondsUntilCheck(1)})
      )`),
  ])
  return id
}

/**
 * Gives back whatever the payment holds: a void when nothing was captured, otherwise a refund of the rest. Nothing to
 * give is no error. Asked twice, once.
 */
export async function giveBack(tx: Tx, paymentId: string, note: string): Promise<void> {
  const payment = await lockPayment(tx, paymentId)
  if (!payment.attemptId || payment.voiding) return
  if (payment.captured === 0 && payment.capturing === 0) await beginOperation(tx, { paymentId, kind: 'void', note })
  else if (
    payment.captured - payment.refunded - payment.refunding > 0
  ) await beginOperation(tx, { paymentId, kind: 'refund', note })
}

const Unfinished = Type.Object({
  id: Type.String(), kind: Type.Enum(['capture', 'refund', 'void']), amountMinor: Type.Integer(),
  currency: Type.String(), checks: Type.Integer(),
  gateway: Type.String(), reference: Type.Union([Type.String(), Type.Null()]), keyAgeHours: Type.Number(),
})

/**
 * Carries out the unfinished operations of an order's payments. The key makes a repeat harmless, so two callers at once
 * do it once.
 */
export async function runOperations(db: Db, context: Context, orderId: string): Promise<void> {
  const unfinished = await db.many(Unfinished, sql`
    select operation.id, kind, operation.amount_minor as "amountMinor", currency, operation.checks, gateway,
    attempt.reference,
      (extract(epoch from now() - operation.created_at) / 3600)::float8 as "keyAgeHours"
    from payments.operation
    join payments.payment on payment.id = operation.payment_id
    join payments.attempt on attempt.id = operation.attempt_id
    where order_id = ${orderId} and operation.state in ('sending', 'unknown') order by operation.created_at`)
  for (const operation of unfinished) await recordOperation(db, context, operation.id, await ask(db, operation))
}

async function ask(db: Db, operation: Static<typeof Unfinished>): Promise<OperationOutcome> {
  const gateway = paymentSetup.of(db).gateways.get(operation.gateway)
  if (!gateway) return { kind: 'unknown', detail: `the gateway ${operation.gateway} is not configured any more` }
  // A key that the gateway has forgotten would do it a second time: from here on a person decides.
  if (operation.keyAgeHours >= gateway.properties.keyLifetimeHours) return {
    kind: 'unknown', detail: 'the key has expired: compare with the gateway',
  }
  const request = {
    key: operation.id, reference: operation.reference ?? '', amountMinor: operation.amountMinor,
    currency: operation.currency,
  }
  return callGateway<OperationOutcome>(() => gateway[operation.kind](request))
}

const Recorded = Type.Object({
  kind: Type.Enum(['capture', 'refund', 'void']), amountMinor: Type.Integer(), paymentId: Type.String(),
  orderId: Type.String(), attemptId: Type.String(), checks: Type.Integer(), closed: Type.Boolean(),
})

/** Records what became of an operation; one that is finished already stays as it is. */
async function recordOperation(db: Db, context: Context, id: string, outcome: OperationOutcome): Promise<void> {
  await db.transaction(context, async (tx) => {
    const row = await tx.maybe(Recorded, sql`
      select kind, operation.amount_minor as "amountMinor", payment_id as "paymentId", order_id as "orderId",
        attempt_id as "attemptId", checks, closed
      from payments.operation join payments.payment on payment.id = payment_id
      where operation.id = ${id} and state in ('sending', 'unknown') for update of payment, operation`)
    if (!row) return
    if (outcome.kind === 'unknown') {
      await tx.run(sql`update payments.operation set state = 'unknown', reason = ${outcome.detail.slice(0, 500)},
      checks = checks + 1,
        next_check_at = now() + make_interval(secs => ${secondsUntilCheck(row.checks)}) where id = ${id}`)
      return
    }
    const done = outcome.kind === 'done'
    await Promise.all([
      tx.run(sql`update payments.operation set state = ${outcome.kind}, next_check_at = null,
      reason = ${done ? null : outcome.reason},
        reference = ${done ? outcome.reference : null} where id = ${id}`),
      moveAmounts(tx, row, done),
      done && row.kind === 'refund'
        ? publish(
          tx, PaymentRefunded, { paymentId: row.paymentId, orderId: row.orderId, amountMinor: row.amountMinor }
        ) : undefined,
      done ? undefined : publish(tx, PaymentAlert, {
        paymentId: row.paymentId, orderId: row.orderId, reason: `a ${row.kind} failed: ${outcome.reason}`,
      }),
    ])
    // A capture that was under way when the order was cancelled: what it took goes back like the rest.
    if (done && row.kind === 'capture' && row.closed) await giveBack(
      tx, row.paymentId, 'captured after the order was cancelled'
    )
  })
}

async function moveAmounts(
  tx: Tx, { kind, amountMinor, paymentId, attemptId }: Static<typeof Recorded>, done: boolean,
): Promise<void> {
  const moved = done ? amountMinor : 0
  if (kind === 'capture') {
    await Promise.all([
      tx.run(sql`update payments.payment set capturing_minor = capturing_minor - ${amountMinor},
      captured_minor = captured_minor + ${moved} where id = ${paymentId}`),
      done ? tx.run(
        sql`update payments.attempt set state = 'captured' where id = ${attemptId} and state = 'authorized'`
      ) : undefined,
    ])
  } else if (kind === 'refund') {
    await tx.run(sql`update payments.payment set refunding_minor = refunding_minor - ${amountMinor},
    refunded_minor = refunded_minor + ${moved} where id = ${paymentId}`)
  } else if (done) {
    await Promise.all([
      tx.run(sql`update payments.payment set authorized_minor = captured_minor where id = ${paymentId}`),
      tx.run(sql`update payments.attempt set state = 'voided' where id = ${attemptId} and state = 'authorized'`),
    ])
  }
}
