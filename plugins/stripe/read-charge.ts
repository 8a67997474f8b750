// What Stripe's objects mean here: a PaymentIntent or a Checkout Session becomes the outcome of a charge, a refund the
// outcome of an operation. Only what Stripe states is told; what it may come to is not guessed.
import type Stripe from 'stripe'
import type { ChargeOutcome, OperationOutcome } from '../../src/modules/payments/gateway.ts'

/** What we ask to be sent with a PaymentIntent: the charge, and what Stripe keeps of it. */
export const WITH_FEE = ['latest_charge.balance_transaction']

export function readIntent(intent: Stripe.PaymentIntent): ChargeOutcome {
  const { id: reference, amount: amountMinor, status } = intent
  const currency = intent.currency.toUpperCase()
  switch (status) {
    case 'succeeded': return {
      kind: 'captured', reference, amountMinor, currency, capturedMinor: intent.amount_received, ...feeOf(intent),
    }
    case 'requires_capture': return { kind: 'authorized', reference, amountMinor, currency }
    case 'processing': return { kind: 'pending', reference }
    case 'requires_action': {
      const { redirect_to_url: page, type } = intent.next_action ?? {}
      return page?.url ? { kind: 'action', reference, url: page.url }
        : { kind: 'unknown', detail: `Stripe asks for ${type ?? 'something'}, which has no address` }
    }
    case 'requires_payment_method': return { kind: 'declined', reference, reason: reasonOf(intent.last_payment_error) }
    case 'canceled': {
      const byItself = intent.cancellation_reason === 'automatic' || intent.cancellation_reason === 'expired'
      return { kind: byItself ? 'expired' : 'voided', reference }
    }
    default: return { kind: 'unknown', detail: `the PaymentIntent ${reference} is ${status}` }
  }
}

/** A page of Stripe: as long as it is open its shopper may try one card after the other. */
export function readSession(session: Stripe.Checkout.Session): ChargeOutcome {
  const { id: reference, status, url, payment_intent: intent } = session
  if (status === 'open' && url) return { kind: 'action', reference, url }
  if (status === 'expired') return { kind: 'expired', reference }
  if (intent === null || typeof intent === 'string') {
    return { kind: 'unknown', detail: `the Checkout Session ${reference} is ${status} and shows no payment` }
  }
  // A voucher or a transfer: the shopper has done their part, the money comes by itself.
  return intent.status === 'requires_action' ? { kind: 'pending', reference: intent.id } : readIntent(intent)
}

function reasonOf(error: Stripe.PaymentIntent['last_payment_error']): string {
  return error?.message ?? error?.decline_code ?? 'the payment was not made'
}

/** Stripe's fee, where it is known already and of the same currency: its account may be in another one. */
export function feeOf(intent: Stripe.PaymentIntent): { feeMinor?: number } {
  const charge = intent.latest_charge
  const booked = charge !== null && typeof charge === 'object' ? charge.balance_transaction : null
  if (booked === null || typeof booked !== 'object' || booked.currency !== intent.currency) return {}
  return { feeMinor: booked.fee }
}

export function readRefund({ id: reference, status, failure_reason: why }: Stripe.Refund): OperationOutcome {
  // `pending` and `requires_action`: it is under way to the bank, and a failure is told by a webhook for people.
  return status === 'failed' || status === 'canceled' ? { kind: 'failed', reason: `Stripe: ${why ?? status}` }
    : { kind: 'done', reference }
}
