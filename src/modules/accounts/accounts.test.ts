// The ways in for customers: links that work once and tell nothing, passwords, sessions, another address.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Type } from 'typebox'
import { sql } from '../../platform/db.ts'
import { newToken } from '../../platform/id.ts'
import { sweeps } from './jobs.ts'
import { NEXT, PASSWORD, testAccounts } from './internal/test-accounts.ts'

const TWENTY = Array.from({ length: 20 })
const count = (statuses: readonly number[], wanted: number): number => statuses.filter((one) => one === wanted).length
const kindOf = ({ body }: { body: any }): string => body.type.replace(/.*\//, '')

test('register by a link, sign in by password, sign out', async (t) => {
  const { caller, mails, signIn } = await testAccounts(t)
  const asked = await caller()('POST', '/account/links', { email: 'Anna@Example.com', purpose: 'registration' })
  assert.equal(asked.status, 202)
  const [mail] = await mails()
  assert.equal(mail!.to, 'anna@example.com')
  assert.match(mail!.text, /https:\/\/shop\.example\/account\/register#token=/)
  const made = await caller()('POST', '/account', {
    token: mail!.token, password: PASSWORD, name: 'Anna Holm', keep: 'token',
  })
  assert.deepEqual([made.status, made.body.account.email, made.body.account.emailProven, made.body.account.hasPassword],
    [201, 'anna@example.com', true, true])
  assert.match(made.body.token, /^session_[\w-]{43}$/)
  assert.equal(made.headers['cache-control'], 'private, no-store')
  assert.equal((await caller(made.body.token)('GET', '/account/profile')).body.name, 'Anna Holm')

  const signed = await signIn('ANNA@example.com')
  assert.equal(signed.status, 200)
  const anna = caller(signed.body.token)
  const read = await anna('GET', '/account')
  assert.deepEqual([read.status, read.body], [200, made.body.account])
  assert.match(String(read.headers['cache-control']), /no-store/)
  assert.equal((await anna('DELETE', '/account/session')).status, 204)
  assert.deepEqual([(await anna('GET', '/account')).status, (await anna('GET', '/products')).status], [401, 401],
    'a token that is sent on purpose and opens nothing is refused, also where a guest may ask')
  assert.equal((await caller(made.body.token)('GET', '/account')).status, 200, 'the other session goes on')
})

test('a link registers once of twenty, also when two links are on their way', async (t) => {
  const { shop, caller, link } = await testAccounts(t)
  const { token } = await link('anna@example.com', 'registration')
  const answers = await Promise.all(TWENTY.map(() => caller()('POST', '/account', { token, password: PASSWORD })))
  const statuses = answers.map(({ status }) => status)
  assert.deepEqual([count(statuses, 201), count(statuses, 410)], [1, 19], String(statuses))
  const rows = await shop.db.many(Type.Object({ accounts: Type.Integer(), customers: Type.Integer() }), sql`
    select (select count(*)::int from accounts.account) as accounts,
      (select count(*)::int from customers.customer) as customers`)
  assert.deepEqual(rows, [{ accounts: 1, customers: 1 }])
})

test('known or unknown, the answer and the work before it are the same; the mail tells', async (t) => {
  const { register, caller, mails } = await testAccounts(t)
  await register('anna@example.com')
  const ask = (email: string, purpose: string) => caller()('POST', '/account/links', { email, purpose })
  for (const purpose of ['registration', 'sign-in', 'password-reset']) {
    const answers = []
    for (const email of ['anna@example.com', 'nobody@example.com']) {
      const { status, body, headers } = await ask(email, purpose)
      answers.push([status, Object.keys(body), body.browser.length, headers['server-timing']])
    }
    assert.deepEqual(answers[0], answers[1], purpose)
    const told = (await mails()).map(({ to, subject }) => `${to}: ${subject}`).toSorted()
    assert.deepEqual(told, {
      registration: ['anna@example.com: You have an account already', 'nobody@example.com: Confirm your address'],
      'sign-in': ['anna@example.com: Your link to sign in'],
      'password-reset': ['anna@example.com: Set a new password'],
    }[purpose], 'nobody is mailed who has no account')
  }
  const more = await Promise.all(Array.from({ length: 4 }, () => ask('nobody@example.com', 'sign-in')))
  assert.deepEqual(more.map(({ status }) => status).toSorted(), [202, 202, 429, 429], 'five mails an hour')
})

test('a wrong password, an unknown address and an account without one: one answer', async (t) => {
  const { register, signIn } = await testAccounts(t)
  await register('anna@example.com')
  await register('bert@example.com', {})
  const answers = [
    await signIn('anna@example.com', 'wrong wrong wrong'), await signIn('nobody@example.com'),
    await signIn('bert@example.com'),
  ]
  for (const { status, body } of answers) {
    assert.deepEqual([status, { ...body, requestId: '', instance: '' }],
      [401, { ...answers[0]!.body, requestId: '', instance: '' }])
  }
})

test('guesses at a customer are limited, and lock nobody out of the staff with the same address', async (t) => {
  const { register, signIn } = await testAccounts(t)
  await register('anna@example.com')
  const guesses = await Promise.all(Array.from({ length: 15 }, () => signIn('anna@example.com', NEXT, '10.1.2.3')))
  const statuses = guesses.map(({ status }) => status)
  assert.deepEqual([count(statuses, 401), count(statuses, 429)], [10, 5], String(statuses))
  assert.equal((await signIn('anna@example.com', PASSWORD, '10.9.9.9')).status, 200, 'from elsewhere she gets in')
})

test('a poor password is refused, and the link is still good', async (t) => {
  const { link, caller } = await testAccounts(t)
  const { token } = await link('anna@example.com', 'registration')
  for (const password of ['short', 'anna@example.com', 'passwordpassword']) {
    const refused = await caller()('POST', '/account', { token, password })
    assert.deepEqual([refused.status, kindOf(refused)], [422, 'password-refused'], password)
  }
  assert.equal((await caller()('POST', '/account', { token, password: PASSWORD })).status, 201)
})

test('in by a link: once of twenty; another browser confirms, which does not use it up', async (t) => {
  const { register, link, caller } = await testAccounts(t)
  await register('anna@example.com', {})
  const { token, browser } = await link('anna@example.com', 'sign-in')
  for (const more of [{}, { browser: newToken() }, { confirmed: false }]) {
    const asked = await caller()('PUT', '/account/session', { token, ...more })
    assert.deepEqual([asked.status, kindOf(asked)], [409, 'confirm-sign-in'])
  }
  const answers = await Promise.all(TWENTY.map(() => caller()('PUT', '/account/session', { token, browser })))
  const statuses = answers.map(({ status }) => status)
  assert.deepEqual([count(statuses, 200), count(statuses, 410)], [1, 19], String(statuses))
})

test('a new password by mail: once of twenty, ends every session, and the old one opens nothing', async (t) => {
  const { register, link, caller, signIn, mails } = await testAccounts(t)
  const { call: anna } = await register('anna@example.com')
  const { token } = await link('anna@example.com', 'password-reset')
  const login = await link('anna@example.com', 'sign-in')
  const answers = await Promise.all(TWENTY.map((_, index) =>
    caller()('PUT', '/account/password-reset', { token, password: `${NEXT} number ${index}` })))
  const statuses = answers.map(({ status }) => status)
  assert.deepEqual([count(statuses, 204), count(statuses, 410)], [1, 19], String(statuses))
  assert.equal((await anna('GET', '/account')).status, 401)
  assert.equal((await signIn('anna@example.com')).status, 401)
  assert.equal((await signIn('anna@example.com', `${NEXT} number ${statuses.indexOf(204)}`)).status, 200)
  assert.equal((await caller()('PUT', '/account/session', login)).status, 410, 'links on their way are dead')
  assert.deepEqual((await mails()).map(({ subject }) => subject), ['Your account was changed'])
})

test('wrong, expired, replaced, foreign and malformed tokens: one answer', async (t) => {
  const { shop, register, link, caller } = await testAccounts(t)
  await register('anna@example.com')
  const first = await link('bert@example.com', 'registration')
  const second = await link('bert@example.com', 'registration')
  const { token: reset } = await link('anna@example.com', 'password-reset')
  const use = (token: string) => caller()('POST', '/account', { token })
  const answers = [await use(first.token), await use(newToken()), await use(reset)]
  await shop.db.run(sql`update accounts.link set expires_at = now()`)
  const setPassword = await caller()('PUT', '/account/password-reset', { token: reset, password: NEXT })
  answers.push(await use(second.token), setPassword)
  for (const answer of answers) assert.deepEqual([answer.status, kindOf(answer)], [410, 'token-refused'])
  for (const malformed of ['', 'x', `${newToken()}=`, "' or 1=1 --"]) assert.equal((await use(malformed)).status, 400)
  for (const { run } of sweeps) await run(shop.db)
  assert.equal(await shop.db.run(sql`select from accounts.link`), 0, 'what is over is forgotten')
})

test('the own password: the old one is wanted, other sessions end, this one goes on with another token', async (t) => {
  const { register, signIn, caller, mails } = await testAccounts(t)
  const { call: anna } = await register('anna@example.com')
  const other = caller((await signIn('anna@example.com')).body.token)
  const change = (currentPassword: string) =>
    anna('PUT', '/account/password', { currentPassword, newPassword: NEXT })
  assert.equal((await change('wrong wrong wrong')).status, 401)
  assert.equal((await other('GET', '/account')).status, 200)
  const changed = await change(PASSWORD)
  assert.equal(changed.status, 200)
  assert.deepEqual([(await anna('GET', '/account')).status, (await other('GET', '/account')).status], [401, 401])
  assert.equal((await caller(changed.body.token)('GET', '/account')).status, 200)
  assert.equal((await signIn('anna@example.com')).status, 401)
  assert.equal((await signIn('anna@example.com', NEXT)).status, 200)
  assert.deepEqual((await mails()).map(({ subject }) => subject), ['Your account was changed'])
})

test('sessions are listed with device and place, ended one by one and all others', async (t) => {
  const { register, signIn, caller } = await testAccounts(t)
  const { call: anna } = await register('anna@example.com')
  const { call: bert } = await register('bert@example.com')
  const [second, third] = [await signIn('anna@example.com'), await signIn('anna@example.com')]
  const { items } = (await anna('GET', '/account/sessions')).body
  assert.deepEqual([items.length, items[0].place], [3, '127.0.0.0/24'])
  assert.equal(items.filter((one: any) => one.current).length, 1)
  const foreign = await bert('DELETE', `/account/sessions/${items[0].id}`)
  assert.deepEqual([foreign.status, kindOf(foreign)], [404, 'session-not-found'])
  const { body } = await caller(second.body.token)('GET', '/account/sessions')
  const id = body.items.find((one: any) => one.current).id
  assert.deepEqual([(await anna('DELETE', `/account/sessions/${id}`)).status,
    (await anna('DELETE', `/account/sessions/${id}`)).status], [204, 404])
  assert.equal((await caller(second.body.token)('GET', '/account')).status, 401)
  assert.deepEqual((await anna('DELETE', '/account/sessions')).body, { ended: 1 })
  assert.deepEqual((await anna('DELETE', '/account/sessions')).body, { ended: 0 })
  assert.deepEqual([(await caller(third.body.token)('GET', '/account')).status, (await anna('GET', '/account')).status,
    (await bert('GET', '/account')).status], [401, 200, 200])
})

test('a session ends when it is old or idle', async (t) => {
  const { shop, register } = await testAccounts(t)
  for (const over of [sql`expires_at = now()`, sql`last_seen_at = now() - interval '31 days'`]) {
    const { call } = await register(`${newToken().slice(0, 8).toLowerCase()}@example.com`, {})
    await shop.db.run(sql`update accounts.session set ${over}`)
    assert.equal((await call('GET', '/account')).status, 401)
  }
  await shop.db.run(sql`update accounts.session set expires_at = now()`)
  for (const { run } of sweeps) await run(shop.db)
  assert.equal(await shop.db.run(sql`select from accounts.session`), 0)
})

test('a cookie is for pages of this server: no other reads with it, writes with it, or is given one', async (t) => {
  const { register, caller } = await testAccounts(t)
  await register('anna@example.com')
  const body = { email: 'anna@example.com', password: PASSWORD }
  const here = { 'sec-fetch-site': 'same-origin' }
  const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
  assert.equal((await caller()('POST', '/account/session', body, foreign)).status, 403)
  const signed = await caller()('POST', '/account/session', body, here)
  const set = String(signed.headers['set-cookie'])
  assert.equal(signed.body.token, null)
  assert.match(set, /^kontor_customer=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/)
  const cookie = set.split(';')[0]!
  assert.equal((await caller()('GET', '/account', undefined, { cookie })).status, 200)
  const elsewhere: Record<string, string>[] = [
    foreign, {}, { origin: 'https://evil.example' }, { 'sec-fetch-site': 'same-site' },
  ]
  for (const from of elsewhere) {
    assert.equal((await caller()('PATCH', '/account/profile', { name: 'Eve' }, { cookie, ...from })).status, 403)
  }
  const read = await caller()('GET', '/account', undefined, { cookie, ...foreign })
  assert.deepEqual([read.headers['access-control-allow-origin'], read.headers['access-control-allow-credentials']],
    ['*', undefined], 'a browser shows no page what was asked with a cookie')
  assert.equal((await caller()('PATCH', '/account/profile', { name: 'Anna' }, { cookie, ...here })).status, 200)
  const out = await caller()('DELETE', '/account/session', undefined, { cookie, ...here })
  assert.match(String(out.headers['set-cookie']), /^kontor_customer=; .*Max-Age=0/)
  assert.equal((await caller()('GET', '/products', undefined, { cookie })).status, 200, 'an ended cookie is a guest')
  const https = await caller()('POST', '/account/session', body, { ...here, host: 'shop.example' })
  assert.match(String(https.headers['set-cookie']), /^__Host-kontor_customer=.*; Secure$/)
})

test('another address: confirmed in the new mailbox, told to the old one; of many at once one', async (t) => {
  const { shop, register, caller, mails, signIn, link } = await testAccounts(t)
  const { call: anna } = await register('anna@example.com')
  await register('taken@example.com')
  await shop.db.run(sql`update accounts.session set proven_at = now() - interval '1 hour'`)
  const wanted = await anna('POST', '/account/email', { email: 'new@example.com' })
  assert.deepEqual([wanted.status, kindOf(wanted)], [403, 'recent-proof-required'])
  assert.equal((await anna('PUT', '/account/proof', { password: 'wrong wrong wrong' })).status, 401)
  const again = caller((await anna('PUT', '/account/proof', { password: PASSWORD })).body.token)
  const ask = async (email: string): Promise<string> => {
    assert.equal((await again('POST', '/account/email', { email })).status, 202)
    return (await mails()).find(({ to }) => to === email)!.token
  }
  const confirm = (token: string) => again('PUT', '/account/email', { token })
  const [replaced, taken] = [await ask('first@example.com'), await ask('taken@example.com')]
  assert.equal((await confirm(replaced)).status, 410)
  const refused = await confirm(taken)
  assert.deepEqual([refused.status, kindOf(refused)], [409, 'account-email-taken'])

  const reset = await link('anna@example.com', 'password-reset')
  const token = await ask('new@example.com')
  const statuses = (await Promise.all(TWENTY.map(() => confirm(token)))).map(({ status }) => status)
  assert.deepEqual([count(statuses, 204), count(statuses, 410)], [1, 19], String(statuses))
  assert.deepEqual((await mails()).map(({ to, subject }) => `${to}: ${subject}`),
    ['anna@example.com: Your account was changed'])
  assert.deepEqual([(await signIn('anna@example.com')).status, (await signIn('new@example.com')).status], [401, 200])
  assert.equal((await again('GET', '/account')).body.email, 'new@example.com')
  const old = await caller()('PUT', '/account/password-reset', { token: reset.token, password: NEXT })
  assert.equal(old.status, 410, 'the links in the old mailbox are dead')
})
