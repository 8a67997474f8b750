// Staff, roles and keys over HTTP: invited people, an owner who stays, and nobody who gives more than they have.
import assert from 'node:assert/strict'
import test from 'node:test'
import { sql } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { isProblem } from '../../platform/problem.ts'
import { forgetActors } from './authenticate.ts'
import { createOwner } from './create-owner.ts'
import { addStaff, generatePassword, issuePassword } from './issue-password.ts'
import { LastOwner, pluginPermissions } from './identity.ts'
import { PASSWORD, testIdentity, type Browser } from './internal/test-identity.ts'

type Person = Browser & { id: string }

test('an invitation: sent, accepted with a password of their own, and not again', async (t) => {
  const { browser, signedIn, mails } = await testIdentity(t)
  const owner = await signedIn('owner')
  const invite = { email: 'Bob@Shop.example', name: 'Bob', role: 'warehouse' }
  const key = { 'idempotency-key': 'bob' }
  const { status, body: bob } = await owner('POST', '/admin/staff', invite, key)
  assert.deepEqual([status, bob.email, bob.invited], [201, 'bob@shop.example', true])
  assert.deepEqual((await owner('POST', '/admin/staff', invite, key)).body, bob)
  assert.equal((await owner('POST', '/admin/staff', invite)).status, 409)
  assert.equal((await owner('POST', `/admin/staff/${bob.id}/invitation`)).status, 202)
  const sent = await mails()
  assert.deepEqual(sent.map(({ to }) => to), ['bob@shop.example', 'bob@shop.example'])

  const browse = browser()
  const accept = (token: string) => browse('PUT', '/admin/password-reset', { token, password: PASSWORD })
  assert.equal((await accept(sent[0]!.token!)).status, 410, 'the newer replaced it')
  assert.equal((await accept(sent[1]!.token!)).status, 204)
  assert.equal(
    (await browse('POST', '/admin/session', { email: 'bob@shop.example', password: PASSWORD })).body.role, 'warehouse'
  )
  assert.equal((await owner('POST', `/admin/staff/${bob.id}/invitation`)).status, 403)
  const [first, second] = [await owner('GET', '/admin/staff?limit=1'), await owner('GET', '/admin/staff')]
  assert.ok(first.body.nextCursor)
  assert.deepEqual(
    [...first.body.items, ...(await owner('GET', `/admin/staff?cursor=${first.body.nextCursor}`)).body.items],
    second.body.items
  )
})

test('a change of role or of active ends the sessions of that person', async (t) => {
  const { signedIn } = await testIdentity(t)
  const owner = await signedIn('owner')
  for (const change of [{ role: 'manager' }, { active: false }]) {
    const ada = await signedIn('support')
    assert.equal((await owner('PATCH', `/admin/staff/${ada.id}`, { name: 'Ada B.' })).body.name, 'Ada B.')
    assert.equal((await ada('GET', '/admin/me')).status, 200)
    assert.equal((await owner('PATCH', `/admin/staff/${ada.id}`, change)).status, 200)
    assert.equal((await ada('GET', '/admin/me')).status, 401)
  }
  const ada = await signedIn('support')
  assert.deepEqual((await owner('DELETE', `/admin/staff/${ada.id}/sessions`)).body, { ended: 1 })
  assert.equal((await ada('GET', '/admin/me')).status, 401)
  assert.equal((await owner('PATCH', `/admin/staff/${newId()}`, { active: false })).status, 404)
  assert.equal((await owner('PATCH', `/admin/staff/${ada.id}`, { role: 'nothing' })).status, 404)
})

test('the last owner who can sign in stays, however it is tried', async (t) => {
  const { db, signedIn } = await testIdentity(t)
  const owner = await signedIn('owner')
  // invited owners do not count
  await owner('POST', '/admin/staff', { email: 'bob@shop.example', name: 'Bob', role: 'owner' })
  for (const change of [{ active: false }, { role: 'manager' }]) {
    const { status, body } = await owner('PATCH', `/admin/staff/${owner.id}`, change)
    assert.deepEqual([status, body.type], [409, 'https://kontor.dev/problems/last-owner'])
  }
  await assert.rejects(
    db.run(sql`update identity.staff set password_hash = null`), (error) => isProblem(error, LastOwner)
  )
  assert.equal((await owner('GET', '/admin/me')).status, 200)
})

