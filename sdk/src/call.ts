// One call: builds the request, sends it, tries again where that is safe, and reads the answer. Trying again is safe
// because reads change nothing, PUT, PATCH and DELETE say what should be, and a POST carries the same Idempotency-Key
// each time.
import { KontorProblem, KontorUnreachable, type ProblemCode, type ProblemDocument } from './problems.ts'

/**
 * An operation of the table that is generated: method, path, names in the query, and whether it takes an
 * Idempotency-Key.
 */
export type Operation = readonly [method: string, path: string, query: readonly string[], keyed: boolean]

export type ClientOptions = {
  /** Where the shop is: `https://shop.example`. */
  url: string
  /** Headers of every call. */
  headers?: Record<string, string>
  /** How long one attempt may take; 30 seconds unless told. */
  timeoutMs?: number
  /** How often a failed call is tried again; 3 unless told. */
  retries?: number
  /** Another fetch, for tests and old environments. */
  fetch?: typeof fetch
}

export type CallOptions = {
  signal?: AbortSignal
  timeoutMs?: number
  retries?: number
  /** The key of a POST. One is made for each call; give your own to go on after a restart of your program. */
  idempotencyKey?: string
  /** The token of a cart, an order or an account. */
  token?: string
  /** The ETag that a change builds on. */
  ifMatch?: string
}

export type Input = Record<string, unknown>

/**
 * Calls an operation. What the path names goes into the path, what the query names into the query, the rest is the
 * body.
 */
export async function call(
  client: ClientOptions, [method, path, query, keyed]: Operation, input: Input = {}, options: CallOptions = {},
): Promise<unknown> {
  const { address, body } = place(client.url, path, query, input)
  const form = input['file'] instanceof Blob ? formOf(body) : undefined
  const headers: Record<string, string> = {
    accept: 'application/json', ...client.headers,
    ...method === 'GET' || form || Object.keys(body).length === 0 ? {} : { 'content-type': 'application/json' },
    ...keyed ? { 'idempotency-key': options.idempotencyKey ?? randomKey() } : {},
    ...options.token ? { authorization: `Bearer ${options.token}` } : {},
    ...options.ifMatch ? { 'if-match': options.ifMatch } : {},
  }
  const request: RequestInit = { method, headers, redirect: 'error' }
  if (form) request.body = form
  else if (headers['content-type']) request.body = JSON.stringify(body)
  return persist(client, options, async (attempt) => {
    const answer = await send(client, address, request, options)
    // The answer of the first attempt may have been lost on its way; what is gone is gone.
    if (method === 'DELETE' && answer.status === 404 && attempt > 1) return undefined
    return read(answer)
  })
}

function place(url: string, path: string, query: readonly string[], input: Input): { address: string; body: Input } {
  const body = { ...input }
  const take = (name: string): unknown => {
    const value = body[name]
    delete body[name]
    return value
  }
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = take(name)
    if (value === undefined || value === '') throw new TypeError(
      `${name} is missing: it is part of the address ${path}`
    )
    return encodeURIComponent(String(value))
  })
  const search = new URLSearchParams()
  for (const name of query) {
    const value = take(name)
    for (
      const one of Array.isArray(value) ? value : [value]
    ) if (one !== undefined && one !== null) search.append(name, String(one))
  }
  const text = search.toString()
  return { address: url.replace(/\/+$/, '') + filled + (text ? `?${text}` : ''), body }
}

function formOf(body: Input): FormData {
  const form = new FormData()
  // Fields before the file: a server that streams has read them when the file begins.
  for (const [name, value] of Object.entries(body)) if (!(value instanceof Blob)) form.append(name, String(value))
  for (const [name, value] of Object.entries(body)) if (value instanceof Blob) form.append(name, value)
  return form
}

async function send(
  client: ClientOptions, address: string, request: RequestInit, options: CallOptions,
): Promise<Response> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? client.timeoutMs ?? 30_000)
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
  try {
    const answer = await (client.fetch ?? fetch)(address, { ...request, signal })
    const bytes = await answer.arrayBuffer()   // inside the time limit, and inside what is tried again
    return new Response(answer.status === 204 ? null : bytes, { status: answer.status, headers: answer.headers })
  } catch (error) {
    options.signal?.throwIfAborted()
    throw new KontorUnreachable(
      timeout.aborted ? 'The shop did not answer in time' : 'The shop could not be reached', { cause: error }
    )
  }
}

async function read(answer: Response): Promise<unknown> {
  const kind = answer.headers.get('content-type') ?? ''
  if (answer.ok) return answer.status === 204 ? undefined : kind.includes('json') ? answer.json() : answer.blob()
  if (!kind.startsWith('application/problem+json')) {
    throw wait(new KontorUnreachable(
      `Something on the way to the shop answered ${answer.status}`, { status: answer.status }
    ), answer)
  }
  const problem = await answer.json() as ProblemDocument
  throw wait(new KontorProblem(problem.type.split('/').at(-1) as ProblemCode, problem), answer)
}

// How long a refusal asks to wait, kept beside the error.
const waits = new WeakMap<Error, number>()
function wait<E extends Error>(error: E, answer: Response): E {
  const after = answer.headers.get('retry-after')
  if (after) waits.set(error, Math.max(0, /^\d+$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now()))
  return error
}

// Somebody who waits longer than this for one call wants to know instead.
const LONGEST_WAIT_MS = 30_000

async function persist(
  client: ClientOptions, options: CallOptions, attempt: (number: number) => Promise<unknown>,
): Promise<unknown> {
  const attempts = 1 + (options.retries ?? client.retries ?? 3)
  for (let number = 1; ; number++) {
    try {
      return await attempt(number)
    } catch (error) {
      if (number >= attempts || !mayPass(error)) throw error
      // Twice as long each time, and never two clients in step.
      const delay = waits.get(error as Error) ?? 2 ** number * 100 * (0.5 + Math.random())
      if (delay > LONGEST_WAIT_MS) throw error
      await pause(delay, options.signal)
    }
  }
}

// Too many requests, a busy server, a restart behind a proxy, no network, or our own first attempt that is still
// running.
function mayPass(error: unknown): boolean {
  if (error instanceof KontorUnreachable) return error.status === undefined
    || [429, 502, 503, 504].includes(error.status)
  return error instanceof KontorProblem && (
    [429, 503].includes(error.status) || error.code === 'idempotency-key-in-flight'
  )
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal!.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}

// randomUUID exists in browsers only on https and localhost; a shop under development may be on neither.
function randomKey(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
