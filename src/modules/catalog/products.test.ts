// Products over HTTP, as a merchant edits them, and the races of two merchants.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { sql, systemContext } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { announcePublications, publishProducts, unpublishProducts } from './publish-products.ts'
import { changeOptions } from './change-options.ts'
import { getProduct } from './get-product.ts'
import { getProductByHandle, getProducts } from './get-listed-products.ts'
import { getVariants } from './get-variants.ts'
import { testCatalogue } from './internal/test-catalogue.ts'
import type { Option, Product } from './catalog.ts'

const values = (name: string, count: number): Option =>
  ({ name, values: Array.from({ length: count }, (_, index) => `${name} ${index + 1}`) })

test('a product from creation to archive', async (t) => {
  const { call, channelId, db, write } = await testCatalogue(t)
  const category = (await call('POST', '/admin/categories', { name: 'Shirts' })).body
  const created = await call('POST', '/admin/products', {
    title: 'Crème shirt', descriptionHtml: '<b>New</b><img src="x" onerror="alert(1)">',
    options: [{ name: 'Size', values: ['S', 'M'] }],
    images: [{ url: 'https://example.com/1.jpg', alt: 'front' }], categoryIds: [category.id], channelIds: [channelId],
    tags: ['summer'],
  }, { 'idempotency-key': 'one' })
  assert.equal(created.status, 201)
  const product: Product = created.body
  assert.deepEqual([product.handle, product.status, product.descriptionHtml],
    ['creme-shirt', 'draft', '<b>New</b><img src="x" />'])
  assert.deepEqual(product.variants.map(({ title }) => title), ['S', 'M'])
  assert.deepEqual((await call('POST', '/admin/products', { title: 'Crème shirt' })).body.handle, 'creme-shirt-2')
  assert.deepEqual(await getProducts(db, channelId, [product.id]), [], 'a draft is shown nowhere')

  const patched = await call('PATCH', `/admin/products/${product.id}`, { status: 'active', handle: 'nice-shirt' },
    { 'if-match': String(created.headers['etag']) })
  assert.deepEqual([patched.status, patched.body.status, patched.headers['etag']], [200, 'active', '"3"'])
  const stale = await call('PATCH', `/admin/products/${product.id}`, { title: 'Lost' },
    { 'if-match': String(created.headers['etag']) })
  assert.deepEqual([stale.status, stale.body.type.split('/').at(-1)], [412, 'version-conflict'])
  assert.equal((await call('PATCH', `/admin/products/${product.id}`, { title: 'x' },
    { 'if-match': 'nonsense' })).status, 412)

  assert.deepEqual(await getProductByHandle(db, channelId, 'creme-shirt'), { kind: 'moved', handle: 'nice-shirt' })
  const shown = await getProductByHandle(db, channelId, 'nice-shirt')
  assert.ok(shown.kind === 'found')
  assert.deepEqual(shown.product.categories.map(({ name }) => name), ['Shirts'])
  assert.deepEqual(await getProductByHandle(db, channelId, 'nothing'), { kind: 'missing' })

  const [small, medium] = product.variants
  const skus = await call('PATCH', `/admin/products/${product.id}/variants`, { variants: [
    { id: small!.id, sku: 'A', barcode: '4006381333931', weightGrams: 120, imageId: product.images[0]!.id },
    { id: medium!.id, sku: 'B' }] })
  assert.equal(skus.status, 200)
  const swapped = await call('PATCH', `/admin/products/${product.id}/variants`,
    { variants: [{ id: small!.id, sku: 'B' }, { id: medium!.id, sku: 'A' }] })
  assert.deepEqual(swapped.body.variants.map((variant: { sku: string }) => variant.sku), ['B', 'A'])
  assert.deepEqual((await call('GET', '/admin/variants?barcode=4006381333931')).body.items.map(
    ({ id }: { id: string }) => id), [small!.id])
  assert.deepEqual((await call('GET', '/admin/variants?sku=A&sku=B')).body.items.length, 2)
  assert.equal((await getVariants(db, [small!.id, newId()]))[0]!.imageUrl, 'https://example.com/1.jpg')
  const Sellable = Type.Object({ sku: Type.String(), image: Type.Union([Type.String(), Type.Null()]),
    taxClass: Type.String() })
  assert.deepEqual(await db.many(Sellable, sql`
    select sku, image_url as image, tax_class as "taxClass" from catalog.sellable_variant
      where channel_id = ${channelId} order by sku`),
  [{ sku: 'A', image: 'https://example.com/1.jpg', taxClass: 'standard' },
    { sku: 'B', image: 'https://example.com/1.jpg', taxClass: 'standard' }])

  assert.equal((await call('DELETE', `/admin/products/${product.id}`)).status, 204)
  assert.equal((await getProduct(db, product.id)).status, 'archived')
  assert.equal(await db.run(sql`select from catalog.sellable_variant`), 0)
  await write((tx) => unpublishProducts(tx, channelId, [product.id]))
  assert.deepEqual((await getProduct(db, product.id)).publications, [])
})

