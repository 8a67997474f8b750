// The Stripe adapter: Checkout Sessions (a page of Stripe, the default) and PaymentIntents (its form inside the shop's
// page, whose token comes in `data`), through Stripe's own SDK. It translates and decides nothing. Each call carries
// our key as Idempotency-Key, and each charge as metadata, so that it is found again though its answer was lost.
import Stripe from 'stripe'
import type {
  Absent, ChargeOutcome, ChargeRequest, Gateway, KnownCharge, OperationKind, OperationOutcome, OperationRequest,
} from '../../src/modules/payments/gateway.ts'
import { currencies, limits } from './currencies.ts'
import { modeOf } from './keys.ts'
import { feeOf, readIntent, readRefund, readSession, WITH_FEE } from './read-charge.ts'
import { CAPTURE, KEY, readEvent } from './read-event.ts'

/** The version whose fields this code reads. Stripe answers in it whatever the account's own is. */
export const API_VERSION = '2026-10-28.endive'

export type StripeOptions = {
  secretKey: string
  webhookSecret: string
  /** What the page of Stripe calls the thing that is paid. */
  title?: string
  apiUrl?: string | undefined
  timeoutMs?: number
}

export function stripeGateway(options: StripeOptions): Gateway {
  const { secretKey, webhookSecret, title = 'Your order', timeoutMs = 20_000 } = options
  const stripe = connect(options)
  return {
    code: 'stripe',
    account: modeOf(secretKey) ?? null,
    properties: {
      // Stripe keeps keys for a day at least; the hour is for clocks.
      keyLifetimeHours: 23, errorsCachedUnderKey: true, lookUp: 'key', partialCapture: true, multipleCaptures: false,
      currencies, limits, entry: ['redirect', 'in-page'], timeoutMs, byHand: false,
    },
    charge: (request) => formToken(request.data) ? confirmIntent(stripe, request) : openPage(stripe, request, title),
    lookUp: (charge) => lookUp(stripe, charge),
    lookUpOperation: (operation) => lookUpOperation(stripe, operation),
    capture: (request) => operate(() => capture(stripe, request)),
    refund: (request) => operate(() => refund(stripe, request)),
    void: (request) => operate(() => giveUp(stripe, request)),
    readWebhook: (raw, headers) => readEvent(stripe, raw, headers['stripe-signature'], webhookSecret),
  }
}

/** A client of the SDK. It repeats a call once, under the same key; whatever takes longer is recovery's. */
export function connect({ secretKey, apiUrl, timeoutMs = 20_000 }: StripeOptions): Stripe {
  const url = apiUrl === undefined ? undefined : new URL(apiUrl)
  return new Stripe(secretKey, {
    apiVersion: API_VERSION, typescript: true, telemetry: false, maxNetworkRetries: 1,
    timeout: Math.ceil(timeoutMs / 2), appInfo: { name: 'Kontor' },
    ...(url ? { protocol: url.protocol.slice(0, -1) as 'http' | 'https', host: url.hostname, port: url.port } : {}),
  })
}

/** What Stripe's form in the page gave the storefront. */
function formToken({ paymentMethod, confirmationToken }: Record<string, unknown>):
  { payment_method: string } | { confirmation_token: string } | undefined {
  if (typeof confirmationToken === 'string') return { confirmation_token: confirmationToken }
  return typeof paymentMethod === 'string' ? { payment_method: paymentMethod } : undefined
}

async function confirmIntent(stripe: Stripe, request: ChargeRequest): Promise<ChargeOutcome> {
  const { key, amountMinor, currency, capture, data, returnUrl } = request
  try {
    const made = await stripe.paymentIntents.create({
      amount: amountMinor, currency: currency.toLowerCase(), capture_method: capture ? 'automatic' : 'manual',
      confirm: true, ...formToken(data), return_url: returnUrl, metadata: { [KEY]: key }, expand: WITH_FEE,
    }, { idempotencyKey: key })
    // A repeat is answered with what was true the first time.
    return readIntent(isReplay(made) ? await retrieveIntent(stripe, made.id) : made)
  } catch (error) {
    return refusalOf(error)
  }
}

