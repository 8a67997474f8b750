// Collects the payment of an order: two short transactions around the call of the gateway. The attempt and its key are
// committed before the call, the outcome after it; whatever happens in between, recovery finds the row and asks the
// gateway again under the same key.
import { Type } from 'typebox'
import { json, sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { failpoint } from '../../platform/failpoint.ts'
import { newId } from '../../platform/id.ts'
import { callGateway } from './call-gateway.ts'
import { chargeRequest, type Charge } from './charge-request.ts'
import { paymentSetup, type Gateway } from './gateway.ts'
import { requireMethod } from './open-payment.ts'
import {
  AttemptState, PaymentClosed, resultOf, secondsUntilCheck, type PaymentResult,
} from './payments.ts'
import { recordCharge } from './record-charge.ts'
import { requireReturnUrl } from './return-shopper.ts'

const Owed = Type.Object({
  paymentId: Type.String(), amountMinor: Type.Integer(), currency: Type.String(), closed: Type.Boolean(),
  attempt: Type.Union([Type.Null(), Type.Object({
    state: AttemptState, reason: Type.Union([Type.String(), Type.Null()]),
    url: Type.Union([Type.String(), Type.Null()]), reference: Type.Union([Type.String(), Type.Null()]),
  })]),
})

export type Choice = {
  orderId: string; method: string; data?: Record<string, unknown> | undefined
  /** Where the storefront wants its shopper back after a page of the gateway. */
  returnUrl?: string | undefined
}

/**
 * Pays, or answers how the payment stands: while an attempt is live or has succeeded, no gateway is called, however
 * often or at the same time this is asked. After a decline the next attempt begins. An order without a payment (its
 * total is nothing) answers 'none'.
 */
export async function authorize(db: Db, context: Context, choice: Choice): Promise<PaymentResult> {
  const begun = await db.transaction(context, (tx) => begin(tx, db, choice))
  if ('standing' in begun) return begun.standing
  failpoint('charge.committed')
  const request = await chargeRequest(db, begun.charge)
  const outcome = await callGateway(begun.gateway, (gateway) => gateway.charge(request))
  failpoint('charge.answered')
  const result = await recordCharge(db, context, { orderId: choice.orderId, attemptId: begun.charge.key }, outcome)
  failpoint('charge.recorded')
  return result
}

type Begun = { standing: PaymentResult } | { gateway: Gateway; charge: Charge }

async function begin(tx: Tx, db: Db, choice: Choice): Promise<Begun> {
  const [, owed] = await Promise.all([
    // First the lock, then a statement whose snapshot sees what whoever held it has written.
    tx.run(sql`select from payments.payment where order_id = ${choice.orderId} for update`),
    tx.maybe(Owed, sql`
      select payment.id as "paymentId", amount_minor as "amountMinor", currency, closed, (
        select jsonb_build_object('state', state, 'reason', reason, 'url', action_url, 'reference', reference)
        from payments.attempt
        where payment_id = payment.id and state not in ('declined', 'voided', 'expired')) as attempt
      from payments.payment where order_id = ${choice.orderId} order by created_at desc limit 1`),
  ])
  if (!owed) return { standing: { kind: 'none' } }
  if (owed.attempt) return { standing: resultOf(owed.attempt) }
  if (owed.closed) throw PaymentClosed({}, 'The order was cancelled or its time is over. Begin a new cart.')

  const method = requireMethod(db, choice.method, {
    currency: owed.currency, country: null, amountMinor: owed.amountMinor,
  })
  requireReturnUrl(db, choice.returnUrl)
  const gateway = paymentSetup.of(db).gateways.get(method.gateway)!
  const charge = {
    key: newId(), amountMinor: owed.amountMinor, currency: owed.currency, capture: method.capture === 'automatic',
    data: choice.data ?? {},
  }
  // Whoever sent it may die meanwhile: recovery looks at it once no answer can come any more.
  const seconds = gateway.properties.timeoutMs / 1_000 + secondsUntilCheck(0)
  await tx.commit([tx.run(sql`
    insert into payments.attempt (id, payment_id, method, gateway, state, capture, data, return_url, next_check_at)
    values (${charge.key}, ${owed.paymentId}, ${method.code}, ${gateway.code}, 'sending', ${charge.capture},
      ${json(charge.data)}::jsonb, ${choice.returnUrl ?? null}, now() + make_interval(secs => ${seconds}))`)])
  return { gateway, charge }
}
