// Passkeys of customers over HTTP, with a device in software. What is wrong with an answer of a device is tried out
// with staff (identity/passkeys.test.ts), whose code this is; here is what belongs to customers.
import assert from 'node:assert/strict'
import test from 'node:test'
import { sql } from '../../platform/db.ts'
import { forgetActors } from '../identity/authenticate.ts'
import { SoftwareAuthenticator } from '../identity/test-authenticator.ts'
import { newToken } from '../../platform/id.ts'
import { sweeps } from './jobs.ts'
import { testAccounts } from './internal/test-accounts.ts'

const TWENTY = Array.from({ length: 20 })
const kindOf = ({ body }: { body: any }): string => body.type.replace(/.*\//, '')

async function start(t: Parameters<typeof testAccounts>[0]) {
  const started = await testAccounts(t)
  type Caller = ReturnType<typeof started.caller>
  const begin = async (who: Caller) => (await who('POST', '/account/passkeys/options')).body.options
  const add = (who: Caller, credential: object, name = 'Phone') =>
    who('POST', '/account/passkeys', { name, credential })
  const challenge = async (who = started.caller()) => (await who('POST', '/account/session/passkey')).body.options
  const signInWith = (credential: object) =>
    started.caller()('PUT', '/account/session/passkey', { credential, keep: 'token' })
  /** Somebody with an account and a passkey, made on the storefront. */
  const withPasskey = async (email: string) => {
    const person = await started.register(email)
    const device = new SoftwareAuthenticator('https://shop.example')
    const made = await add(person.call, device.make(await begin(person.call)))
    assert.equal(made.status, 201, JSON.stringify(made.body))
    return { ...person, device, passkeyId: made.body.id as string }
  }
  return { ...started, begin, add, challenge, signInWith, withPasskey }
}

test('made on the storefront, signed in with alone, renamed, removed; told by mail', async (t) => {
  const { withPasskey, signInWith, challenge, signIn, caller, mails, register } = await start(t)
  const { call: anna, device, passkeyId } = await withPasskey('anna@example.com')
  assert.deepEqual((await mails()).map(({ to, text }) => [to, /"Phone" was added/.test(text)]),
    [['anna@example.com', true]])
  const signed = await signInWith(device.get(await challenge()))
  assert.deepEqual([signed.status, signed.body.account.email], [200, 'anna@example.com'])
  assert.equal((await signIn('anna@example.com')).status, 200, 'the password is another way')

  const renamed = await anna('PATCH', `/account/passkeys/${passkeyId}`, { name: 'Old phone' })
  assert.equal(renamed.body.name, 'Old phone')
  const { items } = (await anna('GET', '/account/passkeys')).body
  assert.deepEqual([items.length, items[0].synced, typeof items[0].lastUsedAt], [1, false, 'string'])
  const { call: bert } = await register('bert@example.com')
  for (const [method, body] of [['PATCH', { name: 'Mine' }], ['DELETE', undefined]] as const) {
    const foreign = await bert(method, `/account/passkeys/${passkeyId}`, body)
    assert.deepEqual([foreign.status, kindOf(foreign)], [404, 'passkey-not-found'])
  }
  const removed = [await anna('DELETE', `/account/passkeys/${passkeyId}`),
    await anna('DELETE', `/account/passkeys/${passkeyId}`)]
  assert.deepEqual(removed.map(({ status }) => status), [204, 404])
  assert.equal((await caller(signed.body.token)('GET', '/account')).status, 401, 'it ends what was opened with it')
  assert.equal((await signInWith(device.get(await challenge()))).status, 401)
})

test('a signed challenge lets in once of twenty; every wrong answer is answered alike', async (t) => {
  const { shop, withPasskey, signInWith, challenge, begin, caller } = await start(t)
  const { call: anna, device } = await withPasskey('anna@example.com')
  const signed = device.get(await challenge())
  const statuses = (await Promise.all(TWENTY.map(() => signInWith(signed)))).map(({ status }) => status)
  assert.deepEqual(statuses.toSorted(), [200, ...Array.from({ length: 19 }, () => 401)])
  const tries: [string, object][] = [
    ['used', signed],
    ['of the API instead of the storefront', device.get(await challenge(), { origin: 'https://api.shop.example' })],
    ['a challenge to make one', device.get(await begin(anna))],
    ['nobody was verified', device.get(await challenge(), { verified: false })],
    ['an invented challenge', device.get({ challenge: newToken(), rpId: 'shop.example' })],
    ['an unknown passkey', new SoftwareAuthenticator().get(await challenge())],
  ]
  const late = device.get(await challenge())
  for (const [why, credential] of tries) {
    const { status, body } = await signInWith(credential)
    assert.deepEqual([status, body.type, body.detail],
      [401, 'https://kontor.dev/problems/passkey-refused', undefined], why)
  }
  await shop.db.run(sql`update accounts.passkey_challenge set expires_at = now()`)
  assert.equal((await signInWith(late)).status, 401, 'too late')
  for (const { run } of sweeps) await run(shop.db)
  assert.equal(await shop.db.run(sql`select from accounts.passkey_challenge`), 0)
  const foreignPage = await caller()('PUT', '/account/session/passkey', { credential: signed },
    { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' })
  assert.equal(foreignPage.status, 403)
})

test('a challenge is of one customer and one use, and staff and customers are apart', async (t) => {
  const { begin, add, register, withPasskey, challenge, app } = await start(t)
  const { call: anna } = await register('anna@example.com')
  const { call: bert, device } = await withPasskey('bert@example.com')
  assert.equal((await add(bert, new SoftwareAuthenticator().make(await begin(anna)))).status, 401, 'begun by Anna')
  const taken = await add(anna, device.make(await begin(anna)))
  assert.deepEqual([taken.status, kindOf(taken)], [409, 'passkey-there'])
  const made = new SoftwareAuthenticator().make(await begin(anna))
  const statuses = (await Promise.all(TWENTY.map(() => add(anna, made)))).map(({ status }) => status)
  assert.deepEqual(statuses.toSorted(), [201, ...Array.from({ length: 19 }, () => 401)])
  const asStaff = await app.inject({ method: 'PUT', url: '/admin/session/passkey',
    headers: { host: 'localhost:8000', 'sec-fetch-site': 'same-origin' }, payload: device.get(await challenge()) })
  assert.equal(asStaff.statusCode, 401)
})

test('a passkey proves who is there, another customer’s does not; without a proof there is no new one', async (t) => {
  const { shop, withPasskey, challenge, caller } = await start(t)
  const { call: anna, device } = await withPasskey('anna@example.com')
  const { device: other } = await withPasskey('bert@example.com')
  await shop.db.run(sql`update accounts.session set proven_at = now() - interval '1 hour'`)
  forgetActors(shop.db)
  const wanted = await anna('POST', '/account/passkeys/options')
  assert.deepEqual([wanted.status, kindOf(wanted)], [403, 'recent-proof-required'])
  const foreign = await anna('PUT', '/account/proof', { passkey: other.get(await challenge()) })
  assert.deepEqual([foreign.status, kindOf(foreign)], [401, 'passkey-refused'])
  assert.equal((await anna('PUT', '/account/proof', {})).status, 400)
  const proof = await anna('PUT', '/account/proof', { passkey: device.get(await challenge()) })
  assert.equal(proof.status, 200)
  assert.equal((await anna('GET', '/account')).status, 401, 'the old token is over')
  assert.equal((await caller(proof.body.token)('POST', '/account/passkeys/options')).status, 200)
})

test('nobody makes a passkey for an account whose mailbox is not proven', async (t) => {
  const { shop, caller, begin, register, add } = await start(t)
  const { token } = await shop.customer({ email: 'anna@example.com', emailProven: false })
  const unproven = caller(token)
  const refused = await unproven('POST', '/account/passkeys/options')
  const { call: bert } = await register('bert@example.com')
  const added = await add(unproven, new SoftwareAuthenticator().make(await begin(bert)))
  for (const { status, body } of [refused, added]) assert.deepEqual([status, kindOf({ body })], [403, 'email-unproven'])
})
