// Passwords as argon2id (OWASP's m = 19 MiB, t = 2, p = 1), in the PHC string format that other systems write too. A
// hash costs tens of milliseconds of a core on purpose, so they run in a small pool with a short queue: more sign-ins
// than that are told to come back instead of taking the machine from those who buy.
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Busy } from '../../platform/problem.ts'
import { counter, gauge } from '../../platform/metrics.ts'
import { isForeignPassword } from './foreign-hashes.ts'

const MEMORY_KIB = 19_456
const PASSES = 2
const SALT_BYTES = 16
const HASH_BYTES = 32

// One core stays free for everything else, and of libuv's four threads two remain for files and name look-ups.
const AT_ONCE = Math.max(1, Math.min(2, availableParallelism() - 1))
// About two seconds of work: whoever waits longer has given up.
const WAITING_AT_MOST = 40 * AT_ONCE

let running = 0
// Whoever is known waits ahead of strangers, so that a flood of guesses is what waits.
const [known, strangers]: [(() => void)[], (() => void)[]] = [[], []]
const hashed = counter('password_hashes_total', 'Passwords hashed, to set or to check one')
const refused = counter('password_hashes_refused_total', 'Passwords not hashed because too many were waiting')
gauge('password_hashes_waiting', 'Passwords that wait to be hashed', () => known.length + strangers.length)

async function inPool<T>(work: () => Promise<T>, isKnown: boolean): Promise<T> {
  if (running >= AT_ONCE) {
    const waiting = isKnown ? known : strangers
    if (waiting.length >= WAITING_AT_MOST) {
      refused.inc()
      throw Busy({ retryAfterSeconds: 2 }, 'Too many people are signing in right now.')
    }
    await new Promise<void>((resolve) => waiting.push(resolve))   // whoever leaves hands over the place
  } else {
    running++
  }
  try {
    return await work()
  } finally {
    const next = known.shift() ?? strangers.shift()
    if (next) next()
    else running--
  }
}

type Parameters = { memory: number; passes: number; parallelism: number; nonce: Buffer; tagLength: number }

function derive(password: string, parameters: Parameters, isKnown: boolean): Promise<Buffer> {
  return inPool(() => new Promise((resolve, reject) => {
    hashed.inc()
    // NFKC, so that the same characters typed on another keyboard are the same password (NIST 800-63B).
    argon2(
      'argon2id', { message: password.normalize('NFKC'), ...parameters },
      (error, hash) => (error ? reject(error) : resolve(hash))
    )
  }), isKnown)
}

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
const phc = (salt: Buffer, hash: Buffer): string =>
  `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$${base64(salt)}$${base64(hash)}`
const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/** What is stored of a password. Throws Busy when too many wait. */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(SALT_BYTES)
  const parameters = { memory: MEMORY_KIB, passes: PASSES, parallelism: 1, nonce, tagLength: HASH_BYTES }
  return phc(nonce, await derive(password, parameters, true))
}

// Nobody knows a password of this one: it is compared where there is no account, so that the answer takes as long.
const NOBODY = phc(randomBytes(SALT_BYTES), randomBytes(HASH_BYTES))

/**
 * Whether this is the password; without a hash it takes the same time and is never. `isKnown`: they signed in from
 * there before. Throws Busy when too many wait.
 */
export async function isPassword(
  password: string, stored: string | null | undefined, { isKnown = true } = {},
): Promise<boolean> {
  const match = PHC.exec(stored ?? NOBODY)
  if (!match) {
    const right = await inPool(() => isForeignPassword(password, stored!), isKnown)
    if (right === undefined) throw new Error('A stored password hash is of no kind that we know')
    return right
  }
  const [memory, passes, parallelism] = match.slice(1, 4).map(Number) as [number, number, number]
  const expected = Buffer.from(match[5]!, 'base64')
  const nonce = Buffer.from(match[4]!, 'base64')
  const hash = await derive(password, { memory, passes, parallelism, nonce, tagLength: expected.length }, isKnown)
  return timingSafeEqual(hash, expected) && stored !== null && stored !== undefined
}

/** Whether a hash is as they are made now: argon2id, with the present parameters. */
export const isPresent = (stored: string): boolean =>
  stored.startsWith(phc(Buffer.alloc(0), Buffer.alloc(0)).slice(0, -1))
