// Customers who come from a provider of OpenID Connect, a real one: who gets which account, and that an attempt counts
// once.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Type } from 'typebox'
import { sql } from '../../platform/db.ts'
import { newToken } from '../../platform/id.ts'
import { startProvider } from '../identity/test-provider.ts'
import { disposableMail } from '../identity/refuse-disposable.ts'
import { customerSignOns, signOns } from '../identity/sign-on-providers.ts'
import { testAccounts } from './internal/test-accounts.ts'

const kindOf = ({ body }: { body: any }): string => body.type.replace(/.*\//, '')

async function start(t: Parameters<typeof testAccounts>[0]) {
  const [started, provider] = [
    await testAccounts(t), await startProvider(t, 'https://shop.example/account/signed-on'),
  ]
  customerSignOns.set(started.shop.db, [{ code: 'google', title: 'Google', ...provider.settings }])
  const begin = async () => (await started.caller()('POST', '/account/sign-on/google')).body as
    { url: string; browser: string }
  const finish = (query: string, browser: string, more: object = { keep: 'token' }, headers = {}) =>
    started.caller()('PUT', '/account/sign-on/google', { query, browser, ...more }, headers)
  const signOn = async (subject: string) => {
    const { url, browser } = await begin()
    return finish(await provider.visit(url, subject), browser)
  }
  const say = (subject: string, email: string, more: object = { email_verified: true }) =>
    provider.people.set(subject, { email, ...more })
  return { ...started, ...provider, begin, finish, signOn, say }
}

test('a newcomer gets an account with a proven mailbox; later it is the same, whatever address is said', async (t) => {
  const { signOn, say, caller, mails, signIn } = await start(t)
  say('sub-1', 'Anna@Example.com', { email_verified: true, name: '  Anna\n Holm ' })
  const first = await signOn('sub-1')
  assert.deepEqual([first.status, first.body.account.email, first.body.account.emailProven,
    first.body.account.hasPassword], [200, 'anna@example.com', true, false])
  assert.equal((await caller(first.body.token)('GET', '/account/profile')).body.name, 'Anna Holm')
  assert.equal((await signIn('anna@example.com')).status, 401, 'there is no password to guess')
  say('sub-1', 'anna.married@example.com', { email_verified: false })
  const again = await signOn('sub-1')
  assert.deepEqual([again.status, again.body.account], [200, first.body.account])
  assert.deepEqual(await mails(), [], 'a new account of one’s own is no news')
})

test('who is known by a verified address is linked once, and told; nobody else is', async (t) => {
  const { signOn, say, register, mails, shop } = await start(t)
  const { call: anna, id } = await register('anna@example.com')
  say('sub-3', 'anna@example.com', { email_verified: false })
  say('sub-4', 'anna@example.com', {})
  say('sub-5', 'anna@example.com', { email_verified: 'true' })
  say('sub-6', 'no address at all')
  for (const subject of ['sub-3', 'sub-4', 'sub-5', 'sub-6']) {
    const refused = await signOn(subject)
    assert.deepEqual([refused.status, kindOf(refused)], [401, 'sign-on-refused'], subject)
  }
  say('sub-1', 'anna@example.com')
  say('sub-2', 'anna@example.com')
  assert.equal((await signOn('sub-1')).body.account.customerId, id)
  assert.deepEqual((await mails()).map(({ to, text }) => [to, /Google can sign in/.test(text)]),
    [['anna@example.com', true]])
  const inherited = await signOn('sub-2')
  assert.deepEqual([inherited.status, kindOf(inherited)], [401, 'sign-on-refused'], 'somebody else has it there')
  const { body } = await anna('GET', '/account/linked')
  assert.deepEqual(body.items.map(({ provider }: any) => provider), ['google'])
  disposableMail.set(shop.db, new Set(['trash.example']))
  say('sub-7', 'x@trash.example')
  assert.equal(kindOf(await signOn('sub-7')), 'disposable-mail')
})

test('an attempt counts once, in its browser, in time, and is no attempt of staff', async (t) => {
  const { shop, app, begin, finish, visit, say, settings } = await start(t)
  say('sub-1', 'anna@example.com')
  const one = await begin()
  const query = await visit(one.url, 'sub-1')
  const refused = async (answer: Promise<{ status: number; body: any }>, why: string) =>
    assert.deepEqual((({ status, body }) => [status, kindOf({ body })])(await answer), [401, 'sign-on-refused'], why)
  await refused(finish(query, newToken()), 'another browser')
  signOns.set(shop.db, [{ code: 'google', title: 'Google', ...settings }])
  const asStaff = await app.inject({
    method: 'PUT', url: '/admin/sign-on/google', payload: { query, browser: one.browser },
    headers: { host: 'localhost:8000', 'sec-fetch-site': 'same-origin' },
  })
  assert.equal(asStaff.statusCode, 401)
  const foreign = await finish(query, one.browser, {}, { 'sec-fetch-site': 'cross-site' })
  assert.equal(foreign.status, 403, 'a cookie is not set for a page of another site')
  const statuses = (await Promise.all(Array.from({ length: 10 }, () => finish(query, one.browser))))
    .map(({ status }) => status)
  assert.deepEqual(statuses.toSorted(), [200, ...Array.from({ length: 9 }, () => 401)])
  const late = await begin()
  const lateQuery = await visit(late.url, 'sub-1')
  await shop.db.run(sql`update identity.sign_on_attempt set expires_at = now()`)
  await refused(finish(lateQuery, late.browser), 'too late')
  await refused(finish('', late.browser), 'nothing')
})

test('two tabs of a newcomer make one account', async (t) => {
  const { shop, begin, finish, visit, say } = await start(t)
  say('sub-1', 'anna@example.com')
  const tabs = []
  for (let tab = 0; tab < 6; tab++) {
    const { url, browser } = await begin()
    tabs.push({ query: await visit(url, 'sub-1'), browser })
  }
  const answers = await Promise.all(tabs.map(({ query, browser }) => finish(query, browser)))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]), JSON.stringify(answers[0]!.body))
  assert.equal(new Set(answers.map(({ body }) => body.account.customerId)).size, 1)
  const rows = await shop.db.one(Type.Object({ all: Type.Integer() }), sql`
    select (select count(*) from accounts.account)::int + (select count(*) from accounts.sign_on_account)::int as all`)
  assert.equal(rows.all, 2)
})

