// The one way from any signal to a state: the shopper's return, a webhook and recovery all come here, and the gateway
// is asked what is true. A charge that the gateway has never heard of is sent again under the same key, while the
// gateway would still know the key.
import { Type, type Static } from 'typebox'
import { sql, systemContext, type Context, type Db } from '../../platform/db.ts'
import { callGateway } from './call-gateway.ts'
import { chargeRequest } from './charge-request.ts'
import { paymentSetup, type Absent, type ChargeOutcome, type Gateway, type KnownCharge } from './gateway.ts'
import { runOperations } from './operations.ts'
import { AttemptState, mustBeChecked } from './payments.ts'
import { recordCharge } from './record-charge.ts'

const Undecided = Type.Object({
  attemptId: Type.String(), gateway: Type.String(), reference: Type.Union([Type.String(), Type.Null()]),
  state: AttemptState, lost: Type.Boolean(), amountMinor: Type.Integer(),
  currency: Type.String(), capture: Type.Boolean(), closed: Type.Boolean(),
  data: Type.Record(Type.String(), Type.Unknown()), ageSeconds: Type.Number(),
})
type Undecided = Static<typeof Undecided>

/**
 * Finds out how the payments of an order stand, and finishes what was begun. Asked twice, or twice at once, it does
 * nothing twice. An attempt whose shopper has turned back is ended when it still waits for them.
 */
export async function settlePayment(
  db: Db, context: Context, orderId: string, turnedBack?: string,
): Promise<void> {
  const undecided = await db.many(Undecided, sql`
    select attempt.id as "attemptId", gateway, reference, state, lost, amount_minor as "amountMinor", currency, capture,
      closed, data, extract(epoch from now() - attempt.created_at)::float8 as "ageSeconds"
    from payments.attempt join payments.payment on payment.id = payment_id
    where order_id = ${orderId} and state in ('sending', 'unknown', 'requires_action', 'pending', 'authorized')`)
  for (const attempt of undecided) {
    const gateway = paymentSetup.of(db).gateways.get(attempt.gateway)
    const outcome: ChargeOutcome = gateway ? await findOut(db, gateway, attempt, attempt.attemptId === turnedBack)
      : { kind: 'unknown', detail: `the gateway ${attempt.gateway} is not configured any more` }
    await recordCharge(db, context, { orderId, attemptId: attempt.attemptId }, outcome)
  }
  await runOperations(db, context, orderId)
}

// A call that has not arrived after this long never will: longer than any timeout between us and a gateway.
const LOST_AFTER_SECONDS = 30 * 60

async function findOut(
  db: Db, gateway: Gateway, attempt: Undecided, turnedBack: boolean,
): Promise<ChargeOutcome> {
  const known = { key: attempt.attemptId, reference: attempt.reference }
  const found = await lookUpCharge(db, gateway, known)
  if ((found.kind === 'action' && (attempt.closed || turnedBack)) || (found.kind === 'pending' && attempt.closed)) {
    return endWaiting(db, gateway, attempt, found)
  }
  if (found.kind !== 'absent') return found
  if (!mustBeChecked(attempt.state) || attempt.state === 'requires_action') {
    return { kind: 'unknown', detail: 'the gateway does not find what it told us of' }
  }
  if (attempt.lost) return { kind: 'declined', reason: 'never reached the gateway', technical: true }
  const { ageSeconds, closed, amountMinor, currency, capture, data } = attempt
  const { keyLifetimeHours, errorsCachedUnderKey, timeoutMs } = gateway.properties
  const lookUp = canBeFound(gateway, known)
  if (ageSeconds * 1_000 < timeoutMs) return { kind: 'unknown', detail: 'the first call may still be under way' }
  const expired = ageSeconds >= keyLifetimeHours * 3_600
  const lost = ageSeconds >= LOST_AFTER_SECONDS
  if (lookUp && lost && (closed || expired || errorsCachedUnderKey)) {
    return await giveUp(db, attempt.attemptId) ? { kind: 'declined', reason: 'never reached the gateway' }
      : { kind: 'unknown', detail: 'a repeated call may still be under way' }
  }
  if (expired) return { kind: 'unknown', detail: 'the key has expired: compare with the gateway' }
  if (lookUp && closed) return { kind: 'unknown', detail: 'the gateway has not heard of it yet' }
  const request = await chargeRequest(db, { key: attempt.attemptId, amountMinor, currency, capture, data })
  if (!await sendAgain(db, attempt.attemptId)) return { kind: 'unknown', detail: 'it was decided meanwhile' }
  return callGateway<ChargeOutcome>(db, gateway, () => gateway.charge(request), { isCharge: true })
}

