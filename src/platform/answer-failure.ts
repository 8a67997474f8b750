// How a failure is answered: expected ones as the problem documents that their route declares (RFC 9457), everything
// else as 500 without a detail, its stack in the log.
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { RecentProofRequired, SecondFactorRequired } from './authority.ts'
import { openTransaction } from './db.ts'
import type { Route } from './http.ts'
import type { Log } from './log.ts'
import {
  AlreadyDone, Busy, Forbidden, InternalError, InvalidRequest, isProblem, KeyInFlight, KeyReused, OutcomeUnknown,
  Problem, TooManyRequests, Unauthenticated, ValueRefused, type ProblemKind,
} from './problem.ts'
import { SAFE } from './safe-headers.ts'

const strict = process.env['NODE_ENV'] !== 'production'

/** Problems that any route may answer, beside those it declares. */
export function problemsOf(definition: Route): readonly ProblemKind<any>[] {
  const common: ProblemKind<any>[] = [
    InvalidRequest, ValueRefused, TooManyRequests, Busy, OutcomeUnknown, InternalError,
  ]
  if (definition.access !== 'public' && definition.access !== 'webhook') common.push(Unauthenticated, Forbidden)
  if (definition.method === 'POST' && definition.replay !== 'none') common.push(KeyReused, KeyInFlight)
  if (typeof definition.access === 'object') common.push(SecondFactorRequired)
  if (definition.sensitive) common.push(RecentProofRequired)
  if (definition.replay === 'refuse') common.push(AlreadyDone)
  return [...(definition.problems ?? []), ...common]
}

/** Answers a failure of a route, or of a request that found none. */
export function answerFailure(
  error: unknown, definition: Route | undefined, request: FastifyRequest, reply: FastifyReply, log: Log,
): void {
  let problem = error instanceof Problem ? error : problemOf(error as FastifyError)
  const { code } = problem.kind
  if (strict && definition && !problemsOf(definition).some((kind) => kind.code === code)) {
    const route = definition.path
    log.error({ requestId: request.id, route, problem: code }, 'a route threw a problem that it does not declare')
    problem = InternalError({}, `The route does not declare the problem ${code}`)
  } else if (problem.kind.status >= 500 && !isOverload(problem) || code === ValueRefused.code) {
    const inTransaction = openTransaction() !== undefined
    log.error({ requestId: request.id, err: problem.cause ?? error, inTransaction }, 'a request failed')
  }
  const { kind, extra, detail } = problem
  if ('retryAfterSeconds' in extra) reply.header('retry-after', String(extra['retryAfterSeconds']))
  if (isProblem(problem, Unauthenticated)) reply.header('www-authenticate', 'Bearer')
  reply.status(kind.status).type('application/problem+json')
  reply.headers(SAFE).header('cache-control', 'no-store').header('x-request-id', request.id)
  reply.send(JSON.stringify({
    type: `https://kontor.dev/problems/${kind.code}`, title: kind.title, status: kind.status,
    ...(detail ? { detail } : {}), instance: request.url.split('?')[0], requestId: request.id, ...extra,
  }))
}

/** A refusal by our own gates: counted by its status, and a line of log each would only add to the overload. */
function isOverload(problem: Problem): boolean {
  return isProblem(problem, Busy) && problem.cause === undefined
}

// What Fastify itself refuses: too large, wrong media type, broken framing.
function problemOf(error: FastifyError): Problem {
  const status = error.statusCode ?? 500
  if (status >= 500 || status < 400) {
    const failure = InternalError({})
    failure.cause = error
    return failure
  }
  const message = status === 413 ? 'is larger than this route takes' : status === 415
    ? 'must come as content-type: application/json' : error.message
  return InvalidRequest({ fields: [{ path: 'body', message }] })
}
