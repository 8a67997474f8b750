// The tree of categories, in quiet and under many moves at once; collections; what shoppers see of both.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { listCategories, saveCategoryPaths, updateCategory } from './categories.ts'
import { testCatalogue } from './internal/test-catalogue.ts'
import type { Category } from './catalog.ts'

test('a subtree moves with all that lies below it, and never below itself', async (t) => {
  const { call } = await testCatalogue(t)
  const make = async (name: string, parentId: string | null = null): Promise<Category> =>
    (await call('POST', '/admin/categories', { name, parentId })).body
  const clothing = await make('Clothing')
  const men = await make('Men', clothing.id)
  const shirts = await make('Shirts', men.id)
  const sale = await make('Sale')
  assert.deepEqual(shirts.path, [clothing.id, men.id, shirts.id])
  const moved = await call('PATCH', `/admin/categories/${men.id}`, { parentId: sale.id })
  assert.deepEqual(moved.body.path, [sale.id, men.id])
  assert.deepEqual((await call('GET', `/admin/categories/${shirts.id}`)).body.path, [sale.id, men.id, shirts.id])
  const code = async (...request: Parameters<typeof call>) => {
    const { status, body } = await call(...request)
    return `${status} ${body?.type.split('/').at(-1) ?? ''}`.trim()
  }
  assert.equal(await code('PATCH', `/admin/categories/${sale.id}`, { parentId: shirts.id }), '409 category-cycle')
  assert.equal(await code('PATCH', `/admin/categories/${sale.id}`, { parentId: sale.id }), '409 category-cycle')
  assert.equal(await code('PATCH', `/admin/categories/${sale.id}`, { parentId: newId() }), '404 category-not-found')
  assert.equal(await code('POST', '/admin/categories', { name: 'Men', parentId: sale.id }), '409 category-name-taken')
  assert.equal(await code('POST', '/admin/categories', { name: 'Other', handle: 'sale' }), '409 handle-taken')
  assert.equal(await code('DELETE', `/admin/categories/${sale.id}`), '409 category-in-use')
  assert.equal(await code('DELETE', `/admin/categories/${shirts.id}`), '204')
  assert.equal(await code('DELETE', `/admin/categories/${shirts.id}`), '404 category-not-found')
  let deep: string = sale.id
  for (let level = 2; level <= 16; level++) deep = (await make(`Level ${level}`, deep)).id
  assert.equal(await code('POST', '/admin/categories', { name: 'Level 17', parentId: deep }), '409 category-too-deep')
  assert.equal(await code('PATCH', `/admin/categories/${sale.id}`, { parentId: clothing.id }), '409 category-too-deep')
})

test('two hundred moves at once leave a tree', async (t) => {
  const { db, write } = await testCatalogue(t)
  const ids = await write((tx) => saveCategoryPaths(tx, Array.from({ length: 12 }, (_, index) => [`C${index}`])))
  let seed = 7
  const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below
  const moves = Array.from({ length: 200 }, () => {
    const [child, parent] = [ids[random(12)]!, ids[random(12)]!]
    return write((tx) => updateCategory(tx, child, { parentId: parent })).then(() => 'moved', () => 'refused')
  })
  const outcomes = await Promise.all(moves)
  assert.ok(outcomes.includes('moved') && outcomes.includes('refused'))
  const categories = await listCategories(db)
  const byId = new Map(categories.map((category) => [category.id, category]))
  for (const { id, parentId, path } of categories) assert.deepEqual(path,
    [...(parentId ? byId.get(parentId)!.path : []), id])
})

test('paths of an import become categories once, however many import them', async (t) => {
  const { db, write } = await testCatalogue(t)
  const paths = [['Clothing', 'Shirts'], ['Clothing'], ['Men', 'Shirts'], ['Clothing', 'Shirts']]
  const runs = await Promise.all(Array.from({ length: 5 }, () => write((tx) => saveCategoryPaths(tx, paths))))
  for (const run of runs) assert.deepEqual(run, runs[0])
  assert.equal(runs[0]![0], runs[0]![3])
  assert.deepEqual((await listCategories(db)).map(({ handle }) => handle).sort(),
    ['clothing', 'men', 'men-shirts', 'shirts'])
})

