// The one way from any signal to a state: the shopper's return, a webhook and recovery all come here, and the gateway
// is asked what is true. A charge that the gateway has never heard of is sent again under the same key, while the
// gateway would still know the key.
import { Type, type Static } from 'typebox'
import { sql, systemContext, type Context, type Db } from '../../platform/db.ts'
import { callGateway } from './call-gateway.ts'
import { paymentSetup, type ChargeOutcome, type Gateway } from './gateway.ts'
import { runOperations } from './operations.ts'
import { recordCharge } from './record-charge.ts'

const Undecided = Type.Object({
  attemptId: Type.String(), gateway: Type.String(), amountMinor: Type.Integer(), currency: Type.String(),
  capture: Type.Boolean(), closed: Type.Boolean(),
  data: Type.Record(Type.String(), Type.Unknown()), ageHours: Type.Number(),
})

/**
 * Finds out how the payments of an order stand, and finishes what was begun. Asked twice, or twice at once, it does
 * nothing twice.
 */
export async function settlePayment(db: Db, context: Context, orderId: string): Promise<void> {
  const undecided = await db.many(Undecided, sql`
    select attempt.id as "attemptId", gateway, amount_minor as "amountMinor", currency, capture, closed, data,
      (extract(epoch from now() - attempt.created_at) / 3600)::float8 as "ageHours"
    from payments.attempt join payments.payment on payment.id = payment_id
    where order_id = ${orderId} and state in ('sending', 'unknown', 'requires_action')`)
  for (const attempt of undecided) {
    const gateway = paymentSetup.of(db).gateways.get(attempt.gateway)
    const outcome: ChargeOutcome = gateway ? await findOut(gateway, attempt)
      : { kind: 'unknown', detail: `the gateway ${attempt.gateway} is not configured any more` }
    await recordCharge(db, context, { orderId, attemptId: attempt.attemptId }, outcome)
  }
  await runOperations(db, context, orderId)
}

// A call that has not arrived after this long never will: longer than any timeout between us and a gateway.
const LOST_AFTER_HOURS = 0.5

async function findOut(gateway: Gateway, attempt: Static<typeof Undecided>): Promise<ChargeOutcome> {
  const { keyLifetimeHours, lookUp } = gateway.properties
  const found = lookUp ? await callGateway<ChargeOutcome | { kind: 'absent' }>(
    () => gateway.lookUp(attempt.attemptId)
  ) : { kind: 'absent' as const }
  if (found.kind !== 'absent') return found
  if (attempt.closed && lookUp) {
    return attempt.ageHours < LOST_AFTER_HOURS ? { kind: 'unknown', detail: 'the gateway has not heard of it yet' }
      : { kind: 'declined', reason: 'never reached the gateway' }
  }
  if (attempt.ageHours >= keyLifetimeHours) return {
    kind: 'unknown', detail: 'the key has expired: compare with the gateway',
  }
  const { attemptId: key, amountMinor, currency, capture, data } = attempt
  return callGateway<ChargeOutcome>(() => gateway.charge({ key, amountMinor, currency, capture, data }))
}

const Order = Type.Object({ orderId: Type.String() })

/**
 * Recovery: settles whatever is due to be looked at, a few orders at a time. Pushing the time forward first keeps two
 * workers off the same one.
 */
export async function recoverPayments(db: Db): Promise<number> {
  const due = await db.many(Order, sql`
    with attempt as (
      update payments.attempt set next_check_at = now() + interval '1 minute' where id = any(array(
        select id from payments.attempt where next_check_at <= now() order by next_check_at limit 20 for update skip locked))
      returning payment_id
    ), operation as (
      update payments.operation set next_check_at = now() + interval '1 minute' where id = any(array(
        select id from payments.operation where next_check_at <= now() order by next_check_at limit 20 for update skip locked))
      returning payment_id
    )
    select distinct order_id as "orderId" from payments.payment
    where id in (select payment_id from attempt union select payment_id from operation)`)
  for (const { orderId } of due) await settlePayment(db, systemContext(), orderId)
  return due.length
}
