// What Stripe keeps, and its rules: PaymentIntents, Checkout Sessions, refunds and disputes with the states and the
// refusals of the documentation. Test payment methods behave by their documented names; `pm_fault,NAME,…` is ours, and
// says what else goes wrong (server.ts).
import { randomBytes } from 'node:crypto'
import { invalid, missing, WireError } from './wire.ts'

const id = (prefix: string): string => `${prefix}_${randomBytes(12).toString('hex')}`
export const seconds = (): number => Math.floor(Date.now() / 1_000)

export type Intent = {
  id: string; object: 'payment_intent'; amount: number; amount_capturable: number; amount_received: number
  currency: string; capture_method: string; status: string; metadata: Record<string, string>; created: number
  livemode: boolean; latest_charge: string | null; payment_method: string | null; return_url: string | null
  next_action: object | null; last_payment_error: Record<string, unknown> | null; cancellation_reason: string | null
  client_secret: string; canceled_at: number | null; customer: string | null; setup_future_usage: string | null
}
export type Session = {
  id: string; object: 'checkout.session'; mode: 'payment'; status: 'open' | 'complete' | 'expired'
  payment_status: 'unpaid' | 'paid'; url: string | null; payment_intent: string | null; amount_total: number
  currency: string; client_reference_id: string | null; metadata: Record<string, string>; expires_at: number
  created: number; livemode: boolean; success_url: string; cancel_url: string | null
}
export type Refund = {
  id: string; object: 'refund'; amount: number; currency: string; payment_intent: string; charge: string
  status: string; metadata: Record<string, string>; created: number; failure_reason?: string
}
export type Emit = (type: string, object: object, intent: string | null) => void
type NewIntent = Pick<Intent, 'amount' | 'currency' | 'capture_method' | 'metadata' | 'return_url'>

const declines: Record<string, { code?: string; decline_code?: string; message: string }> = {
  pm_card_chargeDeclined: { decline_code: 'generic_decline', message: 'Your card was declined.' },
  pm_card_chargeDeclinedInsufficientFunds: {
    decline_code: 'insufficient_funds', message: 'Your card has insufficient funds.',
  },
  pm_card_chargeDeclinedProcessingError: {
    code: 'processing_error', message: 'An error occurred while processing your card. Try again in a little bit.',
  },
}
const asks = ['pm_card_authenticationRequired', 'pm_card_threeDSecure2Required']

/** Stripe's fee of a European card, about. */
export const feeOf = (amount: number): number => Math.min(amount, Math.round(amount * 0.014) + 25)

export class Books {
  readonly intents = new Map<string, Intent>()
  readonly sessions = new Map<string, Session & { wish: NewIntent }>()
  readonly refunds = new Map<string, Refund>()
  readonly createdAt = new Map<string, number>()          // in milliseconds: the search is late
  readonly #url: () => string
  readonly #emit: Emit
  readonly livemode: boolean
  /** How long the search is late where a fault makes it late. */
  readonly whileMs: number
  constructor(url: () => string, emit: Emit, { livemode = false, whileMs = 0 } = {}) {
    this.#url = url
    this.#emit = emit
    this.livemode = livemode
    this.whileMs = whileMs
  }

  intent(key: string): Intent { return this.intents.get(key) ?? throws(missing('payment_intent', key)) }

  newIntent(wish: NewIntent): Intent {
    const key = id('pi')
    const intent: Intent = {
      id: key, object: 'payment_intent', ...wish, amount_capturable: 0, amount_received: 0, livemode: this.livemode,
      status: 'requires_payment_method', created: seconds(), latest_charge: null, payment_method: null,
      next_action: null, last_payment_error: null, cancellation_reason: null, canceled_at: null, customer: null,
      setup_future_usage: null, client_secret: `${key}_secret_${randomBytes(8).toString('hex')}`,
    }
    this.intents.set(key, intent)
    this.createdAt.set(key, Date.now())
    this.#emit('payment_intent.created', intent, key)
    return intent
  }

