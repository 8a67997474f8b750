// What is done to all routes alike: nothing unknown comes in, nobody without access, one key has one effect, and no
// request answers 5xx.
import assert from 'node:assert/strict'
import { connect, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Type } from 'typebox'
import { resultId, sql, type Db } from './db.ts'
import { createApp, route, type Authenticate } from './http.ts'
import { createLog } from './log.ts'
import { Forbidden, problem, Unauthenticated } from './problem.ts'
import { testDatabase, type Cleanup } from './testing.ts'

const Full = problem('test-full', 409, 'Full')
const Thing = Type.Object({ id: Type.String(), name: Type.String() })
const read = (db: Db, id: string) => db.one(Thing, sql`select id, name from test.thing where id = ${id}`)

const createThing = route({
  method: 'POST', path: '/things', access: { permission: 'things:write' }, summary: 'Create', tags: ['Test'],
  body: Type.Object({ name: Type.String(
    { minLength: 1, maxLength: 10 }
  ), count: Type.Optional(Type.Integer({ minimum: 0 })), slow: Type.Optional(Type.Boolean()) }),
  response: { 201: Thing }, problems: [Full],
  replay: ({ db, resultId }) => read(db, resultId),
  async run({ db, context, body }) {
    const id = resultId(context)
    await db.transaction(context, async (tx) => {
      if (body.slow) await new Promise((resolve) => setTimeout(resolve, 100))
      await tx.run(sql`insert into test.thing (id, name) values (${id}, ${body.name})`)
      if (body.name === 'full') throw Full({})
    })
    return read(db, id)
  },
})
const findThing = route({
  method: 'GET', path: '/things/:id', access: 'public', summary: 'Read', tags: ['Test'],
  params: Type.Object({ id: Type.String({ format: 'uuid' }) }), query: Type.Object(
    { limit: Type.Optional(Type.Integer({ maximum: 5 })) }
  ),
  response: { 200: Type.Unknown() },
  run: async ({ params, query }) => ({ params, query }),
})
const undeclared = route({
  method: 'GET', path: '/undeclared', access: 'public', summary: 'Throws what it does not declare', tags: ['Test'],
  response: { 200: Type.Null() },
  run: async () => { throw Full({}) },
})
const shown = route({
  method: 'GET', path: '/shown/:id', access: 'shopper', summary: 'For shoppers', tags: ['Test'],
  params: Type.Object({ id: Type.String() }), response: { 200: Type.Object({ id: Type.String() }) },
  run: async ({ params }) => params,
})
const secret = route({
  method: 'POST', path: '/secrets', access: { permission: 'things:write' }, summary: 'Shows a secret', tags: ['Test'],
  response: { 201: Type.Object({ secret: Type.String() }) }, replay: 'refuse',
  run: async ({ db, context }) => db.transaction(context, async () => ({ secret: 'x' })),
})

async function open(t: Cleanup) {
  const db = await testDatabase(t)
  await db.run(sql`create schema test`)
  await db.run(sql`create table test.thing (id uuid primary key, name text not null)`)
  const authenticate: Authenticate = async ({ headers }, access) => {
    if (access === 'shopper') return { kind: 'anonymous' }
    if (headers['authorization'] !== 'Bearer good') throw Forbidden(
      { permission: (access as { permission: string }).permission }
    )
    return { kind: 'key', id: '00000000-0000-7000-8000-000000000001', permissions: [] }
  }
  const app = await createApp(
    { db, routes: [createThing, findThing, undeclared, shown, secret], authenticate, log: createLog('silent') }
  )
  t.after(() => app.close())
  const post = (url: string, payload: unknown, headers: Record<string, string> = {}) =>
    app.inject(
      { method: 'POST', url, payload: payload as object, headers: { authorization: 'Bearer good', ...headers } }
    )
  const count = async () => (
    await db.one(Type.Object({ n: Type.Integer() }), sql`select count(*) as n from test.thing`)
  ).n
  return { db, app, post, count }
}

test('a request is refused with every field that is wrong, where it is, and what to do', async (t) => {
  const { post, count } = await open(t)
  const answer = await post('/things', { name: '', count: -1, extra: 1 })
  assert.equal(answer.statusCode, 400)
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
  assert.deepEqual(
    answer.json().fields.map((field: any) => field.path).sort(), ['body/count', 'body/extra', 'body/name']
  )
  assert.equal(answer.json().requestId, answer.headers['x-request-id'])
  assert.equal(await count(), 0)
})

