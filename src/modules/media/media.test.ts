// The media library over HTTP: what is taken and what is not, what is served, who shows what, and what is swept.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import sharp from 'sharp'
import { sql, systemContext } from '../../platform/db.ts'
import { createApp, type Authenticate } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { createLog } from '../../platform/log.ts'
import { testDatabase, type Cleanup } from '../../platform/testing.ts'
import { addAsset } from './add-asset.ts'
import { adminRoutes } from './admin-api.ts'
import { attachAssets } from './attach-assets.ts'
import { removeFiles, removeOrphans } from './remove-orphans.ts'
import { diskStorage, mediaStorage } from './storage.ts'
import { storeRoutes } from './store-api.ts'

async function start(t: Cleanup) {
  const db = await testDatabase(t)
  const folder = await mkdtemp(join(tmpdir(), 'kontor-media-'))
  mediaStorage.set(db, diskStorage(folder))
  const authenticate: Authenticate = async () => ({ kind: 'key', id: newId(), permissions: ['*'] })
  const app = await createApp({ db, routes: [...adminRoutes, ...storeRoutes], authenticate, log: createLog('silent') })
  t.after(async () => {
    await app.close()
    await rm(folder, { recursive: true })
  })
  const call = async (method: 'GET' | 'DELETE', url: string, sent: Record<string, string> = {}) => {
    const { statusCode: status, rawPayload: bytes, headers, body } = await app.inject({ method, url, headers: sent })
    return {
      status, bytes, headers, body: headers['content-type']?.toString().includes('json') ? JSON.parse(body) : undefined,
    }
  }
  const upload = async (bytes: Buffer, filename = 'picture.png') => {
    const boundary = 'a-boundary-that-no-file-has'
    const disposition = `content-disposition: form-data; name="file"; filename="${filename}"`
    const head = `--${boundary}\r\n${disposition}\r\ncontent-type: image/png\r\n\r\n`
    const payload = Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)])
    const answer = await app.inject({
      method: 'POST', url: '/admin/media', payload,
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    })
    return { status: answer.statusCode, body: answer.json() }
  }
  const uploadTwo = async (bytes: Buffer) => {
    const form = new FormData()
    for (const name of ['one.png', 'two.png']) form.append('file', new Blob([new Uint8Array(bytes)]), name)
    const { headers, body } = new Request('http://shop', { method: 'POST', body: form })
    const payload = Buffer.from(await new Response(body).arrayBuffer())
    const answer = await app.inject({
      method: 'POST', url: '/admin/media', payload, headers: Object.fromEntries(headers),
    })
    return { status: answer.statusCode, body: answer.json() }
  }
  const age = () => db.run(sql`update media.asset set touched_at = now() - interval '25 hours'`)
  return { db, folder, app, call, upload, uploadTwo, age }
}

const plain = (
  width: number, height: number, format: 'png' | 'jpeg' | 'webp' | 'avif' = 'png', red = 200
): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: { r: red, g: 40, b: 10 } } }).toFormat(format).toBuffer()

// A PNG that says it is larger than it is: the sizes stand in its header, guarded by a checksum that we make anew.
async function claiming(width: number, height: number): Promise<Buffer> {
  const { crc32 } = await import('node:zlib')
  const bytes = await plain(8, 8)
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29)
  return bytes
}

// A GIF of one black pixel, shown this many times.
function animation(frames: number): Buffer {
  const head = Buffer.from('47494638396101000100800000000000ffffff', 'hex')
  const frame = Buffer.from('21f904000a0000002c0000000001000100000202440100', 'hex')
  return Buffer.concat([head, ...Array<Buffer>(frames).fill(frame), Buffer.from([0x3b])])
}