  /** Tries a card; a refusal is thrown as the error that Stripe answers, with the PaymentIntent in it. */
  confirm(intent: Intent, paymentMethod: string): Intent {
    const names = paymentMethod.split(',')
    const decline = declines[names.includes('decline') ? 'pm_card_chargeDeclined' : paymentMethod]
    intent.payment_method = paymentMethod
    if (decline) return this.#decline(intent, { code: 'card_declined', ...decline })
    if (asks.includes(paymentMethod) || names.includes('action')) {
      if (!intent.return_url) throw invalid('A return_url is needed to authenticate this payment method.')
      intent.status = 'requires_action'
      intent.next_action = { type: 'redirect_to_url', redirect_to_url: {
        url: `${this.#url()}/3ds/${intent.id}`, return_url: intent.return_url,
      } }
      this.#emit('payment_intent.requires_action', intent, intent.id)
      return intent
    }
    return this.#take(intent)
  }

  /** The bank has asked its customer. */
  authenticate(intent: Intent, approved: boolean): Intent {
    if (intent.status !== 'requires_action') return intent
    intent.next_action = null
    if (approved) return this.#take(intent)
    try {
      return this.#decline(intent, {
        code: 'payment_intent_authentication_failure', decline_code: 'generic_decline',
        message: 'The provided payment method has failed authentication.',
      })
    } catch {
      return intent
    }
  }

  #take(intent: Intent): Intent {
    intent.latest_charge = id('ch')
    intent.next_action = null
    if (intent.capture_method === 'manual') {
      Object.assign(intent, { status: 'requires_capture', amount_capturable: intent.amount })
      this.#emit('payment_intent.amount_capturable_updated', intent, intent.id)
    } else {
      Object.assign(intent, { status: 'succeeded', amount_received: intent.amount })
      this.#emit('payment_intent.succeeded', intent, intent.id)
    }
    if (/createDispute|dispute/.test(intent.payment_method ?? '')) this.dispute(intent, 'charge.dispute.created')
    return intent
  }

  #decline(intent: Intent, error: Record<string, unknown>): never {
    Object.assign(intent, { status: 'requires_payment_method', last_payment_error: { type: 'card_error', ...error } })
    this.#emit('payment_intent.payment_failed', intent, intent.id)
    throw new WireError(402, {
      type: 'card_error', message: String(error['message']), ...error, payment_intent: { ...intent },
    })
  }

  capture(intent: Intent, amount: number, metadata: Record<string, string>): Intent {
    if (intent.status !== 'requires_capture') throw unexpected(intent, 'captured', 'requires_capture')
    if (amount > intent.amount_capturable) {
      throw invalid(`The amount_to_capture is greater than ${intent.amount_capturable}.`, { code: 'amount_too_large' })
    }
    Object.assign(intent, { status: 'succeeded', amount_received: amount, amount_capturable: 0 })
    Object.assign(intent.metadata, metadata)
    this.#emit('payment_intent.succeeded', intent, intent.id)
    return intent
  }

  cancel(intent: Intent, reason: string | null): Intent {
    const may = ['requires_payment_method', 'requires_capture', 'requires_action', 'processing']
    if (!may.includes(intent.status)) throw unexpected(intent, 'canceled', may.join(', '))
    Object.assign(intent, {
      status: 'canceled', cancellation_reason: reason, canceled_at: seconds(), amount_capturable: 0, next_action: null,
    })
    this.#emit('payment_intent.canceled', intent, intent.id)
    return intent
  }

  refund(intent: Intent, amount: number, metadata: Record<string, string>): Refund {
    if (intent.status !== 'succeeded') throw invalid('This PaymentIntent does not have a successful charge to refund.')
    const left = intent.amount_received - this.refunded(intent.id)
    if (left === 0) throw invalid('The charge has already been refunded.', { code: 'charge_already_refunded' })
    if (amount > left) throw invalid(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`)
    const refund: Refund = {
      id: id('re'), object: 'refund', amount, currency: intent.currency, payment_intent: intent.id,
      charge: intent.latest_charge!, status: 'succeeded', metadata, created: seconds(),
    }
    this.refunds.set(refund.id, refund)
    this.#emit('charge.refunded', this.charge(intent), intent.id)
    return refund
  }

  /** What was given back of a payment. */
  refunded(intent: string): number {
    return [...this.refunds.values()].filter((one) => one.payment_intent === intent && one.status !== 'failed')
      .reduce((sum, one) => sum + one.amount, 0)
  }

  /** A refund that the bank of the shopper did not take. */
  failRefund(refund: Refund): void {
    Object.assign(refund, { status: 'failed', failure_reason: 'lost_or_stolen_card' })
    this.#emit('refund.failed', refund, refund.payment_intent)
  }

  dispute(intent: Intent, type: string, status = 'needs_response'): void {
    this.#emit(type, {
      id: id('du'), object: 'dispute', amount: intent.amount_received || intent.amount, currency: intent.currency,
      payment_intent: intent.id, charge: intent.latest_charge, reason: 'fraudulent', status,
      evidence_details: { due_by: seconds() + 7 * 86_400 }, livemode: this.livemode, metadata: {},
    }, intent.id)
  }

  charge(intent: Intent): object {
    return {
      id: intent.latest_charge, object: 'charge', amount: intent.amount, amount_captured: intent.amount_received,
      amount_refunded: this.refunded(intent.id), currency: intent.currency, payment_intent: intent.id,
      captured: intent.status === 'succeeded', metadata: { ...intent.metadata }, livemode: this.livemode,
      balance_transaction: intent.status !== 'succeeded' ? null : {
        id: id('txn'), object: 'balance_transaction', amount: intent.amount_received, currency: intent.currency,
        fee: feeOf(intent.amount_received),
      },
    }
  }

  newSession(wish: NewIntent, more: Pick<Session, 'client_reference_id' | 'metadata' | 'expires_at' | 'success_url' |
    'cancel_url'>): Session {
    if (more.expires_at < seconds() + 30 * 60 - 5 || more.expires_at > seconds() + 24 * 3_600) {
      throw invalid('`expires_at` must be between 30 minutes and 24 hours in the future.', { param: 'expires_at' })
    }
    const key = id('cs_test')
    const session = {
      id: key, object: 'checkout.session' as const, mode: 'payment' as const, status: 'open' as const,
      payment_status: 'unpaid' as const, url: `${this.#url()}/c/pay/${key}`, payment_intent: null, created: seconds(),
      amount_total: wish.amount, currency: wish.currency, livemode: this.livemode, ...more, wish,
    }
    this.sessions.set(key, session)
    return session
  }

  session(key: string): Session & { wish: NewIntent } {
    const session = this.sessions.get(key) ?? throws(missing('checkout.session', key))
    if (session.status === 'open' && session.expires_at <= seconds()) this.#close(session)
    return session
  }

  /** The shopper pays on the page; a card that is declined leaves it open for another. */
  payOn(session: Session & { wish: NewIntent }, paymentMethod: string): Session {
    if (session.status !== 'open') throw invalid(`This Checkout Session is ${session.status}.`)
    const intent = session.payment_intent ? this.intent(session.payment_intent) : this.newIntent(session.wish)
    session.payment_intent = intent.id
    this.confirm(intent, paymentMethod)
    Object.assign(session, {
      status: 'complete', url: null, payment_status: intent.status === 'succeeded' ? 'paid' : 'unpaid',
    })
    this.#emit('checkout.session.completed', session, intent.id)
    return session
  }

  expire(session: Session): Session {
    if (session.status !== 'open') {
      throw invalid('Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a ' +
        `status of ${session.status}.`)
    }
    return this.#close(session)
  }

  #close(session: Session): Session {
    Object.assign(session, { status: 'expired', url: null })
    this.#emit('checkout.session.expired', session, session.payment_intent)
    return session
  }
}

function throws(error: Error): never {
  throw error
}

const unexpected = ({ status }: Intent, what: string, may: string): WireError => invalid(
  `This PaymentIntent could not be ${what} because it has a status of ${status}. Only a PaymentIntent with one of ` +
  `the following statuses may be ${what}: ${may}.`, { code: 'payment_intent_unexpected_state' })
