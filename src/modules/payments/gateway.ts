// What a payment gateway is to us. An adapter translates; it decides nothing: keys, retries, recovery and amounts are
// decided here, from the properties that it declares. An adapter never throws for a refusal, and whatever it does throw
// counts as "we do not know".
import { provided } from '../../platform/provide.ts'

/** What became of a charge. Amounts are minor units, as the gateway states them; they are compared with ours. */
export type ChargeOutcome =
  | { kind: 'authorized'; reference: string; amountMinor: number; currency: string }
  /** `amountMinor` is what was authorised, `capturedMinor` what was taken of it so far. */
  | { kind: 'captured'; reference: string; amountMinor: number; currency: string; capturedMinor: number }
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

/** The gateway has never heard of the key. */
export type Absent = { kind: 'absent' }

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

/** What a webhook says. None of it is believed: it tells which charge to ask for, and contradictions are noticed. */
export type WebhookFacts = {
  eventId: string
  about: 'charge' | 'operation' | 'dispute'
  /** The key of the charge, where the gateway gives it back: it is found even before we know the reference. */
  key: string | null
  reference: string
  /** Whose money it is; null when the gateway does not say. */
  account: string | null
  /** Of the whole charge; null when the gateway does not say. */
  amountMinor: number | null
  currency: string | null
}

export type Gateway = {
  code: string
  /** Our account there. A webhook for another one is kept for people. */
  account: string | null
  properties: {
    /** How long the gateway remembers a key. A repeat after that could charge twice, so it is never made. */
    keyLifetimeHours: number
    /** Whether a failure of its own (a 500) is answered again to a repeat. Then a repeat cannot help for long. */
    errorsCachedUnderKey: boolean
    /** Whether charges and operations can be found by our key. Without it, only a repeat with the key tells. */
    lookUp: boolean
    /** Whether less than all can be captured, and whether the rest can be captured after that. */
    partialCapture: boolean
    multipleCaptures: boolean
    /** Currencies it takes; null for all. */
    currencies: readonly string[] | null
    /** How long we wait for an answer. After that the outcome is unknown, which is a state and not a failure. */
    timeoutMs: number
    /** Nobody is asked: staff record what happened (a transfer that arrived, cash). */
    byHand: boolean
  }
  charge(request: ChargeRequest): Promise<ChargeOutcome>
  /** What became of the charge with this key. */
  lookUp(key: string): Promise<ChargeOutcome | Absent>
  /** What became of the capture, refund or void with this key. */
  lookUpOperation(key: string): Promise<OperationOutcome | Absent>
  capture(request: OperationRequest): Promise<OperationOutcome>
  refund(request: OperationRequest): Promise<OperationOutcome>
  /** Gives an authorisation back, or ends a charge that still waits for the shopper. */
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