test('hostile bodies are refused and never answered 5xx', async (t) => {
  const { app, post } = await open(t)
  const raw = (payload: string, type = 'application/json') =>
    app.inject(
      { method: 'POST', url: '/things', payload, headers: { authorization: 'Bearer good', 'content-type': type } }
    )
  for (const payload of [
    '{', '[]', 'null', '""', '{"name":"\\u0000"}', '{"name":"\\ud800"}', '{"__proto__":{"name":"x"}}', '{"name":1e400}',
    '['.repeat(5000),
  ]) {
    const answer = await raw(payload)
    assert.ok(answer.statusCode >= 400 && answer.statusCode < 500, `${payload.slice(0, 40)} → ${answer.statusCode}`)
  }
  assert.equal((await raw('name=x', 'application/x-www-form-urlencoded')).statusCode, 400)
  assert.equal((await raw(JSON.stringify({ name: 'x'.repeat(2_000_000) }))).statusCode, 400)
  for (const url of [
    '/things/%00', '/things/1', '/things/%zz', '//things', '/things/018f0000-0000-7000-8000-000000000000?limit=6',
    '/nowhere',
  ]) {
    const answer = await app.inject({ url })
    assert.ok(answer.statusCode >= 400 && answer.statusCode < 500, `${url} → ${answer.statusCode}`)
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/, url)
  }
  assert.equal((await post('/things', { name: 'x' }, { 'idempotency-key': 'ä' })).statusCode, 400)
})

test('who has no access is refused on the route; a route without an access does not register', async (t) => {
  const { app, db } = await open(t)
  const answer = await app.inject({ method: 'POST', url: '/things', payload: { name: 'x' } })
  assert.deepEqual([answer.statusCode, answer.json().permission], [403, 'things:write'])
  const bare = { ...findThing, access: undefined } as any
  await assert.rejects(createApp(
    { db, routes: [bare], authenticate: async () => ({ kind: 'anonymous' }), log: createLog('silent') }
  ), /does not say who may call/)
  const unsure = { ...createThing, replay: undefined } as any
  await assert.rejects(createApp(
    { db, routes: [unsure], authenticate: async () => ({ kind: 'anonymous' }), log: createLog('silent') }
  ), /give it a replay/)
})

test('one key, one effect: repeated, repeated at once, with another body, after a refusal', async (t) => {
  const { post, count } = await open(t)
  const key = { 'idempotency-key': 'order-1' }
  const answers = await Promise.all(Array.from({ length: 8 }, () => post('/things', { name: 'mug', slow: true }, key)))
  assert.deepEqual([...new Set(answers.map((answer) => answer.statusCode))], [201])
  assert.equal(new Set(answers.map((answer) => answer.json().id)).size, 1)
  assert.equal(answers.filter((answer) => answer.headers['idempotent-replayed'] === 'true').length, 7)
  assert.equal(await count(), 1)
  const other = await post('/things', { name: 'cup' }, key)
  assert.deepEqual([other.statusCode, other.json().type.split('/').at(-1)], [409, 'idempotency-key-reused'])
  const refused = { 'idempotency-key': 'order-2' }
  assert.equal((await post('/things', { name: 'full' }, refused)).statusCode, 409)
  assert.equal(await count(), 1)
  assert.equal((await post('/things', { name: 'good' }, refused)).statusCode, 201)
})

test('a secret is shown once: the repeat is told that it was done', async (t) => {
  const { app } = await open(t)
  const ask = () => app.inject(
    { method: 'POST', url: '/secrets', headers: { authorization: 'Bearer good', 'idempotency-key': 'k' } }
  )
  assert.equal((await ask()).statusCode, 201)
  const again = await ask()
  assert.deepEqual([again.statusCode, again.json().type.split('/').at(-1)], [409, 'already-done'])
})

test('a write by staff or key is audited in its own transaction: refused writes leave no row', async (t) => {
  const { db, post } = await open(t)
  await post('/things', { name: 'mug' })
  await post('/things', { name: 'full' })
  const rows = await db.many(Type.Object(
    { route: Type.String(), actorKind: Type.String() }
  ), sql`select route, actor_kind as "actorKind" from platform.audit_log`)
  assert.deepEqual(rows, [{ route: 'POST /things', actorKind: 'key' }])
})

