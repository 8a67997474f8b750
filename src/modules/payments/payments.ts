// The words of payments: states and which may follow which, answers, problems, and the interface through which an order
// hears of its money. No I/O.
import { Type, type Static, type TSchema } from 'typebox'
import { event } from '../../platform/events.ts'
import { Id, Timestamp } from '../../platform/http.ts'
import { Currency } from '../../platform/money.ts'
import { problem } from '../../platform/problem.ts'
import { provided } from '../../platform/provide.ts'
import type { Statement, Tx } from '../../platform/db.ts'

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

export const AttemptState = Type.Enum([
  'sending', 'requires_action', 'pending', 'unknown', 'authorized', 'captured', 'declined', 'voided', 'expired',
])
export type AttemptState = Static<typeof AttemptState>

const undecided: readonly AttemptState[] = [
  'requires_action', 'pending', 'unknown', 'authorized', 'captured', 'declined', 'voided', 'expired',
]
/**
 * Which state may follow which. States only move forward, there is no way back and no circle: a late or repeated
 * message about an earlier state changes nothing, in whatever order messages come.
 */
export const attemptTransitions: Record<AttemptState, readonly AttemptState[]> = {
  sending: undecided,
  requires_action: ['pending', 'authorized', 'captured', 'declined', 'voided', 'expired'],
  pending: ['authorized', 'captured', 'declined', 'voided', 'expired'],
  unknown: ['requires_action', 'pending', 'authorized', 'captured', 'declined', 'voided', 'expired'],
  authorized: ['captured', 'voided', 'expired'],
  captured: [],
  declined: [],
  voided: [],
  expired: [],
}

export const mayFollow = (from: AttemptState, to: AttemptState): boolean => attemptTransitions[from].includes(to)

/** States in which the gateway must be asked until it has an answer; `pending` only where it, and no person, waits. */
export const mustBeChecked = (state: AttemptState, byHand = true): boolean => state === 'sending'
  || state === 'unknown' || state === 'requires_action' || (state === 'pending' && !byHand)

/** What a shopper learns. `unknown` means: wait, do not pay again; we find out by ourselves. */
export const PaymentResult = Type.Object({
  kind: Type.Enum(['authorized', 'captured', 'pending', 'action', 'declined', 'unknown', 'none']),
  reason: Type.Optional(Type.String()),
  url: Type.Optional(Type.String({ description: 'Where the shopper has to go to confirm' })),
  reference: Type.Optional(Type.String({ description: 'What a bank transfer has to name' })),
})
export type PaymentResult = Static<typeof PaymentResult>

/** What a shopper is told of an attempt in this state. */
export function resultOf(
  attempt: { state: AttemptState; reason: string | null; url: string | null; reference: string | null },
): PaymentResult {
  switch (attempt.state) {
    case 'authorized': case 'captured': return { kind: attempt.state }
    case 'pending': return { kind: 'pending', ...(attempt.reference ? { reference: attempt.reference } : {}) }
    case 'requires_action': return { kind: 'action', ...(attempt.url ? { url: attempt.url } : {}) }
    case 'sending': case 'unknown': return { kind: 'unknown' }
    default: return { kind: 'declined', reason: attempt.reason ?? attempt.state }
  }
}

/** Why money is given back. */
export const RefundCause = Type.Enum([
  'returned', 'damaged', 'missing', 'wrong', 'late', 'price', 'goodwill', 'duplicate', 'fraud', 'other',
])
export type RefundCause = Static<typeof RefundCause>

