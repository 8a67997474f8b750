// What a payment gateway is to us. An adapter translates; it decides nothing: keys, retries, recovery and amounts are
// decided here, from the properties that it declares. An adapter never throws for a refusal, and whatever it does throw
// counts as "we do not know".
import { provided } from '../../platform/provide.ts'

/** What became of a charge. Amounts are minor units, as the gateway states them; they are compared with ours. */
export type ChargeOutcome =
  | { kind: 'authorized'; reference: string; amountMinor: number; currency: string }
  /** `amountMinor` is what was authorised, `capturedMinor` what was taken of it so far. */
  | {
    kind: 'captured'; reference: string; amountMinor: number; currency: string; capturedMinor: number
    /** What the gateway keeps of it, where it says so: it goes into the ledger with the capture. */
    feeMinor?: number
  }
  | { kind: 'action'; reference: string; url: string }
  /** Money comes later by itself (a bank transfer, cash on delivery): the order may be placed unpaid. */
  | { kind: 'pending'; reference: string }
  /**
   * Nothing was charged, and nothing will be. `technical`: for no reason of the shopper's or of their bank's, so that
   * another gateway may do it.
   */
  | { kind: 'declined'; reason: string; reference?: string; technical?: boolean }
  | { kind: 'voided' | 'expired'; reference: string }
  | { kind: 'unknown'; detail: string }

export type OperationOutcome =
  | { kind: 'done'; reference: string; feeMinor?: number }
  | { kind: 'failed'; reason: string }
  | { kind: 'unknown'; detail: string }

/** Thrown by an adapter when a request certainly never left, as one whose connection was refused. */
export class NotSent extends Error {}

/** The gateway has never heard of the key. */
export type Absent = { kind: 'absent' }

export type ChargeRequest = {
  /** The key under which the gateway must do this once, and the name under which we ask for it later. */
  key: string
  amountMinor: number
  currency: string
  /** Capture at once, or authorise alone. */
  capture: boolean
  /** What the gateway's own form gave the storefront (a token of a card, never a card), and what the shopper chose. */
  data: Record<string, unknown>
  /** Where a page of the gateway sends the shopper afterwards, and where when they turn back. The same for a key. */
  returnUrl: string
  cancelUrl: string
  /** A page of the gateway closes by itself at this time: what is paid after it belongs to no order. */
  endsAt: Date
}

/** A charge as we know it. `reference` is null until the gateway has told us one. */
export type KnownCharge = { key: string; reference: string | null }

export type OperationKind = 'capture' | 'refund' | 'void'
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
  /** What no rule can mend and people have to know: then the message is kept for them. */
  note?: string | undefined
}

export type GatewayProperties = {
  /** How long the gateway remembers a key. A repeat after that could charge twice, so it is never made. */
  keyLifetimeHours: number
  /** Whether a failure of its own (a 500) is answered again to a repeat. Then a repeat cannot help for long. */
  errorsCachedUnderKey: boolean
  /**
   * How a charge is found again: by our `key`, though we never heard an answer; by the gateway's own `reference` alone;
   * or not at all (`none`). As long as it cannot be found, only a repeat under its key tells what became of it.
   */
  lookUp: 'key' | 'reference' | 'none'
  /** Whether less than all can be captured, and whether the rest can be captured after that. */
  partialCapture: boolean
  multipleCaptures: boolean
  /** Currencies it takes; null for all. */
  currencies: readonly string[] | null
  /** The smallest charge by currency, and the largest of any: beyond them its methods are not offered. */
  limits: { smallestMinor: Readonly<Record<string, number>>; largestMinor: number } | null
  /**
   * Where a shopper says how they pay: on a page of the gateway to which they are sent, or in its form inside the
   * shop's page, whose token comes in `data`. Nowhere, when there is nothing to say.
   */
  entry: readonly ('redirect' | 'in-page')[]
  /** How long we wait for an answer. After that the outcome is unknown, which is a state and not a failure. */
  timeoutMs: number
  /** Nobody is asked: staff record what happened (a transfer that arrived, cash). */
  byHand: boolean
}

export type Gateway = {
  code: string
  /** Our account there. A webhook for another one is kept for people. */
  account: string | null
  properties: GatewayProperties
  charge(request: ChargeRequest): Promise<ChargeOutcome>
  /** How a charge stands now. */
  lookUp(charge: KnownCharge): Promise<ChargeOutcome | Absent>
  /** What became of a capture, refund or void. */
  lookUpOperation(operation: OperationRequest & { kind: OperationKind }): Promise<OperationOutcome | Absent>
  capture(request: OperationRequest): Promise<OperationOutcome>
  refund(request: OperationRequest): Promise<OperationOutcome>
  /** Gives an authorisation back, or ends a charge that still waits for the shopper. */
  void(request: OperationRequest): Promise<OperationOutcome>
  /**
   * Verifies a webhook on its raw bytes; null when it is not genuine. 'irrelevant': genuine, and about nothing that a
   * shop keeps; it is answered and forgotten.
   */
  readWebhook(raw: Buffer, headers: Record<string, string | undefined>): WebhookFacts | 'irrelevant' | null
}

/** Where something holds; what is absent holds everywhere. */
export type PaymentTerms = {
  countries?: readonly string[]
  currencies?: readonly string[]
  /** Codes of channels. */
  channels?: readonly string[]
  /** From and to, both included, by currency; a currency that is not named does not fit. */
  amounts?: Readonly<Record<string, { fromMinor?: number; toMinor?: number }>>
}

/**
 * Who serves a payment that fits: gateways by their share of the orders (`{ stripe: 80, adyen: 20 }`). One with the
 * share 0 is asked only when none of the others can.
 */
export type PaymentRoute = PaymentTerms & { shares: Readonly<Record<string, number>> }

/** A way to pay, as a shopper sees it. */
export type PaymentMethod = PaymentTerms & {
  code: string
  /** Who serves it: a gateway, or the first route that fits. Where none does, the method is not offered. */
  gateway: string | readonly PaymentRoute[]
  title: string
  /** How to pay, where the shopper has to do something: the account of a transfer. Shown with the order, and mailed. */
  instructions?: string
  capture: 'automatic' | 'manual'
}

export type PaymentSetup = {
  gateways: ReadonlyMap<string, Gateway>
  methods: readonly PaymentMethod[]
  /** The address of this shop: pages of gateways send shoppers back to it. */
  publicUrl: string
  /** Pages of storefronts to which a shopper may be sent on: the origins, as `https://shop.example`. */
  storefronts: readonly string[]
}

/** The gateways and methods of this shop, from shop.config.ts and its plugins. */
export const paymentSetup = provided<PaymentSetup>('payment methods and gateways')