// Who repeats a call and who holds it for lost decide on the same row: a call that was repeated a moment ago is not
// lost, and one that is held for lost is not repeated, so that none arrives after it was called refused.
async function sendAgain(db: Db, attemptId: string): Promise<boolean> {
  return await db.run(sql`update payments.attempt set sent_again_at = now()
    where id = ${attemptId} and state in ('sending', 'unknown') and not lost`) > 0
}

async function giveUp(db: Db, attemptId: string): Promise<boolean> {
  return await db.run(sql`update payments.attempt set lost = true
    where id = ${attemptId} and state in ('sending', 'unknown') and (lost
      or coalesce(sent_again_at, created_at) <= now() - make_interval(secs => ${LOST_AFTER_SECONDS}))`) > 0
}

/** Holds a call for lost that its only sender knows to have never left. False when it was repeated meanwhile. */
export async function giveUpUnsent(db: Db, attemptId: string): Promise<boolean> {
  return await db.run(sql`update payments.attempt set lost = true
    where id = ${attemptId} and state = 'sending' and sent_again_at is null`) > 0
}

/** Whether a look-up tells: otherwise that it finds nothing says nothing. */
const canBeFound = ({ properties: { lookUp } }: Gateway, { reference }: KnownCharge): boolean =>
  lookUp === 'key' || (lookUp === 'reference' && reference !== null)

async function lookUpCharge(db: Db, gateway: Gateway, charge: KnownCharge): Promise<ChargeOutcome | Absent> {
  if (!canBeFound(gateway, charge)) return { kind: 'absent' }
  return callGateway<ChargeOutcome | Absent>(db, gateway, () => gateway.lookUp(charge))
}

/** Nobody may confirm any more what nobody sells any more, or what its shopper has left for another way to pay. */
async function endWaiting(
  db: Db, gateway: Gateway, { attemptId, amountMinor, currency }: Undecided,
  found: ChargeOutcome & { kind: 'action' | 'pending' },
): Promise<ChargeOutcome> {
  const { reference } = found
  const ended = await callGateway(db, gateway, () =>
    gateway.void({ key: `${attemptId}-end`, reference, amountMinor, currency }))
  return ended.kind === 'done' ? { kind: 'expired', reference } : found
}

/** Whether the gateway took money under a key that we hold for refused: then somebody has to give it back. */
export async function wasChargedAfterAll(
  db: Db, attempt: { gateway: string; attemptId: string; reference: string | null },
): Promise<boolean> {
  const gateway = paymentSetup.of(db).gateways.get(attempt.gateway)
  const { attemptId: key, reference } = attempt
  const found = gateway && await lookUpCharge(db, gateway, { key, reference })
  return found?.kind === 'authorized' || found?.kind === 'captured'
}

const Order = Type.Object({ orderId: Type.String() })

/**
 * Recovery: settles whatever is due to be looked at, a few orders at a time and at once, so that a gateway that hangs
 * holds up nobody else. Pushing the time forward first keeps two workers off the same one.
 */
export async function recoverPayments(db: Db): Promise<number> {
  const due = await db.many(Order, sql`
    with attempt as (
      update payments.attempt set next_check_at = now() + interval '1 minute' where id = any(array(
        select id from payments.attempt where next_check_at <= now()
        order by next_check_at limit 20 for update skip locked))
      returning payment_id
    ), operation as (
      update payments.operation set next_check_at = now() + interval '1 minute' where id = any(array(
        select id from payments.operation where next_check_at <= now()
        order by next_check_at limit 20 for update skip locked))
      returning payment_id
    )
    select distinct order_id as "orderId" from payments.payment
    where id in (select payment_id from attempt union select payment_id from operation)`)
  const settled = await Promise.allSettled(due.map(({ orderId }) => settlePayment(db, systemContext(), orderId)))
  const failed = settled.find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
  return due.length
}
