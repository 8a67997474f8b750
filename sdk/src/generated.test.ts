// The generated files say what the API says today.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { generateSdk } from '../../scripts/generate-sdk.ts'

for (const [name, text] of Object.entries(generateSdk())) {
  test(`${name} is what the API says`, () => {
    assert.ok(readFileSync(
      join(import.meta.dirname, name), 'utf8'
    ) === text, `sdk/src/${name} is stale: run \`node scripts/generate-sdk.ts\``)
  })
}
