// The example of docs/accounts.md, run as it stands there.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'
import { testShop } from '../../testing.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/accounts.md'), 'utf8')

test('register by mail and read the own orders, with curl', async (t) => {
  const shop = await testShop(t)
  await shop.opened.run()
  const url = await (await shop.app()).listen({ host: '127.0.0.1', port: 0 })
  const { publishable, secret } = await shop.keys()
  const cwd = mkdtempSync(join(tmpdir(), 'kontor-docs-'))
  t.after(() => rmSync(cwd, { recursive: true }))
  const { stdout } = await promisify(execFile)('bash', ['-ec', /```sh\n(.*?)```/s.exec(page)![1]!], {
    cwd, timeout: 30_000, env: { ...process.env, SHOP: url, KEY: publishable, SECRET: secret },
  })
  assert.equal(stdout, '{"items":[],"nextCursor":null}')
})