test('two owners who give it up at once: one stays', async (t) => {
  const { db, signedIn } = await testIdentity(t)
  for (let round = 0; round < 5; round++) {
    const owners = [await signedIn('owner'), await signedIn('owner')]
    await db.run(sql`update identity.staff set active = false where id <> all(${owners.map(({ id }) => id)}::uuid[])`)
    const [a, b] = owners as unknown as [Person, Person]
    const left = await Promise.all(
      [a('PATCH', `/admin/staff/${a.id}`, { role: 'manager' }), b('PATCH', `/admin/staff/${b.id}`, { active: false })]
    )
    assert.deepEqual(left.map(({ status }) => status).toSorted(), [200, 409])
    assert.equal(await db.run(sql`select from identity.staff where role_code = 'owner' and active`), 1)
  }
})

test('nobody gives, takes or touches more than they have', async (t) => {
  const { signedIn } = await testIdentity(t)
  const owner = await signedIn('owner')
  const made = await owner(
    'POST', '/admin/roles',
    { code: 'lead', name: 'Lead', permissions: ['identity:read', 'identity:write', 'orders:read'] }
  )
  assert.equal(made.status, 201)
  const lead = await signedIn('lead')
  const refused: [Parameters<Browser>[0], string, object?][] = [
    ['POST', '/admin/staff', { email: 'eve@shop.example', name: 'Eve', role: 'owner' }],
    ['POST', '/admin/staff', { email: 'eve@shop.example', name: 'Eve', role: 'support' }],
    ['PATCH', `/admin/staff/${lead.id}`, { role: 'owner' }],
    ['PATCH', `/admin/staff/${owner.id}`, { active: false }],
    ['DELETE', `/admin/staff/${owner.id}/sessions`],
    ['POST', '/admin/roles', { code: 'more', name: 'More', permissions: ['orders:write'] }],
    ['PUT', '/admin/roles/lead', { name: 'Lead', permissions: ['identity:read', 'payments:write'] }],
    ['POST', '/admin/secret-keys', { name: 'More', permissions: ['orders:read', 'payments:write'] }],
  ]
  for (const [method, url, body] of refused) assert.equal(
    (await lead(method, url, body)).status, 403, `${method} ${url}`
  )
  assert.equal((await lead('POST', '/admin/secret-keys', { name: 'Less', permissions: ['orders:read'] })).status, 201)
  assert.equal(
    (await lead('POST', '/admin/roles', { code: 'less', name: 'Less', permissions: ['orders:read'] })).status, 201
  )
  assert.equal(
    (await lead('POST', '/admin/staff', { email: 'bob@shop.example', name: 'Bob', role: 'less' })).status, 201
  )
  assert.equal((await owner('POST', '/admin/roles', { code: 'all', name: 'All', permissions: ['*'] })).status, 400)
  const support = await signedIn('support')
  for (const url of [
    '/admin/staff', '/admin/roles', '/admin/secret-keys', '/admin/publishable-keys',
  ]) assert.equal((await support('GET', url)).status, 403)
})

test('roles: listed with what may be permitted, system ones fixed, used ones kept', async (t) => {
  const { db, signedIn } = await testIdentity(t)
  const owner = await signedIn('owner')
  const { body } = await owner('GET', '/admin/roles')
  assert.deepEqual(body.items.map(({ code }: { code: string }) => code), ['manager', 'owner', 'support', 'warehouse'])
  assert.equal(body.permissions['orders:read'], 'See orders and the people in them')
  assert.equal((await owner('PUT', '/admin/roles/owner', { name: 'Nobody', permissions: [] })).status, 409)
  assert.equal((await owner('DELETE', '/admin/roles/support')).status, 409)
  assert.equal((await owner('DELETE', '/admin/roles/none')).status, 404)
  const mistyped = await owner('POST', '/admin/roles', { code: 'typo', name: 'Typo', permissions: ['order:read'] })
  assert.deepEqual([mistyped.status, mistyped.body.unknown], [422, ['order:read']])
  assert.ok(mistyped.body.known.includes('orders:read'))
  assert.equal((await owner('POST', '/admin/secret-keys', { name: 'Typo', permissions: ['order:read'] })).status, 422)
  const clerk = { code: 'clerk', name: 'Clerk', permissions: ['orders:read'] }
  assert.equal((await owner('POST', '/admin/roles', clerk)).status, 201)
  // Of a plugin that was taken out: it allows nothing, and may stay.
  await db.run(sql`update identity.role set permissions = '{orders:read,wishes:read}' where code = 'clerk'`)
  const kept = await owner('PUT', '/admin/roles/clerk', { name: 'Clerk', permissions: ['orders:read', 'wishes:read'] })
  assert.deepEqual([kept.status, kept.body.permissions], [200, ['orders:read', 'wishes:read']])
  pluginPermissions.set(db, ['hopes:read'])
  const more = await owner('PUT', '/admin/roles/clerk', { name: 'Clerk', permissions: ['orders:read', 'hopes:read'] })
  assert.equal(more.status, 200)
  assert.equal((await owner('GET', '/admin/roles')).body.permissions['hopes:read'], 'Of a plugin')
  assert.equal((await owner('PUT', '/admin/roles/clerk', { ...clerk, code: undefined })).status, 200)
  assert.equal((await owner('POST', '/admin/roles', clerk)).status, 409)
  const ada = await signedIn('clerk')
  assert.equal((await owner('DELETE', '/admin/roles/clerk')).status, 409)
  await owner('PATCH', `/admin/staff/${ada.id}`, { role: 'support' })
  assert.equal((await owner('DELETE', '/admin/roles/clerk')).status, 204)
})

