// HTTP: a route is one object (contract, access, function), and everything else is done to all routes alike:
// validation, access with default deny on the matched route, idempotency, problems, request ids, limits. OpenAPI and
// the SDK are made from the same objects.
import { Readable } from 'node:stream'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { ProxyTracerProvider, SpanStatusCode, trace, type Span } from '@opentelemetry/api'
import { Type, type Static, type TObject, type TSchema } from 'typebox'
import { answerFailure } from './answer-failure.ts'
import { answerChecks } from './check-answers.ts'
import { requireProof, type Within } from './authority.ts'
import type { Actor, Context } from './context.ts'
import { measured, strict, type Cost, type Db } from './db.ts'
import type { Priority } from './gate.ts'
import {
  allowOrigin, allowOtherSites, answerBadAddress, answerBrokenBytes, answerUnmatched, isOpenToOtherSites,
  letGoWhenClosing, refuseBusy,
} from './http-edges.ts'
import { newId } from './id.ts'
import { newIdempotency, runOnce } from './idempotency.ts'
import { observeRequest } from './metrics.ts'
import { InvalidRequest, Problem, type ProblemKind } from './problem.ts'
import { refuseHostileText, validator } from './validation.ts'
import { ReadyAnswer, sendReady, timingOf } from './ready-answer.ts'
import { SAFE } from './safe-headers.ts'
import type { Log } from './log.ts'

export { Id, OneLine, Timestamp, Page, PageQuery, encodeCursor, decodeCursor } from './validation.ts'

/**
 * Who may call. `public`: anybody. `shopper`: a publishable key, which names the channel. `customer`: a shopper who
 * signed in to their account. `staff`: anybody signed in as staff. `{ permission }`: staff or a secret key that has it;
 * `within`: the route itself keeps to their channels. `webhook`: the gateway, which the route itself verifies on the
 * raw bytes.
 */
export type Access =
  'public' | 'shopper' | 'customer' | 'staff' | 'webhook' | { permission: string; within?: keyof Within }

/** Decides, on the matched route, who asks: identity does. Throws Unauthenticated or Forbidden. */
export type Authenticate = (request: RequestFacts, access: Access) => Actor | Promise<Actor>
export type RequestFacts = { method: string; headers: Record<string, string | string[] | undefined>; ip: string }

type Values<S extends TObject | undefined> = S extends TObject ? Static<S> : Record<string, never>
type BodyOf<S extends TSchema | undefined> = S extends TSchema ? Static<S> : undefined

export type RouteInput<P extends TObject | undefined, Q extends TObject | undefined, B extends TSchema | undefined> = {
  db: Db
  context: Context
  params: Values<P>
  query: Values<Q>
  body: BodyOf<B>
  headers: Record<string, string | undefined>
  /** The bytes as they came, on routes with `rawBody`. */
  rawBody: Buffer
  request: FastifyRequest
  reply: FastifyReply
}

export type Route<
  P extends TObject | undefined = any, Q extends TObject | undefined = any, B extends TSchema | undefined = any,
  R = any,
> = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  /** The name in OpenAPI and the SDK where the one made of method and path is no English; see operation-name.ts. */
  operationId?: string
  access: Access
  /** What it is for, when more is asked than can be done; see gate.ts. Unless told: browse to read, cart to write. */
  priority?: Priority
  summary: string
  description?: string
  tags: readonly string[]
  params?: P
  query?: Q
  body?: B
  /** Successful answers by status; the first is the default. `null` is an answer without a body. */
  response: Record<number, TSchema | null>
  problems?: readonly ProblemKind<any>[]
  /** A POST with a known Idempotency-Key: render what is now, refuse (a secret was shown), none (no change). */
  replay?: 'refuse' | 'none' | ((input: RouteInput<P, Q, B> & { resultId: string }) => Promise<unknown>)
  /** Wants a recent proof that it is them; see requireProof. */
  sensitive?: boolean
  /** The largest body in bytes; 1 MiB unless told. */
  bodyLimit?: number
  /** Long numbers in the body are references of a bank: one in ten of those that begin like a card looks like one. */
  bankNumbers?: boolean
  rawBody?: boolean
  multipart?: boolean
  /**
   * Answers from memory before the request is even checked: a question that was answered before was checked before.
   * Undefined: `run` has to.
   */
  recall?: (asked: { db: Db; actor: Actor; request: FastifyRequest }) => ReadyAnswer | undefined
  run: (input: RouteInput<P, Q, B>) => Promise<R>
}

/** Declares a route; the types of `run` come from its schemas. */
export function route<
  const P extends TObject | undefined = undefined, const Q extends TObject | undefined = undefined,
  const B extends TSchema | undefined = undefined, R = unknown,
>(definition: Route<P, Q, B, R>): Route<P, Q, B, R> {
  return definition
}

