// A challenge for strangers when more is asked than is normal: what costs a person nothing and a flood a lot. Built in
// is a proof of work, which needs no other company and tells nobody anything; a captcha is another `Challenges` (a
// plugin sets it). The answer travels in the header `x-challenge`, so that any route can ask for one.
import { createHash, timingSafeEqual } from 'node:crypto'
import { Type } from 'typebox'
import type { Db } from '../../platform/db.ts'
import { derivedToken } from '../../platform/derived-token.ts'
import { newToken } from '../../platform/id.ts'
import { isProblem, problem, TooManyRequests } from '../../platform/problem.ts'
import { provided } from '../../platform/provide.ts'
import { limitRate } from './limit-rate.ts'

const Challenge = Type.Object({
  kind: Type.String({ description: 'proof-of-work, or what the shop has set instead' }),
  token: Type.String({ description: 'Of a proof of work: find a number so that SHA-256 of `token.number` begins with ' +
    '`bits` zero bits, and send the request again with `x-challenge: token.number`' }),
  bits: Type.Optional(Type.Integer()),
})
export const ChallengeRequired = problem('challenge-required', 428, 'Solve a challenge, then ask again',
  Type.Object({ challenge: Challenge, retryAfterSeconds: Type.Integer() }))

export type Challenges = {
  /** A new challenge, as it is told to the client. */
  ask(db: Db): Promise<{ kind: string; token: string; bits?: number }>
  /** Whether an answer is right, was not used before and is not too old. May ask another server. */
  passes(db: Db, answer: string): Promise<boolean>
}

// Half a second of a phone, and of each guess of a flood. A second bit costs twice as much.
const BITS = 18
const VALID_SECONDS = 120

/** `<random>.<until>.<mark>`: nothing is stored until it is answered, so asking costs no memory. */
const proofOfWork: Challenges = {
  async ask(db) {
    const open = `${newToken().slice(0, 22)}.${Math.floor(Date.now() / 1_000) + VALID_SECONDS}`
    return { kind: 'proof-of-work', token: `${open}.${await markOf(db, open)}`, bits: BITS }
  },

  async passes(db, answer) {
    const [, open, until, mark] = /^([\w-]{22}\.(\d{10}))\.([\w-]{43})\.\d{1,16}$/.exec(answer) ?? []
    if (!open || !mark || Number(until) < Date.now() / 1_000) return false
    const right = timingSafeEqual(Buffer.from(mark), Buffer.from(await markOf(db, open)))
    if (!right || zeroBits(createHash('sha256').update(answer).digest()) < BITS) return false
    // Once: the bucket takes one act for as long as the challenge is valid, in whichever process.
    return limitRate(db, [{ name: 'challenge', subject: open, acts: 1, seconds: VALID_SECONDS }]).then(() => true, no)
  },
}

const markOf = (db: Db, open: string): Promise<string> => derivedToken(db, '', `challenge ${open}`)
const no = (error: unknown): boolean => {
  if (isProblem(error, TooManyRequests)) return false
  throw error
}

/** How many zero bits a hash begins with. */
export function zeroBits(hash: Buffer): number {
  const first = hash.findIndex((byte) => byte !== 0)
  return first === -1 ? hash.length * 8 : first * 8 + Math.clz32(hash[first]!) - 24
}

export const challenges = provided<Challenges>('challenges', proofOfWork)

/** Throws ChallengeRequired unless the answer passes. */
export async function requireChallenge(db: Db, answer: string | undefined): Promise<void> {
  if (answer !== undefined && answer.length <= 4_000 && await challenges.of(db).passes(db, answer)) return
  throw ChallengeRequired({ challenge: await challenges.of(db).ask(db), retryAfterSeconds: 1 },
    'More is asked here than usual. The challenge says what to do; an answer counts once.')
}
