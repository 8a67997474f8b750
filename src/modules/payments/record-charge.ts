// Records what became of a charge: the only place where an attempt changes its state by what a gateway said. The order
// hears of it in the same transaction, so that "paid" and "placed" are one fact; what the order cannot take is given
// back by an operation written in that transaction too.
import { Type, type Static } from 'typebox'
import { sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { paymentSetup, type ChargeOutcome } from './gateway.ts'
import { postMoney } from './ledger.ts'
import { giveBack, runOperations } from './operations.ts'
import {
  AttemptState, mayFollow, mustBeChecked, PaymentAlert, paymentListener, resultOf, secondsUntilCheck,
  type PaymentResult,
} from './payments.ts'

const Row = Type.Object({
  attemptId: Type.String(), paymentId: Type.String(), orderId: Type.String(), method: Type.String(),
  gateway: Type.String(), capturedMinor: Type.Integer(),
  state: AttemptState, reason: Type.Union([Type.String(), Type.Null()]), url: Type.Union([Type.String(), Type.Null()]),
  reference: Type.Union([Type.String(), Type.Null()]),
  checks: Type.Integer(), amountMinor: Type.Integer(), currency: Type.String(), operating: Type.Boolean(),
  closed: Type.Boolean(), checked: Type.Boolean(),
})
/** `byHand`: its gateway asks nobody, people look after it. */
type Row = Static<typeof Row> & { byHand: boolean }

/**
 * Moves the attempt forward by what the gateway said, and answers what the shopper is told. What was recorded before,
 * or would lead back, changes nothing: it may be told by the caller, a webhook and recovery at once, in any order. A
 * success of another amount or currency is not believed.
 */
export async function recordCharge(
  db: Db, context: Context, { orderId, attemptId }: { orderId: string; attemptId: string }, outcome: ChargeOutcome,
): Promise<PaymentResult> {
  const { result, operations } = await db.transaction(context, async (tx) => {
    const [, applied] = await Promise.all([
      paymentListener.of(db).lock(tx, orderId), applyOutcome(tx, db, attemptId, outcome),
    ])
    return applied
  })
  if (operations) await runOperations(db, context, orderId)
  return result
}

/**
 * The same inside a transaction that has locked the order. `operations`: there is something to run after the commit.
 * `booked`: the caller books the money, which came by another way than from the gateway.
 */
export async function applyOutcome(
  tx: Tx, db: Db, attemptId: string, outcome: ChargeOutcome, { booked = false } = {},
): Promise<{ result: PaymentResult; operations: boolean }> {
  const locked = await lockAttempt(tx, attemptId)
  const row = { ...locked, byHand: paymentSetup.of(db).gateways.get(locked.gateway)?.properties.byHand ?? true }
  const next = outcome.kind === 'action' ? 'requires_action' : outcome.kind
  // A capture or void of ours that is under way explains what the gateway says, and records it by itself.
  if (!mayFollow(row.state, next) || (row.state === 'authorized' && row.operating)) {
    if (row.checked) await postpone(tx, row, outcome)
    return { result: resultOf(row), operations: false }
  }
  if ('amountMinor' in outcome && (outcome.amountMinor !== row.amountMinor || outcome.currency !== row.currency)) {
    return { result: resultOf({ ...row, state: await distrust(tx, row, outcome) }), operations: false }
  }
  const [, , operations] = await Promise.all([
    move(tx, row, next, outcome), booked ? undefined : book(tx, row, outcome), tell(tx, db, row, outcome),
  ])
  const url = outcome.kind === 'action' ? outcome.url : null
  const reference = 'reference' in outcome ? outcome.reference ?? null : row.reference
  return { result: resultOf({ state: next, reason: reasonOf(outcome), url, reference }), operations }
}

function lockAttempt(tx: Tx, attemptId: string): Promise<Static<typeof Row>> {
  return tx.one(Row, sql`
    select attempt.id as "attemptId", payment.id as "paymentId", order_id as "orderId", method, gateway, state, reason,
      reference,
      action_url as url, checks, amount_minor as "amountMinor", captured_minor as "capturedMinor", currency, closed,
      next_check_at is not null as checked,
      exists (select from payments.operation
        where attempt_id = attempt.id and operation.state in ('sending', 'unknown')) as operating
    from payments.attempt join payments.payment on payment.id = attempt.payment_id
    where attempt.id = ${attemptId} for update of payment, attempt`)
}

function reasonOf(outcome: ChargeOutcome): string | null {
  const reason = outcome.kind === 'declined' ? outcome.reason : outcome.kind === 'unknown' ? outcome.detail : null
  return reason && reason.slice(0, 500)
}

async function move(tx: Tx, row: Row, next: AttemptState, outcome: ChargeOutcome): Promise<void> {
  const captured = outcome.kind === 'captured' ? outcome.capturedMinor : 0
  await Promise.all([
    tx.run(sql`update payments.attempt set state = ${next}, reason = ${reasonOf(outcome)}, checks = 0,
      technical = ${outcome.kind === 'declined' && outcome.technical === true},
      reference = coalesce(${'reference' in outcome ? outcome.reference ?? null : null}, reference),
      action_url = ${outcome.kind === 'action' ? outcome.url : null},
      next_check_at = case when ${mustBeChecked(next, row.byHand)}
        then now() + make_interval(secs => ${secondsUntilCheck(0, next)}) end
      where id = ${row.attemptId}`),
    next === 'authorized' || next === 'captured'
      ? tx.run(sql`update payments.payment set authorized_minor = amount_minor,
          captured_minor = greatest(captured_minor, ${captured}) where id = ${row.paymentId}`)
      : row.state === 'authorized'
        ? tx.run(sql`update payments.payment set authorized_minor = captured_minor where id = ${row.paymentId}`)
        : undefined,
  ])
}

/** What was taken goes into the ledger; what an operation of ours took before is there already. */
async function book(tx: Tx, row: Row, outcome: ChargeOutcome): Promise<void> {
  if (outcome.kind !== 'captured') return
  const { attemptId, gateway, paymentId, orderId, currency } = row
  await postMoney(tx, {
    source: { type: 'attempt', id: attemptId }, kind: 'capture', gateway, owed: 'receivable',
    amountMinor: Math.max(0, outcome.capturedMinor - row.capturedMinor), feeMinor: outcome.feeMinor,
    payment: { id: paymentId, orderId, currency },
  })
}

// The gateway still does not know, or the shopper is still away: look again later. An authorisation is looked at after
// a refused capture or void only, and until the gateway says how it stands.
async function postpone(tx: Tx, row: Row, outcome: ChargeOutcome): Promise<void> {
  const again = mustBeChecked(row.state, row.byHand) || row.operating
    || (outcome.kind === 'unknown' && row.state !== 'pending')
  await tx.run(sql`update payments.attempt set checks = checks + 1, reason = coalesce(${reasonOf(outcome)}, reason),
    next_check_at = case when ${again}
      then now() + make_interval(secs => ${secondsUntilCheck(row.checks + 1, row.state)}) end
    where id = ${row.attemptId}`)
}

/** Keeps a success that is not ours for people, who hear of it once. Answers the state of the attempt. */
async function distrust(
  tx: Tx, row: Row, { amountMinor, currency }: { amountMinor: number; currency: string },
): Promise<AttemptState> {
  const reason = `the gateway speaks of ${amountMinor} ${currency}, ours are ${row.amountMinor} ${row.currency}`
  const state = mayFollow(row.state, 'unknown') ? 'unknown' : row.state
  await Promise.all([
    tx.run(sql`update payments.attempt set state = ${state}, reason = ${reason}, checks = checks + 1,
      next_check_at = case when ${mustBeChecked(state)} then now() +
        make_interval(secs => ${secondsUntilCheck(Infinity)}) end where id = ${row.attemptId}`),
    row.reason === reason ? undefined : alert(tx, row, reason),
  ])
  return state
}

/** Tells the order. True when there is an operation to run: the order did not take the money. */
async function tell(tx: Tx, db: Db, row: Row, outcome: ChargeOutcome): Promise<boolean> {
  const listener = paymentListener.of(db)
  const { orderId, paymentId, method, amountMinor } = row
  switch (outcome.kind) {
    case 'unknown': case 'action': return false
    case 'declined': case 'voided': case 'expired':
      await Promise.all([
        listener.failed(tx, orderId, reasonOf(outcome) ?? outcome.kind),
        // its order may be placed and waiting to be sent
        !row.closed && (row.state === 'authorized' || row.state === 'pending')
          ? alert(tx, row, `the payment that was promised is ${outcome.kind}`) : undefined,
      ])
      return false
    default:
  }
  // Captured by itself or by somebody at the gateway: the order knows of the money since it was authorised.
  if (row.state === 'authorized') return returnLateCapture(tx, row, outcome.kind)
  if (await listener.paid(tx, { paymentId, orderId, method, state: outcome.kind, amountMinor }) === 'accepted') {
    return false
  }
  await refund(tx, row, outcome.kind === 'pending')
  return outcome.kind !== 'pending'
}

// Somebody captured at the gateway what our cancellation wanted to give back. True when there is a refund to run.
async function returnLateCapture(tx: Tx, row: Row, kind: ChargeOutcome['kind']): Promise<boolean> {
  if (kind !== 'captured' || !row.closed) return false
  await Promise.all([
    giveBack(tx, row.paymentId, 'captured at the gateway after the order was closed'),
    alert(tx, row, 'captured after the order was closed: the money is given back'),
  ])
  return true
}

/**
 * Nobody pays any more what is pending of a payment that is closed. Where people look after it, that is all; a gateway
 * that is collecting it is asked to stop (settlePayment), and what it collects all the same goes back.
 */
export async function dropPending(tx: Tx, paymentId: string, byHand: readonly string[], reason: string): Promise<void> {
  await tx.run(sql`update payments.attempt
    set state = case when gateway = any(${[...byHand]}::text[]) then 'voided' else state end,
      reason = ${reason}, next_check_at = case when gateway = any(${[...byHand]}::text[]) then null else now() end
    where payment_id = ${paymentId} and state = 'pending'`)
}

// The order is closed, so is its payment: no further attempt, and whatever came goes back.
async function refund(tx: Tx, row: Row, pending: boolean): Promise<void> {
  await tx.run(sql`update payments.payment set closed = true where id = ${row.paymentId}`)
  if (pending) {
    await dropPending(tx, row.paymentId, row.byHand ? [row.gateway] : [], 'the order is closed')
  } else {
    await Promise.all([
      giveBack(tx, row.paymentId, 'the order could not be placed any more'),
      alert(tx, row, 'paid too late: the money is given back'),
    ])
  }
}

function alert(tx: Tx, { paymentId, orderId }: Row, reason: string): Promise<void> {
  return publish(tx, PaymentAlert, { paymentId, orderId, reason })
}