const tracer = trace.getTracer('kontor')
const NO_TRACER = new ProxyTracerProvider().getDelegate()

// Unique among all processes and readable aloud, and cheaper than a UUID: it is made for every request.
const processMark = newId().slice(-8)
let requests = 0
const nextRequestId = (): string => `${processMark}-${(++requests).toString(36)}`

export type AppOptions = {
  db: Db; routes: readonly Route[]; authenticate: Authenticate; log: Log; trustProxy?: string | false
  /** The connections that a route's work may take; `db` unless told. */
  dbFor?: (route: Route) => Db
}

/** A new application that serves these routes. The caller listens, or injects requests. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { db, routes, authenticate, log, trustProxy, dbFor = () => db } = options
  // Fastify's own logger would be made anew for each request; what is worth logging is logged in `register`.
  const app = Fastify({
    logger: false, genReqId: nextRequestId, trustProxy: trustProxy || false,
    bodyLimit: 1_048_576, requestTimeout: 30_000, connectionTimeout: 60_000, keepAliveTimeout: 65_000,
    return503OnClosing: true,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: false },
    frameworkErrors: (error, request, reply) => answerBadAddress(error, request, reply, log),
    clientErrorHandler: answerBrokenBytes,
  }) as unknown as FastifyInstance
  letGoWhenClosing(app)
  if (routes.some((one) => one.multipart)) {
    await app.register((await import('@fastify/multipart')).default, { limits: { files: 1, fields: 10 } })
  }
  app.removeContentTypeParser(['application/json', 'text/plain'])
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, parseJson)
  app.setErrorHandler((error, request, reply) => answerFailure(error, undefined, request, reply, log))
  answerUnmatched(app, routes, log)
  allowOtherSites(app, routes)
  for (const definition of routes) register(app, definition, dbFor(definition), authenticate, log)
  return app
}

type Done = (error: Error | null, value?: unknown) => void
function parseJson(request: FastifyRequest, raw: string | Buffer, done: Done): void {
  ;(request as { rawBody?: Buffer }).rawBody = raw as Buffer
  const { rawBody } = (request.routeOptions.config ?? {}) as { rawBody?: boolean }
  if (rawBody) return done(null, null)
  if (raw.length === 0) return done(null, undefined)
  try {
    // A key named __proto__ would reach prototypes through a careless merge: nobody needs one.
    done(null, JSON.parse(raw.toString('utf8'), (key, value) => {
      if (key === '__proto__') throw new SyntaxError('a field named __proto__')
      return value
    }))
  } catch (error) {
    done(InvalidRequest({ fields: [{ path: 'body', message: `is not JSON: ${(error as Error).message}` }] }))
  }
}

function register(app: FastifyInstance, definition: Route, db: Db, authenticate: Authenticate, log: Log): void {
  const name = `${definition.method} ${definition.path}`
  if (!definition.access) throw new Error(`${name} does not say who may call it: give it an access`)
  if (definition.method === 'POST' && definition.replay === undefined && definition.access !== 'webhook') {
    throw new Error(`${name} is a POST and does not say how it answers a repeated Idempotency-Key: give it a replay`)
  }
  const check = {
    params: validator(definition.params, 'path', true), query: validator(definition.query, 'query', true),
    body: validator(definition.body, 'body', false),
  }
  const open = isOpenToOtherSites(definition)
  const priority = priorityOf(definition)
  const success = Number(Object.keys(definition.response)[0] ?? 200)
  const answers = strict ? answerChecks(definition) : undefined
  const handle = async (request: FastifyRequest, reply: FastifyReply, cost: Cost, span?: Span): Promise<void> => {
    const started = performance.now()
    try {
      const actor = definition.access === 'public' || definition.access === 'webhook' ? ANONYMOUS
        : await authenticate(request, definition.access)
      if (definition.sensitive) requireProof(actor)
      reply.headers(SAFE).header('x-request-id', request.id)
      if ('viewedBy' in actor) reply.header('x-viewing-as', actor.id)
      if (definition.access !== 'public') reply.header('cache-control', 'private, no-store')
      if (open) allowOrigin(reply)
      const input = read(definition, check, { request, reply, db, actor })
      const value = await runOnce(definition, input, reply)
      if (reply.sent) return
      if (reply.statusCode === 200) reply.status(success)
      if (strict) reply.header('server-timing', timingOf(cost))
      if (value instanceof ReadyAnswer) return sendReady(reply, value, cost)
      if (value === undefined || Buffer.isBuffer(value) || value instanceof Readable) return void reply.send(value)
      answers?.(reply.statusCode, value)
      reply.type('application/json; charset=utf-8').send(JSON.stringify(value))
    } catch (error) {
      if (!(error instanceof Problem)) span?.setStatus({ code: SpanStatusCode.ERROR })
      answerFailure(error, definition, request, reply, log)
    } finally {
      const milliseconds = performance.now() - started
      observeRequest(definition, reply.statusCode, milliseconds)
      log.info({ requestId: request.id, route: name, status: reply.statusCode, ms: Math.round(milliseconds) })
      span?.end()
    }
  }
  const answerAtOnce = fromMemory(definition, { db, authenticate, log })
  app.route({
    method: definition.method, url: definition.path, bodyLimit: definition.bodyLimit ?? 1_048_576,
    config: { rawBody: definition.rawBody ?? false },
    // Answered or refused before anything is done for it, where that is possible.
    onRequest: (request, reply, next) => {
      try {
        if (answerAtOnce(request, reply)) return
      } catch { /* the handler comes to the same, and answers it */ }
      if (definition.access === 'public' || definition.recall || !db.refuses(priority)) return next()
      refuseBusy(definition, request, reply)
    },
    // Not an async handler: what it returns would be awaited until the last byte is out, half of what a read costs.
    handler: (request, reply) => {
      if (!isTraced()) return void measured((cost) => handle(request, reply, cost), priority)
      tracer.startActiveSpan(name, (span) => void measured((cost) => handle(request, reply, cost, span), priority))
    },
  })
}

