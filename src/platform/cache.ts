// A cache of ready answers in memory, dropped by tags. A change writes its tags in its own transaction; every process
// looks for new rows twice a second and at once when it is woken, so what is shown is at most a second old. Bounded by
// bytes, one load per key at a time.
import { Type } from 'typebox'
import { sql, type Db, type Tx } from './db.ts'

/**
 * Marks cached answers with any of these tags as out of date, with the transaction. One statement; may be one of the
 * promises of `tx.commit`.
 */
export async function invalidate(tx: Tx, tags: readonly string[]): Promise<void> {
  if (tags.length === 0) return
  tx.wakesOthers = true
  await tx.run(sql`insert into platform.invalidation (tags) values (${[...tags]})`)
}

type Entry<T> = { value: T; bytes: number; tags: readonly string[]; expires: number; usedAt: number }
export type Loaded<T> = { value: T; bytes: number; tags: readonly string[]; maxAgeMs?: number }

export class TaggedCache<T> {
  #entries = new Map<string, Entry<T>>()
  #byTag = new Map<string, Set<string>>()
  #loading = new Map<string, Promise<T>>()
  #epoch = 0
  #bytes = 0
  readonly #maxBytes: number
  readonly #orderMs: number
  /** `orderMs`: uses within this time of each other count as one in the order of use. */
  constructor(maxBytes: number, { orderMs = 1_000 }: { orderMs?: number } = {}) {
    this.#maxBytes = maxBytes
    this.#orderMs = orderMs
  }

  /** What is there now, if it still holds. Synchronous: the hot path waits for nothing. */
  peek(key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    const now = performance.now()
    if (entry.expires < now) return void this.#drop(key)
    // The map's order is the order of use: the first is the one to give up. What was used just now stays where it is,
    // because moving it costs more than finding it.
    if (entry.usedAt + this.#orderMs <= now) {
      entry.usedAt = now
      this.#entries.delete(key)
      this.#entries.set(key, entry)
    }
    return entry.value
  }

  /** The value of a key, loaded once however many ask at the same time. A failed load is not kept. */
  async get(key: string, load: () => Promise<Loaded<T>>): Promise<T> {
    const known = this.peek(key)
    if (known !== undefined) return known
    const running = this.#loading.get(key)
    if (running) return running
    const epoch = this.#epoch
    const promise = load().then((loaded) => {
      // Something was invalidated while we read: what we read may be older than that, so it is answered but not kept.
      if (epoch === this.#epoch) this.#keep(key, loaded)
      return loaded.value
    }).finally(() => { if (this.#loading.get(key) === promise) this.#loading.delete(key) })
    this.#loading.set(key, promise)
    return promise
  }

  drop(tags: readonly string[]): void {
    this.#epoch++
    this.#loading.clear()   // who asks from now on must not join a load that began before the change
    for (const tag of tags) for (const key of [...(this.#byTag.get(tag) ?? [])]) this.#drop(key)
  }

  clear(): void {
    this.drop([...this.#byTag.keys()])
    this.#entries.clear()
    this.#bytes = 0
  }

  get size(): { entries: number; bytes: number } { return { entries: this.#entries.size, bytes: this.#bytes } }

  #keep(key: string, { value, bytes, tags, maxAgeMs = 60_000 }: Loaded<T>): void {
    if (bytes > this.#maxBytes / 4) return
    this.#drop(key)
    const now = performance.now()
    this.#entries.set(key, { value, bytes, tags, expires: now + maxAgeMs, usedAt: now })
    this.#bytes += bytes
    for (const tag of tags) {
      let keys = this.#byTag.get(tag)
      if (!keys) this.#byTag.set(tag, (keys = new Set()))
      keys.add(key)
    }
    while (this.#bytes > this.#maxBytes) this.#drop(this.#entries.keys().next().value!)
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
    for (const tag of entry.tags) {
      const keys = this.#byTag.get(tag)
      keys?.delete(key)
      if (keys?.size === 0) this.#byTag.delete(tag)
    }
  }
}

const Row = Type.Object({ id: Type.Integer(), tags: Type.Array(Type.String()) })

/**
 * Tells caches what was invalidated. Rows of transactions that were still open at the last look are looked at again:
 * none is missed.
 */
export class InvalidationFeed {
  #db: Db
  #listeners: ((tags: readonly string[]) => void)[] = []
  #since: string | undefined
  #seen = new Set<number>()
  #running: Promise<void> | undefined
  #again = false
  #timer: NodeJS.Timeout | undefined

  constructor(db: Db) { this.#db = db }

  /** Calls `listener` with the tags of each change from now on. */
  listen(listener: (tags: readonly string[]) => void): void {
    this.#listeners.push(listener)
  }

  async start(everyMs = 500): Promise<void> {
    await this.look()
    this.#timer = setInterval(() => void this.look().catch(() => {}), everyMs).unref()
  }

  stop(): void { clearInterval(this.#timer) }

  /** Looks now; a look that is asked for during another one follows it. */
  async look(): Promise<void> {
    if (this.#running) {
      this.#again = true
      return this.#running
    }
    this.#running = this.#look().finally(() => { this.#running = undefined })
    await this.#running
    if (this.#again) {
      this.#again = false
      await this.look()
    }
  }

  async #look(): Promise<void> {
    const { xmin } = await this.#db.one(
      Type.Object({ xmin: Type.String() }), sql`select pg_snapshot_xmin(pg_current_snapshot())::text as xmin`
    )
    if (this.#since !== undefined) {
      const rows = await this.#db.many(Row, sql`
        select id, tags from platform.invalidation where transaction_id >= ${this.#since}::xid8
        order by id limit 10000`)
      const fresh = rows.filter((row) => !this.#seen.has(row.id))
      this.#seen = new Set(rows.map((row) => row.id))
      if (fresh.length > 0) {
        const tags = [...new Set(fresh.flatMap((row) => row.tags))]
        for (const listener of this.#listeners) listener(tags)
      }
    }
    this.#since = xmin
  }
}
