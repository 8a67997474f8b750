// Passkeys in a real Chromium, with the virtual authenticator of its debugging protocol: what the server sends is what
// `navigator.credentials` takes, and what that answers is what the server reads. Skipped, and said so, where Chromium
// cannot start.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { mailSettings } from '../notifications/mail.ts'
import { testIdentity } from './internal/test-identity.ts'

async function startChromium(t: TestContext) {
  try {
    const [{ default: chromium }, { chromium: driver }] = await Promise.all(
      [import('@sparticuz/chromium'), import('playwright-core')])
    const browser = await driver.launch({
      executablePath: await chromium.executablePath(), args: chromium.args, headless: true, timeout: 60_000,
    })
    t.after(() => browser.close())
    return browser
  } catch (error) {
    t.skip(`Chromium does not start here: ${String(error).split('\n')[0]}`)
    return undefined
  }
}

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
  const chromium = await startChromium(t)
  if (!chromium) return
  const { app, db, signedIn } = await testIdentity(t)
  const ada = await signedIn('support')
  // A page of the shop: all that it needs is its origin.
  const server = createServer((request, response) => {
    if (request.url === '/') return void response.setHeader('content-type', 'text/html').end('<!doctype html>')
    app.routing(request, response)
  }).listen(0, 'localhost')
  t.after(() => new Promise((resolve) => server.close(resolve)))
  await new Promise((resolve) => server.once('listening', resolve))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  mailSettings.set(db, { ...mailSettings.of(db), shopUrl: origin })

  const page = await chromium.newPage()
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  await devtools.send('WebAuthn.addVirtualAuthenticator', { options: {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true,
  } })
  const [name, value] = ada.cookie().split('=') as [string, string]
  await page.context().addCookies([{ name, value, url: origin, httpOnly: true, sameSite: 'Strict' }])
  await page.goto(origin)
  assert.deepEqual(await page.evaluate(`(${make})()`), [201, 401, 200, ada.email])
})
