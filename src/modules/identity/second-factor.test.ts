// The second factor over HTTP: two steps where it is enrolled, codes that count once however many ask at once, and no
// way around it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Type } from 'typebox'
import { sql } from '../../platform/db.ts'
import { isProblem } from '../../platform/problem.ts'
import { seal, unseal } from '../../platform/seal.ts'
import { forgetActors } from './authenticate.ts'
import { withAuthenticator } from './internal/test-factors.ts'
import { PASSWORD, testIdentity } from './internal/test-identity.ts'
import { CodeRefused, readCode } from './second-factor.ts'

const count = (statuses: readonly number[], wanted: number): number => statuses.filter((one) => one === wanted).length

test('enrolling wants a code, tells by mail, ends other sessions; then signing in takes two steps', async (t) => {
  const identity = await testIdentity(t)
  const { browser, mails } = identity
  const ada = await identity.signedIn('support')
  const other = browser()
  await other('POST', '/admin/session', { email: ada.email, password: PASSWORD })
  assert.equal((await ada('PUT', '/admin/me/totp', { code: '000000' })).status, 409, 'there is no secret yet')
  assert.equal((await ada('POST', '/admin/me/recovery-codes')).status, 409, 'and nothing that they could stand for')
  const { code, recoveryCodes, began } = await withAuthenticator(identity, ada)
  assert.match(began.url, /^otpauth:\/\/totp\/shop\.example:[^?]+\?secret=[A-Z2-7]{32}&issuer=shop\.example$/)
  assert.equal(new Set(recoveryCodes).size, 10)
  assert.equal((await other('GET', '/admin/me')).status, 401)
  assert.deepEqual((await mails()).map(({ subject }) => subject), ['How you sign in was changed'])
  assert.deepEqual((await ada('GET', '/admin/me/factors')).body, { totp: true, recoveryCodes: 10 })
  assert.equal((await ada('POST', '/admin/me/totp')).status, 409)

  const half = await other('POST', '/admin/session', { email: ada.email, password: PASSWORD })
  assert.deepEqual([half.status, half.body.factors.toSorted(), half.headers['set-cookie']],
    [202, ['recovery-code', 'totp'], undefined])
  for (const [name, value] of [
    ['cookie', `kontor_session=${half.body.token}`], ['authorization', `Bearer ${half.body.token}`],
  ] as const) {
    assert.equal((await browser()('GET', '/admin/me', undefined, { [name]: value })).status, 401, 'half is nothing')
  }
  assert.equal((await other('PUT', '/admin/session', { token: half.body.token, code: '12345a' })).status, 401)
  const whole = await other('PUT', '/admin/session', { token: half.body.token, code: code() })
  assert.deepEqual([whole.status, whole.body.email], [200, ada.email])
  assert.equal((await other('GET', '/admin/me')).status, 200)
  const again = await other('PUT', '/admin/session', { token: half.body.token, code: code() })
  assert.equal(again.status, 410, 'the token was used')
})

test('a step and a recovery code count once of fifty', async (t) => {
  const identity = await testIdentity(t)
  const { db, system } = identity
  const ada = await identity.signedIn('support')
  const { code, recoveryCodes } = await withAuthenticator(identity, ada)
  for (const secret of [code(), recoveryCodes[3]!.toUpperCase().replaceAll('-', ' ')]) {
    const outcomes = await Promise.all(Array.from({ length: 50 }, async () => {
      const use = await readCode(db, ada.id, secret)
      return db.transaction(system, use).then(() => 'used', (error: unknown) => {
        if (isProblem(error, CodeRefused)) return 'refused'
        throw error
      })
    }))
    assert.deepEqual([outcomes.filter((one) => one === 'used').length, outcomes.length], [1, 50])
  }
  assert.equal((await ada('GET', '/admin/me/factors')).body.recoveryCodes, 9)
})

