// Passkeys of customers in a real Chromium, on the page of a storefront whose shop is at another site: the page asks
// with its key and the token of the session, and the passkey belongs to the storefront. Skipped, and said so, where
// Chromium cannot start.
import assert from 'node:assert/strict'
import test from 'node:test'
import { openPage, servePage } from '../identity/test-chromium.ts'
import { mailSettings } from '../notifications/mail.ts'
import { testAccounts } from './internal/test-accounts.ts'

/** In the page: asks the shop, and the browser. Text, because it runs elsewhere. */
const make = `async ({ shop, key, token }) => {
  const ask = (method, path, body, session) => fetch(shop + '/store' + path, { method, headers: {
    'x-publishable-key': key, ...body ? { 'content-type': 'application/json' } : {},
    ...session ? { authorization: 'Bearer ' + session } : {},
  }, ...body ? { body: JSON.stringify(body) } : {} })
  const { options } = await (await ask('POST', '/account/passkeys/options', undefined, token)).json()
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
  const credential = await navigator.credentials.create({ publicKey })
  const made = await ask('POST', '/account/passkeys', { name: 'Virtual', credential: credential.toJSON() }, token)
  if (made.status !== 201) return [made.status, await made.text()]
  const begun = await (await ask('POST', '/account/session/passkey')).json()
  const signed = await navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(begun.options),
  })
  const cookie = await ask('PUT', '/account/session/passkey', { credential: signed.toJSON() })
  const signedIn = await ask('PUT', '/account/session/passkey', { credential: signed.toJSON(), keep: 'token' })
  const { token: session } = await signedIn.json()
  const me = await ask('GET', '/account', undefined, session)
  return [cookie.status, signedIn.status, (await me.json()).email, session !== token]
}`

test('a passkey is made and signed in with on the page of a storefront', async (t) => {
  const page = await openPage(t)
  if (!page) return
  const { shop, app, publishable, register } = await testAccounts(t)
  const { token } = await register('anna@example.com')
  const storefrontUrl = await servePage(t, (_, response) => response.writeHead(404).end())
  const api = await servePage(t, app.routing, '127.0.0.1')
  mailSettings.set(shop.db, { ...mailSettings.of(shop.db), shopUrl: api, storefrontUrl })
  await page.goto(storefrontUrl)
  assert.deepEqual(await page.evaluate(`(${make})(${JSON.stringify({ shop: api, key: publishable, token })})`),
    [403, 200, 'anna@example.com', true], 'no cookie for another site, a token for its page')
})