async function openPage(stripe: Stripe, request: ChargeRequest, title: string): Promise<ChargeOutcome> {
  const { key, amountMinor, currency, capture, returnUrl, cancelUrl, endsAt } = request
  const metadata = { [KEY]: key }
  try {
    const made = await stripe.checkout.sessions.create({
      mode: 'payment', client_reference_id: key, metadata, success_url: returnUrl, cancel_url: cancelUrl,
      expires_at: Math.floor(endsAt.getTime() / 1_000),
      payment_intent_data: { capture_method: capture ? 'automatic' : 'manual', metadata },
      line_items: [{ quantity: 1, price_data: {
        currency: currency.toLowerCase(), unit_amount: amountMinor, product_data: { name: title },
      } }],
    }, { idempotencyKey: key })
    return readSession(isReplay(made) ? await retrieveSession(stripe, made.id) : made)
  } catch (error) {
    // Whatever Stripe made before it failed, nobody has the address of the page: nobody can pay on it.
    if (error instanceof Stripe.errors.StripeAPIError && (error.statusCode ?? 0) >= 500) {
      return { kind: 'declined', reason: 'Stripe could not open its page; nothing was charged', technical: true }
    }
    return refusalOf(error)
  }
}

const isReplay = ({ lastResponse }: Stripe.Response<unknown>): boolean =>
  lastResponse.headers['idempotent-replayed'] === 'true'

/** A definite no; whatever is none goes on, and means that we do not know. */
function refusalOf(error: unknown): ChargeOutcome & { kind: 'declined' } {
  if (!isRefusal(error)) throw error
  const reference = error instanceof Stripe.errors.StripeCardError ? error.payment_intent?.id : undefined
  return {
    kind: 'declined', reason: error.message, ...(reference ? { reference } : {}),
    ...(isTechnical(error) ? { technical: true } : {}),
  }
}

// Stripe failed at it, or would not hear our key: another gateway may do it, whatever the card.
const isTechnical = (error: Stripe.errors.StripeError): boolean => error.code === 'processing_error' ||
  error instanceof Stripe.errors.StripeAuthenticationError || error instanceof Stripe.errors.StripePermissionError

// Not among them: 409 (the same key is under way), 429 (too many calls), another body under the key, and no answer.
const isRefusal = (error: unknown): error is Stripe.errors.StripeError =>
  error instanceof Stripe.errors.StripeCardError || error instanceof Stripe.errors.StripeInvalidRequestError ||
  error instanceof Stripe.errors.StripeAuthenticationError || error instanceof Stripe.errors.StripePermissionError

const isPage = (reference: string): boolean => reference.startsWith('cs_')

const retrieveIntent = (stripe: Stripe, id: string): Promise<Stripe.PaymentIntent> =>
  stripe.paymentIntents.retrieve(id, { expand: WITH_FEE })
const retrieveSession = (stripe: Stripe, id: string): Promise<Stripe.Checkout.Session> =>
  stripe.checkout.sessions.retrieve(id, { expand: WITH_FEE.map((field) => `payment_intent.${field}`) })

/** The answer, or `absent` where Stripe knows no such object. */
async function orAbsent<T>(ask: () => Promise<T>): Promise<T | Absent> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'resource_missing') {
      return { kind: 'absent' }
    }
    throw error
  }
}

async function lookUp(stripe: Stripe, { key, reference }: KnownCharge): Promise<ChargeOutcome | Absent> {
  if (reference !== null) {
    return orAbsent(async () => isPage(reference) ? readSession(await retrieveSession(stripe, reference))
      : readIntent(await retrieveIntent(stripe, reference)))
  }
  // The search is late by a minute or more: what it finds is read anew, and what it does not find may still be there.
  const { data: [found] } = await stripe.paymentIntents.search({ query: `metadata['${KEY}']:'${key}'`, limit: 1 })
  return found ? readIntent(await retrieveIntent(stripe, found.id)) : { kind: 'absent' }
}

