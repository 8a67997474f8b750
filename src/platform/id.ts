// Ids and secrets. Ids are UUIDv7 (RFC 9562) made here and not by the database, so that the rows of one order can be
// written in one pipelined trip; their leading milliseconds keep index pages warm. Secrets are 256 random bits, and
// only their hash is ever stored.
import { createHash, randomBytes, randomFillSync } from 'node:crypto'

const pool = Buffer.alloc(8 * 256)
let used = pool.length
let lastMs = 0
let sequence = 0

/** A new UUIDv7: ids made by one process ascend, also within a millisecond (12 bits of `rand_a` count). */
export function newId(): string {
  let now = Date.now()
  if (now > lastMs) {
    lastMs = now
    sequence = 0
  } else if (++sequence > 0xfff) {
    lastMs++
    sequence = 0
  }
  now = lastMs
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const random = pool.toString('hex', used, used + 8)
  used += 8
  const time = now.toString(16).padStart(12, '0')
  const variant = ((parseInt(random[0]!, 16) & 3) | 8).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence.toString(16).padStart(3, '0')}-${variant}${random.slice(1,
  4)}-${random.slice(4)}`
}

/**
 * The smallest id of the last so many days: rows with a smaller one are older. Their primary key finds them, so that
 * forgetting needs no index on a time. Allow a day for clocks; what is over, a column with the database's time decides.
 */
export function firstIdOfLast(days: number): string {
  const time = Math.max(0, Date.now() - days * 86_400_000).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`
}

/** When an id was made, by the clock of the process that made it. */
export function timeOfId(id: string): Date {
  return new Date(parseInt(id.slice(0, 8) + id.slice(9, 13), 16))
}

/** A secret of 256 bits as 43 characters, after an optional prefix that tells people what it is (`sk_`). */
export function newToken(prefix = ''): string {
  return prefix + randomBytes(32).toString('base64url')
}

/** What is stored of a token. A plain hash is enough: the token has 256 bits, so there is nothing to guess. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
