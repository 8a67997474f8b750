// A forgotten password: an answer that tells nothing, a link that works once, and no session that outlives the old
// password.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Type } from 'typebox'
import { sql } from '../../platform/db.ts'
import { newToken } from '../../platform/id.ts'
import { sweeps } from './jobs.ts'
import { openSession } from './sign-in.ts'
import { PASSWORD, testIdentity } from './internal/test-identity.ts'

const NEXT = 'another four words in a row'

async function start(t: Parameters<typeof testIdentity>[0]) {
  const identity = await testIdentity(t)
  const browse = identity.browser()
  const ask = (email: string) => browse('POST', '/admin/password-reset', { email })
  const set = (token: string, password = NEXT) => browse('PUT', '/admin/password-reset', { token, password })
  const signIn = async (email: string, password: string) =>
    (await browse('POST', '/admin/session', { email, password })).status
  return { ...identity, ask, set, signIn }
}

test('a link by mail sets a new password, ends every session, and tells the person', async (t) => {
  const { signedIn, ask, set, signIn, mails } = await start(t)
  const ada = await signedIn('support')
  assert.equal((await ask(ada.email.toUpperCase())).status, 202)
  const [mail] = await mails()
  assert.equal(mail!.to, ada.email)
  assert.equal((await set(mail!.token!)).status, 204)
  assert.equal((await ada('GET', '/admin/me')).status, 401)
  assert.deepEqual([await signIn(ada.email, PASSWORD), await signIn(ada.email, NEXT)], [401, 200])
  assert.deepEqual((await mails()).map(({ subject }) => subject), ['Your password was changed'])
  assert.equal((await set(mail!.token!)).status, 410, 'it was used')
})

test('known or unknown, the answer and the work before it are the same', async (t) => {
  const { db, person, ask, mails } = await start(t)
  const { email } = await person('owner')
  await person('support', 'off@shop.example')
  await db.run(sql`update identity.staff set active = false where email = 'off@shop.example'`)
  const answers = []
  for (const each of [email, 'nobody@shop.example', 'off@shop.example']) {
    const { status, body, headers } = await ask(each)
    answers.push([status, body, headers['server-timing']])
  }
  assert.deepEqual(answers[1], answers[0])
  assert.deepEqual(answers[2], answers[0])
  assert.deepEqual((await mails()).map(({ to }) => to), [email])
})

test('a token raced twenty times sets one password', async (t) => {
  const { person, ask, set, signIn, mails } = await start(t)
  const { email } = await person('owner')
  await ask(email)
  const [{ token } = { token: '' }] = await mails()
  const passwords = Array.from({ length: 20 }, (_, index) => `${NEXT} number ${index}`)
  const statuses = (await Promise.all(passwords.map((password) => set(token!, password)))).map(({ status }) => status)
  assert.deepEqual(
    [statuses.filter((one) => one === 204).length, statuses.filter((one) => one === 410).length], [1, 19]
  )
  assert.equal(await signIn(email, passwords[statuses.indexOf(204)]!), 200)
})

test('expired, replaced, foreign, made up: one answer', async (t) => {
  const { db, person, ask, set, mails } = await start(t)
  const { email } = await person('owner')
  const tokens = []
  for (let round = 0; round < 2; round++) {
    await ask(email)
    tokens.push((await mails())[0]!.token!)
  }
  await db.run(sql`update identity.one_time_token set expires_at = now()`)
  const answers = await Promise.all([...tokens, newToken()].map((token) => set(token)))
  assert.deepEqual(new Set(answers.map(({ status, body }) => `${status} ${body.detail ?? ''}`)), new Set(['410 ']))
  assert.equal((await set('short')).status, 400)
  await sweeps[0]!.run(db)
  assert.equal(await db.run(sql`select from identity.one_time_token`), 0)
})

test('a bad password does not use up the token', async (t) => {
  const { person, ask, set, mails } = await start(t)
  const { email } = await person('owner', 'ada.byron@shop.example')
  await ask(email)
  const { token } = (await mails())[0]!
  for (const [password, reason] of [
    ['too short', 'too-short'], ['passwordpassword', 'too-common'], ['ada.byron@shop.example', 'personal'],
  ]) {
    const { status, body } = await set(token!, password)
    assert.deepEqual([status, body.reason], [422, reason])
  }
  assert.equal((await set(token!)).status, 204)
})

test('asking is limited for known and unknown addresses alike', async (t) => {
  const { person, ask, mails } = await start(t)
  for (const email of [(await person('owner')).email, 'nobody@shop.example']) {
    const statuses = (await Promise.all(Array.from({ length: 7 }, () => ask(email)))).map(({ status }) => status)
    assert.deepEqual(statuses.toSorted(), [202, 202, 202, 202, 202, 429, 429])
  }
  assert.equal((await mails()).length, 5)
})

test('whoever signs in with the old password while it changes does not stay', async (t) => {
  const { db, system, person, ask, set, mails } = await start(t)
  for (let round = 0; round < 5; round++) {
    const { id, email } = await person('support')
    const { passwordHash } = await db.one(Type.Object({ passwordHash: Type.String() }), sql`
      select password_hash as "passwordHash" from identity.staff where id = ${id}`)
    await ask(email)
    const { token } = (await mails()).find((mail) => mail.token)!
    const device = { address: '127.0.0.1', userAgent: '' }
    let done = false
    const changing = set(token!).then(({ status }) => { done = true; assert.equal(status, 204) })
    while (!done) await db.transaction(system, (tx) => openSession(tx, { id, passwordHash }, device))
    await changing
    assert.equal(await db.run(sql`select from identity.session where staff_id = ${id}`), 0)
  }
})

test('the own password: the present one is asked for, other devices are signed out, this one goes on', async (t) => {
  const { browser, signedIn, signIn, mails } = await start(t)
  const ada = await signedIn('support')
  const other = browser()
  await other('POST', '/admin/session', { email: ada.email, password: PASSWORD })
  const change = (currentPassword: string, newPassword: string) =>
    ada('PUT', '/admin/me/password', { currentPassword, newPassword })
  assert.equal((await change('wrong', NEXT)).status, 401)
  assert.equal((await change(PASSWORD, 'short')).status, 422)
  assert.equal((await change(PASSWORD, NEXT)).status, 204)
  assert.deepEqual([(await ada('GET', '/admin/me')).status, (await other('GET', '/admin/me')).status], [200, 401])
  assert.deepEqual([await signIn(ada.email, PASSWORD), await signIn(ada.email, NEXT)], [401, 200])
  assert.deepEqual((await mails()).map(({ to }) => to), [ada.email])
})

test('own sessions are listed and ended, foreign ones are not there', async (t) => {
  const { browser, signedIn } = await start(t)
  const [ada, bob] = [await signedIn('support'), await signedIn('owner')]
  const other = browser()
  await other('POST', '/admin/session', { email: ada.email, password: PASSWORD }, { 'user-agent': 'A telephone' })
  const { body: { items } } = await ada('GET', '/admin/me/sessions')
  const shown = items.map(({ current, userAgent }: { current: boolean; userAgent: string }) => [current, userAgent])
  assert.deepEqual(shown.toSorted(), [[false, 'A telephone'], [true, 'lightMyRequest']])
  const { id } = items.find(({ current }: { current: boolean }) => !current)
  assert.equal((await bob('DELETE', `/admin/me/sessions/${id}`)).status, 404)
  assert.equal((await ada('DELETE', `/admin/me/sessions/${id}`)).status, 204)
  assert.deepEqual([(await ada('GET', '/admin/me')).status, (await other('GET', '/admin/me')).status], [200, 401])
})