test('a half sign-in is finished once of ten, with ten good codes', async (t) => {
  const identity = await testIdentity(t)
  const ada = await identity.signedIn('support')
  const { code, recoveryCodes } = await withAuthenticator(identity, ada)
  const browse = identity.browser()
  const { token } = (await browse('POST', '/admin/session', { email: ada.email, password: PASSWORD })).body
  const statuses = await Promise.all([code(), ...recoveryCodes.slice(0, 9)].map(async (one) =>
    (await browse('PUT', '/admin/session', { token, code: one })).status))
  assert.deepEqual([count(statuses, 200), count(statuses, 410)], [1, 9])
  const left = (await ada('GET', '/admin/me/factors')).body.recoveryCodes
  assert.ok(left >= 9, 'whoever was too late has used up nothing')
})

test('guesses at codes are limited, and a new password guess does not give more', async (t) => {
  const identity = await testIdentity(t)
  const ada = await identity.signedIn('support')
  await withAuthenticator(identity, ada)
  const statuses: number[] = []
  for (let round = 0; round < 3; round++) {
    const browse = identity.browser()
    const { token } = (await browse('POST', '/admin/session', { email: ada.email, password: PASSWORD })).body
    for (let guess = 0; guess < 5; guess++) {
      statuses.push((await browse('PUT', '/admin/session', { token, code: `00000${guess}` })).status)
    }
  }
  assert.deepEqual([count(statuses, 401), count(statuses, 429)], [9, 6], 'the code that enrolled was the first of ten')
})

test('a new password by mail does not go around the second factor, and half a sign-in ends with it', async (t) => {
  const identity = await testIdentity(t)
  const ada = await identity.signedIn('support')
  const { recoveryCodes } = await withAuthenticator(identity, ada)
  await identity.mails()
  const browse = identity.browser()
  const { token: half } = (await browse('POST', '/admin/session', { email: ada.email, password: PASSWORD })).body
  await browse('POST', '/admin/password-reset', { email: ada.email })
  const [{ token } = { token: '' }] = await identity.mails()
  assert.equal((await browse('PUT', '/admin/password-reset', { token, password: 'five words in a row' })).status, 204)
  const finish = (with_: string) => browse('PUT', '/admin/session', { token: with_, code: recoveryCodes[0] })
  assert.equal((await finish(half)).status, 410)
  const next = await browse('POST', '/admin/session', { email: ada.email, password: 'five words in a row' })
  assert.equal(next.status, 202)
  await identity.db.run(sql`update identity.session set expires_at = now() where proven_at is null`)
  assert.equal((await finish(next.body.token)).status, 410, 'ten minutes are over')
  await identity.db.run(sql`
    update identity.session set expires_at = now() + interval '1 minute' where proven_at is null`)
  assert.equal((await finish(next.body.token)).status, 200, 'the code was not used up by any of that')
})

test('a sensitive act wants a recent proof, of the second factor where there is one', async (t) => {
  const identity = await testIdentity(t)
  const { db } = identity
  const owner = await identity.signedIn('owner')
  const age = async (): Promise<void> => {
    await db.run(sql`update identity.session set proven_at = now() - interval '16 minutes' where proven_at is not null`)
    forgetActors(db)
  }
  const makeKey = () => owner('POST', '/admin/secret-keys', { name: 'ERP', permissions: [] })
  await age()
  const refused = await makeKey()
  assert.deepEqual([refused.status, refused.body.type], [403, 'https://kontor.dev/problems/recent-proof-required'])
  assert.equal((await owner('GET', '/admin/me')).status, 200)
  assert.equal((await owner('PUT', '/admin/me/proof', { password: 'wrong' })).status, 401)
  assert.equal((await owner('PUT', '/admin/me/proof', {})).status, 400)
  const before = await tokens(db)
  assert.equal((await owner('PUT', '/admin/me/proof', { password: PASSWORD })).status, 204)
  assert.notDeepEqual(await tokens(db), before)
  assert.equal((await makeKey()).status, 201)

  const { code, recoveryCodes } = await withAuthenticator(identity, owner)
  await age()
  const wanted = await owner('PUT', '/admin/me/proof', { password: PASSWORD })
  assert.deepEqual([wanted.status, wanted.body.factors.toSorted()], [409, ['recovery-code', 'totp']])
  assert.equal((await owner('PUT', '/admin/me/proof', { code: recoveryCodes[0] })).status, 204)
  assert.equal((await makeKey()).status, 201)
  assert.equal((await owner('PUT', '/admin/me/proof', { code: recoveryCodes[0] })).status, 401, 'it was used')
  const fresh = (await owner('POST', '/admin/me/recovery-codes')).body.recoveryCodes
  assert.equal((await owner('PUT', '/admin/me/proof', { code: recoveryCodes[1] })).status, 401, 'they were replaced')
  assert.equal((await owner('PUT', '/admin/me/proof', { code: fresh[1] })).status, 204)
  assert.equal((await owner('PUT', '/admin/me/proof', { code: code() })).status, 204)
  assert.equal((await owner('DELETE', '/admin/me/totp')).status, 204)
  assert.equal((await owner('DELETE', '/admin/me/totp')).status, 204)
  assert.deepEqual((await owner('GET', '/admin/me/factors')).body, { totp: false, recoveryCodes: 0 })
})