/** The PaymentIntent of a charge, also of one that was begun on a page of Stripe. */
async function intentOf(stripe: Stripe, reference: string): Promise<string> {
  if (!isPage(reference)) return reference
  const { payment_intent: intent } = await stripe.checkout.sessions.retrieve(reference)
  const id = typeof intent === 'string' ? intent : intent?.id
  return id ?? refuse(`nobody has paid on the page ${reference}`)
}

/** Something that we know to be impossible without asking. */
class Refused extends Error {}
const refuse = (reason: string): never => {
  throw new Refused(reason)
}

async function operate<T extends OperationOutcome | Absent>(work: () => Promise<T>): Promise<T | OperationOutcome> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Refused) && !isRefusal(error)) throw error
    return { kind: 'failed', reason: error.message }
  }
}

async function capture(stripe: Stripe, { key, reference, amountMinor }: OperationRequest): Promise<OperationOutcome> {
  const made = await stripe.paymentIntents.capture(await intentOf(stripe, reference), {
    amount_to_capture: amountMinor, metadata: { [CAPTURE]: key }, expand: WITH_FEE,
  }, { idempotencyKey: key })
  return { kind: 'done', reference: made.id, ...feeOf(made) }
}

async function refund(stripe: Stripe, { key, reference, amountMinor }: OperationRequest): Promise<OperationOutcome> {
  return readRefund(await stripe.refunds.create({
    payment_intent: await intentOf(stripe, reference), amount: amountMinor, metadata: { [KEY]: key },
  }, { idempotencyKey: key }))
}

async function giveUp(stripe: Stripe, { key, reference }: OperationRequest): Promise<OperationOutcome> {
  // Another key for each address: the page may have been paid between a first call and its repeat.
  const [page, intent] = isPage(reference) ? [reference, await openOn(stripe, reference)] : [null, reference]
  try {
    if (intent) await stripe.paymentIntents.cancel(intent, {}, { idempotencyKey: `${key}-cancel` })
    else await stripe.checkout.sessions.expire(page!, {}, { idempotencyKey: `${key}-expire` })
  } catch (error) {
    // It may have ended by itself, which is as good.
    if (!isRefusal(error) || !isEnded(await lookUp(stripe, { key, reference }))) throw error
  }
  return { kind: 'done', reference: intent ?? reference }
}

/** The payment on a page that is not open any more. */
async function openOn(stripe: Stripe, page: string): Promise<string | null> {
  const { status, payment_intent: intent } = await stripe.checkout.sessions.retrieve(page)
  return status === 'complete' ? (typeof intent === 'string' ? intent : intent?.id ?? null) : null
}

const isEnded = ({ kind }: ChargeOutcome | Absent): boolean => kind === 'voided' || kind === 'expired'

async function lookUpOperation(
  stripe: Stripe, { kind, key, reference }: OperationRequest & { kind: OperationKind },
): Promise<OperationOutcome | Absent> {
  if (kind === 'void') {
    return isEnded(await lookUp(stripe, { key, reference })) ? { kind: 'done', reference } : { kind: 'absent' }
  }
  return operate<OperationOutcome | Absent>(async () => {
    const id = await intentOf(stripe, reference)
    if (kind === 'capture') {
      const intent = await retrieveIntent(stripe, id)
      return intent.metadata[CAPTURE] === key ? { kind: 'done', reference: id, ...feeOf(intent) } : { kind: 'absent' }
    }
    for await (const one of stripe.refunds.list({ payment_intent: id, limit: 100 })) {
      if (one.metadata?.[KEY] === key) return readRefund(one)
    }
    return { kind: 'absent' }
  })
}
