// Passkeys over HTTP, with a device in software: good answers let in, and replayed, foreign, unverified, forged and
// rewound ones do not, with one answer. The last way in stays.
import assert from 'node:assert/strict'
import test from 'node:test'
import { sql } from '../../platform/db.ts'
import { forgetActors } from './authenticate.ts'
import { SoftwareAuthenticator } from './test-authenticator.ts'
import { withAuthenticator } from './internal/test-factors.ts'
import { PASSWORD, testIdentity, type Browser } from './internal/test-identity.ts'
import { sweeps } from './jobs.ts'

const begin = async (browse: Browser) => (await browse('POST', '/admin/me/passkeys/options')).body.options
const add = (browse: Browser, credential: object, name = 'Laptop') =>
  browse('POST', '/admin/me/passkeys', { name, credential })
const beginSignIn = async (browse: Browser) => (await browse('POST', '/admin/session/passkey')).body.options
const signIn = (browse: Browser, credential: object) => browse('PUT', '/admin/session/passkey', credential)

async function withPasskey(browse: Browser) {
  const device = new SoftwareAuthenticator()
  const { status, body } = await add(browse, device.make(await begin(browse)))
  assert.equal(status, 201, JSON.stringify(body))
  return { device, id: body.id as string }
}

test('made, listed, renamed, signed in with, removed; told by mail', async (t) => {
  const identity = await testIdentity(t)
  const ada = await identity.signedIn('support')
  const { device, id } = await withPasskey(ada)
  assert.deepEqual((await identity.mails()).map(({ subject }) => subject), ['How you sign in was changed'])
  const renamed = await ada('PATCH', `/admin/me/passkeys/${id}`, { name: 'Phone' })
  assert.deepEqual([renamed.body.name, renamed.body.lastUsedAt, renamed.body.synced], ['Phone', null, false])

  const browse = identity.browser()
  const password = await browse('POST', '/admin/session', { email: ada.email, password: PASSWORD })
  assert.deepEqual([password.status, password.body.factors], [202, ['passkey']])
  const signed = await signIn(browse, device.get(await beginSignIn(browse)))
  assert.deepEqual([signed.status, signed.body.email], [200, ada.email])
  const [listed] = (await browse('GET', '/admin/me/passkeys')).body.items
  assert.ok(listed.lastUsedAt)

  const bob = await identity.signedIn('support')
  assert.equal((await bob('PATCH', `/admin/me/passkeys/${id}`, { name: 'Mine' })).status, 404)
  assert.equal((await bob('DELETE', `/admin/me/passkeys/${id}`)).status, 404)
  assert.equal((await add(bob, device.make(await begin(bob)))).status, 409, 'it is of another account')
  assert.equal((await ada('DELETE', `/admin/me/passkeys/${id}`)).status, 204)
  assert.equal((await ada('DELETE', `/admin/me/passkeys/${id}`)).status, 404)
  assert.equal((await signIn(browse, device.get(await beginSignIn(browse)))).status, 401)
  assert.equal((await browse('POST', '/admin/session', { email: ada.email, password: PASSWORD })).status, 200)
})

test('what is wrong with an answer gets one answer', async (t) => {
  const identity = await testIdentity(t)
  const { db } = identity
  const ada = await identity.signedIn('support')
  const { device } = await withPasskey(ada)
  const browse = identity.browser()
  const answers = new Map<string, { status: number; body: any }>()
  const tried = async (name: string, wrong: Parameters<typeof device.get>[1]) => {
    answers.set(name, await signIn(browse, device.get(await beginSignIn(browse), wrong)))
  }
  await tried('a foreign origin', { origin: 'https://shop.example.evil.example' })
  await tried('a foreign relying party', { rpId: 'evil.example' })
  await tried('nobody was verified', { verified: false })
  await tried('an invented challenge', { challenge: Buffer.alloc(32).toString('base64url') })
  await tried('the handle of somebody else', { userHandle: Buffer.from('somebody').toString('base64url') })
  answers.set('a challenge to make one', await signIn(browse, device.get(await begin(ada))))
  const expired = await beginSignIn(browse)
  await db.run(sql`update identity.passkey_challenge set expires_at = now()`)
  answers.set('expired', await signIn(browse, device.get(expired)))
  const forged = device.get(await beginSignIn(browse))
  forged.response.signature = new SoftwareAuthenticator().get(await beginSignIn(browse)).response.signature
  answers.set('signed by another key', await signIn(browse, forged))
  answers.set('an unknown passkey', await signIn(browse, new SoftwareAuthenticator().get(await beginSignIn(browse))))
  const good = device.get(await beginSignIn(browse))
  assert.equal((await signIn(browse, good)).status, 200)
  answers.set('replayed', await signIn(browse, good))
  device.counter -= 2
  answers.set('rewound', await signIn(browse, device.get(await beginSignIn(browse))))
  const garbage = device.get(await beginSignIn(browse))
  garbage.response.clientDataJSON = 'e30'
  answers.set('no challenge', await signIn(browse, garbage))
  garbage.response.clientDataJSON = 'AAAA'
  answers.set('no JSON', await signIn(browse, garbage))
  await db.run(sql`update identity.staff set active = false where id = ${ada.id}`)
  device.counter += 5
  answers.set('switched off', await signIn(browse, device.get(await beginSignIn(browse))))
  for (const [name, { status, body }] of answers) {
    const told = [status, body.type, body.detail]
    assert.deepEqual(told, [401, 'https://kontor.dev/problems/passkey-refused', undefined], name)
  }
  assert.equal((await signIn(browse, {})).status, 400)
})

