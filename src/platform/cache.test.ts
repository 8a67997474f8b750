// The cache of ready answers: one load for many who ask, dropped by tags, never an answer older than a change that was
// heard of, bounded.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { invalidate, InvalidationFeed, TaggedCache } from './cache.ts'
import { systemContext } from './db.ts'
import { testDatabase } from './testing.ts'

const loaded = (value: string, tags: string[] = []) => ({ value, bytes: 100, tags })

test('many ask at once, one loads; a failure is not kept', async () => {
  const cache = new TaggedCache<string>(10_000)
  let loads = 0
  const load = async () => { loads++; await new Promise((resolve) => setTimeout(resolve, 5)); return loaded('a') }
  assert.deepEqual(new Set(await Promise.all(Array.from({ length: 50 }, () => cache.get('k', load)))), new Set(['a']))
  assert.equal(loads, 1)
  await assert.rejects(cache.get('bad', async () => { throw new Error('no') }), /no/)
  assert.equal(await cache.get('bad', async () => loaded('b')), 'b')
})

test('a load that began before a change is answered but not kept', async () => {
  const cache = new TaggedCache<string>(10_000)
  let finish!: () => void
  const slow = cache.get('k', () => new Promise((resolve) => { finish = () => resolve(loaded('old', ['t'])) }))
  await Promise.resolve()
  cache.drop(['t'])
  const next = cache.get('k', async () => loaded('new', ['t']))
  finish()
  assert.deepEqual([await slow, await next, cache.peek('k')], ['old', 'new', 'new'])
})

test('memory is bounded and the least used goes first', async () => {
  const cache = new TaggedCache<string>(1_000, { orderMs: 0 })
  for (let i = 0; i < 9; i++) await cache.get(`k${i}`, async () => loaded(String(i), [`t${i}`]))
  cache.peek('k0')
  await cache.get('x', async () => loaded('x'))
  await cache.get('y', async () => loaded('y'))
  assert.deepEqual([cache.peek('k0'), cache.peek('k1'), cache.size.bytes], ['0', undefined, 1_000])
})

test('a change is heard by every process, also of a transaction that was open for long', async (t) => {
  const db = await testDatabase(t)
  const feed = new InvalidationFeed(db)
  const heard: string[] = []
  feed.listen((tags) => heard.push(...tags))
  await feed.look()
  let release!: () => void
  const slow = db.transaction(systemContext(), async (tx) => {
    await invalidate(tx, ['slow'])
    await new Promise<void>((resolve) => { release = resolve })
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  await db.transaction(systemContext(), (tx) => invalidate(tx, ['fast']))
  await feed.look()
  assert.deepEqual(heard, ['fast'])
  release()
  await slow
  await feed.look()
  await feed.look()
  assert.deepEqual(heard, ['fast', 'slow'])
})
