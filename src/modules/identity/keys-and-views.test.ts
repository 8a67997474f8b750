// Keys that are replaced and bound to networks, invitations that are taken back, and seeing the shop as a colleague.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { sql } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { testIdentity } from './internal/test-identity.ts'
import { networks } from './reach.ts'

const body = { name: 'Robot', permissions: ['orders:write'] }
type Identity = Awaited<ReturnType<typeof testIdentity>>

const probe = async ({ app }: Identity, key: string, remoteAddress = '127.0.0.1'): Promise<number> =>
  (await app.inject({
    method: 'POST', url: '/admin/probe/orders', headers: { authorization: `Bearer ${key}` }, remoteAddress,
  })).statusCode

test('a key is replaced: both work for a while, then the new one alone', async (t) => {
  const identity = await testIdentity(t)
  const owner = await identity.signedIn('owner')
  const { body: old } = await owner('POST', '/admin/secret-keys', { ...body, expiresAt: '2099-01-01T00:00:00Z' })
  const { status, body: fresh } = await owner('POST', `/admin/secret-keys/${old.id}/rotate`, { overlapSeconds: 60 })
  assert.equal(status, 201)
  assert.notEqual(fresh.key, old.key)
  assert.deepEqual([fresh.permissions, fresh.name, fresh.expiresAt !== null], [body.permissions, body.name, true])
  assert.deepEqual([await probe(identity, old.key), await probe(identity, fresh.key)], [200, 200])
  const listed = (await owner('GET', '/admin/secret-keys')).body.items.find(({ id }: { id: string }) => id === old.id)
  assert.equal(listed.replacedBy, fresh.id)
  await identity.db.run(sql`
    update identity.secret_key set expires_at = now() - interval '1 second' where id = ${old.id}`)
  await new Promise((resolve) => setTimeout(resolve, 1_100))       // what is remembered is a second old at most
  assert.deepEqual([await probe(identity, old.key), await probe(identity, fresh.key)], [401, 200])
  assert.equal((await owner('POST', `/admin/secret-keys/${old.id}/rotate`, {})).status, 409)
  assert.equal((await owner('POST', `/admin/secret-keys/${newId()}/rotate`, {})).status, 404)
})

test('a key raced by twenty who replace it gets one successor', async (t) => {
  const { signedIn, db } = await testIdentity(t)
  const owner = await signedIn('owner')
  const { body: old } = await owner('POST', '/admin/secret-keys', body)
  const answers = await Promise.all(Array.from(
    { length: 20 }, () => owner('POST', `/admin/secret-keys/${old.id}/rotate`, { overlapSeconds: 0 })))
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, ...Array(19).fill(409)])
  assert.equal((await db.many(Type.Object({ id: Type.String() }), sql`select id from identity.secret_key`)).length, 2)
})

test('nobody replaces a key that may more than they', async (t) => {
  const { signedIn } = await testIdentity(t)
  const owner = await signedIn('owner')
  const { body: old } = await owner('POST', '/admin/secret-keys', body)
  await owner('POST', '/admin/roles', { code: 'lead', name: 'Lead', permissions: ['identity:write', 'identity:read'] })
  const lead = await signedIn('lead')
  assert.equal((await lead('POST', `/admin/secret-keys/${old.id}/rotate`, {})).status, 403)
})

test('a key counts from its networks alone, and elsewhere it is one that nobody knows', async (t) => {
  const identity = await testIdentity(t)
  const owner = await identity.signedIn('owner')
  const { body: made } = await owner(
    'POST', '/admin/secret-keys', { ...body, addresses: ['203.0.113.0/24', '2001:db8::/32', '198.51.100.7'] })
  assert.deepEqual(made.addresses, ['203.0.113.0/24', '2001:db8::/32', '198.51.100.7/32'])
  const from = (address: string): Promise<number> => probe(identity, made.key, address)
  for (const address of ['203.0.113.250', '::ffff:203.0.113.1', '2001:db8:1::1', '198.51.100.7']) {
    assert.equal(await from(address), 200, address)
  }
  for (const address of ['127.0.0.1', '203.0.114.1', '2001:db9::1', '198.51.100.8']) {
    assert.equal(await from(address), 401, address)
  }
  for (const wrong of ['10.0.0.0/33', '10.0.0', 'example.com', '::/129', '10.0.0.1/', '']) {
    assert.equal((await owner('POST', '/admin/secret-keys', { ...body, addresses: [wrong] })).status, 422, wrong)
  }
  assert.ok(networks(['::1']).has('::1'))
})

test('an invitation that was taken back opens nothing; sent again, it does', async (t) => {
  const { signedIn, mails, browser } = await testIdentity(t)
  const owner = await signedIn('owner')
  const { body: bob } = await owner('POST', '/admin/staff', { email: 'bob@shop.example', name: 'Bob', role: 'support' })
  const [first] = await mails()
  const url = `/admin/staff/${bob.id}/invitation`
  assert.deepEqual([(await owner('DELETE', url)).status, (await owner('DELETE', url)).status], [204, 204])
  const accept = (token?: string) =>
    browser()('PUT', '/admin/password-reset', { token, password: 'a quite long pass phrase' })
  assert.equal((await accept(first!.token)).status, 410)
  assert.equal((await owner('POST', url)).status, 202)
  const [again] = await mails()
  assert.equal((await accept(again!.token)).status, 204)
})