export const Operation = Type.Object({
  id: Id, kind: Type.Enum(['capture', 'refund', 'void']), amountMinor: Type.Integer(),
  state: Type.Enum(['sending', 'unknown', 'done', 'failed']),
  cause: nullable(RefundCause), note: nullable(Type.String()), reason: nullable(Type.String()), createdAt: Timestamp,
})
export type Operation = Static<typeof Operation>
export const Attempt = Type.Object({
  id: Id, method: Type.String(), gateway: Type.String(), state: AttemptState, reference: nullable(Type.String()),
  reason: nullable(Type.String()), nextCheckAt: nullable(Timestamp), createdAt: Timestamp,
})
export const Payment = Type.Object({
  id: Id, orderId: Id, currency: Currency, amountMinor: Type.Integer(), closed: Type.Boolean(),
  authorizedMinor: Type.Integer(), capturingMinor: Type.Integer(), capturedMinor: Type.Integer(),
  refundingMinor: Type.Integer(), refundedMinor: Type.Integer(),
  stored: Type.Boolean({ description: 'Paid with a gift card or store credit: no gateway has to do with it' }),
  attempts: Type.Array(Attempt), operations: Type.Array(Operation),
})
export type Payment = Static<typeof Payment>

export const PaymentNotFound = problem('payment-not-found', 404, 'No such payment')
export const PaymentClosed = problem('payment-closed', 409, 'This payment takes no further attempt')
export const PaymentMethodNotAvailable = problem('payment-method-not-available', 422,
  'This way to pay is not offered here', Type.Object({
  method: nullable(Type.String()), offered: Type.Array(Type.String()),
}))
export const AmountNotAvailable = problem(
  'amount-not-available', 409, 'There is not that much left', Type.Object({ availableMinor: Type.Integer() })
)
export const ReturnUrlNotAllowed = problem('return-url-not-allowed', 422,
  'The page to come back to is no page of this shop', Type.Object({ allowed: Type.Array(Type.String()) }))
export const NotPossible = problem(
  'payment-operation-not-possible', 409, 'The payment is in a state that does not allow this'
)

/**
 * Something about money needs a person, or at least an eye: a quarantined message, a charge given back, an operation
 * that failed.
 */
export const PaymentAlert = event(
  'payment.alert', Type.Object({ paymentId: nullable(Id), orderId: nullable(Id), reason: Type.String() })
)
export const WebhookReceived = event(
  'payment.webhook-received', Type.Object({ gateway: Type.String(), eventId: Type.String() })
)
const refund = { operationId: Type.Optional(Id), paymentId: Id, orderId: Id, amountMinor: Type.Integer() }
export const PaymentRefunded = event('payment.refunded', Type.Object(refund))
/** The gateway refused it: what was reserved for it is free again. */
export const PaymentRefundFailed = event('payment.refund-failed', Type.Object(refund))

export type Outcome = {
  paymentId: string; orderId: string; method: string; state: 'authorized' | 'captured' | 'pending'; amountMinor: number
}

/**
 * How an order hears of its money, in the transaction that records it. Payments owns the interface, orders fill it.
 * `lock` comes first, so that an order is always locked before its payment. 'refused' has payments give the money back
 * by itself. A payment has the channel of its order, so that order says who of the staff may see it.
 */
export type PaymentListener = {
  lock(tx: Tx, orderId: string): Promise<void>
  paid(tx: Tx, outcome: Outcome): Promise<'accepted' | 'refused'>
  failed(tx: Tx, orderId: string, reason: string): Promise<void>
  /** The condition that keeps a statement to orders of these channels; `orderId` is its column. */
  ofChannels(channels: readonly string[], orderId: Statement): Statement
}
export const paymentListener = provided<PaymentListener>('listener of payments')

/**
 * Seconds until we look again, by the number of looks so far; the last one repeats. What a gateway calls under way (a
 * bank debit takes days) it tells by itself in the end: there we look rarely, for the message that is lost.
 */
const LADDER = [5, 30, 120, 600, 3_600]
const SLOW_LADDER = [3_600, 6 * 3_600, 24 * 3_600]
export function secondsUntilCheck(checks: number, state?: AttemptState): number {
  const ladder = state === 'pending' ? SLOW_LADDER : LADDER
  return ladder[Math.min(checks, ladder.length - 1)]!
}