test('what makes no sense is refused by name', async (t) => {
  const { call, sell } = await testCatalogue(t)
  const { mug } = await sell([{ handle: 'mug', title: 'Mug', variants: [{ options: {}, sku: 'MUG' }] }])
  const unknown = newId()
  const code = async (...request: Parameters<typeof call>) => {
    const { status, body } = await call(...request)
    return `${status} ${body.type.split('/').at(-1)} ${body.fields?.map((field: { path: string }) => field.path)
      .join() ?? ''}`.trim()
  }
  const size = { name: 'Size', values: ['S'] }
  assert.equal(await code('POST', '/admin/products', { title: 'A', handle: 'mug' }), '409 handle-taken')
  assert.equal(await code('POST', '/admin/products', { title: 'A', variants: [{ options: {}, sku: 'MUG' }] }),
    '409 sku-taken')
  assert.equal(await code('POST', '/admin/products', { title: 'A', price: 1 }), '400 invalid-request body/price')
  assert.equal(await code('POST', '/admin/products', { title: ' ' }), '400 invalid-request body/title')
  assert.equal(await code('POST', '/admin/products', { title: 'A', handle: 'Not So' }),
    '400 invalid-request body/handle')
  assert.equal(await code('POST', '/admin/products', { title: 'A', options: [size, size] }),
    '422 invalid-value body/options/1/name')
  assert.equal(await code('POST', '/admin/products',
    { title: 'A', options: [size], variants: [{ options: { Size: 'L' } }] }),
      '422 invalid-value body/variants/0/options')
  assert.equal(await code('POST', '/admin/products', { title: 'A', options: [values('A', 80), values('B', 80)] }),
    '422 invalid-value body/options')
  assert.equal(await code('POST', '/admin/products', { title: 'A', categoryIds: [unknown] }), '404 category-not-found')
  assert.equal(await code('POST', '/admin/products', { title: 'A', channelIds: [unknown] }), '404 channel-not-found')
  assert.equal(await code('POST', '/admin/products', { title: 'A', attributes: { colour: 'red' } }),
    '422 invalid-value body/attributes/colour')
  assert.equal(await code('PATCH', `/admin/products/${unknown}`, { title: 'A' }), '404 product-not-found')
  assert.equal(await code('PATCH', `/admin/products/${mug}/variants`, { variants: [{ id: unknown, sku: 'X' }] }),
    '404 variant-not-found')
  assert.equal(await code('PUT', `/admin/products/${mug}/options`, { options: [{ name: 'A', values: ['x', 'x'] }] }),
    '422 invalid-value body/options/0/values/1')
  assert.equal(await code('GET', '/admin/products?cursor=abc'), '400 invalid-cursor')
  const made = await call('POST', '/admin/products', { title: 'Other', images: [{ url: '/pictures/a.jpg' }] })
  const [variant] = (await call('GET', `/admin/products/${mug}`)).body.variants
  assert.equal(await code('PATCH', `/admin/products/${mug}/variants`,
    { variants: [{ id: variant.id, imageId: made.body.images[0].id }] }), '422 image-not-found')
})

test('attributes are what their definitions say', async (t) => {
  const { call } = await testCatalogue(t)
  assert.equal((await call('PUT', '/admin/attributes/material',
    { name: 'Material', kind: 'choice', choices: ['wool', 'linen'], filterable: true })).status, 200)
  await call('PUT', '/admin/attributes/released', { name: 'Released', kind: 'date' })
  await call('PUT', '/admin/attributes/weight', { name: 'Weight', kind: 'number' })
  assert.equal((await call('PUT', '/admin/attributes/weight', { name: 'Weight', kind: 'text' })).status, 409)
  assert.equal((await call('PUT', '/admin/attributes/other', { name: 'Other', kind: 'choice' })).status, 422)
  const bad = await call('POST', '/admin/products',
    { title: 'A', attributes: { material: 'stone', released: '2026-13-01', weight: '3' } })
  assert.deepEqual(bad.body.fields.map(({ path }: { path: string }) => path),
    ['body/attributes/material', 'body/attributes/released', 'body/attributes/weight'])
  const attributes = { material: 'wool', released: '2026-02-01', weight: 3.5 }
  assert.deepEqual((await call('POST', '/admin/products', { title: 'A', attributes })).body.attributes, attributes)
  assert.equal((await call('GET', '/admin/attributes')).body.items.length, 3)
})

