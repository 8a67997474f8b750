// Expected failures (RFC 9457). A use case throws a Problem, the throw rolls its transaction back, and one place in
// http.ts answers it as application/problem+json. Each kind is declared once, beside the code that throws it, and named
// on each route that may answer it.
import { Type, type Static, type TObject, type TProperties } from 'typebox'

export type ProblemKind<Extra extends TObject = TObject> = {
  /** Throwable: `throw OutOfStock({ lines }, 'what, where, and what to do')`. */
  (extra: Static<Extra>, detail?: string): Problem
  code: string
  status: number
  title: string
  extra: Extra
}

export class Problem extends Error {
  override readonly name = 'Problem'
  readonly kind: ProblemKind
  readonly extra: Record<string, unknown>
  readonly detail: string | undefined
  constructor(kind: ProblemKind, extra: Record<string, unknown>, detail: string | undefined) {
    super(detail ?? kind.title)
    this.kind = kind
    this.extra = extra
    this.detail = detail
  }
}

/**
 * Declares a kind of problem: its code (the end of its type URI), status, title for people, and the shape of its extra
 * fields.
 */
export function problem<P extends TProperties>(
  code: string, status: number, title: string, extra: TObject<P> = Type.Object({}) as TObject<P>,
): ProblemKind<TObject<P>> {
  const kind = (values: Static<TObject<P>>, detail?: string): Problem =>
    new Problem(kind as unknown as ProblemKind, values as Record<string, unknown>, detail)
  return Object.assign(kind, { code, status, title, extra })
}

/** Whether an error is a problem of this kind. */
export function isProblem(error: unknown, kind: { code: string }): error is Problem {
  return error instanceof Problem && error.kind.code === kind.code
}

const Fields = Type.Array(Type.Object({
  path: Type.String({ description: 'Where in the request, as body/lines/0/quantity' }),
  message: Type.String({ description: 'What is wrong there and what is expected' }),
}))

/** The request does not fit the schema of its route. */
export const InvalidRequest = problem(
  'invalid-request', 400, 'The request is not valid', Type.Object({ fields: Fields })
)
/** A field fits its schema, but its value makes no sense here. */
export const InvalidValue = problem(
  'invalid-value', 422, 'A value makes no sense here', Type.Object({ fields: Fields })
)
export const InvalidCursor = problem('invalid-cursor', 400, 'The cursor is not one of ours')
export const MethodNotAllowed = problem('method-not-allowed', 405, 'This address does not take this method',
  Type.Object({ allowed: Type.Array(Type.String()) }))
/**
 * A value fits every schema, and a constraint of the database refuses it. Each such rule should have a problem of its
 * own that says it better; until it has, the request is refused, nothing is done, and the log names the rule.
 */
export const ValueRefused = problem('value-refused', 422, 'A value breaks a rule of the data; nothing was done',
  Type.Object({ rule: Type.Optional(Type.String()) }))
export const NotFound = problem('not-found', 404, 'There is nothing at this address')
export const Unauthenticated = problem('unauthenticated', 401, 'Sign in, or send a key')
export const Forbidden = problem(
  'forbidden', 403, 'Not allowed', Type.Object({ permission: Type.Optional(Type.String()) })
)
export const TooManyRequests = problem('too-many-requests', 429, 'Too many requests',
  Type.Object({ retryAfterSeconds: Type.Integer() }))
export const Busy = problem(
  'busy', 503, 'The server is busy; nothing was done', Type.Object({ retryAfterSeconds: Type.Integer() })
)
/**
 * The connection to the database broke while it was committing. Only a repeat tells: under the same Idempotency-Key it
 * answers what was done, or does it.
 */
export const OutcomeUnknown = problem('outcome-unknown', 503, 'It is not known whether this was done',
  Type.Object({ retryAfterSeconds: Type.Integer() }))
export const KeyReused = problem('idempotency-key-reused', 409, 'This Idempotency-Key was used for another request')
export const KeyInFlight = problem(
  'idempotency-key-in-flight', 409, 'The first request with this Idempotency-Key is still running'
)
export const AlreadyDone = problem(
  'already-done', 409, 'This was done before; its secret was shown then and is not kept'
)
export const VersionConflict = problem('version-conflict', 412, 'Somebody changed this in the meantime')
export const InternalError = problem('internal-error', 500, 'Something went wrong on our side')
