// A real Chromium for tests of passkeys, with the virtual authenticator of its debugging protocol, and the origin of a
// page in which they run.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** A page with a device that verifies its person; undefined, and the test skipped, where Chromium cannot start. */
export async function openPage(t: TestContext) {
  const browser = await startChromium(t)
  if (!browser) return undefined
  const page = await browser.newPage()
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  await devtools.send('WebAuthn.addVirtualAuthenticator', { options: {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true,
  } })
  return page
}

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

/** Serves an empty page at / and what `rest` answers elsewhere; answers the origin. */
export async function servePage(t: TestContext, rest: RequestListener, host = 'localhost'): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url === '/') return void response.setHeader('content-type', 'text/html').end('<!doctype html>')
    rest(request, response)
  }).listen(0, host)
  t.after(() => new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  }))
  await new Promise((resolve) => server.once('listening', resolve))
  return `http://${host}:${(server.address() as AddressInfo).port}`
}
