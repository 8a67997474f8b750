// Another e-mail address: proven by its mailbox, told to the old one, once.
import assert from 'node:assert/strict'
import test from 'node:test'
import { sql } from '../../platform/db.ts'
import { newToken } from '../../platform/id.ts'
import { forgetActors } from './authenticate.ts'
import { PASSWORD, testIdentity } from './internal/test-identity.ts'

test('a link in the new mailbox changes the address, once of ten; the links in the old one are dead', async (t) => {
  const { browser, signedIn, mails } = await testIdentity(t)
  const ada = await signedIn('support')
  const browse = browser()
  await browse('POST', '/admin/password-reset', { email: ada.email })
  const reset = (await mails())[0]!.token!
  assert.equal((await ada('POST', '/admin/me/email', { email: 'Ada.New@shop.example' })).status, 202)
  const [mail] = await mails()
  assert.equal(mail!.to, 'ada.new@shop.example')
  assert.equal((await ada('GET', '/admin/me')).body.email, ada.email, 'nothing has changed yet')
  const confirm = async () => (await browse('PUT', '/admin/email-change', { token: mail!.token })).status
  const statuses = await Promise.all(Array.from({ length: 10 }, confirm))
  assert.deepEqual(statuses.toSorted(), [204, ...Array.from({ length: 9 }, () => 410)])
  assert.deepEqual((await mails()).map(({ to }) => to), [ada.email])
  const set = await browse('PUT', '/admin/password-reset', { token: reset, password: 'five words in a row' })
  assert.equal(set.status, 410)
  const signIn = async (email: string) =>
    (await browser()('POST', '/admin/session', { email, password: PASSWORD })).status
  assert.deepEqual([await signIn(ada.email), await signIn('ada.new@shop.example')], [401, 200])
})

test('wrong, replaced, expired and foreign tokens get one answer; a taken address stays taken', async (t) => {
  const { db, browser, signedIn, mails, person } = await testIdentity(t)
  const ada = await signedIn('support')
  const browse = browser()
  const confirm = (token: string) => browse('PUT', '/admin/email-change', { token })
  const link = async (email: string): Promise<string> => {
    assert.equal((await ada('POST', '/admin/me/email', { email })).status, 202)
    return (await mails())[0]!.token!
  }
  const [first, second] = [await link('one@shop.example'), await link('two@shop.example')]
  await browse('POST', '/admin/password-reset', { email: ada.email })
  const reset = (await mails())[0]!.token!
  const asPassword = await browse('PUT', '/admin/password-reset', { token: second, password: 'five words in a row' })
  const answers = [await confirm(first), await confirm(newToken()), await confirm(reset), asPassword]
  await db.run(sql`update identity.one_time_token set expires_at = now()`)
  answers.push(await confirm(second))
  assert.deepEqual(answers.map(({ status }) => status), [410, 410, 410, 410, 410])
  const bob = await person('support')
  const taken = await confirm(await link(bob.email))
  assert.deepEqual([taken.status, taken.body.type], [409, 'https://kontor.dev/problems/email-taken'])
  await db.run(sql`update identity.session set proven_at = now() - interval '1 hour'`)
  forgetActors(db)
  assert.equal((await ada('POST', '/admin/me/email', { email: 'three@shop.example' })).status, 403)
})