const tokens = (db: Parameters<typeof seal>[0]) => db.many(Type.Object({ token: Type.String() }), sql`
  select encode(token_hash, 'hex') as token from identity.session order by id`)

test('sessions tell their device and network; all others are ended at once', async (t) => {
  const { app, browser, signedIn } = await testIdentity(t)
  const ada = await signedIn('support')
  const phone = browser(app, '2001:db8:7:a01::1')
  const agent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ' +
    'Version/19.0 Mobile/15E148 Safari/604.1'
  await phone('POST', '/admin/session', { email: ada.email, password: PASSWORD }, { 'user-agent': agent })
  await browser(app, '203.0.113.77')('POST', '/admin/session', { email: ada.email, password: PASSWORD },
    { 'user-agent': 'curl/8.9.1' })
  const { items } = (await phone('GET', '/admin/me/sessions')).body
  const shown = items.map(({ device, place, current }: Record<string, unknown>) => [device, place, current])
  assert.deepEqual(shown.toSorted(), [
    ['Safari on iPhone', '2001:0db8:0007:0a00::/56', true], ['curl', '203.0.113.0/24', false],
    ['lightMyRequest', '127.0.0.0/24', false],
  ].toSorted())
  assert.deepEqual((await phone('DELETE', '/admin/me/sessions')).body, { ended: 2 })
  assert.equal((await ada('GET', '/admin/me')).status, 401)
  assert.deepEqual((await phone('DELETE', '/admin/me/sessions')).body, { ended: 0 })
})

test('a colleague with the right takes lost factors away, of nobody above', async (t) => {
  const identity = await testIdentity(t)
  const [owner, ada] = [await identity.signedIn('owner'), await identity.signedIn('support')]
  await withAuthenticator(identity, ada)
  await identity.mails()
  assert.equal((await ada('DELETE', `/admin/staff/${owner.id}/factors`)).status, 403)
  assert.equal((await owner('DELETE', `/admin/staff/${ada.id}/factors`)).status, 204)
  assert.equal((await ada('GET', '/admin/me')).status, 401)
  assert.deepEqual((await identity.mails()).map(({ to }) => to), [ada.email])
  const back = await identity.browser()('POST', '/admin/session', { email: ada.email, password: PASSWORD })
  assert.equal(back.status, 200)
})

test('the secret lies sealed, for its owner alone', async (t) => {
  const identity = await testIdentity(t)
  const { db } = identity
  const ada = await identity.signedIn('support')
  const { secret } = await withAuthenticator(identity, ada)
  const { kept } = await db.one(Type.Object({ kept: Type.Unsafe<Buffer>(Type.Any()) }), sql`
    select secret as kept from identity.totp`)
  assert.ok(!kept.includes(secret))
  assert.deepEqual(await unseal(db, `totp ${ada.id}`, kept), secret)
  await assert.rejects(unseal(db, 'totp somebody-else', kept))
  kept[kept.length - 1]! ^= 1
  await assert.rejects(unseal(db, `totp ${ada.id}`, kept))
  assert.notDeepEqual(await seal(db, 'x', secret), await seal(db, 'x', secret))
})
