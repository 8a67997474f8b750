// One open transaction. Statements that do not wait for each other travel in one trip: `pg` in pipeline mode, corked
// until the next microtask. What the platform writes for every request (its idempotency key, its audit row) goes out
// with BEGIN, and COMMIT in the trip of the last statements.
import { AsyncLocalStorage } from 'node:async_hooks'
import type pg from 'pg'
import type { Static, TObject } from 'typebox'
import { checkRows } from './check-rows.ts'
import { auditRow, idempotencyRow, type Context } from './context.ts'
import type { Rank } from './gate.ts'
import { compile, type Statement } from './sql.ts'

/** What reads: a Db (each statement alone) or a Tx (all of them together). */
export interface Conn {
  /** What is kept in memory of a shop's data hangs on this. */
  readonly root: object
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
/** One request, or one job: what it costs, and how urgent it is. */
export type Task = { cost: Cost; rank: Rank; committed?: boolean }
export const scope = new AsyncLocalStorage<{ task: Task; tx?: Tx }>()

/** Runs `fn` as a task of its own and counts what it costs; http.ts does so for each request, tests for each budget. */
export async function measured<T>(fn: (cost: Cost) => Promise<T>, rank: Rank = 'begun'): Promise<T> {
  const cost = { statements: 0, trips: 0 }
  return scope.run({ task: { cost, rank } }, () => fn(cost))
}

/** The open transaction of this call chain, if any. Tests refuse every other connection while there is one. */
export function openTransaction(): Tx | undefined {
  return scope.getStore()?.tx
}

export const strict = process.env['NODE_ENV'] !== 'production'

export abstract class Connection {
  abstract readonly root: object
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
  readonly root: object
  #client: pg.PoolClient
  #cost: Cost
  #sent: Promise<unknown>[] = []
  #waiting = 0
  #corked = false
  #firstError: { order: number; error: unknown } | undefined
  #commit: Promise<pg.QueryResult> | undefined
  /** Set by what other processes should hear of soon: they are woken after the commit. */
  wakesOthers = false

  constructor(root: object, client: pg.PoolClient, context: Context, cost: Cost) {
    super()
    this.root = root
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
    if (audit) this.send(auditRow(this.context, audit)).catch(() => {})
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
  }

  /** Rolls back after a failure and answers its first cause: a 25P02 only says that something failed before. */
  async rollback(error: unknown): Promise<unknown> {
    await Promise.all(this.#sent)
    if (!this.#commit) await this.#submit({ text: 'rollback' }).catch(() => {})
    return this.#firstError ? this.#firstError.error : error
  }

  get committing(): boolean { return this.#commit !== undefined }
}
