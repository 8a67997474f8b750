// What stands between browsers and the shop: headers on every answer, other sites' pages, cookies, proxies.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { sql } from './platform/db.ts'
import { checkServerVersion } from './platform/postgres.ts'
import { safeHeaders } from './platform/safe-headers.ts'
import { testDatabase } from './platform/testing.ts'
import { testShop } from './testing.ts'

test('every answer says what it is, loads nothing and stands in no frame', async (t) => {
  const shop = await testShop(t)
  const [app, { publishable, secret }] = [await shop.app(), await shop.keys()]
  const browse = { 'x-publishable-key': publishable }
  const asked: [string, object?, string?][] = [
    ['/store/products', browse], ['/store/products', browse], ['/store/products'], ['/admin/orders'], ['/nothing'],
    ['/admin/orders', { authorization: `Bearer ${secret}` }], ['/store/%E0%A4%A'], ['/openapi/admin.json'], ['/health'],
    ['/docs'], ['/', {}], ['/admin/orders', {}, 'PUT'], ['/store/carts', browse, 'POST'],
  ]
  for (const [url, headers = {}, method = 'GET'] of asked) {
    const answer = await app.inject({ url, headers: headers as Record<string, string>, method: method as 'GET' })
    assert.equal(answer.headers['x-content-type-options'], 'nosniff', url)
    assert.match(String(answer.headers['content-type'] ?? ''),
      answer.body === '' ? /^/ : /^application\/(problem\+)?json|^text\/html; charset=utf-8$/, url)
    assert.equal(answer.headers['referrer-policy'], 'no-referrer', url)
    assert.match(String(answer.headers['content-security-policy']), /frame-ancestors 'none'/, url)
    assert.match(String(answer.headers['content-security-policy']), /default-src 'none'/, url)
    if (url !== '/store/products' || !('x-publishable-key' in headers)) {
      assert.notEqual(answer.headers['access-control-allow-credentials'], 'true', url)
    }
    if (url.startsWith('/admin')) assert.equal(answer.headers['access-control-allow-origin'], undefined, url)
    if (url === '/admin/orders') assert.match(String(answer.headers['cache-control']), /no-store/)
  }
  const docs = await app.inject('/docs')
  assert.equal(docs.headers['cross-origin-opener-policy'], 'same-origin')
  assert.doesNotMatch(String(docs.headers['content-security-policy']), /unsafe/)
})

test('https is for a year in production, and only where it is', () => {
  const of = (environment: Record<string, string>) => Object.fromEntries(safeHeaders(environment))
  const secure = { NODE_ENV: 'production', PUBLIC_URL: 'https://shop.example' }
  assert.equal(of(secure)['strict-transport-security'], 'max-age=31536000; includeSubDomains')
  for (const plain of [{ ...secure, PUBLIC_URL: 'http://shop.example' }, { ...secure, NODE_ENV: 'test' }, {}]) {
    assert.equal(of(plain as Record<string, string>)['strict-transport-security'], undefined)
  }
})

test('who asks comes from the connection; a proxy is believed only where it is named', async (t) => {
  const shop = await testShop(t)
  const { secret } = await shop.keys()
  const bare = await shop.app()
  const behind = await shop.opened.app({ trustProxy: '192.0.2.0/24' })
  const from = async (app: typeof bare, remoteAddress: string): Promise<string> => {
    await app.inject({
      method: 'POST', url: '/admin/inventory/locations', remoteAddress,
      headers: { authorization: `Bearer ${secret}`, 'x-forwarded-for': '6.6.6.6, 203.0.113.9', 'x-real-ip': '6.6.6.6' },
      payload: { code: `l${Math.random().toString(36).slice(2, 10)}`, name: 'x' },
    })
    const log = await app.inject({ url: '/admin/audit-log?limit=1', headers: { authorization: `Bearer ${secret}` } })
    return log.json().items[0].address
  }
  assert.equal(await from(bare, '192.0.2.1'), '192.0.2.1')
  assert.equal(await from(behind, '192.0.2.1'), '203.0.113.9', 'the address before the named proxy, not the first')
  assert.equal(await from(behind, '198.51.100.1'), '198.51.100.1')
})

test('production refuses a database that forgets in a power cut', async (t) => {
  const url = process.env['TEST_DATABASE_URL']!
  const db = await testDatabase(t)
  const { fsync } = await db.one(Type.Object({ fsync: Type.String() }), sql`show fsync`)
  await checkServerVersion(url)
  if (fsync === 'on') return await checkServerVersion(url, { durable: true })     // that of `npm test` is off
  await assert.rejects(checkServerVersion(url, { durable: true }), /fsync = on/)
})