test('a registration is as strict, and its challenge is of one person and one use', async (t) => {
  const identity = await testIdentity(t)
  const [ada, bob] = [await identity.signedIn('support'), await identity.signedIn('support')]
  for (const wrong of [{ origin: 'https://evil.example' }, { rpId: 'evil.example' }, { verified: false }]) {
    assert.equal((await add(ada, new SoftwareAuthenticator().make(await begin(ada), wrong))).status, 401)
  }
  const device = new SoftwareAuthenticator()
  assert.equal((await add(bob, device.make(await begin(ada)))).status, 401, 'it was begun by somebody else')
  const made = new SoftwareAuthenticator().make(await begin(ada))
  const statuses = (await Promise.all(Array.from({ length: 10 }, () => add(ada, made)))).map(({ status }) => status)
  assert.deepEqual(statuses.toSorted(), [201, ...Array.from({ length: 9 }, () => 401)])
  assert.equal((await begin(ada)).excludeCredentials.length, 1)
})

test('a signed challenge lets in once of twenty', async (t) => {
  const identity = await testIdentity(t)
  const ada = await identity.signedIn('support')
  const { device } = await withPasskey(ada)
  const browse = identity.browser()
  for (const counts of [true, false]) {
    if (!counts) {
      await identity.db.run(sql`update identity.passkey set counter = 0`)
      device.counter = -1           // many devices do not count
    }
    const signed = device.get(await beginSignIn(browse))
    const all = await Promise.all(Array.from({ length: 20 }, () => signIn(browse, signed)))
    const statuses = all.map(({ status }) => status)
    assert.deepEqual(statuses.toSorted(), [200, ...Array.from({ length: 19 }, () => 401)])
  }
})

test('as the only way in: an owner without a password stays one, and the last passkey stays', async (t) => {
  const identity = await testIdentity(t)
  const owner = await identity.signedIn('owner')
  assert.equal((await owner('DELETE', '/admin/me/password')).status, 409)
  const [first, second] = [await withPasskey(owner), await withPasskey(owner)]
  for (let twice = 0; twice < 2; twice++) assert.equal((await owner('DELETE', '/admin/me/password')).status, 204)
  const byPassword = await identity.browser()('POST', '/admin/session', { email: owner.email, password: PASSWORD })
  assert.equal(byPassword.status, 401)
  const staff = (await owner('GET', `/admin/staff/${owner.id}`)).body
  assert.equal(staff.invited, false)
  const off = await owner('PATCH', `/admin/staff/${owner.id}`, { active: false })
  assert.deepEqual([off.status, off.body.type], [409, 'https://kontor.dev/problems/last-owner'])

  const removed = await Promise.all([first, second].map(({ id }) => owner('DELETE', `/admin/me/passkeys/${id}`)))
  assert.deepEqual(removed.map(({ status }) => status).toSorted(), [204, 409], 'both at once')
  const left = removed[0]!.status === 204 ? second : first
  const browse = identity.browser()
  assert.equal((await signIn(browse, left.device.get(await beginSignIn(browse)))).status, 200)
})

test('a passkey proves who is there; that of another person does not', async (t) => {
  const identity = await testIdentity(t)
  const [ada, bob] = [await identity.signedIn('support'), await identity.signedIn('support')]
  const [{ device }, other] = [await withPasskey(ada), await withPasskey(bob)]
  await identity.db.run(sql`update identity.session set proven_at = now() - interval '1 hour'`)
  forgetActors(identity.db)
  assert.equal((await ada('POST', '/admin/me/recovery-codes')).status, 403)
  const prove = async (with_: SoftwareAuthenticator) =>
    (await ada('PUT', '/admin/me/proof', { passkey: with_.get(await beginSignIn(ada)) })).status
  assert.deepEqual([await prove(other.device), await prove(device)], [401, 204])
  const { recoveryCodes } = (await ada('POST', '/admin/me/recovery-codes')).body
  const browse = identity.browser()
  const half = await browse('POST', '/admin/session', { email: ada.email, password: PASSWORD })
  assert.deepEqual(half.body.factors.toSorted(), ['passkey', 'recovery-code'])
  assert.equal((await browse('PUT', '/admin/session', { token: half.body.token, code: recoveryCodes[0] })).status, 200)
})

test('the app goes, the passkey and the codes stay; a colleague takes all; what is over is swept', async (t) => {
  const identity = await testIdentity(t)
  const [owner, ada] = [await identity.signedIn('owner'), await identity.signedIn('support')]
  await withAuthenticator(identity, ada)
  const { device } = await withPasskey(ada)
  await ada('DELETE', '/admin/me/totp')
  assert.deepEqual((await ada('GET', '/admin/me/factors')).body, { totp: false, recoveryCodes: 10 })
  await owner('DELETE', `/admin/staff/${ada.id}/factors`)
  const browse = identity.browser()
  assert.equal((await signIn(browse, device.get(await beginSignIn(browse)))).status, 401)
  await identity.db.run(sql`update identity.passkey_challenge set expires_at = now()`)
  await sweeps[0]!.run(identity.db)
  assert.equal(await identity.db.run(sql`select from identity.passkey_challenge`), 0)
})
