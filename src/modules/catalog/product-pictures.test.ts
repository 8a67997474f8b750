// Products and the media library: it learns which of its pictures are shown, and so which nobody needs any more.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { systemContext } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { addAsset } from '../media/add-asset.ts'
import { getAsset } from '../media/assets.ts'
import { diskStorage, mediaStorage } from '../media/storage.ts'
import { testCatalogue } from './internal/test-catalogue.ts'

test('the media library knows which of its pictures products show', async (t) => {
  const { db, call, sell } = await testCatalogue(t)
  const folder = await mkdtemp(join(tmpdir(), 'kontor-catalog-'))
  t.after(() => rm(folder, { recursive: true }))
  mediaStorage.set(db, diskStorage(folder))
  const images = await Promise.all([1, 2].map(async (r) => {
    const bytes = await sharp(
      { create: { width: 9, height: 9, channels: 3, background: { r, g: 0, b: 0 } } }
    ).png().toBuffer()
    const { id, url } = await addAsset(db, systemContext(), { bytes, filename: 'a.png' })
    return { url, assetId: id }
  }))
  const used = () => Promise.all(images.map(async ({ assetId }) => (await getAsset(db, assetId)).used))
  const { body: { id } } = await call('POST', '/admin/products', { title: 'Mug', images })
  assert.deepEqual(await used(), [true, true])
  await call('PATCH', `/admin/products/${id}`, { images: images.slice(1) })
  assert.deepEqual(await used(), [false, true])
  await call('PATCH', `/admin/products/${id}`, { title: 'Cup' })
  assert.deepEqual(await used(), [false, true])
  await sell([{ handle: 'bowl', title: 'Bowl', images: images.slice(0, 1) }, { handle: 'jug', title: 'Jug', images }])
  await call('PATCH', `/admin/products/${id}`, { images: [] })
  assert.deepEqual(await used(), [true, true])
  const unknown = { images: [{ url: '/media/x', assetId: newId() }] }
  for (const [method, path] of [['PATCH', `/${id}`], ['POST', '']] as const) {
    const answer = await call(method, `/admin/products${path}`, { title: 'Mug', ...unknown })
    assert.deepEqual([answer.status, answer.body.type], [404, 'https://kontor.dev/problems/asset-not-found'])
  }
})
