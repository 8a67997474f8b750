// The list of breached passwords, over HTTP with a server that speaks its format: five signs leave the shop, padding
// counts for nothing, and a list that is down keeps nobody out.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { PASSWORD, testIdentity } from './internal/test-identity.ts'
import { breachedAt, breachedPasswords } from './refuse-breached.ts'

const BREACHED = 'seven words that somebody else had'
const PADDED = 'seven words that are only padding'
const sha1 = (password: string): string => createHash('sha1').update(password).digest('hex').toUpperCase()

async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/range`
}

test('a breached password is refused where one is set, by five signs of its hash', async (t) => {
  const { db, browser, signedIn, mails } = await testIdentity(t)
  const asked: string[] = []
  const url = await serve(t, (request, response) => {
    asked.push(request.url!)
    assert.equal(request.headers['add-padding'], 'true')
    const listed = [[BREACHED, 12], [PADDED, 0]] as const
    response.end(listed.map(([password, times]) => `${sha1(password).slice(5)}:${times}`).join('\r\n'))
  })
  breachedPasswords.set(db, breachedAt(url))
  const ada = await signedIn('support')
  const change = (newPassword: string) => ada('PUT', '/admin/me/password', { currentPassword: PASSWORD, newPassword })
  const refused = await change(BREACHED)
  assert.deepEqual([refused.status, refused.body.reason], [422, 'breached'])
  assert.deepEqual(asked, [`/range/${sha1(BREACHED).slice(0, 5)}`])
  await browser()('POST', '/admin/password-reset', { email: ada.email })
  const [{ token } = { token: '' }] = await mails()
  const set = (password: string) => browser()('PUT', '/admin/password-reset', { token, password })
  assert.equal((await set(BREACHED)).body.reason, 'breached')
  assert.equal((await set(PADDED)).status, 204, 'padding, and the token was not used up')
})

test('a list that fails or does not answer lets pass', async (t) => {
  const { db, signedIn } = await testIdentity(t)
  const ada = await signedIn('support')
  const failing = await serve(t, (_, response) => void response.writeHead(503).end())
  const words = ['eight words in a row, and more', 'nine words in a row, and more']
  let currentPassword = PASSWORD
  for (const url of [failing, 'http://127.0.0.1:9/range/']) {
    breachedPasswords.set(db, breachedAt(url))
    const newPassword = words.pop()!
    assert.equal((await ada('PUT', '/admin/me/password', { currentPassword, newPassword })).status, 204)
    currentPassword = newPassword
  }
})