test('shoppers see active categories with their counts, and former handles lead on', async (t) => {
  const { call, sell } = await testCatalogue(t)
  const { body: clothing } = await call('POST', '/admin/categories', { name: 'Clothing' })
  const { body: shirts } = await call('POST', '/admin/categories', { name: 'Shirts', parentId: clothing.id })
  const { a, b } = await sell([{ handle: 'a', title: 'A', categoryIds: [shirts.id, clothing.id] },
    { handle: 'b', title: 'B' }, { handle: 'c', title: 'C', status: 'draft' }])
  assert.equal((await call('POST', `/admin/categories/${clothing.id}/products`, { add: [b] })).status, 204)
  const list = async () => (await call('GET', '/store/categories?counts=true')).body.items.map(
    (one: { handle: string; productCount: number }) => `${one.handle} ${one.productCount}`)
  assert.deepEqual(await list(), ['clothing 2', 'shirts 1'])
  await call('PATCH', `/admin/categories/${shirts.id}`, { handle: 'tops' })
  const moved = await call('GET', '/store/categories/shirts')
  assert.deepEqual([moved.status, moved.headers.location, moved.body],
    [301, '/store/categories/tops', { handle: 'tops' }])
  assert.equal((await call('GET', '/store/categories/tops')).body.name, 'Shirts')
  assert.equal((await call('POST', `/admin/categories/${shirts.id}/products`, { remove: [a] })).status, 204)
  await call('PATCH', `/admin/categories/${clothing.id}`, { active: false })
  assert.deepEqual(await list(), [])
  assert.equal((await call('GET', '/store/categories/tops')).status, 404)
  assert.equal((await call('GET', '/admin/categories')).body.items.length, 2)
})

test('a collection keeps its order', async (t) => {
  const { call, sell } = await testCatalogue(t)
  const { a, b, c } = await sell(['a', 'b', 'c'].map((handle) => ({ handle, title: handle })))
  const made = await call('POST', '/admin/collections', { title: 'Summer' }, { 'idempotency-key': 'k' })
  const again = await call('POST', '/admin/collections', { title: 'Summer' }, { 'idempotency-key': 'k' })
  assert.deepEqual([made.status, again.status, again.body], [201, 201, made.body])
  assert.equal((await call('POST', '/admin/collections', { title: 'Summer' })).status, 409)
  const path = `/admin/collections/${made.body.id}`
  assert.equal((await call('PUT', `${path}/products`, { productIds: [c, a] })).body.productCount, 2)
  assert.equal((await call('POST', `${path}/products`, { add: [b, a], remove: [c] })).body.productCount, 2)
  assert.equal((await call('PUT', `${path}/products`, { productIds: [newId()] })).status, 404)
  assert.equal((await call('POST', `/admin/collections/${newId()}/products`, { add: [] })).status, 404)
  assert.equal((await call('PATCH', path,
    { handle: 'july', descriptionHtml: '<i>x</i><script></script>' })).body.descriptionHtml, '<i>x</i>')
  assert.equal((await call('GET', '/store/collections/july')).body.title, 'Summer')
  assert.deepEqual((await call('GET', '/store/collections/summer')).headers.location, '/store/collections/july')
  assert.equal((await call('GET', '/store/collections/winter')).status, 404)
  await call('POST', '/admin/collections', { title: 'Winter', active: false })
  assert.deepEqual((await call('GET', '/store/collections')).body.items.map(({ handle }: { handle: string }) =>
    handle), ['july'])
  const first = await call('GET', '/admin/collections?limit=1')
  assert.deepEqual((await call('GET', `/admin/collections?limit=1&cursor=${first.body.nextCursor}`)).body.items.map(
    ({ handle }: { handle: string }) => handle), ['winter'])
  assert.equal((await call('GET', path)).body.handle, 'july')
})

test('channels are checked, listed and closed', async (t) => {
  const { call, channelId, sell, db } = await testCatalogue(t)
  const { body: web } = await call('GET', `/admin/channels/${channelId}`)
  const { id, version, ...input } = web
  assert.equal((await call('GET', '/store/channel')).body.defaultCurrency, 'EUR')
  assert.equal((await call('POST', '/admin/channels', input)).body.type.split('/').at(-1), 'channel-code-taken')
  assert.equal((await call('POST', '/admin/channels',
    { ...input, code: 'b2b', currencies: ['XXQ'], defaultCurrency: 'XXQ' })).status, 422)
  assert.equal((await call('POST', '/admin/channels', { ...input, code: 'b2b', defaultCurrency: 'USD' })).status, 422)
  assert.equal((await call('POST', '/admin/channels', { ...input, code: 'b2b' })).status, 201)
  assert.equal((await call('GET', '/admin/channels')).body.items.length, 2)
  await sell([{ handle: 'a', title: 'A' }])
  assert.equal((await call('PUT', `/admin/channels/${channelId}`, { ...input, active: false })).body.active, false)
  assert.equal((await call('GET', '/store/channel')).status, 404)
  assert.equal((await call('PUT', `/admin/channels/${newId()}`, input)).status, 404)

  assert.equal(await db.run(sql`select from catalog.sellable_variant`), 0)
})