test('an undeclared problem fails, without telling more than that', async (t) => {
  const { app } = await open(t)
  const answer = await app.inject({ url: '/undeclared' })
  assert.equal(answer.statusCode, 500)
  assert.match(answer.json().detail, /does not declare/)
})

test('another method is told which there are; a value that only the database refuses is a 422', async (t) => {
  const { app, post, db } = await open(t)
  const wrong = await app.inject({ method: 'DELETE', url: '/things' })
  assert.deepEqual([wrong.statusCode, wrong.headers.allow, wrong.json().allowed], [405, 'POST', ['POST']])
  await db.run(sql`alter table test.thing add constraint thing_name_short check (length(name) < 5)`)
  const refused = await post('/things', { name: 'saucer' })
  assert.deepEqual([refused.statusCode, refused.json().rule], [422, 'thing_name_short'])
})

test('pages of other sites may call what shoppers call, and nothing else', async (t) => {
  const { app } = await open(t)
  const preflight = (url: string) => app.inject({ method: 'OPTIONS', url, headers: { origin: 'https://shop.example' } })
  const allowed = await preflight('/shown/x')
  assert.deepEqual([allowed.statusCode, allowed.headers['access-control-allow-origin']], [204, '*'])
  assert.match(String(allowed.headers['access-control-allow-headers']), /x-publishable-key/)
  assert.equal((await app.inject('/shown/x')).headers['access-control-allow-origin'], '*')
  const staff = await preflight('/things')
  assert.deepEqual([staff.statusCode, staff.headers['access-control-allow-origin']], [405, undefined])
})

test('bytes that are not HTTP, and headers without end, get an answer and cost nobody else', async (t) => {
  const { app } = await open(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const send = (bytes: string) => new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let answer = ''
    socket.on('data', (data) => { answer += data }).on('close', () => resolve(answer)).on('error', () => {})
  })
  assert.match(await send('nonsense\r\n\r\n'), /^HTTP\/1.1 400 [\s\S]*problem\+json/)
  const endless = `GET /?${'x'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`
  assert.match(await send(endless), /^HTTP\/1.1 431 [\s\S]*16 KiB/)
})

test('who is refused by a route that answers from memory is answered, and ends nothing', async (t) => {
  const db = await testDatabase(t)
  const remembered = route({
    method: 'GET', path: '/remembered', access: 'shopper', summary: 'From memory', tags: ['Test'],
    response: { 200: Type.Null() }, recall: () => undefined, run: async () => null,
  })
  const app = await createApp({
    db, routes: [remembered], log: createLog('silent'), authenticate: async () => { throw Unauthenticated({}) },
  })
  t.after(() => app.close())
  const unheard: unknown[] = []
  const hear = (reason: unknown): void => void unheard.push(reason)
  process.on('unhandledRejection', hear)
  t.after(() => process.off('unhandledRejection', hear))
  assert.equal((await app.inject({ url: '/remembered' })).statusCode, 401)
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual(unheard, [])
})

// Without that an orderly end took 15 seconds and was none: found by the programmes `upgrade` and `link`.
test('a shop that is asked to end waits for answers, not for who is silent or was just answered', async (t) => {
  const db = await testDatabase(t)
  let asked = (): void => {}
  let go = (): void => {}
  const [wasAsked, mayGo] = [new Promise<void>((resolve) => { asked = resolve }),
    new Promise<void>((resolve) => { go = resolve })]
  const slow = route({
    method: 'GET', path: '/slow', access: 'public', summary: 'Takes its time', tags: ['Test'],
    response: { 200: Type.Object({ done: Type.Boolean() }) },
    run: async () => { asked(); await mayGo; return { done: true } },
  })
  const app = await createApp({
    db, routes: [slow], log: createLog('silent'), authenticate: async () => ({ kind: 'anonymous' }),
  })
  const answer = fetch(`${await app.listen({ host: '127.0.0.1', port: 0 })}/slow`)
  await wasAsked
  const { port } = app.server.address() as AddressInfo
  await new Promise<void>((resolve) => { connect(port, '127.0.0.1', resolve).on('error', () => {}) })
  const ended = app.close()
  setTimeout(go, 50)
  assert.deepEqual(await (await answer).json(), { done: true })
  assert.equal(await Promise.race([ended.then(() => 'ended'), sleep(5_000, 'waits', { ref: false })]), 'ended')
})