test('3,000 variants are made at once, and a change of options keeps those that it can', async (t) => {
  const { call } = await testCatalogue(t)
  const { body: product } = await call('POST', '/admin/products',
    { title: 'Bolt', options: [values('Length', 60), values('Thread', 50)] })
  assert.equal(product.variants.length, 3_000)
  const changed = await call('PUT', `/admin/products/${product.id}/options`,
    { options: [values('Length', 60), values('Thread', 40), values('Head', 2)] },
    { 'if-match': `"${product.version}"` })
  const active = changed.body.variants.filter((variant: { active: boolean }) => variant.active)
  assert.equal(active.length, 4_800)
  const before = new Set(product.variants.map(({ id }: { id: string }) => id))
  assert.equal(active.filter(({ id }: { id: string }) => before.has(id)).length, 2_400)
  const patched = await call('PATCH', `/admin/products/${product.id}/variants`,
    { variants: active.map(({ id }: { id: string }, index: number) => ({ id, sku: `B-${index}` })) })
  assert.equal(patched.status, 200)
})

test('the largest product that is allowed can be written', async (t) => {
  const { call } = await testCatalogue(t)
  const long = (letter: string, length: number) => letter.repeat(length)
  const options = [values('A', 60), { name: 'B',
    values: Array.from({ length: 50 }, (_, index) => `${index}${long('ä', 190)}`) }]
  const images = ['https://example.com/ü b.jpg', 'https://example.com/ü b.jpg', '/x.jpg'].map((url) => ({ url }))
  const { status, body } = await call('POST', '/admin/products',
    { title: long('ü', 300), options, images,
      tags: Array.from({ length: 250 }, (_, index) => `${index}${long('ß', 190)}`) })
  assert.equal(status, 201)
  assert.deepEqual(body.images.map(({ url }: { url: string }) => url), ['https://example.com/%C3%BC%20b.jpg', '/x.jpg'])
  const twice = await call('PATCH', `/admin/products/${body.id}`, { images: [...images, ...images] })
  assert.equal(twice.body.images.length, 2)
  const skus = body.variants.map(({ id }: { id: string }, index: number) =>
    ({ id, sku: `${index}-${long('x', 190)}`, barcode: `${index}-${long('y', 90)}` }))
  assert.equal((await call('PATCH', `/admin/products/${body.id}/variants`, { variants: skus })).status, 200)
  const wide = Array.from({ length: 8 }, (_, index) => ({ name: `${index}${long('語', 99)}`, values: [long('語', 200)] }))
  assert.equal((await call('PUT', `/admin/products/${body.id}/options`, { options: wide })).status, 422)
  assert.equal((await call('PATCH', `/admin/products/${body.id}`,
    { images: [{ url: `/${long('語', 1_000)}` }] })).status, 422)
})

test('renaming a value keeps its variants', async (t) => {
  const { call, sell } = await testCatalogue(t)
  const options = [{ name: 'Colour', values: ['Red', 'Blue'] }, { name: 'Size', values: ['S'] }]
  const { shirt } = await sell([{ handle: 'shirt', title: 'Shirt', options }])
  const before: Product = (await call('GET', `/admin/products/${shirt}`)).body
  const rename = (body: object) => call('POST', `/admin/products/${shirt}/options/rename`, body)
  const { status, body } = await rename({ option: 'Colour', name: 'Color', values: { Red: 'Crimson' } })
  assert.equal(status, 200)
  const after: Product = body
  assert.deepEqual(after.variants.map(({ id, title }) => [id, title]),
    [[before.variants[0]!.id, 'Crimson / S'], [before.variants[1]!.id, 'Blue / S']])
  assert.deepEqual(after.variants[0]!.options, { Color: 'Crimson', Size: 'S' })
  assert.deepEqual(after.options[0], { name: 'Color', values: ['Crimson', 'Blue'] })
  assert.equal((await rename({ option: 'Colour', name: 'x' })).status, 422)
  assert.equal((await rename({ option: 'Color', values: { Red: 'x' } })).status, 422)
  assert.equal((await rename({ option: 'Color', values: { Blue: 'Crimson' } })).status, 422)
  await call('PUT', `/admin/products/${shirt}/options`, { options: [{ name: 'Color', values: ['Blue'] }, options[1]!] })
  assert.equal((await rename({ option: 'Color', values: { Blue: 'Crimson' } })).body.type.split('/').at(-1),
    'combination-taken')
})

