// Ids: version 7, unique and ascending within a process.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashToken, newId, newToken } from './id.ts'

test('ids are UUIDv7, unique, and ascend also within a millisecond', () => {
  const ids = Array.from({ length: 50_000 }, () => newId())
  assert.equal(new Set(ids).size, ids.length)
  assert.deepEqual(ids, [...ids].sort())
  for (const id of ids.slice(0, 100)) assert.match(
    id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
  )
  assert.ok(Math.abs(parseInt(ids[0]!.slice(0, 8) + ids[0]!.slice(9, 13), 16) - Date.now()) < 5_000)
})

test('tokens have 256 bits and a prefix; their hash has 32 bytes', () => {
  assert.match(newToken('sk_'), /^sk_[\w-]{43}$/)
  assert.equal(hashToken(newToken()).length, 32)
})
