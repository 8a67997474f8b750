// The generated files say what the API says today, and there are no others.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { generateSdk } from '../../scripts/generate-sdk.ts'

test('the generated files are what the API says', () => {
  const wanted = generateSdk()
  const there = [...globSync('{store,admin}/*.ts', { cwd: import.meta.dirname }), 'store-api.ts', 'admin-api.ts',
    'problem-fields.ts']
  assert.deepEqual(there.sort(), Object.keys(wanted).sort())
  for (const [name, text] of Object.entries(wanted)) {
    const stale = `sdk/src/${name} is stale: run \`node scripts/generate-sdk.ts\``
    assert.ok(readFileSync(join(import.meta.dirname, name), 'utf8') === text, stale)
  }
})
