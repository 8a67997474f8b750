// The database: Db reads and opens transactions, Tx writes inside one. The two are not interchangeable for the
// compiler, so what talks to a network (it takes a Db) cannot be called inside a transaction (which has a Tx).
// Statements that do not wait for each other travel in one trip: `pg` in pipeline mode, corked until the next
// microtask. Retry, idempotency rows and audit rows are written here, once for all.
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Static, TObject } from 'typebox'
import { checkRows } from './check-rows.ts'
import { connectionErrors, failureOf, isRetryable, outcomeUnknown } from './db-errors.ts'
import { AlreadyRun, idempotencyRow, auditRow, type Context } from './context.ts'
import { KeyInFlight } from './problem.ts'
import { compile, sql, type Statement } from './sql.ts'
import { parsers } from './values.ts'

export { sql, none, joined, json, Statement } from './sql.ts'
export { mapConstraint } from './db-errors.ts'
export { systemContext, resultId, type Context, type Actor } from './context.ts'

/** What reads: a Db (each statement alone) or a Tx (all of them together). */
export interface Conn {
  many<Row extends TObject>(row: Row, statement: Statement): Promise<Static<Row>[]>
  one<Row extends TObject>(row: Row, statement: Statement): Promise<Static<Row>>
  maybe<Row extends TObject>(row: Row, statement: Statement): Promise<Static<Row> | undefined>
  /** Runs a statement for its effect; answers the number of rows that it touched. */
  run(statement: Statement): Promise<number>
}

/**
 * What the statements of one request or one measured call cost: their number, and how often we waited for the network.
 */
export type Cost = { statements: number; trips: number }
const scope = new AsyncLocalStorage<{ cost: Cost; tx?: Tx }>()

/** Runs `fn` and counts what it costs; http.ts does so for each request, tests for each budget. */
export async function measured<T>(fn: (cost: Cost) => Promise<T>): Promise<T> {
  const cost = { statements: 0, trips: 0 }
  return scope.run({ cost }, () => fn(cost))
}

/** The open transaction of this call chain, if any. Tests refuse every other connection while there is one. */
export function openTransaction(): Tx | undefined {
  return scope.getStore()?.tx
}

const strict = process.env['NODE_ENV'] !== 'production'

abstract class Connection {
  protected abstract send(statement: Statement): Promise<pg.QueryResult>

  async many<Row extends TObject>(row: Row, statement: Statement): Promise<Static<Row>[]> {
    const { rows } = await this.send(statement)
    if (strict) checkRows(row, rows, statement)
    return rows
  }

  async one<Row extends TObject>(row: Row, statement: Statement): Promise<Static<Row>> {
    const rows = await this.many(row, statement)
    if (rows.length !== 1) throw new Error(`Expected one row, got ${rows.length}: ${statement.strings.join('?')}`)
    return rows[0]!
  }

  async maybe<Row extends TObject>(row: Row, statement: Statement): Promise<Static<Row> | undefined> {
    const rows = await this.many(row, statement)
    if (rows.length > 1) throw new Error(`Expected at most one row, got ${rows.length}: ${statement.strings.join('?')}`)
    return rows[0]
  }

  async run(statement: Statement): Promise<number> {
    return (await this.send(statement)).rowCount ?? 0
  }
}

/** One open transaction. Statements sent without waiting for each other travel together. */
export class Tx extends Connection implements Conn {
  readonly context: Context
  #client: pg.PoolClient
  #cost: Cost
  #sent: Promise<unknown>[] = []
  #waiting = 0
  #corked = false
  #firstError: { order: number; error: unknown } | undefined
  #commit: Promise<pg.QueryResult> | undefined
  /** Set by what other processes should hear of soon: they are woken after the commit. */
  wakesOthers = false

  constructor(client: pg.PoolClient, context: Context, cost: Cost) {
    super()
    this.#client = client
    this.context = context
    this.#cost = cost
  }

