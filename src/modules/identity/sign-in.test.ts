// Signing in and out over HTTP: one answer for all that is wrong, cookies that only our pages can use, and limits.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Type } from 'typebox'
import { sql } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { registry } from '../../platform/metrics.ts'
import { forgetActors } from './authenticate.ts'
import { sweeps } from './jobs.ts'
import { PASSWORD, testIdentity } from './internal/test-identity.ts'

async function hashesOf(work: () => Promise<unknown>): Promise<number> {
  const read = async () => (await registry.getSingleMetric('kontor_password_hashes_total')!.get()).values[0]?.value ?? 0
  const before = await read()
  await work()
  return await read() - before
}

test('in, who am I, out', async (t) => {
  const { browser, person } = await testIdentity(t)
  const { id, email } = await person('support', 'ada@shop.example')
  const browse = browser()
  assert.equal((await browse('GET', '/admin/me')).status, 401)
  const signed = await browse('POST', '/admin/session', { email: ' Ada@Shop.example'.trim(), password: PASSWORD })
  assert.deepEqual([signed.status, signed.body.id, signed.body.email], [200, id, email])
  assert.equal(signed.headers['cache-control'], 'private, no-store')
  const me = await browse('GET', '/admin/me')
  assert.deepEqual([me.status, me.body.role, me.body.permissions.includes('orders:write')], [200, 'support', true])
  assert.equal((await browse('DELETE', '/admin/session')).status, 204)
  assert.equal((await browse('GET', '/admin/me')).status, 401)
})

test('a session that was signed out is out, also for a browser that kept the cookie', async (t) => {
  const { app, signedIn } = await testIdentity(t)
  const ada = await signedIn('owner')
  const cookie = String(
    (await ada('POST', '/admin/session', { email: ada.email, password: PASSWORD })).headers['set-cookie']
  ).split(';')[0]!
  const me = () => app.inject({ url: '/admin/me', headers: { host: 'localhost', cookie } })
  assert.equal((await me()).statusCode, 200)
  await ada('DELETE', '/admin/session')
  assert.equal((await me()).statusCode, 401)
})

test('unknown address, wrong password, switched off, never set a password: one answer after one hash', async (t) => {
  const { db, browser, person } = await testIdentity(t)
  await person('support', 'ada@shop.example')
  await person('support', 'off@shop.example')
  await person('support', 'invited@shop.example')
  await db.run(sql`update identity.staff set active = false where email = 'off@shop.example'`)
  await db.run(sql`update identity.staff set password_hash = null where email = 'invited@shop.example'`)
  const answers = new Set<string>()
  for (const [email, password] of [
    ['nobody@shop.example', PASSWORD], ['ada@shop.example', 'wrong'], ['off@shop.example', PASSWORD],
    ['invited@shop.example', PASSWORD],
  ]) {
    assert.equal(await hashesOf(async () => {
      const { status, body, headers } = await browser()('POST', '/admin/session', { email, password })
      answers.add(JSON.stringify([status, { ...body, requestId: '' }, headers['set-cookie']]))
    }), 1, email)
  }
  assert.deepEqual(
    [...answers].map((answer) => JSON.parse(answer)[1].type), ['https://kontor.dev/problems/sign-in-refused']
  )
})

test('the cookie: __Host- everywhere but on localhost over http, and the plain name counts nowhere else', async (t) => {
  const { app, person } = await testIdentity(t)
  const { email } = await person('owner')
  const signIn = (host: string) =>
    app.inject({ method: 'POST', url: '/admin/session', headers: { host }, payload: { email, password: PASSWORD } })
  const local = String((await signIn('127.0.0.1:8000')).headers['set-cookie'])
  assert.match(local, /^kontor_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800$/)
  const secure = String((await signIn('admin.shop.example')).headers['set-cookie'])
  assert.match(secure, /^__Host-kontor_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800; Secure$/)
  const me = async (cookie: string, host: string) =>
    (await app.inject({ url: '/admin/me', headers: { host, cookie: cookie.split(';')[0]! } })).statusCode
  assert.deepEqual(
    [await me(local, 'localhost'), await me(local, 'admin.shop.example'), await me(secure, 'admin.shop.example')],
    [200, 401, 200]
  )
  for (const wrong of [
    '__Host-kontor_session=', '__Host-kontor_session=x', `__Host-kontor_session=${'a'.repeat(43)}`, 'kontor_session',
    ';;=;',
  ]) {
    assert.equal(await me(wrong, 'admin.shop.example'), 401, wrong)
  }
})

