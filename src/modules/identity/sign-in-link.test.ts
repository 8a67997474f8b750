// Signing in by mail: an answer that tells nothing, a link that works once, and a question in another browser.
import assert from 'node:assert/strict'
import test from 'node:test'
import { sql } from '../../platform/db.ts'
import { newToken } from '../../platform/id.ts'
import { withAuthenticator } from './internal/test-factors.ts'
import { testIdentity } from './internal/test-identity.ts'

async function start(t: Parameters<typeof testIdentity>[0]) {
  const identity = await testIdentity(t)
  const browse = identity.browser()
  const ask = (email: string) => browse('POST', '/admin/session/link', { email })
  const use = (token: string, more: object = {}) => browse('PUT', '/admin/session/link', { token, ...more })
  const link = async (email: string) => {
    const { browser } = (await ask(email)).body as { browser: string }
    return { browser, token: (await identity.mails())[0]!.token! }
  }
  return { ...identity, browse, ask, use, link }
}

test('in by a link, once of twenty', async (t) => {
  const { person, browse, use, link } = await start(t)
  const { id, email } = await person('support')
  const { token, browser } = await link(email)
  const answers = await Promise.all(Array.from({ length: 20 }, () => use(token, { browser })))
  const statuses = answers.map(({ status }) => status)
  assert.deepEqual(statuses.toSorted(), [200, ...Array.from({ length: 19 }, () => 410)])
  assert.equal(answers.find(({ status }) => status === 200)!.body.id, id)
  assert.equal((await browse('GET', '/admin/me')).status, 200)
})

test('another browser has to confirm, which does not use the link up', async (t) => {
  const { person, use, link } = await start(t)
  const { token } = await link((await person('support')).email)
  for (const more of [{}, { browser: newToken() }, { confirmed: false }]) {
    const { status, body } = await use(token, more)
    assert.deepEqual([status, body.type], [409, 'https://kontor.dev/problems/confirm-sign-in'])
  }
  assert.equal((await use(token, { confirmed: true })).status, 200)
})

test('known or unknown, the answer and the work before it are the same', async (t) => {
  const { person, ask, mails } = await start(t)
  const { email } = await person('support')
  const answers = []
  for (const each of [email, 'nobody@shop.example']) {
    const { status, body, headers } = await ask(each)
    answers.push([status, Object.keys(body), body.browser.length, headers['server-timing']])
  }
  assert.deepEqual(answers[0], answers[1])
  assert.deepEqual((await mails()).map(({ to }) => to), [email])
  const more = await Promise.all(Array.from({ length: 5 }, () => ask('nobody@shop.example')))
  const statuses = more.map(({ status }) => status)
  assert.deepEqual(statuses.toSorted(), [202, 202, 202, 202, 429])
})

test('a second factor is wanted all the same', async (t) => {
  const started = await start(t)
  const ada = await started.signedIn('support')
  await withAuthenticator(started, ada)
  await started.mails()
  const { token, browser } = await started.link(ada.email)
  const half = await started.use(token, { browser })
  assert.deepEqual([half.status, half.body.factors.toSorted()], [202, ['recovery-code', 'totp']])
})

test('replaced, expired, made up, of another purpose, switched off: one answer', async (t) => {
  const { db, person, browse, use, link, mails } = await start(t)
  const { id, email } = await person('support')
  const [first, second] = [await link(email), await link(email)]
  await browse('POST', '/admin/password-reset', { email })
  const [{ token: reset } = { token: '' }] = await mails()
  const answers = [await use(first.token, first), await use(newToken()), await use(reset!, { confirmed: true })]
  const setPassword = await browse(
    'PUT', '/admin/password-reset', { token: second.token, password: 'another four words in a row' })
  answers.push(setPassword)
  await db.run(sql`update identity.staff set active = false where id = ${id}`)
  answers.push(await use(second.token, second))
  await db.run(sql`update identity.staff set active = true where id = ${id}`)
  await db.run(sql`update identity.one_time_token set expires_at = now()`)
  answers.push(await use(second.token, second))
  assert.deepEqual(new Set(answers.map(({ status, body }) => `${status} ${body.type}`)),
    new Set(['410 https://kontor.dev/problems/token-refused']))
})
