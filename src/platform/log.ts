// Structured logs. Request ids, routes and durations go in; names, addresses, tokens and bodies do not: what is never
// written needs no erasure. A card number that an error quotes is masked.
import { pino } from 'pino'
import { maskCardNumbers } from './card-number.ts'

export type Log = {
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
  debug(fields: object, message?: string): void
  child(fields: object): Log
}

/** A log that writes JSON lines to standard error at this level (`LOG_LEVEL`). */
export function createLog(level: string): Log {
  return pino({
    level, base: null, timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ['req', 'headers', '*.password', '*.token', '*.authorization', '*.email'], remove: true },
    serializers: { err: safeError }, hooks: { streamWrite: maskCardNumbers },
  }, pino.destination({ fd: 2, sync: false })) as unknown as Log
}

// A database error carries the row that failed in `detail`, and a row may hold a person.
function safeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) }
  const { code, constraint, table } = error as { code?: string; constraint?: string; table?: string }
  return {
    type: error.name, message: error.message, code, constraint, table, stack: error.stack,
    cause: error.cause ? safeError(error.cause) : undefined,
  }
}
