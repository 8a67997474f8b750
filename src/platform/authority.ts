// How far somebody may go where they may go at all: only some channels, locations or companies (a `where` clause of the
// statement, never a filter afterwards), and amounts up to a limit. What is absent is no limit.
import { Type } from 'typebox'
import { sql, type Statement } from './sql.ts'
import type { Actor } from './context.ts'
import { problem } from './problem.ts'

export type Within = { channels?: readonly string[]; locations?: readonly string[]; companies?: readonly string[] }
export type Limits = {
  /** What may be given back of one payment in all, by currency; one that is not named may not be refunded. */
  refund?: readonly { currency: string; amountMinor: number }[]
  /** The largest share of a cart that a promotion may take off, in parts per million. */
  discountPpm?: number
}

/** A route needs more than this person may give: somebody with a higher limit can do it. */
export const LimitExceeded = problem('limit-exceeded', 403, 'This is more than you may do yourself',
  Type.Object({ limit: Type.Integer({ description: 'What you may, in the unit of what you asked' }) }))

export const RecentProofRequired = problem('recent-proof-required', 403, 'Show again that it is you, then repeat this')

/**
 * Throws RecentProofRequired for people who did not prove within the last quarter of an hour that it is them: whoever
 * finds an unlocked screen does not get this far. A key needs no proof: there is nobody to ask.
 */
export function requireProof(actor: Actor): void {
  if (actor.kind === 'staff' && !actor.proven) {
    throw RecentProofRequired({}, 'PUT /admin/me/proof, with the password, a code or a passkey.')
  }
  if (actor.kind === 'shopper' && actor.customer?.proven === false) {
    throw RecentProofRequired({}, 'PUT /store/account/proof with the password, or sign in by a link once more.')
  }
}

export const SecondFactorRequired = problem('second-factor-required', 403, 'Your role needs a second factor')

/** Throws SecondFactorRequired for staff who need one and have none: they may add one, and nothing else. */
export function requireFactor(actor: Actor): void {
  if (actor.kind !== 'staff' || !actor.mustEnrol) return
  throw SecondFactorRequired({}, 'Add one first: POST /admin/me/totp, or a passkey with POST /admin/me/passkeys.')
}

/** The condition that keeps a statement to what the actor may see; `column` is its channel, location or company. */
export function within(actor: Actor, kind: keyof Within, column: Statement): Statement {
  const only = 'within' in actor ? actor.within?.[kind] : undefined
  return only ? sql`${column} = any(${[...only]}::uuid[])` : sql`true`
}

/** Whether the actor may touch this channel, location or company. */
export function reaches(actor: Actor, kind: keyof Within, id: string): boolean {
  const only = 'within' in actor ? actor.within?.[kind] : undefined
  return !only || only.includes(id)
}

type Refund = { currency: string; amountMinor: number; refundedMinor: number }

/**
 * Throws LimitExceeded for a refund beyond the limit of the actor's role. It counts what was given back of this payment
 * before: many small refunds are one large one.
 */
export function requireRefund(actor: Actor, { currency, amountMinor, refundedMinor }: Refund): void {
  const limits = 'limits' in actor ? actor.limits?.refund : undefined
  if (!limits) return
  const limit = limits.find((one) => one.currency === currency)?.amountMinor ?? 0
  if (amountMinor + refundedMinor <= limit) return
  throw LimitExceeded({ limit }, `You may give back ${limit} ${currency} (minor units) of a payment in all, and ` +
    `${refundedMinor} were given back before. Ask somebody whose role has a higher limit.`)
}

/**
 * Throws LimitExceeded for whoever may give back only so much of a payment: an entry by hand names no payment, so no
 * count of what went before would hold.
 */
export function requireNoRefundLimit(actor: Actor): void {
  if (!('limits' in actor) || !actor.limits?.refund) return
  throw LimitExceeded(
    { limit: 0 }, 'Your role limits refunds, so you book nothing by hand. Ask somebody without a limit.')
}

/** Throws LimitExceeded for a discount beyond the limit of the actor's role. */
export function requireDiscount(actor: Actor, ratePpm: number): void {
  const limit = 'limits' in actor ? actor.limits?.discountPpm : undefined
  if (limit === undefined || ratePpm <= limit) return
  throw LimitExceeded(
    { limit }, `You may give discounts of up to ${limit / 10_000} %. Ask somebody with a higher limit.`)
}
