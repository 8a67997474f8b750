// How many requests a secret key, or an address, may send in a minute, over all processes. Asking the database for each
// would cost more than most requests, so each process counts by itself and once a second adds to the common count and
// learns it: the limit is exact to what was sent within that second.
import { Type } from 'typebox'
import { sql, type Db } from '../../platform/db.ts'
import { TooManyRequests } from '../../platform/problem.ts'

const WINDOW_MS = 60_000
const SHARE_EVERY_MS = 1_000
// Subjects of one minute; a flood from more addresses than this is not counted by address, which must not cost memory.
const MOST = 100_000

type Count = { own: number; shared: number }
const Row = Type.Object({ subject: Type.String(), requests: Type.Integer() })

export class RequestMeter {
  #db: Db
  #counts = new Map<string, Count>()
  #window = 0
  #timer: NodeJS.Timeout | undefined
  #sharing: Promise<void> | undefined

  constructor(db: Db) { this.#db = db }

  /** Counts a request. Throws TooManyRequests beyond so many within the minute; 0 is no limit. */
  take(subject: string, perMinute: number): void {
    if (perMinute === 0) return
    const window = Math.floor(Date.now() / WINDOW_MS)
    if (window !== this.#window) {
      this.#counts.clear()
      this.#window = window
    }
    let count = this.#counts.get(subject)
    if (!count) {
      if (this.#counts.size >= MOST) return
      this.#counts.set(subject, count = { own: 0, shared: 0 })
    }
    if (count.own + count.shared >= perMinute) {
      const retryAfterSeconds = Math.max(1, Math.ceil(((window + 1) * WINDOW_MS - Date.now()) / 1_000))
      throw TooManyRequests({ retryAfterSeconds }, `${perMinute} requests a minute are what it may send.`)
    }
    count.own++
    this.#timer ??= setTimeout(() => void this.share().catch(() => {}), SHARE_EVERY_MS).unref()
  }

  /** Adds what was counted here to what all counted, and learns that. What fails is added the next time. */
  async share(): Promise<void> {
    this.#timer = undefined
    this.#sharing ??= this.#share().finally(() => { this.#sharing = undefined })
    await this.#sharing
  }

  async #share(): Promise<void> {
    const [window, counts] = [this.#window, this.#counts]
    const told = [...counts].filter(([, { own }]) => own > 0).map(([subject, { own }]) => ({ subject, own }))
    if (told.length === 0) return
    const rows = await this.#db.many(Row, sql`
      insert into identity.request_count as total (subject, minute, requests)
      select subject, ${window}, own
      from unnest(${told.map(({ subject }) => subject)}::text[], ${told.map(({ own }) => own)}::int[])
        as told (subject, own)
      order by subject
      on conflict (subject) do update set minute = excluded.minute,
        requests = excluded.requests + case when total.minute = excluded.minute then total.requests else 0 end
      returning subject, requests`)
    if (window !== this.#window) return
    const own = new Map(told.map((one) => [one.subject, one.own]))
    for (const { subject, requests } of rows) {
      const count = counts.get(subject)
      if (!count) continue
      count.own -= own.get(subject)!
      count.shared = requests
    }
  }
}

/** What identity's sweep does. */
export async function forgetCounts(db: Db): Promise<void> {
  await db.run(sql`delete from identity.request_count where subject = any(array(
    select subject from identity.request_count where minute < ${Math.floor(Date.now() / WINDOW_MS) - 1}
    limit 10000 for update skip locked))`)
}
