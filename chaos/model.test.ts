// The shop is where the model says, whatever comes at once (broken.test.ts shows that it is noticed when not).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { model } from './programmes/model.ts'

test('events at once lead where one after the other they would', { timeout: 120_000 }, async (t) => {
  const opened = await model.open()
  t.after(() => opened.close())
  const { violations, figures } = await opened.round(1)
  assert.deepEqual(violations, [])
  assert.ok(figures!['events']! > 20, `${figures!['events']} events tell nothing`)
})