test('a picture becomes its sizes, upright and without EXIF, served for ever', async (t) => {
  const { call, upload } = await start(t)
  const photo = await sharp(await plain(1_500, 900, 'jpeg')).withExif(
    { IFD0: { Copyright: 'Somebody', Make: 'Camera' } }
  )
    .withMetadata({ orientation: 6 }).jpeg().toBuffer()
  const { status, body } = await upload(photo, '../../etc/pass\u202ewd.jpg')
  assert.equal(status, 201)
  assert.equal(body.filename, 'passwd.jpg')
  assert.deepEqual(
    body.sizes.map(({ width, height }: { width: number; height: number }) => [width, height]),
    [[320, 533], [640, 1_067], [900, 1_500]]
  )
  for (const { url, width, bytes } of body.sizes) {
    const file = await call('GET', url)
    assert.equal(file.status, 200)
    assert.equal(file.bytes.length, bytes)
    assert.equal(file.headers['content-type'], 'image/webp')
    assert.equal(file.headers['cache-control'], 'public, max-age=31536000, immutable')
    assert.equal(file.headers['x-content-type-options'], 'nosniff')
    const facts = await sharp(file.bytes).metadata()
    assert.deepEqual([facts.format, facts.width, facts.exif, facts.orientation], ['webp', width, undefined, undefined])
  }
})

test('whoever has a file is not sent it again', async (t) => {
  const { call, upload } = await start(t)
  const { body: { url } } = await upload(await plain(20, 20))
  const { etag, 'cache-control': kept } = (await call('GET', url)).headers
  for (const sent of [`${etag}`, `W/${etag}`, `"another", ${etag}`]) {
    const { status, bytes, headers } = await call('GET', url, { 'if-none-match': sent })
    assert.deepEqual([status, bytes.length, headers.etag, headers['cache-control']], [304, 0, etag, kept])
  }
  assert.equal((await call('GET', url, { 'if-none-match': '"another"' })).status, 200)
})

test('each format that is taken', async (t) => {
  const { upload } = await start(t)
  for (const format of ['png', 'jpeg', 'webp', 'avif'] as const) {
    const { status, body } = await upload(await plain(40, 30, format))
    assert.deepEqual([status, body.width, body.height, body.animated], [201, 40, 30, false], format)
  }
  const frames = await Promise.all([10, 120, 240].map((red) => plain(400, 300, 'png', red)))
  const gif = await sharp(frames, { join: { animated: true } }).gif({ loop: 0, delay: 100 }).toBuffer()
  const { body } = await upload(gif, 'moving.gif')
  assert.deepEqual([body.animated, body.width, body.height, body.sizes.length], [true, 400, 300, 2])
  assert.equal((await upload(animation(200))).body.animated, true)
})

test('what is refused, and why', async (t) => {
  const { upload, uploadTwo, app, folder } = await start(t)
  const photo = await plain(600, 400, 'jpeg')
  const corpus: [string, Buffer, string][] = [
    ['cut off', photo.subarray(0, photo.length / 2), 'broken'],
    ['nothing but a signature', Buffer.concat([photo.subarray(0, 3), Buffer.alloc(100)]), 'broken'],
    ['a bomb: few bytes that claim 3,600 megapixels', await claiming(60_000, 60_000), 'too-many-pixels'],
    [
      'an SVG',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'),
      'not-an-image'
    ],
    ['HTML under the name of a picture', Buffer.from('<!doctype html><script>alert(1)</script>'), 'not-an-image'],
    ['HTML behind the signature of a GIF', Buffer.from('GIF89a/*<script>*/=1;alert(1)//</script>'), 'broken'],
    ['a PDF', Buffer.from('%PDF-1.7\n1 0 obj<<>>endobj trailer<<>>'), 'not-an-image'],
    ['nothing', Buffer.alloc(0), 'not-an-image'],
    ['too many frames', animation(201), 'too-many-frames'],
    ['too many bytes', Buffer.concat([photo, Buffer.alloc(20 * 1_048_576)]), 'too-many-bytes'],
  ]
  for (const [name, bytes, reason] of corpus) {
    const { status, body } = await upload(bytes)
    assert.deepEqual([status, body.reason], [422, reason], `${name}: ${JSON.stringify(body)}`)
  }
  assert.equal((await app.inject({ method: 'POST', url: '/admin/media', payload: {} })).statusCode, 400)
  const two = await uploadTwo(await plain(9, 9))
  assert.deepEqual([two.status, /with one file/.test(two.body.fields[0].message)], [400, true], 'two files in one')
  assert.deepEqual(await readdir(folder), [])
})

