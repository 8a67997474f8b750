// The database: Db reads and opens transactions, Tx (tx.ts) writes inside one. The two are not interchangeable for the
// compiler, so what talks to a network (it takes a Db) cannot be called inside a transaction (which has a Tx). Retry is
// written here, once for all, and so is who gets a connection when there are too few.
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { connectionErrors, failureOf, isRetryable, outcomeUnknown } from './db-errors.ts'
import { AlreadyRun, type Context } from './context.ts'
import { Gate, type Priority, type Rank } from './gate.ts'
import { Busy, isProblem, KeyInFlight, OutcomeUnknown } from './problem.ts'
import { compile, sql, type Statement } from './sql.ts'
import { Connection, openTransaction, scope, strict, Tx, type Conn, type Task } from './tx.ts'
import { parsers } from './values.ts'

export { sql, none, joined, json, replanned, Statement } from './sql.ts'
export { mapConstraint } from './db-errors.ts'
export { resultId, signedCustomer, systemContext, type Actor, type Context } from './context.ts'
export { measured, openTransaction, strict, Tx, type Conn, type Cost } from './tx.ts'

export type DbOptions = {
  url: string
  /** Connections at most. */
  max: number
  /** How long a request that has not begun waits for one; then it is refused as Busy. */
  waitMs?: number
  applicationName?: string
  /** How long a connection that is in use may be without a byte; then it is given up. */
  silentMs?: number
}

type Failure = { error: unknown; connectionLost: boolean; commitSent: boolean }

// A statement that runs longer than these is a fault, not work: the sums are what one request may hold of the database.
// Compiling (jit) costs a list of 100,000 products several times what it saves. A page by an index costs about what one
// in sequence does (random_page_cost), on every disk of this century and in memory: PostgreSQL's own 4 reads 3,000 rows
// of a small table whole to find ten of them.
const SESSION = '-c search_path= -c timezone=UTC -c lock_timeout=5000 -c statement_timeout=15000 ' +
  '-c idle_in_transaction_session_timeout=20000 -c jit=off -c random_page_cost=1.1'

// After this long without a byte, from a server that ends every statement after 15 seconds, no answer will come: the
// connection is dead, and nobody has told us.
const SILENT_MS = 20_000

// What was begun waits longer than what is refused without loss: a payment that the bank has made must be recorded.
const BEGUN_WAITS_MS = 5_000
const COMMITTED_WAITS_MS = 20_000
// What runs outside of requests: jobs, the command line, tests.
const OWN_TASK: Task = { cost: { statements: 0, trips: 0 }, rank: 'begun' }
const taskOf = (): Task => scope.getStore()?.task ?? OWN_TASK

export class Db extends Connection implements Conn {
  readonly url: string
  /** The first of the pools of a shop: what hangs on a shop's database (provide.ts) hangs on this one. */
  readonly root: Db
  #options: DbOptions
  #pool: pg.Pool
  #gate: Gate
  #others: Db[] = []
  #waking: NodeJS.Timeout | undefined

