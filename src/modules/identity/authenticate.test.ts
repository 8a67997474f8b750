// The gate: every kind of access with every kind of caller, and how soon a revocation is felt.
import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Db, sql } from '../../platform/db.ts'
import type { Authenticate } from '../../platform/http.ts'
import { newId, newToken } from '../../platform/id.ts'
import { createAuthenticate, forgetActors } from './authenticate.ts'
import { createPublishableKey, createSecretKey } from './api-keys.ts'
import { PASSWORD, testIdentity } from './internal/test-identity.ts'

async function start(t: Parameters<typeof testIdentity>[0]) {
  const identity = await testIdentity(t)
  const { db, app, system } = identity
  const channelId = newId()
  const secretKey = (permissions: string[], expiresAt?: string) =>
    db.transaction(system, (tx) => createSecretKey(tx, newId(), { name: 'Server', permissions, expiresAt }))
  const publishableKey = () => db.transaction(
    system, (tx) => createPublishableKey(tx, newId(), { name: 'Shop', channelId })
  )
  const probe = async (url: string, headers: Record<string, string> = {}, on = app) => {
    const answer = await on.inject({ method: 'POST', url, headers })
    return { status: answer.statusCode, body: answer.json() }
  }
  return { ...identity, channelId, secretKey, publishableKey, probe }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

test('who may call what', async (t) => {
  const { signedIn, secretKey, publishableKey, probe } = await start(t)
  const people = {
    support: await signedIn('support'), warehouse: await signedIn('warehouse'), owner: await signedIn('owner')
  }
  const callers: Record<string, (url: string) => Promise<{ status: number }>> = {
    nobody: (url) => probe(url),
    shopper: async (url) => probe(url, { 'x-publishable-key': await publishableKey() }),
    'key with it': async (url) => probe(url, bearer(await secretKey(['orders:write']))),
    'key without': async (url) => probe(url, bearer(await secretKey(['orders:read', 'orders:writes', 'orders:*', '']))),
    ...Object.fromEntries(Object.entries(people).map(([role, browse]) => [role, (url: string) => browse('POST', url)])),
  }
  const routes = [
    '/admin/probe/public', '/store/probe', '/admin/probe/staff', '/admin/probe/orders', '/admin/probe/plugin'
  ]
  const matrix: Record<string, number[]> = {}
  for (const [name, call] of Object.entries(callers)) {
    matrix[name] = []
    for (const url of routes) matrix[name].push((await call(url)).status)
  }
  assert.deepEqual(matrix, {
    nobody: [200, 401, 401, 401, 401],
    shopper: [200, 200, 401, 401, 401],
    'key with it': [200, 401, 403, 200, 403],
    'key without': [200, 401, 403, 403, 403],
    support: [200, 401, 200, 200, 403],
    warehouse: [200, 401, 200, 403, 403],
    owner: [200, 401, 200, 200, 200],
  })
})

test('what is known of the caller comes from the key alone', async (t) => {
  const { channelId, publishableKey, secretKey, probe } = await start(t)
  const key = await publishableKey()
  const { body: shopper } = await probe(
    '/store/probe', { 'x-publishable-key': key, ...bearer('a-cart-token-of-a-shopper') }
  )
  assert.deepEqual([shopper.kind, shopper.channelId], ['shopper', channelId])
  const { body: server } = await probe('/admin/probe/orders', bearer(await secretKey(['orders:write'])))
  assert.deepEqual([server.kind, server.permissions], ['key', ['orders:write']])
})

test('wrong, malformed, expired and foreign credentials are nobody', async (t) => {
  const { db, publishableKey, secretKey, probe, signedIn } = await start(t)
  const expired = await secretKey(['orders:write'], '2099-01-01T00:00:00Z')
  await db.run(sql`update identity.secret_key set expires_at = now()`)
  const [pk, sk] = [await publishableKey(), await secretKey(['orders:write'])]
  for (const header of [
    '', pk, `Bearer ${pk}`, sk, `Basic ${sk}`, `Bearer ${sk}x`, `Bearer ${newToken('sk_')}`,
    bearer(expired).authorization, 'Bearer',
  ]) {
    assert.equal((await probe('/admin/probe/orders', { authorization: header })).status, 401, header)
  }
  for (const key of ['', sk, newToken('pk_'), `${pk}x`, `${pk}\u0000`, '__proto__', 'constructor']) {
    assert.equal((await probe('/store/probe', { 'x-publishable-key': key })).status, 401, key)
  }
  const owner = await signedIn('owner')
  assert.equal(
    (await owner('POST', '/admin/probe/orders', undefined, bearer(newToken('sk_')))).status, 401,
    'a wrong key is not made good by a cookie'
  )
})

test('once known, a key costs no trip to the database', async (t) => {
  const { db, publishableKey, secretKey } = await start(t)
  const second = new Db({ url: db.url, max: 2 })
  const authenticate = createAuthenticate(second)
  const shopper = { method: 'GET', ip: '127.0.0.1', headers: { 'x-publishable-key': await publishableKey() } }
  const server = { method: 'GET', ip: '127.0.0.1', headers: bearer(await secretKey(['orders:write'])) }
  const both = () =>
    Promise.all([authenticate(shopper, 'shopper'), authenticate(server, { permission: 'orders:write' })])
  await both()
  await second.close()
  for (let count = 0; count < 100; count++) await both()
  await sleep(1_100)
  await assert.rejects(both(), 'after a second it is asked again')
})

test('a revocation is felt here at once and in another process within a second, under constant traffic', async (t) => {
  const { db, app, open, publishableKey, secretKey, signedIn, probe, person } = await start(t)
  const elsewhere = new Db({ url: db.url, max: 4 })
  t.after(() => elsewhere.close())
  const other = await open(elsewhere)
  const [pk, sk] = [await publishableKey(), await secretKey(['orders:write'])]
  const ada = await signedIn('support')
  const cookie = String(
    (await ada('POST', '/admin/session', { email: ada.email, password: PASSWORD })).headers['set-cookie']
  ).split(';')[0]!
  const session = { cookie, host: 'localhost', 'sec-fetch-site': 'same-origin' }
  const calls = (on: typeof app) => Promise.all([
    probe('/store/probe', { 'x-publishable-key': pk }, on), probe('/admin/probe/orders', bearer(sk), on),
    probe('/admin/probe/staff', session, on),
  ]).then((answers) => answers.map(({ status }) => status))
  assert.deepEqual([await calls(app), await calls(other)], [[200, 200, 200], [200, 200, 200]])
  const busy = Date.now() + 700
  while (Date.now() < busy) assert.deepEqual(await calls(other), [200, 200, 200])

  const owner = await signedIn('owner')
  assert.ok(await person('owner'))
  const { body: { items: [publishable] } } = await owner('GET', '/admin/publishable-keys')
  const { body: { items: [secret] } } = await owner('GET', '/admin/secret-keys')
  assert.equal((await owner('DELETE', `/admin/publishable-keys/${publishable.id}`)).status, 204)
  assert.equal((await owner('DELETE', `/admin/secret-keys/${secret.id}`)).status, 204)
  assert.equal((await owner('PATCH', `/admin/staff/${ada.id}`, { active: false })).status, 200)
  assert.deepEqual(await calls(app), [401, 401, 401])
  const until = Date.now() + 1_000
  while (Date.now() < until) await calls(other)
  assert.deepEqual(await calls(other), [401, 401, 401])
})

test('a narrower role is felt by an open session; so is the last use of a key by its owner', async (t) => {
  const { db, signedIn, secretKey, probe } = await start(t)
  const owner = await signedIn('owner')
  await owner('POST', '/admin/roles', { code: 'clerk', name: 'Clerk', permissions: ['orders:write'] })
  const clerk = await signedIn('clerk')
  assert.equal((await clerk('POST', '/admin/probe/orders')).status, 200)
  await owner('PUT', '/admin/roles/clerk', { name: 'Clerk', permissions: ['orders:read'] })
  assert.equal((await clerk('POST', '/admin/probe/orders')).status, 403)

  const sk = await secretKey(['orders:write'])
  await probe('/admin/probe/orders', bearer(sk))
  const lastUse = async () => (await owner('GET', '/admin/secret-keys')).body.items[0].lastUsedAt
  const first = await lastUse()
  assert.ok(first)
  forgetActors(db)
  await probe('/admin/probe/orders', bearer(sk))
  assert.equal(await lastUse(), first, 'noted once a minute')
  await db.run(sql`update identity.secret_key set last_used_at = now() - interval '2 minutes'`)
  forgetActors(db)
  await probe('/admin/probe/orders', bearer(sk))
  assert.ok(await lastUse() >= first)
})

test('behind a proxy that changes the host, the public address counts as our own', async (t) => {
  const { db, signedIn } = await start(t)
  const ada = await signedIn('owner')
  const cookie = String(
    (await ada('POST', '/admin/session', { email: ada.email, password: PASSWORD })).headers['set-cookie']
  ).split(';')[0]!
    .replace(/^/, '__Host-')
  const write = async (authenticate: Authenticate, origin: string) =>
    authenticate({ method: 'POST', ip: '127.0.0.1', headers: { host: '10.0.0.7', cookie, origin } }, 'staff')
  const proxied = createAuthenticate(db, { publicUrl: 'https://admin.shop.example/' })
  assert.equal((await write(proxied, 'https://admin.shop.example')).kind, 'staff')
  await assert.rejects(write(proxied, 'https://shop.example'), /must come from a page/)
  await assert.rejects(write(createAuthenticate(db), 'https://admin.shop.example'), /must come from a page/)
})