test('keys: a secret one is shown once, a publishable one always; revoking twice is the same', async (t) => {
  const { signedIn } = await testIdentity(t)
  const owner = await signedIn('owner')
  const once = { 'idempotency-key': 'key' }
  const body = { name: 'Warehouse robot', permissions: ['inventory:write'], expiresAt: '2099-01-01T00:00:00Z' }
  const { status, body: made } = await owner('POST', '/admin/secret-keys', body, once)
  assert.equal(status, 201)
  assert.match(made.key, /^sk_[\w-]{43}$/)
  assert.ok(made.key.startsWith(made.prefix))
  assert.equal((await owner('POST', '/admin/secret-keys', body, once)).status, 409)
  const listed = await owner('GET', '/admin/secret-keys')
  assert.deepEqual([listed.body.items.length, JSON.stringify(listed.body).includes(made.key)], [1, false])
  const shop = await owner('POST', '/admin/publishable-keys', { name: 'Shop', channelId: newId() }, once)
  assert.deepEqual((await owner('GET', '/admin/publishable-keys')).body.items, [shop.body])
  assert.deepEqual(
    (await owner('POST', '/admin/publishable-keys', { name: 'Shop', channelId: shop.body.channelId }, once)).body,
    shop.body
  )
  for (const url of [`/admin/secret-keys/${made.id}`, `/admin/publishable-keys/${shop.body.id}`]) {
    assert.deepEqual([(await owner('DELETE', url)).status, (await owner('DELETE', url)).status], [204, 204])
  }
  for (const kind of ['secret', 'publishable']) {
    const [key] = (await owner('GET', `/admin/${kind}-keys`)).body.items
    assert.ok(key.revokedAt)
    assert.equal((await owner('DELETE', `/admin/${kind}-keys/${newId()}`)).status, 404)
  }
})

test('fields that nobody may send', async (t) => {
  const { signedIn, browser } = await testIdentity(t)
  const owner = await signedIn('owner')
  const extra = { id: newId(), userId: newId(), isAdmin: true, permissions: ['*'], passwordHash: 'x', active: true }
  for (const [name, value] of Object.entries(extra)) {
    const invited = await owner(
      'POST', '/admin/staff', { email: 'eve@shop.example', name: 'Eve', role: 'support', [name]: value }
    )
    const signed = await browser()('POST', '/admin/session', { email: owner.email, password: PASSWORD, [name]: value })
    assert.deepEqual([invited.status, signed.status], [400, 400], name)
  }
})

test('the first owner is made once, however many processes start', async (t) => {
  const { db, browser } = await testIdentity(t)
  const made = (await Promise.all(Array.from({ length: 5 }, () => createOwner(db)))).filter((one) => one !== undefined)
  assert.equal(made.length, 1)
  assert.equal((await browser()('POST', '/admin/session', made[0])).status, 200)
  assert.equal(await createOwner(db), undefined)
  assert.match(generatePassword(), /^([a-z2-9]{5}-){3}[a-z2-9]{5}$/)
  assert.notEqual(generatePassword(), generatePassword())
})

test('a password from the command line works at once, and nothing from before it does', async (t) => {
  const { db, browser } = await testIdentity(t)
  const first = await addStaff(db, { email: 'Ada@shop.example', name: 'Ada', role: 'owner' })
  await assert.rejects(addStaff(db, { email: 'ada@shop.example', name: 'Ada', role: 'owner' }))
  await assert.rejects(addStaff(db, { email: 'bob@shop.example', name: 'Bob', role: 'none' }))
  const ada = browser()
  assert.equal((await ada('POST', '/admin/session', first)).status, 200)
  const second = await issuePassword(db, ' ADA@shop.example ')
  forgetActors(db)
  assert.equal((await ada('GET', '/admin/me')).status, 401)
  assert.equal((await ada('POST', '/admin/session', first)).status, 401)
  assert.equal((await ada('POST', '/admin/session', second)).status, 200)
  assert.equal(await issuePassword(db, 'nobody@shop.example'), undefined)
})
