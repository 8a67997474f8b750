// The examples of docs/sign-in.md, run as they stand there.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { createAdminClient, isProblem } from '../../../sdk/src/kontor.ts'
import { forgetActors } from './authenticate.ts'
import { addStaff } from './issue-password.ts'
import { withAuthenticator } from './internal/test-factors.ts'
import type { Browser } from './internal/test-identity.ts'
import { sql } from '../../platform/db.ts'
import { testShop } from '../../testing.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/sign-in.md'), 'utf8')
const example = (language: string): string => new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(page)![1]!

async function open(t: TestContext) {
  const shop = await testShop(t)
  const url = await (await shop.app()).listen({ host: '127.0.0.1', port: 0 })
  const ada = await addStaff(shop.db, { email: 'ada@shop.example', name: 'Ada', role: 'owner' })
  return { db: shop.db, url, ...ada }
}

test('with curl', async (t) => {
  const { url, email, password } = await open(t)
  const cwd = mkdtempSync(join(tmpdir(), 'kontor-jar-'))
  t.after(() => rmSync(cwd, { recursive: true }))
  const { stdout } = await promisify(execFile)('bash', ['-ec', example('sh')], {
    cwd, env: { ...process.env, SHOP: url, EMAIL: email, PASSWORD: password },
  })
  assert.match(stdout, /^\{"id":.*"email":"ada@shop\.example".*\}\{"items":\[\{.*"device":"curl".*\]\}\{"ended":0\}$/)
})

test('with the SDK', async (t) => {
  const { db, url, email, password } = await open(t)
  let cookie = ''
  const browse: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers)
    headers.set('origin', url)
    headers.set('cookie', cookie)
    const answer = await fetch(input, { ...init, headers })
    cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    return answer
  }
  const ask: Browser = async (method, path, body) => {
    const answer = await browse(url + path, {
      method, ...body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
    })
    return { status: answer.status, body: await answer.json(), headers: {} }
  }
  await ask('POST', '/admin/session', { email, password })
  const { recoveryCodes } = await withAuthenticator({ db }, ask)
  const asked: string[] = []
  const askForCode = async (): Promise<string> => {
    asked.push(recoveryCodes.pop()!)
    return asked.at(-1)!
  }
  const body = example('ts').replace(/^import .*\n/m, '')
  const run = Object.getPrototypeOf(ask).constructor as
    new (...args: string[]) => (...args: unknown[]) => Promise<unknown>
  // The page of the example was left alone for an hour.
  const aged = `${body.replace('const makeKey', 'await age()\nconst makeKey')}\nreturn made.key`
  const age = async (): Promise<void> => {
    await db.run(sql`update identity.session set proven_at = now() - interval '1 hour'`)
    forgetActors(db)
  }
  const client = (options: { url: string }) => createAdminClient({ ...options, fetch: browse })
  const names = ['createAdminClient', 'isProblem', 'location', 'email', 'password', 'askForCode', 'age']
  const key = await new run(...names, aged)(client, isProblem, { origin: url }, email, password, askForCode, age)
  assert.match(String(key), /^sk_/)
  assert.equal(asked.length, 2, 'at the second step, and for the proof')
})
