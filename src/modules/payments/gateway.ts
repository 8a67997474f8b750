// What a payment gateway is to us. An adapter translates; it decides nothing: keys, retries, recovery and amounts are
// decided here, from the properties that it declares. An adapter never throws for a refusal, and whatever it does throw
// counts as "we do not know".
import { provided } from '../../platform/provide.ts'

/** What became of a charge. Amounts are minor units, as the gateway states them; they are compared with ours. */
export type ChargeOutcome =
  | { kind: 'authorized' | 'captured'; reference: string; amountMinor: number; currency: string }
  | { kind: 'action'; reference: string; url: string }
  /** Money comes later by itself (a bank transfer, cash on delivery): the order may be placed unpaid. */
  | { kind: 'pending'; reference: string }
  | { kind: 'declined'; reason: string; reference?: string }
  | { kind: 'voided' | 'expired'; reference: string }
  | { kind: 'unknown'; detail: string }

export type OperationOutcome =
  | { kind: 'done'; reference: string }
  | { kind: 'failed'; reason: string }
  | { kind: 'unknown'; detail: string }

export type ChargeRequest = {
  /** The key under which the gateway must do this once, and the name under which we ask for it later. */
  key: string
  amountMinor: number
  currency: string
  /** Capture at once, or authorise alone. */
  capture: boolean
  data: Record<string, unknown>
}

export type OperationRequest = {
  key: string
  /** The gateway's own reference of the charge. */
  reference: string
  amountMinor: number
  currency: string
}

export type WebhookFacts = { eventId: string; kind: string; /** Our key or the gateway's reference. */ reference: string; amountMinor: number | null; currency: string | null }

export type Gateway = {
  code: string
  properties: {
    /** How long the gateway remembers a key. A repeat after that could charge twice, so it is never made. */
    keyLifetimeHours: number
    /** Whether a charge can be found by our key. Without it, only a repeat with the key tells. */
    lookUp: boolean
    partialCapture: boolean
    /** Currencies it takes; null for all. */
    currencies: readonly string[] | null
  }
  charge(request: ChargeRequest): Promise<ChargeOutcome>
  /** What became of the charge with this key; 'absent' when the gateway has never heard of it. */
  lookUp(key: string): Promise<ChargeOutcome | { kind: 'absent' }>
  capture(request: OperationRequest): Promise<OperationOutcome>
  refund(request: OperationRequest): Promise<OperationOutcome>
  void(request: OperationRequest): Promise<OperationOutcome>
  /** Verifies a webhook on its raw bytes; null when it is not genuine. */
  readWebhook(raw: Buffer, headers: Record<string, string | undefined>): WebhookFacts | null
}

/** A way to pay, as a shopper sees it. */
export type PaymentMethod = {
  code: string
  gateway: string
  title: string
  capture: 'automatic' | 'manual'
  /** Where it is offered; absent means everywhere. */
  countries?: readonly string[]
  currencies?: readonly string[]
}

export type PaymentSetup = { gateways: ReadonlyMap<string, Gateway>; methods: readonly PaymentMethod[] }

/** The gateways and methods of this shop, from shop.config.ts and its plugins. */
export const paymentSetup = provided<PaymentSetup>('payment methods and gateways')
