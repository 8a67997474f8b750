// A role that needs a second factor, over HTTP: whoever has none may add one and do nothing else, whatever way they
// came in; nobody is locked out, owners least of all; and it holds at once for sessions that are open.
import assert from 'node:assert/strict'
import test from 'node:test'
import { forgetActors } from './authenticate.ts'
import { secondFactorForAll } from './identity.ts'
import { withAuthenticator } from './internal/test-factors.ts'
import { PASSWORD, testIdentity } from './internal/test-identity.ts'

const REQUIRED = 'https://kontor.dev/problems/second-factor-required'
const OWN = ['/admin/me', '/admin/me/factors', '/admin/me/passkeys', '/admin/me/sessions']

test('whoever has none may do nothing but add one, at once and until they have one', async (t) => {
  const identity = await testIdentity(t)
  const [owner, ada] = [await identity.signedIn('owner'), await identity.signedIn('manager')]
  const require = (code: string, required: boolean) => owner('PUT', `/admin/roles/${code}/second-factor`, { required })
  assert.equal((await ada('GET', '/admin/staff')).status, 200)
  for (let time = 0; time < 2; time++) {
    assert.equal((await require('manager', true)).body.secondFactor, true, 'asked twice it is the same')
  }
  const refused = await ada('GET', '/admin/staff')
  assert.deepEqual([refused.status, refused.body.type], [403, REQUIRED])
  for (const url of OWN) assert.equal((await ada('GET', url)).status, 200, `${url} is their own`)
  assert.equal((await owner('GET', '/admin/staff')).status, 200, 'another role is as it was')

  const again = identity.browser()
  assert.equal((await again('POST', '/admin/session', { email: ada.email, password: PASSWORD })).status, 200)
  assert.equal((await again('GET', '/admin/staff')).body.type, REQUIRED, 'a new session is no way around')
  await withAuthenticator(identity, ada)
  assert.equal((await ada('GET', '/admin/staff')).status, 200)
  const next = await again('POST', '/admin/session', { email: ada.email, password: PASSWORD })
  assert.equal(next.status, 202, 'from now on it is asked for')
  assert.equal((await ada('DELETE', '/admin/me/totp')).status, 204)
  assert.equal((await ada('GET', '/admin/staff')).body.type, REQUIRED, 'and without it the door is closed again')
  assert.equal((await require('manager', false)).status, 200)
  assert.equal((await ada('GET', '/admin/staff')).status, 200)
})

test('the last owner who asks it of owners is not locked out, and needs one to take it back', async (t) => {
  const identity = await testIdentity(t)
  const owner = await identity.signedIn('owner')
  const require = (required: boolean) => owner('PUT', '/admin/roles/owner/second-factor', { required })
  assert.equal((await require(true)).status, 200)
  assert.equal((await require(false)).body.type, REQUIRED)
  await withAuthenticator(identity, owner)
  assert.equal((await require(false)).status, 200)
})

test('who sees the shop as a colleague needs a factor of their own', async (t) => {
  const identity = await testIdentity(t)
  const [owner, ada] = [await identity.signedIn('owner'), await identity.signedIn('manager')]
  assert.equal((await owner('PUT', '/admin/view-as', { staffId: ada.id })).status, 200)
  const seen = () => owner('GET', '/admin/roles', undefined, { 'x-view-as': ada.id })
  assert.equal((await seen()).status, 200)
  await owner('PUT', '/admin/roles/manager/second-factor', { required: true })
  assert.equal((await seen()).status, 200, 'it is the one who looks that counts')
  await owner('PUT', '/admin/roles/owner/second-factor', { required: true })
  assert.equal((await seen()).body.type, REQUIRED)
})

test('a role may be asked for it by who has its permissions, and by nobody for a role above', async (t) => {
  const { signedIn } = await testIdentity(t)
  const [owner, manager] = [await signedIn('owner'), await signedIn('manager')]
  const give = (code: string, permissions: string[]) => owner('POST', '/admin/roles', { code, name: code, permissions })
  await give('keeper', ['identity:read', 'identity:write'])
  const keeper = await signedIn('keeper')
  const require = (browse: typeof keeper, code: string) =>
    browse('PUT', `/admin/roles/${code}/second-factor`, { required: true })
  assert.deepEqual([
    (await require(manager, 'support')).status, (await require(keeper, 'owner')).status,
    (await require(keeper, 'nobody')).status, (await require(keeper, 'keeper')).status,
  ], [403, 403, 404, 200])
})

test('the whole shop can be asked, by shop.config.ts', async (t) => {
  const identity = await testIdentity(t)
  const owner = await identity.signedIn('owner')
  secondFactorForAll.set(identity.db, true)
  forgetActors(identity.db)
  assert.equal((await owner('GET', '/admin/roles')).body.type, REQUIRED)
  await withAuthenticator(identity, owner)
  const { items } = (await owner('GET', '/admin/roles')).body
  assert.ok(items.every((role: { secondFactor: boolean }) => role.secondFactor))
})

test('of a hundred requests beside the decision, none that begins after its answer is let in', async (t) => {
  const { signedIn } = await testIdentity(t)
  const [owner, ada] = [await signedIn('owner'), await signedIn('manager')]
  let decided = false
  const late: number[] = []
  const asked = Array.from({ length: 100 }, async (_, index) => {
    await new Promise((resolve) => setTimeout(resolve, index))
    const after = decided
    const { status } = await ada('GET', '/admin/roles')
    if (after) late.push(status)
    return status
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  await owner('PUT', '/admin/roles/manager/second-factor', { required: true })
  decided = true
  const statuses = await Promise.all(asked)
  assert.ok(statuses.includes(200), 'some were before')
  assert.deepEqual(late.filter((status) => status !== 403), [])
})