test('where somebody may act is set with them; an owner acts everywhere', async (t) => {
  const { signedIn } = await testIdentity(t)
  const owner = await signedIn('owner')
  const reach = { channelIds: [newId()], locationIds: null, companyIds: null }
  const { body: bob } = await owner(
    'POST', '/admin/staff', { email: 'bob@shop.example', name: 'Bob', role: 'support', reach })
  assert.deepEqual(bob.reach, reach)
  const wider = { channelIds: null, locationIds: [newId()], companyIds: [newId()] }
  assert.deepEqual((await owner('PATCH', `/admin/staff/${bob.id}`, { reach: wider })).body.reach, wider)
  assert.deepEqual((await owner('PATCH', `/admin/staff/${bob.id}`, { name: 'Bo' })).body.reach, wider)
  assert.equal((await owner('PATCH', `/admin/staff/${bob.id}`, { role: 'owner' })).status, 409)
  assert.equal((await owner('PATCH', `/admin/staff/${owner.id}`, { reach })).status, 409)
})

test('limits of a role are shown, changed, and not given beyond the own', async (t) => {
  const { signedIn } = await testIdentity(t)
  const owner = await signedIn('owner')
  const limits = { refund: [{ currency: 'EUR', amountMinor: 5_000 }], discountPpm: 100_000 }
  const lead = { code: 'lead', name: 'Lead', permissions: ['identity:write', 'identity:read'], limits }
  assert.deepEqual((await owner('POST', '/admin/roles', lead)).body.limits, limits)
  const person = await signedIn('lead')
  const may = async (wanted?: object): Promise<number> => (await person('POST', '/admin/roles', {
    code: `r${newId().slice(-12)}`, name: 'Less', permissions: ['identity:read'], ...wanted && { limits: wanted },
  })).status
  assert.deepEqual([
    await may(), await may(limits), await may({ refund: [], discountPpm: 0 }), await may({ ...limits, refund: null }),
    await may({ ...limits, discountPpm: null }), await may({ ...limits, discountPpm: 100_001 }),
  ], [201, 201, 201, 403, 403, 403])
  const { code, ...changed } = lead
  const none = { refund: null, discountPpm: null }
  assert.equal((await person('PUT', '/admin/roles/lead', { ...changed, limits: none })).status, 403)
  assert.deepEqual((await owner('PUT', '/admin/roles/lead', { ...changed, limits: none })).body.limits, none)
})

test('who sees the shop as a colleague reads with their eyes, says so, and changes nothing', async (t) => {
  const { signedIn, person, db } = await testIdentity(t)
  const [owner, bob] = [await signedIn('owner'), await person('support')]
  const eyes = { 'x-view-as': bob.id }
  assert.equal((await owner('GET', '/admin/me', undefined, eyes)).status, 403, 'it has to be begun')
  assert.equal((await owner('PUT', '/admin/view-as', { staffId: bob.id })).status, 200)
  const me = await owner('GET', '/admin/me', undefined, eyes)
  assert.deepEqual([me.body.id, me.body.viewedBy, me.headers['x-viewing-as']], [bob.id, owner.id, bob.id])
  assert.equal((await owner('GET', '/admin/staff', undefined, eyes)).status, 403)
  assert.equal((await owner('GET', '/admin/me/sessions', undefined, eyes)).status, 403, 'their own affairs')
  assert.equal((await owner('POST', '/admin/roles', { code: 'x', name: 'x', permissions: [] }, eyes)).status, 403)
  assert.equal((await owner('GET', '/admin/me')).body.viewedBy, null, 'without the header they are themselves')
  assert.equal((await owner('GET', '/admin/me', undefined, { 'x-view-as': newId() })).status, 403)
  const { count } = await db.one(Type.Object({ count: Type.Integer() }), sql`
    select count(*)::int as count from platform.audit_log where route = 'PUT /admin/view-as'`)
  assert.equal(count, 1)
  assert.equal((await owner('DELETE', '/admin/view-as')).status, 204)
  assert.equal((await owner('GET', '/admin/me', undefined, eyes)).status, 403)
})

test('nobody sees more with a colleague’s eyes than with their own', async (t) => {
  const { signedIn, person, db } = await testIdentity(t)
  const support = await signedIn('support')
  const [owner, peer] = [await person('owner'), await person('support')]
  assert.equal((await support('PUT', '/admin/view-as', { staffId: owner.id })).status, 403)
  assert.equal((await support('PUT', '/admin/view-as', { staffId: newId() })).status, 404)
  assert.equal((await support('PUT', '/admin/view-as', { staffId: peer.id })).status, 200)
  await db.run(sql`update identity.staff set role_code = 'owner' where id = ${peer.id}`)
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  assert.equal((await support('GET', '/admin/staff', undefined, { 'x-view-as': peer.id })).status, 403)
  await db.run(sql`update identity.viewing set until = now() - interval '1 second'`)
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  assert.equal((await support('GET', '/admin/me', undefined, { 'x-view-as': peer.id })).status, 403)
})
