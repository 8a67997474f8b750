// The worker: it turns each event of the outbox into one job for every handler, runs the jobs, a failing one again and
// again, and lets sweeps look for what is due. All of it may be killed at any instant: an event is marked as relayed in
// the statement that adds its jobs, and a job is taken on a lease, which its worker renews. When that one dies the
// lease ends, and another worker takes the job; so a handler may run twice, and has one effect (`firstTime`).
// Why not a library: docs/decisions/jobs.md.
import { Type, type Static } from 'typebox'
import { measured, sql, type Conn, type Db } from './db.ts'
import type { EventSubscription, Sweep } from './events.ts'
import { failpoint } from './failpoint.ts'
import { listenForWakes } from './listen.ts'
import type { Log } from './log.ts'
import { counter } from './metrics.ts'
import { freshPlans, retention } from './retention.ts'
import { forgetOrigins, sealAudit } from './seal-audit.ts'

export type WorkerOptions = {
  subscriptions: readonly EventSubscription[]
  sweeps: readonly Sweep[]
  log: Log
  /** Jobs at once in this process. */
  concurrency?: number
  /** Seconds until the job of a worker that died is taken by another. */
  leaseSeconds?: number
  /** Seconds that a handler may take; then it counts as failed, and its place is free. */
  patienceSeconds?: number
}

const EVENTS_AT_ONCE = 200
const HELD_AT_MOST = 1_000      // jobs of this process that wait for a place: more are left to other processes
const LOOK_EVERY_MS = 500
const FINISH_WITHIN_MS = 20     // jobs that end within it are taken off the list together
// With the pauses between them, doubling from two seconds to six hours, a job is tried for three days.
const ATTEMPTS = 25
const failures = counter('job_failures_total', 'Handlers and sweeps that threw', ['name'])

const Job = Type.Object({
  eventId: Type.String(), handler: Type.String(), attempt: Type.Integer(), payload: Type.Any(),
})
type Job = Static<typeof Job>
const Relayed = Type.Object({ ...Job.properties, handler: Type.Union([Type.String(), Type.Null()]) })

export class Worker {
  #db: Db
  #options: Required<WorkerOptions>
  #handlers: ReadonlyMap<string, EventSubscription>
  #timers: NodeJS.Timeout[] = []
  #sweeping = new Set<Promise<unknown>>()
  #held = new Set<Job>()           // leased: they run, or wait here for a place
  #waiting: Job[] = []
  #running = new Set<Promise<void>>()
  #done: Job[] = []
  #finishing: Promise<void> | undefined
  #relaying: Promise<void> | undefined
  #relayAgain = false
  #stopped = false
  #unlisten: (() => Promise<void>) | undefined

  constructor(db: Db, options: WorkerOptions) {
    this.#db = db
    this.#options = { concurrency: 4, leaseSeconds: 60, patienceSeconds: 900, ...options }
    this.#handlers = new Map(options.subscriptions.map((one) => [one.name, one]))
  }

