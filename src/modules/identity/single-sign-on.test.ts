// Single sign-on with a real provider: who comes in, who does not, and that an attempt counts once and in one browser.
import assert from 'node:assert/strict'
import test from 'node:test'
import { sql } from '../../platform/db.ts'
import { newToken } from '../../platform/id.ts'
import { withAuthenticator } from './internal/test-factors.ts'
import { PASSWORD, testIdentity, type Browser } from './internal/test-identity.ts'
import { startProvider } from './test-provider.ts'
import { sweeps } from './jobs.ts'
import { signOns, type SignOn } from './sign-on-providers.ts'

const RETURN = 'https://shop.example/dashboard/signed-on'

async function start(t: Parameters<typeof testIdentity>[0], more: Partial<SignOn> = {}) {
  const [identity, provider] = [await testIdentity(t), await startProvider(t, RETURN)]
  signOns.set(identity.db, [{ code: 'work', title: 'Work', ...provider.settings, ...more }])
  const begin = async (browse: Browser) => (await browse('POST', '/admin/sign-on/work')).body as
    { url: string; browser: string }
  const finish = (browse: Browser, query: string, browser: string) =>
    browse('PUT', '/admin/sign-on/work', { query, browser })
  const signOn = async (subject: string, browse = identity.browser()) => {
    const { url, browser } = await begin(browse)
    return finish(browse, await provider.visit(url, subject), browser)
  }
  return { ...identity, ...provider, begin, finish, signOn }
}

test('a proven address links an account once; from then on the provider id counts', async (t) => {
  const { browser, person, people, signOn, db } = await start(t)
  const ada = await person('support', 'ada@shop.example')
  people.set('sub-1', { email: 'Ada@Shop.example', email_verified: true })
  people.set('sub-2', { email: 'ada@shop.example', email_verified: true })
  people.set('sub-3', { email: 'ada@shop.example', email_verified: false })
  people.set('sub-4', { email: 'ada@shop.example' })
  people.set('sub-5', { email: 'nobody@shop.example', email_verified: true })
  assert.equal((await signOn('sub-3')).status, 401, 'not proven')
  assert.equal((await signOn('sub-4')).status, 401, 'not said')
  assert.equal((await signOn('sub-5')).status, 401, 'nobody here')
  const browse = browser()
  const signed = await signOn('sub-1', browse)
  assert.deepEqual([signed.status, signed.body.id, (await browse('GET', '/admin/me')).status], [200, ada.id, 200])
  assert.equal((await signOn('sub-2')).status, 401, 'somebody else at the provider got the address')
  people.set('sub-1', { email: 'ada.married@shop.example', email_verified: false })
  assert.equal((await signOn('sub-1')).body.id, ada.id)
  await db.run(sql`update identity.staff set active = false where id = ${ada.id}`)
  assert.equal((await signOn('sub-1')).status, 401, 'switched off')
})

test('an attempt counts once, in its browser, with its state, nonce and verifier, for ten minutes', async (t) => {
  const { browser, person, people, begin, finish, visit, db } = await start(t)
  await person('support', 'ada@shop.example')
  people.set('sub-1', { email: 'ada@shop.example', email_verified: true })
  const browse = browser()
  const refused = async (query: string, with_: string, why: string) =>
    assert.deepEqual((({ status, body }) => [status, body.type])(await finish(browse, query, with_)),
      [401, 'https://kontor.dev/problems/sign-on-refused'], why)
  const one = await begin(browse)
  const address = new URL(one.url).searchParams
  assert.deepEqual([address.get('code_challenge_method'), address.get('response_type'), address.get('redirect_uri')],
    ['S256', 'code', RETURN])
  const query = await visit(one.url, 'sub-1')
  await refused(query, newToken(), 'another browser')
  const statuses = (await Promise.all(Array.from({ length: 10 }, () => finish(browse, query, one.browser))))
    .map(({ status }) => status)
  assert.deepEqual(statuses.toSorted(), [200, ...Array.from({ length: 9 }, () => 401)])
  await refused(query, one.browser, 'used')

  const [two, three] = [await begin(browse), await begin(browse)]
  const stolen = new URLSearchParams(await visit(two.url, 'sub-1'))
  stolen.set('state', new URL(three.url).searchParams.get('state')!)
  await refused(`?${stolen}`, three.browser, 'the code of another attempt: verifier and nonce differ')
  const four = await begin(browse)
  const invented = new URLSearchParams(await visit(four.url, 'sub-1'))
  invented.set('code', 'invented')
  await refused(`?${invented}`, four.browser, 'an invented code')
  const five = await begin(browse)
  const late = await visit(five.url, 'sub-1')
  await db.run(sql`update identity.sign_on_attempt set expires_at = now()`)
  await refused(late, five.browser, 'too late')
  await refused('', five.browser, 'nothing')
  await sweeps[0]!.run(db)
  assert.equal(await db.run(sql`select from identity.sign_on_attempt`), 0)
})

