// Products and the media library: it learns which of its pictures are shown, and so which nobody needs any more.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { sql, systemContext } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { addAsset } from '../media/add-asset.ts'
import { getAsset } from '../media/assets.ts'
import { removeOrphans } from '../media/remove-orphans.ts'
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

test('a picture that is given by its address alone counts as shown; one that is not there is refused', async (t) => {
  const { db, call, sell } = await testCatalogue(t)
  const folder = await mkdtemp(join(tmpdir(), 'kontor-catalog-'))
  t.after(() => rm(folder, { recursive: true }))
  mediaStorage.set(db, diskStorage(folder))
  const bytes = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } }).png().toBuffer()
  const { id: assetId, url } = await addAsset(db, systemContext(), { bytes, filename: 'a.png' })
  const shown = async () => {
    await db.run(sql`update media.asset set touched_at = now() - interval '2 days'`)
    return (await removeOrphans(db)) === 0 && (await getAsset(db, assetId)).used
  }
  const { body: product } = await call('POST', '/admin/products', { title: 'Mug', images: [{ url }] })
  assert.deepEqual([product.images[0].assetId, await shown()], [assetId, true])
  const behindOrigin = { images: [{ url: `https://shop.example${url}` }, { url: 'https://other.example/media/x.png' }] }
  const { body: patched } = await call('PATCH', `/admin/products/${product.id}`, behindOrigin)
  assert.deepEqual(patched.images.map((image: { assetId: string }) => image.assetId), [assetId, null])
  assert.equal(await shown(), true)

  const stray = { images: [{ url: `/media/${'a'.repeat(26)}/full.webp` }] }
  for (const [method, path] of [['PATCH', `/${product.id}`], ['POST', '']] as const) {
    const { status, body } = await call(method, `/admin/products${path}`, { title: 'Cup', ...stray })
    assert.equal(status, 404)
    assert.match(body.detail, /^No picture has the address \/media\/a+\/full.webp: upload it/)
  }
  await sell([{ handle: 'jug', title: 'Jug', ...stray }])   // as an import does: it keeps what was shown before
  await call('PATCH', `/admin/products/${product.id}`, { images: [] })
  assert.equal((await getAsset(db, assetId)).used, false)
})
