// Imports: whole products by handle, in batches; what is there already is left alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measured, sql, systemContext, type Db } from '../../platform/db.ts'
import { isProblem } from '../../platform/problem.ts'
import { testDatabase } from '../../platform/testing.ts'
import { Type } from 'typebox'
import { SkuTaken } from './catalog.ts'
import { saveChannel } from './channels.ts'
import { getProduct } from './get-product.ts'
import { newId } from '../../platform/id.ts'
import { saveProducts, type ProductToSave, type SavedProduct } from './save-products.ts'
import { updateProduct } from './update-product.ts'

const Count = Type.Object({ count: Type.Integer() })
const events = async (db: Db) => (await db.one(Count,
  sql`select count(*) as count from platform.event where type = 'catalog.product-changed'`)).count
const save = (db: Db, products: ProductToSave[]): Promise<SavedProduct[]> =>
  db.transaction(systemContext(), (tx) => saveProducts(tx, products))

const shirt: ProductToSave = {
  handle: 'shirt', title: 'Shirt', descriptionHtml: '<p onclick="x()">Soft<script>alert(1)</script></p>',
  vendor: 'Hansa', type: 'Tops', tags: ['men', 'men '],
  status: 'active', options: [{ name: 'Size', values: ['S', 'M'] }],
  variants: [{ options: { Size: 'S' }, sku: 'SH-S', imageUrl: 'https://example.com/s.jpg' },
    { options: { Size: 'M' }, sku: 'SH-M', weightGrams: 200 }],
  images: [{ url: 'https://example.com/s.jpg', alt: 'front' }, { url: 'https://example.com/m.jpg' }],
}

test('a second run changes nothing and tells nobody', async (t) => {
  const db = await testDatabase(t)
  const channelId = newId()
  await db.transaction(systemContext(), (tx) => saveChannel(tx, channelId, {
    code: 'web', name: 'Web', currencies: ['EUR'], defaultCurrency: 'EUR', defaultLocale: 'en', country: 'DE',
    pricesIncludeTax: true }))
  const products = [{ ...shirt, channelIds: [channelId] }, { handle: 'mug', title: 'Mug' }]
  const first = await save(db, products)
  assert.deepEqual(first.map(({ handle, outcome, variants }) => [handle, outcome, variants.length]),
    [['shirt', 'created', 2], ['mug', 'created', 1]])
  const before = await getProduct(db, first[0]!.productId)
  assert.equal(before.descriptionHtml, '<p>Soft</p>')
  assert.deepEqual(before.tags, ['men'])
  assert.equal(before.variants[0]!.imageId, before.images[0]!.id)
  assert.equal(before.publications[0]!.channelId, channelId)

  const again = await save(db, products)
  assert.deepEqual(again.map(({ outcome }) => outcome), ['unchanged', 'unchanged'])
  assert.deepEqual(again.map(({ variants }) => variants), first.map(({ variants }) => variants))
  assert.deepEqual(await getProduct(db, before.id), before)
  assert.equal(await events(db), 1)

  const third = await save(db, [{ ...shirt, channelIds: [channelId], title: 'Better shirt' }, products[1]!])
  assert.deepEqual(third.map(({ outcome }) => outcome), ['updated', 'unchanged'])
  assert.equal((await getProduct(db, before.id)).version, before.version + 1)
})

test('a batch costs the same statements whatever its size', async (t) => {
  const db = await testDatabase(t)
  const batch = (size: number, name: string): ProductToSave[] =>
    Array.from({ length: size }, (_, index) => ({ handle: `${name}-${index}`, title: name }))
  const costs: number[] = []
  for (const size of [1, 100]) {
    await measured(async (cost) => {
      await save(db, batch(size, `batch${size}`))
      costs.push(cost.statements)
    })
  }
  assert.equal(costs[0], costs[1])
})

test('a variant whose option is renamed is known by its SKU; one that is left out is retired and gives up its SKU',
  async (t) => {
  const db = await testDatabase(t)
  const [first] = await save(db, [shirt])
  const renamed = await save(db, [{
    ...shirt, options: [{ name: 'Fit', values: ['Small', 'Large'] }],
    variants: [{ options: { Fit: 'Small' }, sku: 'SH-S' }, { options: { Fit: 'Large' }, sku: 'SH-L' }],
  }])
  assert.equal(renamed[0]!.variants[0]!.variantId, first!.variants[0]!.variantId)
  const product = await getProduct(db, first!.productId)
  assert.deepEqual(product.variants.map(({ sku, active, title }) => [sku, active, title]),
    [['SH-S', true, 'Small'], ['SH-L', true, 'Large'], ['SH-M', false, 'M']])
  await save(db, [{ ...shirt, options: [], variants: [{ options: {}, sku: 'SH-L' }], images: [] }])
  assert.deepEqual((await getProduct(db, first!.productId)).variants.filter(({ active }) => active)
    .map(({ id, sku }) => [id, sku]),
    [[renamed[0]!.variants[1]!.variantId, 'SH-L']])
})

test('a SKU of another product refuses the batch whole', async (t) => {
  const db = await testDatabase(t)
  await save(db, [shirt])
  await assert.rejects(save(db, [{ handle: 'a', title: 'A' },
    { handle: 'b', title: 'B', variants: [{ options: {}, sku: 'SH-S' }] }]),
    (error) => isProblem(error, SkuTaken) && error.extra['sku'] === 'SH-S')
  assert.equal((await db.one(Count, sql`select count(*) as count from catalog.product`)).count, 1)
})

test('a product that was renamed is found by its former handle', async (t) => {
  const db = await testDatabase(t)
  const [first] = await save(db, [shirt])
  await db.transaction(systemContext(), (tx) => updateProduct(tx, first!.productId, { handle: 'fine-shirt' }))
  const [again] = await save(db, [shirt])
  assert.deepEqual([again!.productId, again!.outcome], [first!.productId, 'unchanged'])
})

test('two imports of the same products at once make each once', async (t) => {
  const db = await testDatabase(t)
  const products = Array.from({ length: 20 },
    (_, index): ProductToSave => ({ handle: `p${index}`, title: `P ${index}`,
      variants: [{ options: {}, sku: `S${index}` }] }))
  const runs = await Promise.all(Array.from({ length: 6 },
    (_, run) => save(db, run % 2 ? products : products.toReversed())))
  const outcomes = runs.flat().map(({ outcome }) => outcome)
  assert.equal(outcomes.filter((outcome) => outcome === 'created').length, 20)
  assert.equal(outcomes.filter((outcome) => outcome === 'unchanged').length, 100)
})