  async start(): Promise<void> {
    const { sweeps, leaseSeconds } = this.#options
    this.#unlisten = await listenForWakes(this.#db, () => void this.relay())
    const retries: Sweep = { name: 'platform.retries', everySeconds: LOOK_EVERY_MS / 1_000, run: () => this.#retry() }
    const leases: Sweep = { name: 'platform.leases', everySeconds: leaseSeconds / 4, run: () => this.#renew() }
    this.#timers.push(setInterval(() => void this.relay(), LOOK_EVERY_MS))
    for (const one of [...sweeps, retention, freshPlans, sealAudit, forgetOrigins, retries, leases]) this.#schedule(one)
    await this.relay()
  }

  #schedule(one: Sweep): void {
    let busy = false
    const turn = async (): Promise<void> => {
      if (busy || this.#stopped) return
      busy = true
      try {
        await one.run(this.#db)
      } catch (error) {
        failures.inc({ name: one.name })
        this.#options.log.error({ sweep: one.name, err: error }, 'a sweep failed and will run again')
      } finally {
        busy = false
      }
    }
    this.#timers.push(setInterval(() => {
      const promise = turn()
      this.#sweeping.add(promise)
      void promise.finally(() => this.#sweeping.delete(promise))
    }, one.everySeconds * 1_000))
  }

  /** Takes over all events that are due, as long as there is room for their jobs. */
  relay(): Promise<void> {
    this.#relayAgain = true
    // Cleared by `finally`, which comes after the assignment also when there was nothing to wait for.
    this.#relaying ??= this.#relay().finally(() => { this.#relaying = undefined })
    return this.#relaying
  }

  async #relay(): Promise<void> {
    try {
      while (this.#relayAgain && !this.#stopped && this.#held.size < HELD_AT_MOST) {
        this.#relayAgain = false
        const { events, jobs } = await relayEvents(this.#db, this.#options.subscriptions, this.#options.leaseSeconds)
        if (events > 0) failpoint('event.relayed')
        if (events === EVENTS_AT_ONCE) this.#relayAgain = true
        this.#take(jobs)
      }
    } catch (error) {
      if (!this.#stopped) this.#options.log.error({ err: error }, 'the relay failed and will run again')
    }
  }

  /** Jobs whose next attempt is due, and those whose worker died. */
  async #retry(): Promise<void> {
    const room = Math.min(EVENTS_AT_ONCE, HELD_AT_MOST - this.#held.size)
    if (room > 0) this.#take(await takeJobs(this.#db, [...this.#handlers.keys()], room, this.#options.leaseSeconds))
  }

  #take(jobs: readonly Job[]): void {
    for (const job of jobs) this.#held.add(job)
    this.#waiting.push(...jobs)
    this.#fill()
  }

  #fill(): void {
    while (!this.#stopped && this.#running.size < this.#options.concurrency) {
      const job = this.#waiting.shift()
      if (!job) return
      const run = this.#run(job).finally(() => {
        this.#running.delete(run)
        this.#held.delete(job)
        this.#fill()
        if (this.#relayAgain && this.#held.size < HELD_AT_MOST / 2) void this.relay()
      })
      this.#running.add(run)
    }
  }

  async #run(job: Job): Promise<void> {
    const { eventId, handler, attempt, payload } = job
    const { run } = this.#handlers.get(handler)!
    try {
      const work = measured(() => run(this.#db, payload, { eventId, attempt }))
      await within(this.#options.patienceSeconds, work)
      failpoint('job.done')
      this.#done.push(job)
    } catch (error) {
      failures.inc({ name: handler })
      const next = attempt < ATTEMPTS ? 'a job failed and will run again' : 'a job failed for the last time'
      this.#options.log.warn({ job: handler, eventId, attempt, err: error }, next)
      await failJob(this.#db, job, error).catch(() => {})      // its lease ends, and it runs again
    }
    this.#finishing ??= this.#finish()
  }

  async #finish(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, FINISH_WITHIN_MS))
    this.#finishing = undefined
    const jobs = this.#done.splice(0)
    if (jobs.length > 0) await finishJobs(this.#db, jobs).catch(() => {})     // they run again, without effect
  }

  async #renew(): Promise<void> {
    if (this.#held.size > 0) await renewLeases(this.#db, [...this.#held], this.#options.leaseSeconds)
  }

  /** Begins nothing more, waits for what runs, and gives back what waits here. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) clearInterval(timer)
    await this.#unlisten?.()
    await this.#relaying
    await Promise.all([...this.#sweeping, ...this.#running])
    await this.#finishing
    const left = this.#waiting.splice(0)
    if (left.length > 0) await giveBack(this.#db, left)
  }
}

async function within(seconds: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It was not done within ${seconds} seconds`)), seconds * 1_000)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/**
 * Turns events that are due into one job for each handler, on a lease; answers how many events, and the jobs. Two who
 * relay at once never take the same event.
 */
export async function relayEvents(
  conn: Conn, subscriptions: readonly EventSubscription[], leaseSeconds = 60,
): Promise<{ events: number; jobs: Job[] }> {
  const rows = await conn.many(Relayed, sql`
    with event as (
      update platform.event set relayed_at = now() where id = any(array(
        select id from platform.event where relayed_at is null and available_at <= now()
        order by available_at, id limit ${EVENTS_AT_ONCE} for update skip locked))
      returning id, type, payload
    ), job as (
      insert into platform.job (event_id, handler, attempts, run_at)
      select id, handler, 1, now() + make_interval(secs => ${leaseSeconds})
      from event join unnest(${subscriptions.map(({ event }) => event)}::text[],
        ${subscriptions.map(({ name }) => name)}::text[]) as subscription (type, handler) using (type)
      returning event_id, handler
    )
    select id as "eventId", handler, 1 as attempt, payload from event left join job on event_id = id order by id`)
  return {
    events: new Set(rows.map(({ eventId }) => eventId)).size,
    jobs: rows.flatMap(({ handler, ...rest }) => (handler === null ? [] : [{ ...rest, handler }])),
  }
}

/** Takes jobs whose time has come, on a lease, if their handlers are known here. */
export function takeJobs(
  conn: Conn, handlers: readonly string[], atMost: number, leaseSeconds: number,
): Promise<Job[]> {
  return conn.many(Job, sql`
    update platform.job set attempts = attempts + 1, run_at = now() + make_interval(secs => ${leaseSeconds})
    from platform.event
    where event.id = event_id and (event_id, handler) in (
      select event_id, handler from platform.job
      where run_at <= now() and given_up_at is null and handler = any(${handlers}::text[])
      order by run_at limit ${atMost} for update skip locked)
    returning event_id as "eventId", handler, attempts as attempt, payload`)
}

const idsOf = (jobs: readonly Job[]) => sql`
  unnest(${jobs.map(({ eventId }) => eventId)}::uuid[], ${jobs.map(({ handler }) => handler)}::text[])`

async function finishJobs(conn: Conn, jobs: readonly Job[]): Promise<void> {
  await conn.run(sql`delete from platform.job using ${idsOf(jobs)} as done (event_id, handler)
    where job.event_id = done.event_id and job.handler = done.handler`)
}

async function failJob(conn: Conn, { eventId, handler, attempt }: Job, error: unknown): Promise<void> {
  const said = error instanceof Error ? error.stack ?? error.message : String(error)
  await conn.run(sql`
    update platform.job set last_error = ${said.slice(0, 4_000)},
      run_at = now() + make_interval(secs => least(power(2, attempts), 21600)),
      given_up_at = case when attempts >= ${ATTEMPTS} then now() end
    where event_id = ${eventId} and handler = ${handler} and attempts = ${attempt}`)
}

async function renewLeases(conn: Conn, jobs: readonly Job[], leaseSeconds: number): Promise<void> {
  await conn.run(sql`
    update platform.job set run_at = now() + make_interval(secs => ${leaseSeconds})
    from ${idsOf(jobs)} as held (event_id, handler)
    where job.event_id = held.event_id and job.handler = held.handler and given_up_at is null`)
}

async function giveBack(conn: Conn, jobs: readonly Job[]): Promise<void> {
  await conn.run(sql`
    update platform.job set run_at = now(), attempts = attempts - 1 from ${idsOf(jobs)} as held (event_id, handler)
    where job.event_id = held.event_id and job.handler = held.handler`)
}

/** Delivers every due event to its handlers here and now until none is left: for tests and the command line. */
export async function drainEvents(db: Db, subscriptions: readonly EventSubscription[]): Promise<number> {
  let count = 0
  for (;;) {
    const { events, jobs } = await relayEvents(db, subscriptions)
    if (events === 0) return count
    for (const job of jobs) {
      const { run } = subscriptions.find(({ name }) => name === job.handler)!
      await run(db, job.payload, { eventId: job.eventId, attempt: job.attempt })
    }
    if (jobs.length > 0) await finishJobs(db, jobs)
    count += events
  }
}
