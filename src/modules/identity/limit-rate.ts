// Limits on acts that somebody may try too often: signing in, asking for a mail. The buckets are rows that all
// processes share, so a limit is the same however many servers there are. It is charged before the act, or a race
// would pass it.
import { createHash } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { Type } from 'typebox'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { TooManyRequests } from '../../platform/problem.ts'

/** So many acts of a subject within so many seconds: all at once, or spread. The name stands for the kind of act. */
export type Limit = { name: string; subject: string; acts: number; seconds: number }

const Charged = Type.Object({ charged: Type.Integer(), waitSeconds: Type.Union([Type.Integer(), Type.Null()]) })

/**
 * Charges all of these limits, or none and throws TooManyRequests: a refused act must not use up somebody else's share.
 */
export async function limitRate(db: Db, limits: readonly Limit[]): Promise<void> {
  const keys = limits.map(keyOf)
  const steps = limits.map(({ acts, seconds }) => seconds / acts)
  await db.transaction(systemContext(), async (tx) => {
    // Locks in the order of the keys; see schema.sql for the bucket.
    const { charged, waitSeconds } = await tx.one(Charged, sql`
      with asked as (
        select key, make_interval(secs => step) as step, make_interval(secs => capacity) as capacity
        from unnest(${keys}::text[], ${steps}::float8[], ${limits.map(({ seconds }) => seconds)}::float8[])
          as asked (key, step, capacity)
      ), charged as (
        insert into identity.rate_limit as bucket (key, drained_at, capacity)
        select key, now() + step, capacity from asked order by key
        on conflict (key) do update set capacity = excluded.capacity,
          drained_at = greatest(bucket.drained_at, now()) + (excluded.drained_at - now())
        where greatest(bucket.drained_at, now()) + (excluded.drained_at - now()) <= now() + excluded.capacity
        returning key
      )
      select (select count(*) from charged) as charged, (
        select ceil(extract(epoch from max(bucket.drained_at + asked.step - asked.capacity - now())))::int
        from asked join identity.rate_limit as bucket using (key) where asked.key not in (select key from charged)
      ) as "waitSeconds"`)
    if (charged < limits.length) {
      throw TooManyRequests({ retryAfterSeconds: Math.max(1, waitSeconds ?? 1) }, 'Wait as long as Retry-After says.')
    }
  })
}

/** Empties a bucket: the act has succeeded, so those before it were honest mistakes. */
export async function forgiveRate(db: Db, limit: Limit): Promise<void> {
  await db.run(sql`delete from identity.rate_limit where key = ${keyOf(limit)}`)
}

// Hashed: addresses of people are not kept where they are only counted.
function keyOf({ name, subject }: Limit): string {
  return `${name}:${createHash('sha256').update(subject).digest('base64url')}`
}

/** Who shares an address for the limits: an IPv4 address, or the /56 that one IPv6 subscriber gets. */
export function addressPrefix(address: string): string {
  const mapped = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (isIPv4(mapped)) return mapped
  const [head = '', tail] = mapped.toLowerCase().split('%')[0]!.split('::')
  const left = head ? head.split(':') : []
  const right = tail ? tail.split(':') : []
  const groups = tail === undefined ? left : [
    ...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right
  ]
  const bits = groups.slice(0, 4).map((group) => group.padStart(4, '0')).join('')
  return `${bits.slice(0, 14)}::/56`
}
