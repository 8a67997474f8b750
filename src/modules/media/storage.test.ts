// Both storages keep the same promises; the bucket is one of our own that checks each signature as S3 documents it.
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { Cleanup } from '../../platform/testing.ts'
import { diskStorage, s3Storage, type Bucket, type Storage } from './storage.ts'

const KEY = 'k'.repeat(26)

async function keepsPromises(storage: Storage): Promise<void> {
  const [small, large] = [Buffer.from('one'), Buffer.alloc(3_000_000, 7)]
  assert.equal(await storage.read(KEY, 'full.webp'), undefined)
  await Promise.all([storage.write(KEY, '320.webp', small), storage.write(KEY, 'full.webp', large)])
  assert.deepEqual(await storage.read(KEY, '320.webp'), small)
  assert.ok((await storage.read(KEY, 'full.webp'))!.equals(large))
  for (const time of ['first', 'second']) {
    await storage.remove(KEY, ['320.webp', '640.webp', 'full.webp'])
    assert.equal(await storage.read(KEY, '320.webp'), undefined, `removed for the ${time} time`)
  }
}

test('a folder', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kontor-storage-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await keepsPromises(diskStorage(join(folder, 'made', 'when needed')))
})

test('a reader of a folder sees whole files only, and nothing half-done remains', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kontor-storage-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const storage = diskStorage(folder)
  const data = Buffer.alloc(2_000_000, 1)
  const writing = Promise.all(Array.from({ length: 5 }, () => storage.write(KEY, 'full.webp', data)))
  let done = false
  void writing.then(() => { done = true })
  while (!done) assert.ok([undefined, data.length].includes((await storage.read(KEY, 'full.webp'))?.length))
  await writing
  assert.deepEqual(await readdir(join(folder, KEY)), ['full.webp'])
})

const account: Omit<Bucket, 'endpoint'> = {
  bucket: 'pictures', region: 'eu-central-1', accessKeyId: 'AKIATEST', secretAccessKey: 'not/a+secret',
}

// Signature version 4, written from its description and not with the library under test.
function signatureOf(request: IncomingMessage, secret: string): string {
  const fields = Object.fromEntries(
    [...request.headers.authorization!.matchAll(/(\w+)=([^,\s]+)/g)].map(([, name, value]) => [name!, value!])
  )
  const [, date, region, service, end] = fields['Credential']!.split('/')
  const url = new URL(request.url!, 'http://host')
  const headers = fields['SignedHeaders']!.split(';').map(
    (name) => `${name}:${String(request.headers[name]).trim()}\n`
  ).join('')
  const canonical = [
    request.method, url.pathname, url.search.slice(1), headers, fields['SignedHeaders'],
    request.headers['x-amz-content-sha256'],
  ].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], [date, region, service, end].join('/'),
    createHash('sha256').update(canonical).digest('hex')].join('\n')
  const key = [date, region, service, end].reduce<string | Buffer>(
    (last, part) => createHmac('sha256', last).update(part!).digest(), `AWS4${secret}`
  )
  return createHmac('sha256', key).update(toSign).digest('hex')
}

async function startBucket(t: Cleanup): Promise<{ endpoint: string; types: Set<string | undefined> }> {
  const files = new Map<string, Buffer>()
  const types = new Set<string | undefined>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const given = /Signature=([0-9a-f]+)/.exec(request.headers.authorization ?? '')?.[1]
    const answer = (status: number, body?: Buffer): void => void response.writeHead(status).end(body)
    if (given !== signatureOf(request, account.secretAccessKey)) return answer(403)
    if (!request.url!.startsWith(`/${account.bucket}/`)) return answer(404)
    if (request.method === 'PUT') {
      types.add(request.headers['content-type'])
      files.set(request.url!, Buffer.concat(chunks))
      return answer(200)
    }
    if (request.method === 'DELETE') return answer(files.delete(request.url!) ? 204 : 404)
    const found = files.get(request.url!)
    return answer(found ? 200 : 404, found)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, types }
}

test('a bucket', async (t) => {
  const { endpoint, types } = await startBucket(t)
  await keepsPromises(s3Storage({ ...account, endpoint }))
  assert.deepEqual([...types], ['image/webp'])
  await assert.rejects(
    s3Storage({ ...account, endpoint, secretAccessKey: 'another' }).read(KEY, 'full.webp'), /answered 403/
  )
  await assert.rejects(
    s3Storage({ ...account, endpoint, bucket: 'none' }).write(KEY, 'full.webp', Buffer.from('x')), /no bucket none/
  )
})