test('the list pages through all products, newest first, and finds by words and SKU', async (t) => {
  const { call, sell, channelId } = await testCatalogue(t)
  await sell(Array.from({ length: 7 },
    (_, index) => ({ handle: `p-${index}`, title: `Product ${index}`,
      variants: [{ options: {}, sku: `SKU-${index}` }] })))
  const seen: string[] = []
  for (let cursor = ''; ;) {
    const { body } = await call('GET', `/admin/products?limit=3${cursor}`)
    seen.push(...body.items.map(({ handle }: { handle: string }) => handle))
    if (!body.nextCursor) break
    cursor = `&cursor=${body.nextCursor}`
  }
  assert.equal(new Set(seen).size, 7)
  assert.deepEqual((await call('GET', '/admin/products?text=sku-3')).body.items.map(({ handle }: { handle: string }) =>
    handle), ['p-3'])
  assert.equal((await call('GET', `/admin/products?status=active&channelId=${channelId}&text=prod`)).body.items.length,
    7)
  assert.equal((await call('GET', `/admin/products?categoryId=${newId()}`)).body.items.length, 0)
  assert.equal((await call('GET', `/admin/products?collectionId=${newId()}`)).body.items.length, 0)
})

test('publication by dates: shown when its time has come, gone when it has passed, announced once each', async (t) => {
  const { db, channelId, sell, write, call } = await testCatalogue(t)
  const { mug } = await sell([{ handle: 'mug', title: 'Mug', channelIds: [] }])
  const shown = async () => (await getProducts(db, channelId, [mug!])).length === 1
  assert.equal(await shown(), false)
  const later = await call('POST', `/admin/channels/${channelId}/publish`,
    { productIds: [mug], from: '2999-01-01T00:00:00Z', until: '2999-02-01T00:00:00Z' })
  assert.equal(later.status, 204)
  assert.equal((await call('POST', `/admin/channels/${channelId}/publish`,
    { productIds: [mug], until: '2020-01-01T00:00:00Z' })).status, 422)
  assert.equal((await call('POST', `/admin/channels/${channelId}/publish`, { productIds: [newId()] })).body.type.split(
    '/').at(-1), 'product-not-found')
  assert.equal(await shown(), false)
  await db.run(sql`update catalog.publication
    set published_from = now() - interval '1 second', changes_at = now() - interval '1 second'`)
  assert.equal(await shown(), true)
  assert.deepEqual([await announcePublications(db), await announcePublications(db)], [1, 0])
  await db.run(sql`update catalog.publication set published_until = now(), changes_at = now()`)
  assert.equal(await shown(), false)
  assert.deepEqual([await announcePublications(db), await announcePublications(db)], [1, 0])
  await write((tx) => publishProducts(tx, channelId, [mug!]))
  assert.equal(await shown(), true)
  const { version } = await getProduct(db, mug!)
  await write((tx) => publishProducts(tx, channelId, [mug!]))
  assert.equal((await getProduct(db, mug!)).version, version, 'published already: nothing changes')
  assert.equal((await call('POST', `/admin/channels/${channelId}/unpublish`, { productIds: [mug] })).status, 204)
  assert.equal(await shown(), false)
})

test('the same handle, and the same SKU, forty times at once: one gets it', async (t) => {
  const { call } = await testCatalogue(t)
  const handles = await Promise.all(Array.from({ length: 20 },
    () => call('POST', '/admin/products', { title: 'Race', handle: 'race' })))
  assert.deepEqual(handles.map(({ status }) => status).sort(), [201, ...Array(19).fill(409)])
  const skus = await Promise.all(Array.from({ length: 20 }, (_, index) => (
    call('POST', '/admin/products', { title: `Race ${index}`, variants: [{ options: {}, sku: 'ONE' }] }))))
  assert.deepEqual(skus.map(({ status }) => status).sort(), [201, ...Array(19).fill(409)])
})

test('options changed by ten people at once: one outcome whole, no variant twice', async (t) => {
  const { db, sell, call } = await testCatalogue(t)
  const { shirt } = await sell([{ handle: 'shirt', title: 'Shirt', options: [values('Size', 3)] }])
  const before = await getProduct(db, shirt!)
  const choices = Array.from({ length: 10 },
    (_, index) => [values('Size', 3 + (index % 3)), ...(index % 2 ? [values('Colour', 2)] : [])])
  await Promise.all(choices.map((options) =>
    db.transaction(systemContext(), (tx) => changeOptions(tx, shirt!, options))))
  const after = await getProduct(db, shirt!)
  const expected = after.options.reduce((product, option) => product * option.values.length, 1)
  assert.equal(after.variants.filter(({ active }) => active).length, expected)
  assert.equal(after.version, before.version + 10)
  for (const { id } of before.variants) assert.ok(
    after.variants.some((variant) => variant.id === id && variant.active), 'the first variants are still sold')
  const one = await Promise.all(Array.from({ length: 8 }, (_, index) => (
    call('PATCH', `/admin/products/${shirt}`, { title: `Title ${index}` }, { 'if-match': `"${after.version}"` }))))
  assert.deepEqual(one.map(({ status }) => status).sort(), [200, ...Array(7).fill(412)])
})
