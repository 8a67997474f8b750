// Stripe's webhooks: verified by the SDK on the bytes as they came, then reduced to which charge to ask about. An event
// of something that this shop did not begin (a subscription, another site on the same account) carries no key of ours
// and is none of our business.
import type Stripe from 'stripe'
import type { WebhookFacts } from '../../src/modules/payments/gateway.ts'
import { formatMoney } from './currencies.ts'

/** Metadata under which Stripe keeps our keys: of a charge and a refund, and of a capture. */
export const KEY = 'kontor_key'
export const CAPTURE = 'kontor_capture'

export function readEvent(
  stripe: Stripe, raw: Buffer, signature: string | undefined, secret: string,
): WebhookFacts | 'irrelevant' | null {
  let event: Stripe.Event
  try {
    event = stripe.webhooks.constructEvent(raw, signature ?? '', secret)
  } catch {
    return null
  }
  const facts = factsOf(event)
  if (!facts) return 'irrelevant'
  // A key of one mode never hears of the other, unless two endpoints or their secrets were mixed up.
  return { eventId: event.id, account: event.account ?? (event.livemode ? 'live' : 'test'), ...facts }
}

type Facts = Omit<WebhookFacts, 'eventId' | 'account'>

function factsOf(event: Stripe.Event): Facts | undefined {
  switch (event.type) {
    case 'checkout.session.completed': case 'checkout.session.expired':
    case 'checkout.session.async_payment_succeeded': case 'checkout.session.async_payment_failed': {
      const { id: reference, metadata, amount_total: amountMinor, currency } = event.data.object
      return ours({ about: 'charge', key: metadata?.[KEY] ?? null, reference, amountMinor, ...upper(currency) })
    }
    case 'payment_intent.succeeded': case 'payment_intent.payment_failed': case 'payment_intent.canceled':
    case 'payment_intent.processing': case 'payment_intent.requires_action':
    case 'payment_intent.amount_capturable_updated': {
      const { id: reference, metadata, amount: amountMinor, currency } = event.data.object
      return ours({ about: 'charge', key: metadata[KEY] ?? null, reference, amountMinor, ...upper(currency) })
    }
    case 'charge.captured': case 'charge.refunded': case 'charge.expired': {
      // A charge carries the metadata of its PaymentIntent.
      const { payment_intent: intent, metadata, amount: amountMinor, currency } = event.data.object
      return ours({
        about: 'operation', key: metadata[KEY] ?? null, reference: idOf(intent), amountMinor, ...upper(currency),
      })
    }
    case 'refund.failed': {
      const { payment_intent: intent, amount, currency, failure_reason: why } = event.data.object
      const what = `a refund of ${formatMoney(amount, currency)} failed after Stripe had taken it on`
      return about(intent, 'operation', `${what} (${why ?? 'no reason told'}): the money is back at Stripe`)
    }
    case 'charge.dispute.created': case 'charge.dispute.closed': case 'charge.dispute.funds_withdrawn':
    case 'charge.dispute.funds_reinstated': return readDispute(event.data.object)
    default: return undefined
  }
}

function readDispute({ payment_intent: intent, amount, currency, reason, status, evidence_details: evidence }:
  Stripe.Dispute): Facts | undefined {
  const until = evidence.due_by ? `, evidence until ${new Date(evidence.due_by * 1_000).toISOString()}` : ''
  return about(intent, 'dispute', `${formatMoney(amount, currency)} are disputed (${reason}): ${status}${until}. ` +
    'Answer at Stripe')
}

const ours = (facts: Facts): Facts | undefined => facts.key !== null && facts.reference !== '' ? facts : undefined

/** What names its PaymentIntent alone: it is ours when we know that one. */
function about(intent: string | { id: string } | null, what: Facts['about'], note: string): Facts | undefined {
  const reference = idOf(intent)
  return reference === '' ? undefined
    : { about: what, key: null, reference, amountMinor: null, currency: null, note }
}

const idOf = (object: string | { id: string } | null): string => typeof object === 'string' ? object : object?.id ?? ''
const upper = (currency: string | null): { currency: string | null } => ({ currency: currency?.toUpperCase() ?? null })