test('a provider is let go: other sessions end, and a link by mail still signs in', async (t) => {
  const { signOn, say, caller, link, register, mails, shop } = await start(t)
  say('sub-1', 'anna@example.com')
  const [first, second] = [await signOn('sub-1'), await signOn('sub-1')]
  const anna = caller(first.body.token)
  const { call: bert } = await register('bert@example.com')
  assert.equal((await bert('DELETE', '/account/linked/google')).status, 404, 'it is not Bert’s')
  await mails()
  const removed = [await anna('DELETE', '/account/linked/google'), await anna('DELETE', '/account/linked/google')]
  assert.deepEqual(removed.map(({ status }) => status), [204, 404])
  assert.equal((await mails())[0]!.to, 'anna@example.com')
  assert.deepEqual([(await anna('GET', '/account')).status,
    (await caller(second.body.token)('GET', '/account')).status], [200, 401])
  assert.equal((await caller()('PUT', '/account/session', await link('anna@example.com', 'sign-in'))).status, 200)
  assert.deepEqual((await caller()('GET', '/account/sign-on')).body, { items: [{ code: 'google', title: 'Google' }] })
  customerSignOns.set(shop.db, [])
  for (const method of ['POST', 'PUT'] as const) {
    const body = method === 'PUT' ? { query: '', browser: newToken(), keep: 'token' } : undefined
    assert.equal((await caller()(method, '/account/sign-on/google', body)).status, 404)
  }
})
