// What a database failure means to the caller: a named constraint is the Problem that its owner declared, a full pool
// or a lock that took too long is Busy, and everything else stays what it is, a bug.
import pg from 'pg'
import { Busy, OutcomeUnknown, Problem, ValueRefused } from './problem.ts'

const problems = new Map<string, (row: { detail: string }) => Problem>()

/** Declares what a violated constraint means: `mapConstraint('coupon_within_limit', () => CouponExhausted({}))`. */
export function mapConstraint(constraint: string, toProblem: (row: { detail: string }) => Problem): void {
  if (problems.has(constraint)) throw new Error(`The constraint ${constraint} has a problem already`)
  problems.set(constraint, toProblem)
}

/** 40001 and 40P01: the transaction lost against another and may simply run again. */
export function isRetryable(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '40001' || error.code === '40P01' || staleness(error))
}

// A migration changed a table under a prepared statement: the plan is made anew when it runs again on another
// connection.
function staleness(error: pg.DatabaseError): boolean {
  return error.code === '0A000' && /cached plan/.test(error.message)
}

const CONNECTION_LOST = /Connection terminated|not queryable|ECONNRESET|EPIPE|ECONNREFUSED|timeout expired/

/** Whether the connection itself is gone: it must not go back to the pool. */
export function connectionErrors(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return /^(08|57P0[123]|25P03)/.test(error.code ?? '') || staleness(error)
  return error instanceof Error && CONNECTION_LOST.test(error.message)
}

/** The error that the caller sees for an error of the database. */
export function failureOf(error: unknown): unknown {
  if (error instanceof pg.DatabaseError) {
    const known = error.constraint ? problems.get(error.constraint) : undefined
    if (known) return known({ detail: error.detail ?? '' })
    // lock_timeout, statement_timeout, out of connections, starting up or shutting down
    if (/^(55P03|57014|53300|57P0[123])$/.test(error.code ?? '')) return busy(error)
    // Integrity constraint violation and data exception: the fault is in what was asked, not in the server.
    if (/^(22|23)/.test(error.code ?? '')) return refused(error)
    return error
  }
  return connectionErrors(error) || (
    error instanceof Error && /timeout exceeded when trying to connect/.test(error.message)
  ) ? busy(error) : error
}

/** The connection broke after COMMIT was sent: nobody knows what became of it but the database. */
export function outcomeUnknown(cause: unknown): Problem {
  const unknown = OutcomeUnknown({ retryAfterSeconds: 1 },
    'The database went away while it was committing. Repeat the request with the same Idempotency-Key.')
  unknown.cause = cause
  return unknown
}

function refused(cause: pg.DatabaseError): Problem {
  const refusal = ValueRefused(cause.constraint ? { rule: cause.constraint } : {})
  refusal.cause = cause
  return refusal
}

function busy(cause: unknown): Problem {
  const refusal = Busy(
    { retryAfterSeconds: 1 }, 'The database is busy or restarting. Nothing was done; try again in a second.'
  )
  refusal.cause = cause
  return refusal
}
