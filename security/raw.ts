// What no well-behaved client sends: bytes on a socket. Paths in other spellings, headers twice, lengths that
// contradict each other, requests that never end. The gate has to decide on what is matched, whatever its spelling; and
// whatever comes, the next request of somebody else is answered.
import { connect } from 'node:net'

export type Shot = {
  name: string
  /** The bytes, or pieces with pauses of that many milliseconds between them. */
  bytes: string | { pieces: readonly string[]; pauseMs: number }
  /** What may come back: statuses, or a connection that is closed without an answer. */
  allowed: readonly (number | 'closed')[]
}

const line = (target: string, method = 'GET', headers = ''): string =>
  `${method} ${target} HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n`
const REFUSED = [400, 401, 404, 405, 414, 431, 'closed'] as const

/** An operation that needs a permission, in every spelling: none of them may let anybody in. */
const spellings = [
  '/admin/orders', '//admin/orders', '/./admin/orders', '/x/../admin/orders', '/admin/./orders', '/admin//orders',
  '/%61dmin/orders', '/admin%2forders', '/admin%2Forders', '/admin/%2e/orders', '/%2e%2e/admin/orders',
  '/admin/orders/', '/admin/orders?', '/admin/orders#x', '/admin/orders;a=b', '/ADMIN/ORDERS', '/admin/orders%00',
  '/admin/orders%20', '/admin\\orders', '/admin/orders%0d%0ax:y', 'http://localhost/admin/orders',
  'http://evil.example/admin/orders', 'https://localhost/admin/orders', 'admin/orders', '*', 'localhost:80',
  '/store/../admin/orders', '/docs/../admin/orders', '/health/..%2fadmin/orders', '/%c0%afadmin/orders',
  '/admin/orders%ff', `/${'a'.repeat(20_000)}`, `/admin/orders?${'a=1&'.repeat(5_000)}`,
]

const BODY = '{"email":"a@example.com","password":"x"}'
const post = (headers: string, body = BODY): string =>
  `POST /admin/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${headers}\r\n${body}`
// What hides in the body of one request is the next one, to whoever believes the other length.
const SMUGGLED = 'GET /admin/orders HTTP/1.1\r\nhost: localhost\r\n\r\n'