  constructor(options: DbOptions, root?: Db) {
    super()
    this.url = options.url
    this.root = root ?? this
    this.#options = options
    this.#gate = new Gate(options.max)
    this.#pool = new pg.Pool({
      connectionString: options.url, max: options.max, connectionTimeoutMillis: 5_000, idleTimeoutMillis: 30_000,
      application_name: options.applicationName ?? 'kontor', options: SESSION, types: parsers, pipeline: true,
    } as pg.PoolConfig)
    // A connection that broke fails the statements on it; the event itself has nothing to add, and unheard it would end
    // the process.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => {
      client.on('error', () => {})
      socketOf(client).on('timeout', () => giveUp(client))
    })
    this.#pool.on('acquire', (client) => socketOf(client).setTimeout(options.silentMs ?? SILENT_MS))
    this.#pool.on('release', (_, client) => socketOf(client).setTimeout(0))
  }

  /** Further connections to the same shop, for a role whose work must not take them from another. Closed with these. */
  pool(max: number, applicationName: string): Db {
    const other = new Db({ ...this.#options, max, applicationName }, this.root)
    this.#others.push(other)
    return other
  }

  /** Whether a request of this priority would be refused now: asked before anything is done for it. */
  refuses(priority: Priority): boolean {
    return this.#gate.isFull(priority)
  }

  async #enter(task: Task): Promise<void> {
    const { rank } = task
    const patienceMs = task.committed ? COMMITTED_WAITS_MS
      : rank === 'begun' ? BEGUN_WAITS_MS : this.#options.waitMs ?? 2_000
    const waited = this.#gate.enter(rank, patienceMs)
    if (waited && !await waited) throw told(tooBusy(), task)
    task.rank = 'begun'
  }

  protected override async send(statement: Statement): Promise<pg.QueryResult> {
    if (strict && openTransaction()) {
      throw new Error(`Inside a transaction use tx, not db: ${statement.strings.join('?')}`)
    }
    const task = taskOf()
    task.cost.statements++
    task.cost.trips++
    await this.#enter(task)
    try {
      return await this.#pool.query(compile(statement) as pg.QueryConfig)
    } catch (error) {
      throw told(failureOf(error), task)
    } finally {
      this.#gate.leave()
    }
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
      if (!again) throw told(failureOf(error), taskOf())
      await sleep(Math.random() * 5 * 2 ** attempt)        // spread, so that the same two do not meet again
    }
  }

  async #attempt<T>(context: Context, fn: (tx: Tx) => Promise<T>): Promise<{ value: T } | Failure> {
    const task = taskOf()
    await this.#enter(task)
    const client = await this.#pool.connect().catch((error: unknown) => {
      this.#gate.leave()
      throw failureOf(error)
    })
    const tx = new Tx(this.root, client, context, task.cost)
    try {
      const value = await scope.run({ task, tx }, async () => {
        tx.begin()
        const result = await fn(tx)
        if (!tx.committing) await tx.commit()
        return result
      })
      client.release()
      task.committed = task !== OWN_TASK
      if (tx.wakesOthers) this.#wake()
      return { value }
    } catch (failure) {
      const commitSent = tx.committing
      const error = await tx.rollback(failure)
      const connectionLost = connectionErrors(error)
      client.release(connectionLost)
      return { error: idempotencyFailure(error), connectionLost, commitSent }
    } finally {
      this.#gate.leave()
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
      connectionString: this.url, application_name: 'kontor dedicated', types: parsers, connectionTimeoutMillis: 10_000,
      options: '-c search_path= -c timezone=UTC',
    } as pg.ClientConfig)
    client.on('error', () => {})
    await client.connect()
    return client
  }

  /** Connections of all pools of this shop, and requests that wait for one. */
  get load(): { total: number; waiting: number } {
    const pools = [this as Db, ...this.#others]
    return {
      total: pools.reduce((sum, one) => sum + one.#pool.totalCount, 0),
      waiting: pools.reduce((sum, one) => sum + one.#gate.waiting, 0),
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#waking)
    await Promise.all([this.#pool.end(), ...this.#others.map((one) => one.close())])
  }
}

const socketOf = (client: pg.ClientBase): Socket => (client as unknown as { connection: { stream: Socket } })
  .connection.stream

/** Ends a connection on which nobody answers; what waits there fails as it does when a connection breaks. */
export function giveUp(client: pg.ClientBase): void {
  socketOf(client).destroy(new Error('Connection terminated: the database has been silent for too long'))
}

/** What was committed before in the same task is done: a Busy, which says that nothing was, would be a lie. */
function told(failure: unknown, task: Task): unknown {
  if (!task.committed || !(isProblem(failure, Busy))) return failure
  const unknown = OutcomeUnknown({ retryAfterSeconds: 1 },
    'A part was done, and the database is too busy for the rest. Repeat the request with the same Idempotency-Key.')
  unknown.cause = failure
  return unknown
}

function tooBusy(): unknown {
  return Busy({ retryAfterSeconds: 1 }, 'More is asked than can be done at once. Nothing was done; try again soon.')
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
