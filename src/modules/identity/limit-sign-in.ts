// How often somebody may try to sign in, decided before anything is hashed. The delay grows in steps, by the pair of
// account and address. Whoever signed in from an address before is known there and meets no limit but that of the pair:
// guesses from elsewhere fill the account's bucket and the strangers', and lock nobody out.
import { createHash } from 'node:crypto'
import { Type } from 'typebox'
import { sql, type Db } from '../../platform/db.ts'
import { isProblem, TooManyRequests } from '../../platform/problem.ts'
import { requireChallenge } from './challenge.ts'
import { addressPrefix, forgiveRate, limitRate, type Limit } from './limit-rate.ts'

/** Who tries: the account as it was typed (normalised), from where, and an answer to a challenge if they were asked. */
export type SignInTry = { email: string; address: string; answer?: string | undefined }

const KNOWN_DAYS = 90

// Ten tries, then one in a minute and a half; after thirty of a day, one in three quarters of an hour.
const pairLimits = ({ email, address }: SignInTry): Limit[] => {
  const subject = `${email} ${addressPrefix(address)}`
  return [
    { name: 'sign-in-pair', subject, acts: 10, seconds: 900 },
    { name: 'sign-in-day', subject, acts: 30, seconds: 86_400 },
  ]
}

// An office shares an address, so that limit is wide; that of the account bounds an attack from many addresses.
const strangersLimits = ({ email, address }: SignInTry): Limit[] => [
  { name: 'sign-in-address', subject: addressPrefix(address), acts: 60, seconds: 300 },
  { name: 'sign-in-account', subject: email, acts: 100, seconds: 3_600 },
]

// A hash takes a core for 30 ms, so strangers together take a sixth of one, and never more places at once than the pool
// has for all (40, hash-password.ts): beyond that each pays with a challenge.
export const STRANGERS: Limit = { name: 'sign-in-all', subject: '', acts: 30, seconds: 6 }

/**
 * Throws TooManyRequests, and ChallengeRequired for a stranger while there are too many. Answers whether they are known
 * there, or have solved one.
 */
export async function limitSignIn(db: Db, attempt: SignInTry): Promise<{ isKnown: boolean }> {
  const { known } = await db.one(Type.Object({ known: Type.Boolean() }), sql`
    select exists (select from identity.known_origin where mark = ${markOf(attempt)}) as known`)
  if (known) {
    await limitRate(db, pairLimits(attempt))
    return { isKnown: true }
  }
  const isFlood = await requireInFlood(db, STRANGERS, attempt.answer)     // before anything is written
  await limitRate(db, [...pairLimits(attempt), ...strangersLimits(attempt)])
  const hasPaid = isFlood || await limitOrChallenge(db, STRANGERS, attempt.answer)          // with a challenge
  return { isKnown: hasPaid }
}

// While there are too many strangers each is asked for a challenge at once: a guess then costs one small read.
const floodUntil = new WeakMap<Db, Map<string, number>>()
const FLOOD_FOR_MS = 500

/** Answers whether there are too many at this moment, and the challenge was solved. */
async function requireInFlood(db: Db, { name }: Limit, answer: string | undefined): Promise<boolean> {
  if (performance.now() >= (floodUntil.get(db.root)?.get(name) ?? 0)) return false
  await requireChallenge(db, answer)
  return true
}

/**
 * Charges a limit that all share; beyond it each pays with a challenge. Answers whether there were too many, and the
 * challenge was solved. Throws ChallengeRequired.
 */
export async function limitOrChallenge(db: Db, limit: Limit, answer: string | undefined): Promise<boolean> {
  try {
    await limitRate(db, [limit])
    return false
  } catch (error) {
    if (!isProblem(error, TooManyRequests)) throw error
    const floods = floodUntil.get(db.root) ?? new Map<string, number>()
    floodUntil.set(db.root, floods.set(limit.name, performance.now() + FLOOD_FOR_MS))
    await requireChallenge(db, answer)
    return true
  }
}

/** After a sign-in: the wrong tries before it are forgiven, and the address is known from now on. */
export async function forgiveSignIn(db: Db, attempt: SignInTry): Promise<void> {
  for (const limit of pairLimits(attempt)) await forgiveRate(db, limit)
  await db.run(sql`
    insert into identity.known_origin (mark) values (${markOf(attempt)})
    on conflict (mark) do update set last_at = excluded.last_at where known_origin.last_at < now() - interval '1 day'`)
}

/** What identity's sweep does: an address at which nobody signed in for a season is strange again. */
export async function forgetOrigins(db: Db): Promise<void> {
  await db.run(sql`delete from identity.known_origin where mark = any(array(
    select mark from identity.known_origin where last_at < now() - make_interval(days => ${KNOWN_DAYS})
    limit 1000 for update skip locked))`)
}

const markOf = ({ email, address }: SignInTry): Buffer =>
  createHash('sha256').update(`${email} ${addressPrefix(address)}`).digest()
