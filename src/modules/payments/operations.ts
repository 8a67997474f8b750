// Captures, refunds and voids. The amount is reserved on the payment's row before the gateway is called (two that
// together exceed what is there cannot both begin: the row is locked, and the CHECKs stand behind the conditions), the
// operation's row and key are committed before the call, the outcome after it.
import { Type, type Static } from 'typebox'
import { requireRefund } from '../../platform/authority.ts'
import { sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { failpoint } from '../../platform/failpoint.ts'
import { newId } from '../../platform/id.ts'
import { callGateway } from './call-gateway.ts'
import { paymentSetup, type Absent, type Gateway, type OperationOutcome, type PaymentSetup } from './gateway.ts'
import { postMoney } from './ledger.ts'
import { refundInto } from './refund-into.ts'
import {
  AmountNotAvailable, NotPossible, PaymentAlert, PaymentNotFound, PaymentRefunded, PaymentRefundFailed,
  secondsUntilCheck, type RefundCause,
} from './payments.ts'

const Kind = Type.Enum(['capture', 'refund', 'void'])

const Amounts = Type.Object({
  paymentId: Type.String(), closed: Type.Boolean(), authorized: Type.Integer(), capturing: Type.Integer(),
  captured: Type.Integer(), refunding: Type.Integer(), refunded: Type.Integer(),
  attemptId: Type.Union([Type.String(), Type.Null()]), gateway: Type.Union([Type.String(), Type.Null()]),
  voiding: Type.Boolean(), currency: Type.String(), orderId: Type.String(),
  storedValueId: Type.Union([Type.String(), Type.Null()]),
})
export type Amounts = Static<typeof Amounts>

async function lockPayment(tx: Tx, paymentId: string): Promise<Amounts> {
  const [, payment] = await Promise.all([
    // First the lock, then a statement whose snapshot sees what whoever held it has written.
    tx.run(sql`select from payments.payment where id = ${paymentId} for update`),
    tx.maybe(Amounts, sql`
      select payment.id as "paymentId", currency, closed, order_id as "orderId", stored_value_id as "storedValueId",
        authorized_minor as authorized, capturing_minor as capturing, captured_minor as captured,
        refunding_minor as refunding, refunded_minor as refunded,
        attempt.id as "attemptId", gateway, exists (
          select from payments.operation where attempt_id = attempt.id and kind = 'void' and operation.state <> 'failed'
        ) as voiding
      from payments.payment
      left join payments.attempt on attempt.payment_id = payment.id and state in ('authorized', 'captured')
      where payment.id = ${paymentId}`),
  ])
  if (!payment) throw PaymentNotFound({})
  return payment
}

export type OperationOrder = {
  /** Also its key at the gateway. */
  id?: string | undefined
  paymentId: string
  kind: Static<typeof Kind>
  /** All that is left, unless told. */
  amountMinor?: number | undefined
  note?: string | undefined
  cause?: RefundCause | undefined
  /** Of a refund: where the money goes instead of back to where it came from. */
  toStoredValue?: string | undefined
}

/**
 * Begins an operation inside a transaction; `runOperations` carries it out after the commit. Throws AmountNotAvailable
 * when less than that is left (or nothing), NotPossible when the payment was never authorised, was captured (void) or
 * is being voided, its order is closed (capture), or its gateway does no such thing, LimitExceeded for a refund beyond
 * the limit of the actor's role.
 */
export async function beginOperation(tx: Tx, setup: PaymentSetup | null, order: OperationOrder): Promise<void> {
  return begin(tx, setup, await lockPayment(tx, order.paymentId), order)
}

async function begin(tx: Tx, setup: PaymentSetup | null, payment: Amounts, order: OperationOrder): Promise<void> {
  const { id = newId(), kind, note, cause } = order
  const into = kind === 'refund' ? order.toStoredValue ?? payment.storedValueId : null
  const left = kind === 'refund' ? payment.captured - payment.refunded - payment.refunding
    : payment.authorized - payment.captured - payment.capturing
  const amount = order.amountMinor ?? left
  refuseImpossible(payment, kind)
  if (kind === 'refund') {
    const refundedMinor = payment.refunded + payment.refunding
    requireRefund(tx.context.actor, { currency: payment.currency, amountMinor: amount, refundedMinor })
  }
  if (amount > left || amount <= 0) {
    throw AmountNotAvailable({ availableMinor: left }, 'Ask for what is left, or less.')
  }
  if (into) return refundInto(tx, into, payment, { ...order, id, amountMinor: amount })
  if (kind === 'capture') refuseUnsupported(setup?.gateways.get(payment.gateway!), payment, amount)
  await Promise.all([
    tx.run(sql`update payments.payment set capturing_minor = capturing_minor + ${kind === 'capture' ? amount : 0},
      refunding_minor = refunding_minor + ${kind === 'refund' ? amount : 0} where id = ${payment.paymentId}`),
    tx.run(sql`insert into payments.operation
      (id, payment_id, attempt_id, kind, amount_minor, state, note, cause, next_check_at)
      values (${id}, ${payment.paymentId}, ${payment.attemptId}, ${kind}, ${amount}, 'sending', ${note ?? null},
        ${cause ?? null}, now() + make_interval(secs => ${secondsUntilCheck(1)}))`),
  ])
}

function refuseImpossible(payment: Amounts, kind: OperationOrder['kind']): void {
  if (!payment.attemptId) throw NotPossible({}, 'Nothing was authorised, or it was given back already.')
  if (kind === 'capture' && payment.closed) throw NotPossible({}, 'Its order was cancelled or has lapsed.')
  if (kind === 'void' && payment.captured + payment.capturing > 0) {
    throw NotPossible({}, 'It was captured: refund it instead.')
  }
  if (kind !== 'refund' && payment.voiding) throw NotPossible({}, 'The authorisation is being given back.')
}

function refuseUnsupported(gateway: Gateway | undefined, payment: Amounts, amount: number): void {
  if (!gateway?.properties.partialCapture && amount < payment.authorized) {
    throw NotPossible({}, 'This gateway captures the whole amount only.')
  }
  if (!gateway?.properties.multipleCaptures && payment.captured + payment.capturing > 0) {
    throw NotPossible({}, 'This gateway captures once only.')
  }
}

/**
 * Gives back whatever the payment holds: a void when nothing was captured, otherwise a refund of the rest. While a
 * capture is under way nothing is done: recording it comes back here. Nothing to give is no error; asked twice, once.
 */
export async function giveBack(tx: Tx, paymentId: string, note: string): Promise<void> {
  const payment = await lockPayment(tx, paymentId)
  if (!payment.attemptId || payment.voiding) return
  if (payment.captured + payment.capturing === 0) await begin(tx, null, payment, { paymentId, kind: 'void', note })
  else if (payment.captured > payment.refunded + payment.refunding) {
    await begin(tx, null, payment, { paymentId, kind: 'refund', note })
  }
}

const Unfinished = Type.Object({
  id: Type.String(), kind: Kind, state: Type.String(), amountMinor: Type.Integer(), currency: Type.String(),
  gateway: Type.String(), reference: Type.Union([Type.String(), Type.Null()]), ageHours: Type.Number(),
})

/**
 * Carries out the unfinished operations of an order's payments. The key makes a repeat harmless, so two callers at once
 * do it once.
 */
export async function runOperations(db: Db, context: Context, orderId: string): Promise<void> {
  const unfinished = await db.many(Unfinished, sql`
    select operation.id, kind, operation.state, operation.amount_minor as "amountMinor", currency, gateway,
      attempt.reference, (extract(epoch from now() - operation.created_at) / 3600)::float8 as "ageHours"
    from payments.operation
    join payments.payment on payment.id = operation.payment_id
    join payments.attempt on attempt.id = operation.attempt_id
    where order_id = ${orderId} and operation.state in ('sending', 'unknown')
    order by operation.created_at, operation.id`)
  for (const operation of unfinished) {
    const gateway = paymentSetup.of(db).gateways.get(operation.gateway)
    failpoint('operation.committed')
    const outcome: OperationOutcome = gateway ? await carryOut(db, gateway, operation)
      : { kind: 'unknown', detail: `the gateway ${operation.gateway} is not configured any more` }
    failpoint('operation.answered')
    await recordOperation(db, context, operation.id, outcome)
    failpoint('operation.recorded')
  }
}

async function carryOut(
  db: Db, gateway: Gateway, operation: Static<typeof Unfinished>,
): Promise<OperationOutcome> {
  const { id: key, kind, amountMinor, currency } = operation
  const { keyLifetimeHours } = gateway.properties
  const lookUp = gateway.properties.lookUp !== 'none'
  const request = { key, reference: operation.reference ?? '', amountMinor, currency }
  const expired = operation.ageHours >= keyLifetimeHours
  // Whoever sent it may have died after the gateway did it: nothing is called failed without a look.
  if (lookUp && (operation.state === 'unknown' || expired)) {
    const found = await callGateway<OperationOutcome | Absent>(db, gateway, () =>
      gateway.lookUpOperation({ ...request, kind }))
    if (found.kind !== 'absent') return found
  }
  // A key that the gateway has forgotten would do it a second time.
  if (expired) {
    return lookUp ? { kind: 'failed', reason: 'never reached the gateway' }
      : { kind: 'unknown', detail: 'the key has expired: compare with the gateway' }
  }
  return callGateway<OperationOutcome>(db, gateway, () => gateway[kind](request))
}

const Recorded = Type.Object({
  kind: Kind, amountMinor: Type.Integer(), paymentId: Type.String(), orderId: Type.String(), attemptId: Type.String(),
  checks: Type.Integer(), closed: Type.Boolean(), currency: Type.String(), gateway: Type.String(),
})
type Recorded = Static<typeof Recorded>

/** Records what became of an operation; one that is finished already stays as it is. */
async function recordOperation(db: Db, context: Context, id: string, outcome: OperationOutcome): Promise<void> {
  await db.transaction(context, (tx) => applyOperation(tx, id, outcome))
}

/** The same inside a transaction. False when it was finished already. */
export async function applyOperation(tx: Tx, id: string, outcome: OperationOutcome): Promise<boolean> {
  const row = await tx.maybe(Recorded, sql`
    select kind, operation.amount_minor as "amountMinor", payment.id as "paymentId", order_id as "orderId",
      attempt_id as "attemptId", operation.checks, closed, currency, gateway
    from payments.operation join payments.payment on payment.id = operation.payment_id
    join payments.attempt on attempt.id = attempt_id
    where operation.id = ${id} and operation.state in ('sending', 'unknown') for update of payment, operation`)
  if (!row) return false
  if (outcome.kind === 'unknown') {
    await tx.run(sql`update payments.operation set state = 'unknown', reason = ${outcome.detail.slice(0, 500)},
      checks = checks + 1, next_check_at = now() + make_interval(secs => ${secondsUntilCheck(row.checks)})
      where id = ${id}`)
    return true
  }
  await finish(tx, row, id, outcome)
  // It was under way when the order was closed. What it took goes back; if it took nothing, the authorisation does.
  if (row.kind === 'capture' && row.closed) await giveBack(tx, row.paymentId, 'the order was closed meanwhile')
  return true
}

async function finish(
  tx: Tx, row: Recorded, id: string, outcome: Exclude<OperationOutcome, { kind: 'unknown' }>,
): Promise<void> {
  const { kind, paymentId, orderId, amountMinor } = row
  const done = outcome.kind === 'done'
  await Promise.all([
    tx.run(sql`update payments.operation set state = ${outcome.kind}, next_check_at = null,
      reason = ${done ? null : outcome.reason.slice(0, 500)}, reference = ${done ? outcome.reference : null}
      where id = ${id}`),
    moveAmounts(tx, row, done),
    done ? book(tx, row, id, outcome.feeMinor) : undefined,
    kind === 'refund' ? publish(tx, done ? PaymentRefunded : PaymentRefundFailed, {
      operationId: id, paymentId, orderId, amountMinor,
    }) : undefined,
    done ? undefined
      : publish(tx, PaymentAlert, { paymentId, orderId, reason: `a ${kind} failed: ${outcome.reason}`.slice(0, 500) }),
  ])
}

/** What was given back of an order that stays placed is a loss; of one that ended it is what we owed its buyer. */
async function book(tx: Tx, row: Recorded, id: string, feeMinor: number | undefined): Promise<void> {
  const { kind, gateway, amountMinor, closed, paymentId, orderId, currency } = row
  if (kind === 'void') return
  await postMoney(tx, {
    source: { type: 'operation', id }, kind, gateway, feeMinor,
    amountMinor: kind === 'capture' ? amountMinor : -amountMinor,
    owed: kind === 'capture' || closed ? 'receivable' : 'refund', payment: { id: paymentId, orderId, currency },
  })
}

async function moveAmounts(
  tx: Tx, { kind, amountMinor, paymentId, attemptId }: Recorded, done: boolean,
): Promise<void> {
  const moved = done ? amountMinor : 0
  const become = (state: 'captured' | 'voided') => tx.run(
    sql`update payments.attempt set state = ${state}, next_check_at = null
      where id = ${attemptId} and state = 'authorized'`)
  if (kind === 'refund') {
    await tx.run(sql`update payments.payment set refunding_minor = refunding_minor - ${amountMinor},
      refunded_minor = refunded_minor + ${moved} where id = ${paymentId}`)
  } else if (kind === 'capture') {
    await Promise.all([
      tx.run(sql`update payments.payment set capturing_minor = capturing_minor - ${amountMinor},
        captured_minor = captured_minor + ${moved} where id = ${paymentId}`),
      done ? become('captured') : lookAgain(tx, attemptId),
    ])
  } else if (done) {
    await Promise.all([
      tx.run(sql`update payments.payment set authorized_minor = captured_minor where id = ${paymentId}`),
      become('voided'),
    ])
  } else await lookAgain(tx, attemptId)
}

// A refused capture or void may mean that somebody did something at the gateway itself: recovery asks what.
async function lookAgain(tx: Tx, attemptId: string): Promise<void> {
  await tx.run(sql`update payments.attempt set next_check_at = now() where id = ${attemptId} and state = 'authorized'`)
}
