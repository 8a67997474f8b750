// Collects the payment of an order: two short transactions around the call of the gateway. The attempt and its key are
// committed before the call, the outcome after it; whatever happens in between, recovery finds the row and asks the
// gateway again under the same key. Only a gateway that certainly charged nothing, for no reason of the shopper's, is
// followed by another one.
import { Type, type Static, type TSchema } from 'typebox'
import { json, sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { failpoint } from '../../platform/failpoint.ts'
import { newId } from '../../platform/id.ts'
import { callGateway, type Unclear } from './call-gateway.ts'
import { chargeRequest, type Charge } from './charge-request.ts'
import { gatewaysFor } from './choose-gateway.ts'
import { chooseWell, Circuits, circuitsNow } from './gateway-health.ts'
import type { ChargeOutcome, Gateway, PaymentMethod } from './gateway.ts'
import { requireMethod } from './open-payment.ts'
import {
  AttemptState, PaymentClosed, resultOf, secondsUntilCheck, type PaymentResult,
} from './payments.ts'
import { recordCharge } from './record-charge.ts'
import { requireReturnUrl } from './return-shopper.ts'
import { giveUpUnsent } from './settle-payment.ts'

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const Owed = Type.Object({
  paymentId: Type.String(), amountMinor: Type.Integer(), currency: Type.String(), closed: Type.Boolean(),
  country: nullable(Type.String()), channel: nullable(Type.String()), circuits: Circuits,
  attempt: nullable(Type.Object({
    state: AttemptState, reason: nullable(Type.String()), url: nullable(Type.String()),
    reference: nullable(Type.String()),
  })),
  tried: Type.Array(Type.Object({ gateway: Type.String(), technical: Type.Boolean() })),
})
type Owed = Static<typeof Owed>

export type Choice = {
  orderId: string; method?: string | undefined; data?: Record<string, unknown> | undefined
  /** Where the storefront wants its shopper back after a page of the gateway. */
  returnUrl?: string | undefined
}

/**
 * Pays, or answers how the payment stands: while an attempt is live or has succeeded, no gateway is called, however
 * often or at the same time this is asked. After a decline the next attempt begins. An order of which no gateway has to
 * collect anything (its total is nothing, or gift cards and credit paid it) answers 'none'. A gateway that cannot is
 * followed by the next one that serves the method, each once for an order: never from an unclear outcome, and each
 * attempt committed before its call, as the first one.
 */
export async function authorize(db: Db, context: Context, choice: Choice): Promise<PaymentResult> {
  for (let last: PaymentResult | undefined; ;) {
    const failed = last
    const begun = await db.transaction(context, (tx) => begin(tx, db, choice, failed))
    if ('standing' in begun) return begun.standing
    failpoint('charge.committed')
    const request = await chargeRequest(db, begun.charge)
    const answer = await callGateway(db, begun.gateway, (gateway) => gateway.charge(request), { isCharge: true })
    failpoint('charge.answered')
    const outcome = await refusedBeforeSending(db, request.key, answer)
    last = await recordCharge(db, context, { orderId: choice.orderId, attemptId: request.key }, outcome)
    failpoint('charge.recorded')
    if (outcome.kind !== 'declined' || !outcome.technical) return last
  }
}

/** What never left us is a definite no, unless recovery, which found us slow, has sent it meanwhile. */
async function refusedBeforeSending(db: Db, key: string, answer: ChargeOutcome | Unclear): Promise<ChargeOutcome> {
  if (!('unsent' in answer) || !await giveUpUnsent(db, key)) return answer
  return { kind: 'declined', reason: 'the gateway could not be reached, nothing was charged', technical: true }
}

type Begun = { standing: PaymentResult } | { gateway: Gateway; charge: Charge }

/** `failed`: what the shopper is told if no other gateway can follow the one that could not. */
async function begin(tx: Tx, db: Db, choice: Choice, failed: PaymentResult | undefined): Promise<Begun> {
  const [, owed] = await Promise.all([
    // First the lock, then a statement whose snapshot sees what whoever held it has written.
    tx.run(sql`select from payments.payment where order_id = ${choice.orderId} and stored_value_id is null for update`),
    tx.maybe(Owed, sql`
      select payment.id as "paymentId", amount_minor as "amountMinor", currency, closed, country, channel, (
          select jsonb_build_object('state', state, 'reason', reason, 'url', action_url, 'reference', reference)
          from payments.attempt
          where payment_id = payment.id and state not in ('declined', 'voided', 'expired')) as attempt, (
          select coalesce(jsonb_agg(jsonb_build_object('gateway', gateway, 'technical', technical)), '[]')
          from payments.attempt where payment_id = payment.id) as tried, ${circuitsNow} as circuits
      from payments.payment where order_id = ${choice.orderId} and stored_value_id is null
      order by created_at desc limit 1`),
  ])
  if (!owed) return { standing: { kind: 'none' } }
  if (owed.attempt) return { standing: resultOf(owed.attempt) }
  if (owed.closed && failed) return { standing: failed }
  if (owed.closed) throw PaymentClosed({}, 'The order was cancelled or its time is over. Begin a new cart.')

  const method = requireMethod(db, choice.method, owed)
  requireReturnUrl(db, choice.returnUrl)
  const gateway = await chooseWell(tx, candidates(db, method, { ...owed, orderId: choice.orderId }, !!failed),
    owed.circuits)
  if (!gateway) return { standing: failed! }
  const charge = {
    key: newId(), amountMinor: owed.amountMinor, currency: owed.currency, capture: method.capture === 'automatic',
    // What the form of one gateway gave is nothing to another.
    data: failed ? {} : choice.data ?? {},
  }
  // Whoever sent it may die meanwhile: recovery looks at it once no answer can come any more.
  const seconds = gateway.properties.timeoutMs / 1_000 + secondsUntilCheck(0)
  await tx.commit([tx.run(sql`
    insert into payments.attempt (id, payment_id, method, gateway, state, capture, data, return_url, next_check_at)
    values (${charge.key}, ${owed.paymentId}, ${method.code}, ${gateway.code}, 'sending', ${charge.capture},
      ${json(charge.data)}::jsonb, ${choice.returnUrl ?? null}, now() + make_interval(secs => ${seconds}))`)])
  return { gateway, charge }
}

/** After a failure those that this order has not tried; otherwise all, those that could not before last. */
function candidates(
  db: Db, method: PaymentMethod, { orderId, tried, ...place }: Owed & { orderId: string }, afterFailure: boolean,
): Gateway[] {
  const gateways = gatewaysFor(db, method, place, orderId)
  if (afterFailure) return gateways.filter(({ code }) => tried.every(({ gateway }) => gateway !== code))
  const could = ({ code }: Gateway) => !tried.some(({ gateway, technical }) => technical && gateway === code)
  return [...gateways.filter(could), ...gateways.filter((one) => !could(one))]
}
