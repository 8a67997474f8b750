// Answers from memory in all their forms: plain, compressed, unchanged, and what a CDN is told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { Type } from 'typebox'
import { answerFromMemory, openMemory, recall } from './answer-from-memory.ts'
import { InvalidationFeed, invalidate } from './cache.ts'
import { systemContext } from './db.ts'
import { createApp, route } from './http.ts'
import { createLog } from './log.ts'
import { testDatabase, type Cleanup } from './testing.ts'

const text = 'a page of a catalogue says much the same of each thing; '.repeat(100)

async function start(t: Cleanup, { cdnSeconds = 0, maxBytes = 1_000_000 } = {}) {
  const db = await testDatabase(t)
  const feed = new InvalidationFeed(db)
  openMemory(db, feed, { maxBytes, cdnSeconds })
  await feed.look()
  let made = 0
  const page = route({
    method: 'GET', path: '/page/:size', access: 'public', summary: 'A page', tags: [], recall,
    params: Type.Object({ size: Type.Enum(['large', 'small']) }), response: { 200: Type.Any(), 304: null },
    run: ({ db, context, params, request }) => answerFromMemory({ db, context, request }, async () => {
      made++
      return { value: { text: params.size === 'large' ? text : 'short' }, tags: ['page', 'product:1'] }
    }),
  })
  const authenticate = async () => { throw new Error('Nobody signs in') }
  const app = await createApp({ db, routes: [page], authenticate, log: createLog('silent') })
  t.after(() => app.close())
  const get = (accepted?: string, { size = 'large', headers = {} } = {}) => app.inject({
    url: `/page/${size}`, headers: { ...headers, ...(accepted === undefined ? {} : { 'accept-encoding': accepted }) },
  })
  return { db, feed, get, times: () => made }
}

test('each asker gets the encoding that suits them, of one answer that was made once', async (t) => {
  const { get, times } = await start(t)
  const answers = await Promise.all([get(), get('gzip, deflate, br'), get('gzip'), get('br;q=0, gzip;q=0.5'), get('*')])
  const encodings = answers.map(({ headers }) => headers['content-encoding'])
  assert.deepEqual(encodings, [undefined, 'br', 'gzip', 'gzip', 'br'])
  const [plain, brotli, gzip] = answers
  assert.deepEqual(brotliDecompressSync(brotli.rawPayload), plain.rawPayload)
  assert.deepEqual(gunzipSync(gzip.rawPayload), plain.rawPayload)
  assert.ok(brotli.rawPayload.length < plain.rawPayload.length / 5)
  assert.equal(times(), 1)
  for (const answer of answers) {
    assert.equal(answer.headers['content-length'], String(answer.rawPayload.length))
    assert.equal(answer.headers['vary'], 'accept-encoding, x-publishable-key')
    assert.equal(answer.headers['etag'], plain.headers['etag'])
  }
  for (const refused of ['identity', 'br;q=0', 'zstd', '', 'gzip;q=0, *;q=0']) {
    assert.equal((await get(refused)).headers['content-encoding'], undefined, refused)
  }
  assert.equal((await get('br', { size: 'small' })).headers['content-encoding'], undefined, 'not worth it')
})

test('who has it already is told so, whatever encoding they had', async (t) => {
  const { get } = await start(t)
  const etag = (await get('br')).headers['etag'] as string
  for (const known of [etag, etag.replace('W/', ''), `"other", ${etag}`]) {
    const answer = await get('gzip', { headers: { 'if-none-match': known } })
    assert.deepEqual([answer.statusCode, answer.payload], [304, ''])
    assert.equal(answer.headers['vary'], 'accept-encoding, x-publishable-key')
  }
  assert.equal((await get('br', { headers: { 'if-none-match': '"other"' } })).statusCode, 200)
})

test('a CDN is told how long and under which keys; without one nothing is said', async (t) => {
  const { get } = await start(t, { cdnSeconds: 600 })
  const { headers } = await get('br')
  assert.match(headers['cdn-cache-control'] as string, /^max-age=600,/)
  assert.equal(headers['surrogate-key'], 'page product:1')
  assert.equal(headers['cache-tag'], 'page,product:1')
  assert.match(headers['cache-control'] as string, /max-age=1,/, 'a browser keeps it for a second all the same')
  assert.equal((await (await start(t)).get()).headers['surrogate-key'], undefined)
})

test('a change is seen in every encoding', async (t) => {
  const { db, feed, get, times } = await start(t)
  await Promise.all([get('br'), get('gzip')])
  await db.transaction(systemContext(), (tx) => invalidate(tx, ['product:1']))
  await feed.look()
  await Promise.all([get('br'), get('gzip'), get()])
  assert.equal(times(), 2)
})