  protected override send(statement: Statement): Promise<pg.QueryResult> {
    if (this.#commit) throw new Error(`A statement after COMMIT: ${statement.strings.join('?')}`)
    return this.#submit(compile(statement))
  }

  /** Sends BEGIN, and with it what the platform writes for every request: its idempotency key and its audit row. */
  begin(): void {
    void this.#submit({ text: 'begin' })
    const { idempotency, audit } = this.context
    if (idempotency && !idempotency.written) {
      // The transaction may run again from the top, so the row is marked as written only by the commit.
      this.send(idempotencyRow(idempotency)).catch(() => {})
    }
    if (audit && !audit.written) this.send(auditRow(this.context, audit)).catch(() => {})
  }

  #submit(query: { text: string; name?: string | undefined; values?: unknown[] }): Promise<pg.QueryResult> {
    this.#cost.statements++
    if (this.#waiting++ === 0) this.#cost.trips++
    this.#cork()
    const order = this.#sent.length
    const result = this.#client.query(query as pg.QueryConfig)
    const noted = result.then(() => { this.#waiting-- }, (error: unknown) => {
      this.#waiting--
      if (!this.#firstError || order < this.#firstError.order) this.#firstError = { order, error }
    })
    this.#sent.push(noted)
    return result
  }

  // Statements issued in the same turn leave in one packet.
  #cork(): void {
    if (this.#corked) return
    const { stream } = (this.#client as unknown as { connection: { stream: import('node:net').Socket } }).connection
    this.#corked = true
    stream.cork()
    queueMicrotask(() => {
      this.#corked = false
      stream.uncork()
    })
  }

  /**
   * Ends the transaction in the trip of its last statements: `await tx.commit([insert, update, …])`. If one of them
   * fails, PostgreSQL answers the COMMIT with ROLLBACK, and this rejects with the first cause. A statement that must
   * hold has to fail as SQL (by a named constraint): one that merely matches no row would be committed.
   */
  async commit(last: Promise<unknown>[] = []): Promise<void> {
    for (const promise of last) promise.catch(() => {})
    this.#commit ??= this.#submit({ text: 'commit' })
    this.#commit.catch(() => {})
    const outcomes = await Promise.allSettled([...last, ...this.#sent])
    const { command } = await this.#commit.catch(() => ({ command: 'FAILED' }))
    if (this.#firstError) throw this.#firstError.error
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed && command === 'COMMIT') {
      throw new Error('A statement of the last trip was refused after the commit', { cause: failed.reason })
    }
    if (failed) throw failed.reason
    if (command !== 'COMMIT') throw new Error(`The transaction was not committed: the server answered ${command}`)
    if (this.context.idempotency) this.context.idempotency.written = true
    if (this.context.audit) this.context.audit.written = true
  }

  /** Rolls back after a failure and answers its first cause: a 25P02 only says that something failed before. */
  async rollback(error: unknown): Promise<unknown> {
    await Promise.all(this.#sent)
    if (!this.#commit) await this.#submit({ text: 'rollback' }).catch(() => {})
    return this.#firstError ? this.#firstError.error : error
  }

  get committing(): boolean { return this.#commit !== undefined }
}

export type DbOptions = {
  url: string
  /** Connections at most. A request waits `waitMs` for one and is then refused as Busy. */
  max: number
  waitMs?: number
  applicationName?: string
}

type Failure = { error: unknown; connectionLost: boolean; commitSent: boolean }

// A statement that runs longer than these is a fault, not work: the sums are what one request may hold of the database.
const SESSION = '-c search_path= -c timezone=UTC -c lock_timeout=5000 -c statement_timeout=15000 ' +
  '-c idle_in_transaction_session_timeout=20000'

export class Db extends Connection implements Conn {
  readonly url: string
  #pool: pg.Pool
  #waking: NodeJS.Timeout | undefined

  constructor(options: DbOptions) {
    super()
    this.url = options.url
    this.#pool = new pg.Pool({
      connectionString: options.url, max: options.max, connectionTimeoutMillis: options.waitMs ?? 5_000,
      idleTimeoutMillis: 30_000,
      application_name: options.applicationName ?? 'kontor', options: SESSION, types: parsers, pipeline: true,
    } as pg.PoolConfig)
    // A connection that broke fails the statements on it; the event itself has nothing to add, and unheard it would end
    // the process.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => client.on('error', () => {}))
  }

  protected override async send(statement: Statement): Promise<pg.QueryResult> {
    const store = scope.getStore()
    if (strict && store?.tx) throw new Error(`Inside a transaction use tx, not db: ${statement.strings.join('?')}`)
    if (store) {
      store.cost.statements++
      store.cost.trips++
    }
    return this.#pool.query(compile(statement) as pg.QueryConfig).catch((error: unknown) => { throw failureOf(error) })
  }

  /**
   * Runs `fn` in one transaction (READ COMMITTED) and commits it. After a deadlock or serialisation failure, or when
   * the connection broke before COMMIT was sent, the whole function runs again: nothing outside the database may happen
   * inside it.
   */
  async transaction<T>(context: Context, fn: (tx: Tx) => Promise<T>): Promise<T> {
    if (openTransaction()) throw new Error('A transaction inside a transaction: pass tx along instead')
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(context, fn)
      if ('value' in outcome) return outcome.value
      const { error, connectionLost, commitSent } = outcome
      if (connectionLost && commitSent) throw outcomeUnknown(error)
      const again = isRetryable(error) ? attempt < 6 : connectionLost && attempt < 3
      if (!again) throw failureOf(error)
      await sleep(Math.random() * 5 * 2 ** attempt)        // spread, so that the same two do not meet again
    }
  }

  async #attempt<T>(context: Context, fn: (tx: Tx) => Promise<T>): Promise<{ value: T } | Failure> {
    const client = await this.#pool.connect().catch((error: unknown) => { throw failureOf(error) })
    const cost = scope.getStore()?.cost ?? { statements: 0, trips: 0 }
    const tx = new Tx(client, context, cost)
    try {
      const value = await scope.run({ cost, tx }, async () => {
        tx.begin()
        const result = await fn(tx)
        if (!tx.committing) await tx.commit()
        return result
      })
      client.release()
      if (tx.wakesOthers) this.#wake()
      return { value }
    } catch (failure) {
      const commitSent = tx.committing
      const error = await tx.rollback(failure)
      const connectionLost = connectionErrors(error)
      client.release(connectionLost)
      return { error: idempotencyFailure(error), connectionLost, commitSent }
    }
  }

  // Outside the transaction and at most fifty times a second: a pending NOTIFY takes a database-wide lock through its
  // commit.
  #wake(): void {
    this.#waking ??= setTimeout(() => {
      this.#waking = undefined
      this.#pool.query(`select pg_notify('kontor_wake', '')`).catch(() => {})
    }, 20).unref()
  }

  /**
   * A connection of its own for COPY, LISTEN and long reads: not pipelined, without the statement timeout. The caller
   * ends it.
   */
  async dedicated(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.url, application_name: 'kontor dedicated', types: parsers,
      options: '-c search_path= -c timezone=UTC',
    } as pg.ClientConfig)
    client.on('error', () => {})
    await client.connect()
    return client
  }

  /** Connections in use, idle, and requests that wait for one. */
  get load(): { total: number; idle: number; waiting: number } {
    return { total: this.#pool.totalCount, idle: this.#pool.idleCount, waiting: this.#pool.waitingCount }
  }

  async close(): Promise<void> {
    clearTimeout(this.#waking)
    await this.#pool.end()
  }
}

function idempotencyFailure(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError)) return error
  if (error.constraint === 'idempotency_key_pkey') return new AlreadyRun()
  if (error.code === '55P03' && error.where?.includes('idempotency_key')) return KeyInFlight({})
  return error
}

/** Whether the database answers: for readiness. */
export async function ping(db: Db): Promise<void> {
  await db.run(sql`select 1`)
}