test('a write with a cookie must come from our own pages, a read need not', async (t) => {
  const { app, signedIn } = await testIdentity(t)
  const ada = await signedIn('owner')
  const cookie = String(
    (await ada('POST', '/admin/session', { email: ada.email, password: PASSWORD })).headers['set-cookie']
  ).split(';')[0]!
  const from = async (headers: Record<string, string>, method: 'GET' | 'POST' = 'POST') => (await app.inject({
    method, url: method === 'GET' ? '/admin/me' : '/admin/probe/staff',
    headers: { host: 'localhost:8000', cookie, ...headers },
  })).statusCode
  assert.equal(await from({ 'sec-fetch-site': 'same-origin' }), 200)
  assert.equal(await from({ origin: 'http://localhost:8000' }), 200)
  for (const site of ['cross-site', 'same-site', 'anything']) {
    assert.equal(await from({ 'sec-fetch-site': site, origin: 'http://localhost:8000' }), 403, site)
  }
  for (const origin of [
    'http://evil.example', 'null', 'http://localhost:8001', 'http://localhost:8000.evil.example', '//',
  ]) {
    assert.equal(await from({ origin }), 403, origin)
  }
  assert.equal(await from({}), 403, 'a browser would tell')
  assert.equal(await from({ 'sec-fetch-site': 'cross-site' }, 'GET'), 200)
})

test('a foreign page cannot sign a browser in', async (t) => {
  const { browser, person } = await testIdentity(t)
  const { email } = await person('owner')
  const answer = await browser()(
    'POST', '/admin/session', { email, password: PASSWORD }, { 'sec-fetch-site': 'cross-site' }
  )
  assert.deepEqual([answer.status, answer.headers['set-cookie']], [403, undefined])
})

test('guesses are stopped before they are hashed; the right password from elsewhere still gets in', async (t) => {
  const { browser, person, app } = await testIdentity(t)
  const { email } = await person('owner')
  const guess = browser()
  const statuses: number[] = []
  assert.equal(await hashesOf(async () => {
    const all = await Promise.all(
      Array.from({ length: 30 }, () => guess('POST', '/admin/session', { email, password: 'wrong' }))
    )
    statuses.push(...all.map(({ status }) => status))
    assert.ok(all.filter(({ status }) => status === 429).every(({ headers }) => Number(headers['retry-after']) >= 1))
  }), 10)
  assert.deepEqual(
    [statuses.filter((one) => one === 401).length, statuses.filter((one) => one === 429).length], [10, 20]
  )
  assert.equal((await guess('POST', '/admin/session', { email, password: PASSWORD })).status, 429)
  assert.equal((await browser(app, '192.0.2.7')('POST', '/admin/session', { email, password: PASSWORD })).status, 200)
})

test('one address cannot try all accounts, and an IPv6 subscriber is one address', async (t) => {
  const { db, browser, app } = await testIdentity(t)
  const tries = async (address: string) =>
    (await browser(app, address)('POST', '/admin/session', { email: `${newId()}@shop.example`, password: 'x' })).status
  assert.equal(await tries('2001:db8:0:a01::1'), 401)
  await db.run(
    sql`update identity.rate_limit set drained_at = now() + interval '5 minutes' where key like 'sign-in-addr%'`
  )
  assert.deepEqual([await tries('2001:db8:0:aff::2'), await tries('2001:db8:0:b01::1')], [429, 401])
})

test('a right password forgives the wrong ones before it', async (t) => {
  const { browser, person } = await testIdentity(t)
  const { email } = await person('owner')
  const browse = browser()
  for (let round = 0; round < 2; round++) {
    for (let wrong = 0; wrong < 9; wrong++) assert.equal(
      (await browse('POST', '/admin/session', { email, password: 'wrong' })).status, 401
    )
    assert.equal((await browse('POST', '/admin/session', { email, password: PASSWORD })).status, 200)
  }
})

test('nothing of a sign-in stays but hashes', async (t) => {
  const { db, signedIn } = await testIdentity(t)
  const ada = await signedIn('owner')
  const { headers } = await ada(
    'POST', '/admin/session', { email: ada.email, password: PASSWORD }, { 'idempotency-key': 'one' }
  )
  const token = /=([\w-]{43})/.exec(String(headers['set-cookie']))![1]!
  const [{ text } = { text: '' }] = await db.many(Type.Object({ text: Type.String() }), sql`
    select concat((select jsonb_agg(to_jsonb(session)) from identity.session),
      (select jsonb_agg(to_jsonb(staff)) from identity.staff),
      (select jsonb_agg(to_jsonb(rate_limit)) from identity.rate_limit)) as text`)
  assert.ok(text.includes(ada.email))
  assert.ok(!text.includes(token) && !text.includes(PASSWORD))
})

test('sessions end: idle, at their last day, and swept', async (t) => {
  const { db, signedIn } = await testIdentity(t)
  for (const over of [sql`last_seen_at = now() - interval '481 minutes'`, sql`expires_at = now()`]) {
    const ada = await signedIn('owner')
    assert.equal((await ada('GET', '/admin/me')).status, 200)
    await db.run(sql`update identity.session set ${over}`)
    forgetActors(db)
    assert.equal((await ada('GET', '/admin/me')).status, 401)
  }
  await sweeps[0]!.run(db)
  assert.equal(await db.run(sql`delete from identity.session where expires_at <= now()`), 0)
})
