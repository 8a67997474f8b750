// The edges of HTTP, where no route is matched yet: an address or a method that is none of ours, bytes that are not
// HTTP, and a browser that asks whether another site's page may call us. Each is answered as a problem document, too.
// And the end, when connections are let go.
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { answerFailure } from './answer-failure.ts'
import { observeRequest } from './metrics.ts'
import type { Route } from './http.ts'
import type { Log } from './log.ts'
import { Busy, MethodNotAllowed, NotFound } from './problem.ts'
import { SAFE } from './safe-headers.ts'

/**
 * When the shop is asked to end, it waits for answers and for nothing else. Node would wait for two more: a connection
 * that was just answered is kept for another request, and one on which nothing was ever asked (a browser opens some in
 * advance) counts as busy.
 */
export function letGoWhenClosing(app: FastifyInstance): void {
  const sockets = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  app.addHook('preClose', async () => {
    app.server.keepAliveTimeout = 1
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  })
}

/** Answers requests that match no route: 405 with the methods that do, or 404. */
export function answerUnmatched(app: FastifyInstance, routes: readonly Route[], log: Log): void {
  const known = routes.map(({ method, path }) => ({ method, pattern: patternOf(path) }))
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!
    const methods = [...new Set(known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))]
    if (methods.length > 0) reply.header('allow', methods.join(', '))
    const problem = methods.length > 0
      ? MethodNotAllowed({ allowed: methods }, `${path} takes ${methods.join(', ')}, not ${request.method}.`)
      : NotFound({}, `${request.method} ${path} is not an address of this server; /docs lists them all.`)
    answerFailure(problem, undefined, request, reply, log)
  })
}

function patternOf(path: string): RegExp {
  const parts = path.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : RegExp.escape(part)))
  return new RegExp(`^${parts.join('/')}$`)
}

/**
 * Lets pages of every site call the Store API. That is safe because nothing that they ask is authorised by what a
 * browser sends by itself: a token travels in a header that only the shopper's own page knows, and `*` lets no page
 * read what was asked with a cookie. A customer's cookie writes from this server's own pages only
 * (identity/session-cookie.ts). The Admin API allows no other site.
 */
export function allowOtherSites(app: FastifyInstance, routes: readonly Route[]): void {
  const open = new Set(routes.filter(isOpenToOtherSites).map(({ path }) => path))
  for (const url of open) {
    app.options(url, (_, reply) => void allowOrigin(reply).headers({
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'content-type, authorization, x-publishable-key, idempotency-key, ' +
        'if-none-match, x-challenge',
      'access-control-max-age': '86400',
    }).status(204).send())
  }
}

export function isOpenToOtherSites({ access }: Route): boolean {
  return access === 'shopper' || access === 'customer'
}

/** What an answer says to a browser whose page is of another site. */
export const OTHER_SITES = [
  ['access-control-allow-origin', '*'],
  ['access-control-expose-headers', 'etag, location, retry-after, x-request-id, idempotent-replayed'],
] as const

export function allowOrigin(reply: FastifyReply): FastifyReply {
  for (const [name, value] of OTHER_SITES) reply.header(name, value)
  return reply
}

const BUSY = Buffer.from(JSON.stringify({
  type: `https://kontor.dev/problems/${Busy.code}`, title: Busy.title, status: Busy.status, retryAfterSeconds: 1,
  detail: 'More is asked than can be done at once. Nothing was done; try again soon.',
}))

/** Refuses for next to nothing, or refusing would be the overload: past Fastify's reply, with an answer made once. */
export function refuseBusy(route: Route, request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack()
  for (const [name, value] of isOpenToOtherSites(route) ? OTHER_SITES : []) reply.raw.setHeader(name, value)
  reply.raw.writeHead(Busy.status, {
    'content-type': 'application/problem+json', 'content-length': BUSY.length, 'cache-control': 'no-store',
    'retry-after': '1', 'x-request-id': request.id, ...SAFE,
  }).end(BUSY)
  observeRequest(route, Busy.status, 0)
}

/** An address that cannot be decoded. */
export function answerBadAddress(_: Error, request: FastifyRequest, reply: FastifyReply, log: Log): void {
  answerFailure(NotFound({}, 'The address is not correctly encoded.'), undefined, request, reply, log)
}

const causes: Record<string, { status: number; detail: string }> = {
  HPE_HEADER_OVERFLOW: { status: 431, detail: 'The address or the headers are longer than 16 KiB.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, detail: 'The request took too long to arrive.' },
}

/** Bytes that the HTTP parser refuses. There is no request yet, so the answer is written by hand. */
export function answerBrokenBytes(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const { status, detail } = causes[error.code ?? ''] ?? { status: 400, detail: 'This is not an HTTP request.' }
  const title = STATUS_CODES[status]!
  const body = JSON.stringify({ type: 'about:blank', title, status, detail })
  socket.end(`HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\nconnection: close\r\n` +
    `x-content-type-options: nosniff\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}
