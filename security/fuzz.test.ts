// Some hundred shots at every build, and proof that the fuzzer notices what it looks for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { randomFrom } from '../bench/random.ts'
import { createApp, route } from '../src/platform/http.ts'
import { createLog } from '../src/platform/log.ts'
import { fuzz } from './fuzz.ts'
import { asking, openGround } from './ground.ts'

test('hostile requests are answered as declared', async (t) => {
  const ground = await openGround(t)
  const { shots, violations } = await fuzz(ground, { count: 800, random: randomFrom(Date.now() % 2 ** 31) })
  assert.deepEqual(violations, [])
  assert.ok(shots.filter(({ status }) => status < 300).length > 50, 'it gets deep enough to be let in')

  await t.test('what breaks, what is not declared and a write that nobody is told of are noticed', async () => {
    const path = { tags: ['Test'], summary: 'Broken', access: 'public' as const, method: 'GET' as const }
    const broken = [
      route({ ...path, path: '/breaks', response: { 200: Type.Null() }, run: async () => { throw new Error('oh') } }),
      route({ ...path, path: '/strange', response: { 200: Type.Null() }, run: async () => null }),
      route({
        ...path, method: 'PUT', path: '/admin/secretly', access: 'staff', response: { 200: Type.Null() },
        run: async () => null,
      }),
    ]
    const app = await createApp({
      db: ground.shop.db, routes: broken, log: createLog('silent'),
      authenticate: async () => ({ kind: 'anonymous' }),
    })
    t.after(() => app.close())
    const ask: typeof ground.ask = async (options) => {
      const answer = await asking(app)(options)
      // Outside of production the shop itself notices an answer that it does not declare: this is one that it missed.
      return options.url === '/strange' ? { ...answer, status: 418 } : answer
    }
    const found = (await fuzz({ ...ground, ask }, { count: 60, random: randomFrom(1) }, broken)).violations.join('\n')
    assert.match(found, /GET \/breaks as \w+.*: answered 500/)
    assert.match(found, /PUT \/admin\/secretly as \w+.*: it was done, and is not in the audit log/)
    assert.match(found, /GET \/strange as \w+.*: answered 418, which it does not declare/)
  })
})
