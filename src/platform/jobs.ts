// The worker: the relay turns outbox events into one job per subscriber, graphile-worker runs the jobs (retries with
// backoff, several processes), sweeps look for what is due. All of it may be killed at any instant: an event is marked
// as relayed in the transaction that adds its jobs, a job is deleted after its handler returned, and a handler that ran
// twice has one effect.
import { run as runWorker, runMigrations, Logger, type Runner, type TaskList } from 'graphile-worker'
import { Type, type Static } from 'typebox'
import { json, sql, systemContext, type Conn, type Db } from './db.ts'
import { firstIdOfLast } from './id.ts'
import { counter } from './metrics.ts'
import type { EventSubscription, Sweep } from './events.ts'
import type { Log } from './log.ts'

export type WorkerOptions = {
  subscriptions: readonly EventSubscription[]
  sweeps: readonly Sweep[]
  log: Log
  /** Jobs at once in this process. */
  concurrency?: number
}

const EVENTS_AT_ONCE = 500
const failures = counter('job_failures_total', 'Handlers and sweeps that threw', ['name'])

export class Worker {
  #db: Db
  #options: WorkerOptions
  #runner: Runner | undefined
  #timers: NodeJS.Timeout[] = []
  #running = new Set<Promise<unknown>>()
  #relaying: Promise<void> | undefined
  #stopped = false
  #unlisten: (() => Promise<void>) | undefined

  constructor(db: Db, options: WorkerOptions) {
    this.#db = db
    this.#options = options
  }

  async start(): Promise<void> {
    const { log, sweeps } = this.#options
    this.#runner = await runWorker({
      connectionString: this.#db.url, taskList: this.#tasks(), concurrency: this.#options.concurrency ?? 4,
      noHandleSignals: true, pollInterval: 1_000, parsedCronItems: [], maxPoolSize: 4,
      logger: new Logger(() => (level, message) => {
        if (level === 'error' || level === 'warning') log.warn({ worker: message }, 'worker')
      }),
    })
    this.#unlisten = await listenForWakes(this.#db, () => void this.relay())
    this.#timers.push(setInterval(() => void this.relay(), 500))
    for (const one of [...sweeps, retention]) this.#schedule(one)
    await this.relay()
  }

  #tasks(): TaskList {
    return Object.fromEntries(this.#options.subscriptions.map(({ name, run }) => [name, async (payload, { job }) => {
      const { eventId, payload: data } = payload as { eventId: string; payload: unknown }
      try {
        await run(this.#db, data, { eventId, attempt: job.attempts })
      } catch (error) {
        failures.inc({ name })
        throw error
      }
    }]))
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
    this.#timers.push(setInterval(() => this.#track(turn()), one.everySeconds * 1_000))
  }

  #track(promise: Promise<unknown>): void {
    this.#running.add(promise)
    void promise.finally(() => this.#running.delete(promise))
  }

  /** Relays all events that are due. */
  relay(): Promise<void> {
    this.#relaying ??= (async () => {
      try {
        for (let full = true; full && !this.#stopped;) {
          full = await relayEvents(this.#db, this.#options.subscriptions) === EVENTS_AT_ONCE
        }
      } catch (error) {
        if (!this.#stopped) this.#options.log.error({ err: error }, 'the relay failed and will run again')
      } finally {
        this.#relaying = undefined
      }
    })()
    return this.#relaying
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) clearInterval(timer)
    await this.#unlisten?.()
    await this.#relaying
    await Promise.all(this.#running)
    await this.#runner?.stop()
  }
}

/** Adds graphile-worker's own tables; part of migrating. */
export async function migrateJobs(url: string): Promise<void> {
  await runMigrations({ connectionString: url, logger: new Logger(() => () => {}) })
}

const Event = Type.Object({ id: Type.String(), type: Type.String(), payload: Type.Any() })

/** Takes the events that are due; two who take at once never take the same one. */
function takeEvents(conn: Conn): Promise<Static<typeof Event>[]> {
  return conn.many(Event, sql`
    update platform.event set relayed_at = now() where id = any(array(
      select id from platform.event where relayed_at is null and available_at <= now()
      order by available_at, id limit ${EVENTS_AT_ONCE} for update skip locked))
    returning id, type, payload`)
}

/** Turns due events into one job for each subscriber, in one transaction; answers how many events. */
export async function relayEvents(db: Db, subscriptions: readonly EventSubscription[]): Promise<number> {
  return db.transaction(systemContext(), async (tx) => {
    const events = await takeEvents(tx)
    const jobs = events.flatMap(({ id, type, payload }) =>
      subscriptions.filter((one) => one.event === type).map(({ name }) => ({
        identifier: name, payload: { eventId: id, payload }, job_key: `${id}:${name}`, max_attempts: 25,
      })))
    if (jobs.length > 0) {
      await tx.run(sql`select graphile_worker.add_jobs(array(
        select job from jsonb_populate_recordset(null::graphile_worker.job_spec, ${json(jobs)}::jsonb) as job))`)
    }
    return events.length
  })
}

/** Delivers every due event to its handlers here and now until none is left: for tests and the command line. */
export async function drainEvents(db: Db, subscriptions: readonly EventSubscription[]): Promise<number> {
  let count = 0
  for (let events = await takeEvents(db); events.length > 0; events = await takeEvents(db)) {
    for (const { id, type, payload } of events) {
      const interested = subscriptions.filter((one) => one.event === type)
      for (const one of interested) await one.run(db, payload, { eventId: id, attempt: 1 })
    }
    count += events.length
  }
  return count
}

/**
 * Calls `onWake` whenever a process committed something that others should hear of. Reconnects by itself; a poll stands
 * behind it.
 */
export async function listenForWakes(db: Db, onWake: () => void): Promise<() => Promise<void>> {
  let stopped = false
  let client: Awaited<ReturnType<Db['dedicated']>> | undefined
  let timer: NodeJS.Timeout | undefined
  const connect = async (): Promise<void> => {
    try {
      client = await db.dedicated()
      client.on('notification', onWake)
      client.on('end', retry)
      await client.query('listen kontor_wake')
      onWake()
    } catch {
      retry()
    }
  }
  const retry = (): void => {
    if (!stopped) timer ??= setTimeout(() => { timer = undefined; void connect() }, 1_000).unref()
  }
  await connect()
  return async () => {
    stopped = true
    clearTimeout(timer)
    await client?.end().catch(() => {})
  }
}

// What the platform's tables keep: keys as long as a client may repeat itself, events and jobs that failed for good as
// long as somebody may ask what happened.
export const retention: Sweep = {
  name: 'platform.retention', everySeconds: 60,
  async run(db) {
    await db.run(sql`delete from platform.idempotency_key where ctid = any(array(
      select ctid from platform.idempotency_key where created_at < now() - interval '2 days'
      order by created_at limit 10000))`)
    await db.run(sql`delete from platform.event where ctid = any(array(
      select ctid from platform.event
      where id < ${firstIdOfLast(13)} and created_at < now() - interval '14 days' and relayed_at is not null
      order by id limit 10000))`)
    await db.run(sql`delete from platform.event_handled where ctid = any(array(
      select ctid from platform.event_handled
      where event_id < ${firstIdOfLast(29)} and at < now() - interval '30 days' order by event_id limit 10000))`)
    await db.run(sql`delete from platform.invalidation where ctid = any(array(
      select ctid from platform.invalidation where at < now() - interval '1 hour' limit 10000))`)
    await db.run(sql`select graphile_worker.complete_jobs(array(
      select id from graphile_worker.jobs
      where attempts >= max_attempts and updated_at < now() - interval '30 days' limit 1000))`)
  },
}
