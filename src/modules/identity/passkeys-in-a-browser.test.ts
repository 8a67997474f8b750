// Passkeys in a real Chromium, with the virtual authenticator of its debugging protocol: what the server sends is what
// `navigator.credentials` takes, and what that answers is what the server reads. Skipped, and said so, where Chromium
// cannot start.
import assert from 'node:assert/strict'
import test from 'node:test'
import { mailSettings } from '../notifications/mail.ts'
import { testIdentity } from './internal/test-identity.ts'
import { openPage, servePage } from './test-chromium.ts'

/** In the page: asks the shop, and the browser. Text, because it runs elsewhere. */
const make = `async () => {
  const ask = async (method, url, body) => (await fetch(url, {
    method, ...body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {},
  }))
  const { options } = await (await ask('POST', '/admin/me/passkeys/options')).json()
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
  const credential = await navigator.credentials.create({ publicKey })
  const made = await ask('POST', '/admin/me/passkeys', { name: 'Virtual', credential: credential.toJSON() })
  if (made.status !== 201) return [made.status, await made.text()]
  await ask('DELETE', '/admin/session')
  const out = await ask('GET', '/admin/me')
  const begun = await (await ask('POST', '/admin/session/passkey')).json()
  const signed = await navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(begun.options),
  })
  const signedIn = await ask('PUT', '/admin/session/passkey', signed.toJSON())
  const me = await ask('GET', '/admin/me')
  return [made.status, out.status, signedIn.status, (await me.json()).email ?? await signedIn.text()]
}`

test('a passkey is made and signed in with in Chromium', async (t) => {
  const page = await openPage(t)
  if (!page) return
  const { app, db, signedIn } = await testIdentity(t)
  const ada = await signedIn('support')
  const origin = await servePage(t, app.routing)
  mailSettings.set(db, { ...mailSettings.of(db), shopUrl: origin })
  const [name, value] = ada.cookie().split('=') as [string, string]
  await page.context().addCookies([{ name, value, url: origin, httpOnly: true, sameSite: 'Strict' }])
  await page.goto(origin)
  assert.deepEqual(await page.evaluate(`(${make})()`), [201, 401, 200, ada.email])
})