test('what hides behind a picture is not in what is served', async (t) => {
  const { upload, call } = await start(t)
  const polyglot = Buffer.concat([await plain(50, 50), Buffer.from('<script>alert(1)</script>PK\x03\x04')])
  const { status, body } = await upload(polyglot)
  assert.equal(status, 201)
  assert.equal((await call('GET', body.url)).bytes.includes('script'), false)
})

test('addresses that are none of ours lead nowhere', async (t) => {
  const { call } = await start(t)
  const key = 'a'.repeat(26)
  assert.equal((await call('GET', `/media/${key}/full.webp`)).status, 404)
  for (const path of [
      `${key}/..%2f..%2fetc`, '..%2f..%2fetc/full.webp', `${key}/full.png`, `${key}/%00.webp`, `${key}/.`, 'A/full.webp'
  ]) {
    assert.ok([400, 404].includes((await call('GET', `/media/${path}`)).status), path)
  }
})

test('the same bytes at once and again are one asset', async (t) => {
  const { db, folder, upload, call } = await start(t)
  const bytes = await plain(30, 30)
  const context = systemContext()
  const made = await Promise.all(Array.from({ length: 5 }, () => addAsset(db, context, { bytes, filename: 'a.png' })))
  assert.equal(new Set([...made.map(({ id }) => id), (await upload(bytes)).body.id]).size, 1)
  await db.run(sql`update media.unclaimed set due_at = now()`)
  assert.equal((await readdir(folder)).length, await removeFiles(db) + 1, 'all files but those of the one go')
  assert.equal((await call('GET', made[0]!.url)).status, 200)
})

test('assets are attached as a set; what nothing shows for a day is removed with its files', async (t) => {
  const { db, folder, upload, call, age } = await start(t)
  const [first, second, third] = await Promise.all(
    [1, 2, 3].map(async (red) => (await upload(await plain(9, 9, 'png', red))).body.id as string)
  )
  const attach = (usedBy: string, assetIds: string[]) => db.transaction(
    systemContext(), (tx) => attachAssets(tx, [{ usedBy, assetIds }])
  )
  const page = (await call('GET', '/admin/media?limit=2')).body
  const rest = (await call('GET', `/admin/media?cursor=${page.nextCursor}`)).body
  assert.deepEqual([page.items.length, rest.items.length, rest.nextCursor], [2, 1, null])
  await attach('product:1', [first!, second!, first!])
  await attach('product:2', [second!])
  await age()
  assert.equal(await removeOrphans(db), 1)
  assert.equal((await call('GET', `/admin/media/${third}`)).status, 404)
  assert.equal((await readdir(folder)).length, 3)
  await removeFiles(db)
  assert.equal((await readdir(folder)).length, 2)
  assert.equal((await call('DELETE', `/admin/media/${second}`)).status, 409)

  await attach('product:1', [second!])
  assert.equal(await removeOrphans(db), 0, 'a day has to pass from when it was last shown')
  await assert.rejects(attach('product:3', [third!]), /No such picture/)
  await age()
  assert.equal(await removeOrphans(db), 1)
  const { body } = await call('GET', '/admin/media?limit=1')
  assert.deepEqual([body.items[0].id, body.items[0].used, body.nextCursor], [second, true, null])
  await attach('product:1', [])
  await attach('product:2', [])
  assert.equal((await call('DELETE', `/admin/media/${second}`)).status, 204)
})

test('an orphan that is attached while it is swept: shown or gone, never shown and gone', async (t) => {
  const { db, upload, age } = await start(t)
  for (let round = 0; round < 10; round++) {
    const { body: { id } } = await upload(await plain(5, 5, 'png', 100 + round))
    await age()
    const attached = db.transaction(
      systemContext(), (tx) => attachAssets(tx, [{ usedBy: `product:${id}`, assetIds: [id] }])
    )
    const [attaching, removed] = await Promise.allSettled([attached, removeOrphans(db)])
    assert.equal(removed.status, 'fulfilled')
    const gone = removed.status === 'fulfilled' && removed.value === 1
    assert.equal(attaching.status, gone ? 'rejected' : 'fulfilled')
  }
})
