// How a call persists: what is tried again, with which key, for how long, and what a caller is told when it ends.
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { call, type ClientOptions, type Operation } from './call.ts'
import { every } from './kontor.ts'
import { isProblem, KontorUnreachable } from './problems.ts'

const read: Operation = ['GET', '/store/mugs/{mugId}', ['limit', 'tag'], false]
const write: Operation = ['POST', '/store/mugs/{mugId}/glaze', [], true]
const remove: Operation = ['DELETE', '/store/mugs/{mugId}', [], false]

type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | 'hang' | 'reset'
type Asked = { method: string; url: string; key: string | undefined; headers: IncomingMessage['headers']; body: string }

// A server that gives these answers, one for each request, and keeps what it was asked.
async function server(t: TestContext, answers: Answer[]): Promise<{ client: ClientOptions; asked: Asked[] }> {
  const asked: Asked[] = []
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = ''
    for await (const part of request) body += part
    asked.push({
      method: request.method!, url: request.url!, key: request.headers['idempotency-key'] as string | undefined,
      headers: request.headers, body,
    })
    const answer = answers[asked.length - 1] ?? { status: 500 }
    if (answer === 'hang') return
    if (answer === 'reset') return void request.socket.destroy()
    response.writeHead(
      answer.status, { 'content-type': 'application/json', ...answer.headers }
    ).end(JSON.stringify(answer.body))
  }
  const listening = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1')
  await new Promise((resolve) => listening.once('listening', resolve))
  t.after(() => {
    listening.closeAllConnections()
    listening.close()
  })
  return { client: { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}/` }, asked }
}

const problem = (status: number, code: string, fields: object = {}, headers: object = {}): Answer => ({
  status, body: { type: `https://kontor.dev/problems/${code}`, title: code, status, requestId: 'r', ...fields },
  headers: { 'content-type': 'application/problem+json', ...headers },
})
const now = { 'retry-after': '0' }

test('input goes into path, query and body', async (t) => {
  const { client, asked } = await server(t, [{ status: 200, body: { glaze: 'blue' } }, { status: 201, body: {} }])
  assert.deepEqual(await call(client, read, { mugId: 'a/b', limit: 2, tag: ['x', 'y z'] }), { glaze: 'blue' })
  assert.equal(asked[0]!.url, '/store/mugs/a%2Fb?limit=2&tag=x&tag=y+z')
  await call(client, write, { mugId: '1', glaze: 'red', layers: 2 }, { token: 'secret', ifMatch: '"3"' })
  assert.equal(asked[1]!.body, '{"glaze":"red","layers":2}')
  assert.equal(asked[1]!.headers['authorization'], 'Bearer secret')
  assert.equal(asked[1]!.headers['if-match'], '"3"')
  assert.match(asked[1]!.key!, /^[0-9a-f-]{36}$/)
  await assert.rejects(call(client, read, {}), /^TypeError: mugId is missing/)
})

test('what may pass is tried again, with the same key', async (t) => {
  const answers: Answer[] = [
    'reset', { status: 502, headers: now }, problem(503, 'busy', {}, now), { status: 201, body: { done: true } },
  ]
  const { client, asked } = await server(t, answers)
  assert.deepEqual(await call(client, write, { mugId: '1' }), { done: true })
  assert.equal(asked.length, 4)
  assert.equal(new Set(asked.map(({ key }) => key)).size, 1)
})

test('a key of the caller is used, and an own first attempt that still runs is waited for', async (t) => {
  const { client, asked } = await server(
    t, [problem(409, 'idempotency-key-in-flight', {}, now), { status: 201, body: {} }]
  )
  await call(client, write, { mugId: '1' }, { idempotencyKey: 'mine' })
  assert.deepEqual(asked.map(({ key }) => key), ['mine', 'mine'])
})

test('a refusal is final and typed', async (t) => {
  const lines = [{ variantId: 'v', requested: 2, available: 1 }]
  const { client, asked } = await server(t, [problem(409, 'out-of-stock', { lines })])
  const error: unknown = await call(client, write, { mugId: '1' }).catch((caught: unknown) => caught)
  assert.ok(isProblem(error, 'out-of-stock'))
  assert.equal(error.problem.lines[0]!.available, 1)
  assert.equal(error.status, 409)
  assert.ok(!isProblem(error, 'busy'))
  assert.equal(asked.length, 1)
})

test('attempts end, and so does patience', async (t) => {
  const { client, asked } = await server(
    t, [problem(429, 'too-many-requests', {}, now), problem(429, 'too-many-requests', {}, { 'retry-after': '3600' })]
  )
  const error: unknown = await call(client, read, { mugId: '1' }).catch((caught: unknown) => caught)
  assert.ok(isProblem(error, 'too-many-requests'))
  assert.equal(asked.length, 2)
  const other = await server(t, [problem(503, 'busy', {}, now), problem(503, 'busy', {}, now)])
  await assert.rejects(call(other.client, read, { mugId: '1' }, { retries: 1 }), { code: 'busy' })
  assert.equal(other.asked.length, 2)
})

test('a timeout is tried again, an abort is not', async (t) => {
  const { client, asked } = await server(t, ['hang', { status: 200, body: 1 }, 'hang'])
  assert.equal(await call(client, read, { mugId: '1' }, { timeoutMs: 1_500 }), 1)
  const stop = new AbortController()
  const running = call(client, read, { mugId: '1' }, { signal: stop.signal })
  void (async () => {
    while (asked.length < 3) await new Promise((resolve) => setTimeout(resolve, 5))
    stop.abort(new Error('enough'))
  })()
  await assert.rejects(running, /enough/)
  assert.equal(asked.length, 3)
})

test('nobody there, or somebody else, is KontorUnreachable', async (t) => {
  const nobody = { url: 'http://127.0.0.1:9', retries: 0 }
  await assert.rejects(call(nobody, read, { mugId: '1' }), KontorUnreachable)
  const { client, asked } = await server(t, [{ status: 403, headers: { 'content-type': 'text/html' }, body: 'proxy' }])
  await assert.rejects(call(client, read, { mugId: '1' }), { name: 'KontorUnreachable', status: 403 })
  assert.equal(asked.length, 1)
})

test('a DELETE whose first answer was lost has done its work', async (t) => {
  const { client } = await server(t, ['reset', problem(404, 'not-found'), problem(404, 'not-found')])
  assert.equal(await call(client, remove, { mugId: '1' }), undefined)
  await assert.rejects(call(client, remove, { mugId: '2' }), { code: 'not-found' })
})

test('every item of a list', async () => {
  const pages = [{ items: [1, 2], nextCursor: 'b' }, { items: [3], nextCursor: null }]
  const asked: object[] = []
  const list = async (input?: { cursor?: string; limit: number }) => pages[asked.push(input!) - 1]!
  assert.deepEqual(await Array.fromAsync(every(list, { limit: 2 })), [1, 2, 3])
  assert.deepEqual(asked, [{ limit: 2 }, { limit: 2, cursor: 'b' }])
})
