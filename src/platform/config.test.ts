// Configuration: every error at once, each naming its variable and the cure, and no secret in a message.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError, readConfig } from './config.ts'

test('nothing set is a developer’s shop', () => {
  const config = readConfig({})
  assert.deepEqual([config.port, config.host, config.demo, config.production], [8000, '127.0.0.1', true, false])
})

test('all that is wrong is said at once, without the values of addresses', () => {
  assert.throws(() => readConfig(
    { PORT: '80000', LOG_LEVEL: 'loud', DATABASE_URL: 'mysql://user:hunter2@host/x', DATABASE_POOL: '1.5' }
  ), (error: Error) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, /4 errors/)
    for (
      const name of ['PORT', 'LOG_LEVEL', 'DATABASE_URL', 'DATABASE_POOL']
    ) assert.match(error.message, new RegExp(name))
    assert.doesNotMatch(error.message, /hunter2/)
    return true
  })
})

test('proxies are named, never all of them', () => {
  for (const good of ['10.0.0.0/8', 'loopback, 2001:db8::1', '192.0.2.1']) {
    assert.equal(readConfig({ TRUST_PROXY: good }).trustProxy, good)
  }
  assert.equal(readConfig({}).trustProxy, false)
  for (const bad of ['true', '*', '0.0.0.0/0', '::/0', '10.0.0.0/33', 'proxy.example', '10.0.0.1,']) {
    assert.throws(() => readConfig({ TRUST_PROXY: bad }), /TRUST_PROXY/, bad)
  }
})

test('a folder for media is one that takes files, known at the start', (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'kontor-config-'))
  t.after(() => rmSync(parent, { recursive: true }))
  writeFileSync(join(parent, 'file'), '')
  for (const bad of [join(parent, 'file'), join(parent, 'file', 'below'), join(parent, 'not', 'there'), '/proc/nope']) {
    assert.throws(() => readConfig({ MEDIA_DIR: bad }), /MEDIA_DIR is .*(no folder|takes no files)/, bad)
  }
  assert.equal(readConfig({ MEDIA_DIR: join(parent, 'made') }).mediaDir, join(parent, 'made'))
})

test('production refuses the demo and a missing public address', () => {
  assert.throws(() => readConfig({ NODE_ENV: 'production', DEMO: '1' }), /PUBLIC_URL[\s\S]*DEMO/)
})
