// Records what became of a charge: the only place where an attempt changes its state. The order hears of it in the same
// transaction, so that "paid" and "placed" are one fact; what the order cannot take is given back by an operation
// written in that transaction too.
import { Type, type Static } from 'typebox'
import { sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import type { ChargeOutcome } from './gateway.ts'
import { giveBack, runOperations } from './operations.ts'
import {
  AttemptState, attemptTransitions, mustBeChecked, PaymentAlert, paymentListener, resultOf, secondsUntilCheck,
  type PaymentResult,
} from './payments.ts'

const Row = Type.Object({
  attemptId: Type.String(), paymentId: Type.String(), orderId: Type.String(), method: Type.String(),
  state: AttemptState,
  reason: Type.Union([Type.String(), Type.Null()]), url: Type.Union([Type.String(), Type.Null()]),
  checks: Type.Integer(),
  amountMinor: Type.Integer(), currency: Type.String(), closed: Type.Boolean(),
})
type Row = Static<typeof Row>

/**
 * Moves the attempt forward by what the gateway said, and answers what the shopper is told. What was recorded before,
 * or would lead back, changes nothing: it may be told by the caller, a webhook and recovery at once, in any order. A
 * success of another amount or currency is not believed.
 */
export async function recordCharge(
  db: Db, context: Context, { orderId, attemptId }: { orderId: string; attemptId: string }, outcome: ChargeOutcome,
): Promise<PaymentResult> {
  const { result, operations } = await db.transaction(context, async (tx) => {
    const [, row] = await Promise.all([paymentListener.of(db).lock(tx, orderId), lockAttempt(tx, attemptId)])
    const next = stateOf(outcome)
    if (next === row.state && mustBeChecked(next)) await postpone(tx, row, outcome)
    if (
      next === row.state || !attemptTransitions[row.state].includes(next)
    ) return { result: resultOf(row), operations: false }
    if (('amountMinor' in outcome) && (outcome.amountMinor !== row.amountMinor || outcome.currency !== row.currency)) {
      await distrust(
        tx, row,
        `the gateway speaks of ${outcome.amountMinor} ${outcome.currency}, ours are ${row.amountMinor} ${row.currency}`
      )
      return { result: resultOf({ ...row, state: 'unknown' }), operations: false }
    }
    const [, operations] = await Promise.all([move(tx, row, next, outcome), tell(tx, db, row, next, outcome)])
    return { result: resultOf(
      { state: next, reason: reasonOf(outcome), url: 'url' in outcome ? outcome.url : null }
    ), operations }
  })
  if (operations) await runOperations(db, context, orderId)
  return result
}

function lockAttempt(tx: Tx, attemptId: string): Promise<Row> {
  return tx.one(Row, sql`
    select attempt.id as "attemptId", payment.id as "paymentId", order_id as "orderId", method, state, reason,
    action_url as url, checks,
      amount_minor as "amountMinor", currency, closed
    from payments.attempt join payments.payment on payment.id = attempt.payment_id
    where attempt.id = ${attemptId} for update of payment, attempt`)
}

function stateOf(outcome: ChargeOutcome): AttemptState {
  return outcome.kind === 'action' ? 'requires_action' : outcome.kind
}

function reasonOf(outcome: ChargeOutcome): string | null {
  return outcome.kind === 'declined' ? outcome.reason : outcome.kind === 'unknown' ? outcome.detail.slice(0, 500) : null
}

async function move(tx: Tx, row: Row, next: AttemptState, outcome: ChargeOutcome): Promise<void> {
  await Promise.all([
    tx.run(sql`update payments.attempt set state = ${next}, reason = ${reasonOf(outcome)},
      reference = coalesce(${'reference' in outcome ? outcome.reference ?? null : null}, reference),
      action_url = ${outcome.kind === 'action' ? outcome.url : null},
      next_check_at = case when ${mustBeChecked(next)} then now() +
        make_interval(secs => ${secondsUntilCheck(0)}) end, checks = 0
      where id = ${row.attemptId}`),
    next === 'authorized' || next === 'captured'
      ? tx.run(sql`update payments.payment set authorized_minor = amount_minor,
          captured_minor = case when ${next === 'captured'} then amount_minor else captured_minor end where id = ${row.paymentId}`)
      : undefined,
  ])
}

// The gateway still does not know, or the shopper is still away: look again later.
async function postpone(tx: Tx, row: Row, outcome: ChargeOutcome): Promise<void> {
  await tx.run(sql`update payments.attempt set checks = checks + 1, reason = ${reasonOf(outcome)},
    next_check_at = now() + make_interval(secs => ${secondsUntilCheck(row.checks + 1)}) where id = ${row.attemptId}`)
}

async function distrust(tx: Tx, row: Row, reason: string): Promise<void> {
  await Promise.all([
    tx.run(sql`update payments.attempt set state = 'unknown', reason = ${reason}, checks = checks + 1,
      next_check_at = now() + make_interval(secs => ${secondsUntilCheck(4)}) where id = ${row.attemptId}`),
    publish(tx, PaymentAlert, { paymentId: row.paymentId, orderId: row.orderId, reason }),
  ])
}

/** Tells the order. True when there is an operation to run: the order did not take the money. */
async function tell(tx: Tx, db: Db, row: Row, next: AttemptState, outcome: ChargeOutcome): Promise<boolean> {
  const listener = paymentListener.of(db)
  const { orderId, paymentId, method, amountMinor } = row
  if (next === 'declined' || next === 'voided' || next === 'expired') {
    await listener.failed(tx, orderId, reasonOf(outcome) ?? next)
    return false
  }
  if (next !== 'authorized' && next !== 'captured' && next !== 'pending') return false
  // a capture that the gateway made by itself: the order knows already
  if (row.state === 'authorized') return false
  if (await listener.paid(tx, { paymentId, orderId, method, state: next, amountMinor }) === 'accepted') return false
  if (next === 'pending') {
    await tx.run(
      sql`update payments.attempt set state = 'voided', reason = 'the order is closed' where id = ${row.attemptId}`
    )
    return false
  }
  await Promise.all([
    giveBack(tx, paymentId, 'the order could not be placed any more'),
    publish(tx, PaymentAlert, { paymentId, orderId, reason: 'paid too late: the money is given back' }),
  ])
  return true
}