test('roles come from what the provider says, at each sign-on; whoever has none stays out', async (t) => {
  const { browser, people, signOn, person } = await start(t, {
    roles: { claim: 'groups', map: [['shop-admins', 'manager'], ['shop-desk', 'support']] },
  })
  const say = (groups: unknown) => people.set('sub-1', {
    email: 'bob@shop.example', email_verified: true, name: 'Bob', groups,
  })
  say(['drivers'])
  assert.equal((await signOn('sub-1')).status, 401)
  say(['shop-desk', 'drivers'])
  const browse = browser()
  const added = await signOn('sub-1', browse)
  assert.deepEqual([added.status, added.body.role, added.body.name, added.body.invited], [200, 'support', 'Bob', false])
  say(['shop-desk', 'shop-admins'])
  assert.equal((await signOn('sub-1')).body.role, 'manager')
  assert.equal((await browse('GET', '/admin/me')).status, 401, 'what was signed in before has ended')
  say(undefined)
  assert.equal((await signOn('sub-1')).status, 401)
  await person('owner', 'owner@shop.example')
  people.set('sub-2', { email: 'owner@shop.example', email_verified: true, groups: 'shop-desk' })
  assert.equal((await signOn('sub-2')).status, 409, 'the last owner stays one')
})

test('where it is required, only an owner comes in otherwise; a second factor is wanted all the same', async (t) => {
  const started = await start(t, { required: true })
  const { browser, person, people, signOn, db } = started
  const providers = signOns.of(db)
  signOns.set(db, [])
  const ada = await started.signedIn('support')
  const { code } = await withAuthenticator(started, ada)
  const bob = await person('support')
  const owner = await person('owner')
  signOns.set(db, providers)
  assert.deepEqual((await browser()('GET', '/admin/sign-on')).body,
    { items: [{ code: 'work', title: 'Work' }], required: true })
  const byPassword = async (email: string) =>
    (await browser()('POST', '/admin/session', { email, password: PASSWORD })).status
  assert.deepEqual([await byPassword(bob.email), await byPassword(owner.email)], [401, 200])
  people.set('sub-1', { email: ada.email, email_verified: true })
  const browse = browser()
  const half = await signOn('sub-1', browse)
  assert.equal(half.status, 202)
  assert.equal((await browse('PUT', '/admin/session', { token: half.body.token, code: code() })).status, 200)
})

test('a provider that is unknown or does not answer', async (t) => {
  const { browser, db } = await start(t)
  assert.equal((await browser()('POST', '/admin/sign-on/nothing')).status, 404)
  assert.equal((await browser()('PUT', '/admin/sign-on/nothing', { query: '', browser: newToken() })).status, 404)
  const settings = { issuer: 'http://127.0.0.1:9', clientId: 'kontor', clientSecret: 'x' }
  signOns.set(db, [{ code: 'work', title: 'Work', ...settings }])
  assert.equal((await browser()('POST', '/admin/sign-on/work')).status, 502)
})