export const corpus: readonly Shot[] = [
  // `*` is the server as a whole: it leads to the reference, as / does.
  ...spellings.map((target): Shot => ({
    name: `GET ${target.slice(0, 60)}`, bytes: line(target), allowed: target === '*' ? [302] : REFUSED,
  })),
  ...['get', 'GETT', 'TRACE', 'CONNECT', 'PRI', '', 'POST\u0000'].map((method): Shot => (
    { name: `the method ${JSON.stringify(method)}`, bytes: line('/admin/orders', method), allowed: REFUSED })),
  ...['x-http-method-override: GET', 'x-original-url: /health', 'x-rewrite-url: /health', 'x-forwarded-host: evil',
    'x-forwarded-for: 127.0.0.1', 'forwarded: for=127.0.0.1', 'authorization: Bearer sk_', 'authorization:',
    'cookie: kontor_session=', 'authorization: Basic YTpi', 'cookie: __Host-kontor_session=a; kontor_session=b',
  ].map((header): Shot => ({
    name: header, bytes: line('/admin/orders', 'GET', `${header}\r\n`), allowed: REFUSED,
  })),
  { name: 'no Host', bytes: 'GET /admin/orders HTTP/1.1\r\n\r\n', allowed: REFUSED },
  { name: 'two Hosts', bytes: 'GET /admin/orders HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', allowed: REFUSED },
  { name: 'HTTP/1.0', bytes: 'GET /admin/orders HTTP/1.0\r\n\r\n', allowed: REFUSED },
  { name: 'HTTP/0.9', bytes: 'GET /admin/orders\r\n\r\n', allowed: REFUSED },
  { name: 'HTTP/2 without asking', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', allowed: REFUSED },
  { name: 'two lengths', bytes: post('content-length: 5\r\ncontent-length: 41\r\n'), allowed: REFUSED },
  { name: 'a length and chunks', bytes: post(`content-length: ${BODY.length}\r\ntransfer-encoding: chunked\r\n`,
    `0\r\n\r\n${SMUGGLED}`), allowed: REFUSED },
  { name: 'chunks, spelt oddly', bytes: post('transfer-encoding: xchunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    allowed: [...REFUSED, 411, 501] },
  { name: 'chunks twice', bytes: post('transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n',
    `0\r\n\r\n${SMUGGLED}`), allowed: [...REFUSED, 501] },
  { name: 'a chunk of a size that is none', bytes: post('transfer-encoding: chunked\r\n', 'zz\r\nabc\r\n0\r\n\r\n'),
    allowed: REFUSED },
  { name: 'a chunk of endless size', bytes: post('transfer-encoding: chunked\r\n', 'ffffffffffffffff\r\nabc'),
    allowed: [...REFUSED, 413] },
  { name: 'a length below zero', bytes: post('content-length: -1\r\n'), allowed: REFUSED },
  { name: 'a length that is no number', bytes: post('content-length: 4x\r\n'), allowed: REFUSED },
  { name: 'a length of a terabyte', bytes: post('content-length: 1000000000000\r\n'), allowed: [...REFUSED, 413] },
  {
    name: 'a space before the colon', bytes: 'GET /admin/orders HTTP/1.1\r\nhost : localhost\r\n\r\n',
    allowed: REFUSED,
  },
  { name: 'a header that is folded', bytes: line('/admin/orders', 'GET', 'x-a: b\r\n c\r\n'), allowed: REFUSED },
  { name: 'a line feed alone', bytes: 'GET /admin/orders HTTP/1.1\nhost: localhost\n\n', allowed: REFUSED },
  { name: 'NUL in a header', bytes: line('/admin/orders', 'GET', 'x-a: b\u0000c\r\n'), allowed: REFUSED },
  {
    name: 'a header of 100 kB', bytes: line('/admin/orders', 'GET', `x-a: ${'b'.repeat(100_000)}\r\n`),
    allowed: REFUSED,
  },
  { name: '5,000 headers', bytes: line('/admin/orders', 'GET', 'x-a: b\r\n'.repeat(5_000)), allowed: REFUSED },
  { name: 'JSON of 2 MB', bytes: post(`content-length: ${2_000_002}\r\n`, `"${'a'.repeat(2_000_000)}"`),
    allowed: [400, 413, 'closed'] },
  { name: 'brackets, 100,000 deep', bytes: post('content-length: 100000\r\n', '['.repeat(100_000)),
    allowed: [400, 'closed'] },
  { name: 'garbage', bytes: '\u0016\u0003\u0001\u0000\u00a5\u0001\u0000\u0000\u00a1', allowed: REFUSED },
  { name: 'another character set', bytes: `POST /admin/session HTTP/1.1\r\nhost: localhost\r\n` +
    `content-type: application/json; charset=utf-7\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
    allowed: [...REFUSED, 415, 422, 429] },
  { name: 'half a request, then silence', bytes: { pieces: ['GET /admin/orders HT', ''], pauseMs: 300 },
    allowed: ['closed', 408] },
  { name: 'a request, letter by letter', bytes: { pieces: [...line('/admin/orders')], pauseMs: 1 }, allowed: REFUSED },
]

const SILENT_FOR_MS = 700
const SECOND_ANSWER_WITHIN_MS = 80

/**
 * Sends one and answers the statuses that came back, or 'closed'. More answers than one to one request are answers to
 * what was smuggled in it.
 */
export async function shoot(port: number, { bytes }: Shot): Promise<(number | 'closed')[]> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  let enough = (): void => {}
  const answered = new Promise<void>((resolve) => { enough = resolve })
  socket.on('data', (part) => {
    received += part.toString('latin1')
    setTimeout(enough, SECOND_ANSWER_WITHIN_MS)
  })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const { pieces, pauseMs } = typeof bytes === 'string' ? { pieces: [bytes], pauseMs: 0 } : bytes
  for (const piece of pieces) {
    if (!socket.destroyed && piece) socket.write(Buffer.from(piece, 'latin1'))
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  await Promise.race([closed, answered, new Promise((resolve) => setTimeout(resolve, SILENT_FOR_MS))])
  socket.destroy()
  const statuses = [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
  return statuses.length > 0 ? statuses : ['closed']
}

/** What is wrong about the answer to one, if anything. */
export function judge({ name, allowed }: Shot, statuses: readonly (number | 'closed')[]): string | undefined {
  const wrong = statuses.find((status) => !allowed.includes(status))
  return wrong === undefined ? undefined : `${name}: answered ${statuses.join(', ')}`
}