type Served = Pick<AppOptions, 'db' | 'authenticate' | 'log'>

/** What is remembered, of somebody who is remembered, needs neither a task nor a promise. */
function fromMemory(definition: Route, { db, authenticate, log }: Served) {
  const { method, path, access, recall } = definition
  const route = `${method} ${path}`
  return (request: FastifyRequest, reply: FastifyReply): boolean => {
    if (!recall || isTraced()) return false
    const started = performance.now()
    const actor = access === 'public' ? ANONYMOUS : authenticate(request, access)
    if (actor instanceof Promise) {
      actor.catch(() => {})       // the handler asks again, and answers it; unheard, it would end the process
      return false
    }
    const ready = recall({ db, actor, request })
    if (!ready) return false
    sendReady(reply, ready)
    observeRequest(definition, ready.status, performance.now() - started)
    log.info({ requestId: request.id, route, status: ready.status })
    return true
  }
}

function priorityOf({ priority, access, method }: Route): Priority {
  if (priority) return priority
  if (access === 'webhook' || access === 'public') return 'webhook'
  if (access === 'shopper' || access === 'customer') return method === 'GET' ? 'browse' : 'cart'
  return method === 'GET' ? 'export' : 'checkout'
}

/** Whether somebody has registered a tracer: a span that goes nowhere still costs a context. */
function isTraced(): boolean {
  const provider = trace.getTracerProvider()
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegate() !== NO_TRACER
}

const ANONYMOUS: Actor = { kind: 'anonymous' }
type Checks = Record<'params' | 'query' | 'body', (value: unknown) => unknown>

type Asked = { request: FastifyRequest; reply: FastifyReply; db: Db; actor: Actor }

function read(definition: Route, check: Checks, { request, reply, db, actor }: Asked): RouteInput<any, any, any> {
  const context: Context = { requestId: request.id, actor }
  const params = check.params(refuseHostileText(request.params, 'path'))
  const query = check.query(refuseHostileText(request.query, 'query'))
  refuseWrongBody(definition, request.body)
  const body = definition.body ? check.body(refuseHostileText(request.body, 'body', definition.bankNumbers)) : undefined
  const route = `${definition.method} ${definition.path}`
  const key = request.headers['idempotency-key']
  const repeatable = definition.method === 'POST' && definition.replay !== 'none' && definition.access !== 'webhook'
  if (repeatable && key !== undefined) {
    // The path is part of what is asked: the same key on another cart is another request.
    context.idempotency = newIdempotency(actor, route, key, [params, query, body ?? null])
  }
  if (definition.method !== 'GET' && (actor.kind === 'staff' || actor.kind === 'key')) {
    context.audit = { route, target: params as Record<string, unknown>, address: request.ip.slice(0, 45) }
  }
  return {
    db, context, params, query, body, headers: request.headers as Record<string, string | undefined>,
    rawBody: (request as { rawBody?: Buffer }).rawBody ?? Buffer.alloc(0), request, reply,
  } as RouteInput<any, any, any>
}

function refuseWrongBody(definition: Route, body: unknown): void {
  if (definition.rawBody || definition.multipart) return
  const refuse = (message: string): never => { throw InvalidRequest({ fields: [{ path: 'body', message }] }) }
  if (definition.body && body === undefined) {
    refuse('is missing: send a JSON document with content-type: application/json')
  }
  const empty = body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0)
  if (!definition.body && !empty) refuse('is not expected here: send none')
}
