// No body takes a field that it does not name, and one that did would be noticed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { createApp, route } from '../src/platform/http.ts'
import { createLog } from '../src/platform/log.ts'
import { tryAssign } from './assign.ts'
import { asking, openGround, type Ground } from './ground.ts'

test('fields that would be worth something are refused by name, in every body', async (t) => {
  const ground = await openGround(t)
  const tried = await tryAssign(ground, undefined, true)
  assert.deepEqual(tried.filter(({ wrong }) => wrong), [])
  t.diagnostic(`${tried.length} fields in ${new Set(tried.map(({ operation }) => operation)).size} bodies`)

  await t.test('a body that takes them, at any depth, and one that acts before it refuses: noticed', async () => {
    const common = {
      method: 'POST' as const, access: 'public' as const, tags: ['Test'], summary: 'Broken', replay: 'none' as const,
      response: { 200: Type.Null() }, run: async () => null,
    }
    const open = Type.Object({ name: Type.String() }, { additionalProperties: true })
    const broken = [
      route({ ...common, path: '/open', body: open }),
      route({ ...common, path: '/inside', body: Type.Object({ inner: open }) }),
      route({ ...common, path: '/hasty', body: Type.Object({ name: Type.String() }) }),
    ]
    const app = await createApp({
      db: ground.shop.db, routes: broken, log: createLog('silent'), authenticate: async () => ({ kind: 'anonymous' }),
    })
    t.after(() => app.close())
    const ask: Ground['ask'] = async (options) => {
      if (options.url === '/hasty') await ground.shop.variant()
      return asking(app)(options)
    }
    const found = await tryAssign({ ...ground, ask }, broken, true)
    const placesThat = (wrong: RegExp): string[] =>
      [...new Set(found.filter((one) => wrong.test(one.wrong ?? '')).map((one) => `${one.operation} ${one.place}`))]
    // A name that no field may have is refused as such, whatever the body takes.
    assert.deepEqual(placesThat(/^200, not refused/), ['POST /open body', 'POST /inside body.inner'])
    assert.deepEqual(placesThat(/something happened/), ['POST /hasty body'])
    assert.ok(found.filter(({ wrong }) => !wrong).every(({ operation, place, field }) =>
      field === '__proto__' || `${operation} ${place}` === 'POST /inside body'))
  })
})
