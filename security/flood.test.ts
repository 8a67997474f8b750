// People are let in while a flood of guesses is not; the whole of it is `npm run security -- flood`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flood } from './flood.ts'
import { openGround } from './ground.ts'

test('a flood of guesses keeps nobody out and lets nobody in', async (t) => {
  const ground = await openGround(t)
  const { guesses, hashed, mayHash, guessedIn, people, letIn, notIn } = await flood(
    ground, { guesses: 250, seconds: 5, people: 8 })
  assert.deepEqual([people, letIn, notIn], [8, 8, []])
  assert.ok(hashed <= mayHash && mayHash < guesses && guessedIn === 0, `${hashed} of ${guesses} were hashed`)
})
