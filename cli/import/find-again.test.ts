// A file that is imported again, or another one that tells of the same goods, meets the products that are there: by
// handle, by SKU, by name. What could be two of them is refused, and nothing is lost. Whatever changes is counted.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { updateProduct } from '../../src/modules/catalog/update-product.ts'
import { sql, systemContext, type Db } from '../../src/platform/db.ts'
import { readShopify } from './shopify.ts'
import { emptyShop, importWith, text } from './test-import.ts'
import { readWooCommerce } from './woocommerce.ts'

const WOO = 'ID,Type,SKU,Name,Regular price,Stock,Parent,Attribute 1 name,Attribute 1 value(s)\n'
const woo = (...rows: string[]) => text(WOO + rows.map((row) => `${row}\n`).join(''))
const mug = (name: string, sku = 'MUG', price = 10) => woo(`1,simple,${sku},${name},${price},5,,,`)

const Row = Type.Object({ id: Type.String(), handle: Type.String(), title: Type.String(), skus: Type.String() })
const catalogue = (db: Db) => db.many(Row, sql`
  select id, handle, title, (select coalesce(string_agg(sku, ' ' order by sku), '') from catalog.variant
    where product_id = product.id and active) as skus from catalog.product order by id`)
const counts = ({ created, updated, unchanged, refused }: Awaited<ReturnType<typeof importWith>>) =>
  ({ created, updated, unchanged, refused })
const none = { created: 0, updated: 0, unchanged: 0, refused: 0 }

test('a WooCommerce product is found by its SKU under whatever title, and keeps its handle', async (t) => {
  const shop = await emptyShop(t)
  await importWith(shop, readWooCommerce, mug('Blue Mug'))
  const [first] = await catalogue(shop.db)
  await shop.db.transaction(systemContext(), (tx) => updateProduct(tx, first!.id, { title: 'Tin Mug', handle: 'tin' }))
  // The file is the truth for the title; the address of the page stays where staff put it.
  for (const [name, expected] of [['Blue Mug', 'updated'], ['Blue Mug', 'unchanged'], ['Red Mug', 'updated'],
    ['Red Mug', 'unchanged']] as const) {
    assert.deepEqual(counts(await importWith(shop, readWooCommerce, mug(name))), { ...none, [expected]: 1 }, name)
    assert.deepEqual(await catalogue(shop.db), [{ ...first, handle: 'tin', title: name }])
  }
})

test('variants lead to their product, too; one of them alone is not the product', async (t) => {
  const shop = await emptyShop(t)
  const shirt = (name: string) => woo(`1,variable,,${name},,,,Size,"S, M"`,
    `2,variation,T-S,${name} - S,10,1,id:1,Size,S`, `3,variation,T-M,${name} - M,10,1,id:1,Size,M`)
  await importWith(shop, readWooCommerce, shirt('Shirt'))
  assert.equal((await importWith(shop, readWooCommerce, shirt('T-Shirt'))).updated, 1)
  const before = await catalogue(shop.db)
  assert.deepEqual(before.map(({ handle, title, skus }) => [handle, title, skus]), [['shirt', 'T-Shirt', 'T-M T-S']])
  const alone = await importWith(shop, readWooCommerce, mug('Shirt in M', 'T-M'))
  assert.match(alone.remarks[0]!.reason, /^Its SKU is one variant of "shirt", which has 1 more/)
  assert.deepEqual(await catalogue(shop.db), before)
})

test('a name alone means the product only where no SKU speaks against it', async (t) => {
  const shop = await emptyShop(t)
  await importWith(shop, readWooCommerce, woo('1,simple,,Mug,10,5,,,'))
  assert.equal((await importWith(shop, readWooCommerce, mug('Mug', 'A'))).updated, 1)
  const before = await catalogue(shop.db)
  const other = await importWith(shop, readWooCommerce, mug('Mug', 'B'))
  assert.match(other.remarks[0]!.reason, /^The product "mug" has this name and another SKU \(A\)/)
  assert.deepEqual(await catalogue(shop.db), before, 'nothing is lost')
  // In one file they are two products; in another order as well.
  const rows = ['1,simple,A,Mug,10,5,,,', '2,simple,B,Mug,11,5,,,']
  assert.deepEqual(counts(await importWith(shop, readWooCommerce, woo(...rows))), { ...none, created: 1, unchanged: 1 })
  assert.deepEqual(counts(await importWith(shop, readWooCommerce, woo(...rows.reverse()))), { ...none, unchanged: 2 })
  assert.deepEqual((await catalogue(shop.db)).map(({ handle, skus }) => [handle, skus]), [['mug', 'A'], ['mug-b', 'B']])
})

test('for Shopify the handle decides, a former one as well; a SKU of another product is told', async (t) => {
  const shop = await emptyShop(t)
  const row = (handle: string, title = 'Cap') =>
    text(`Handle,Title,Variant SKU,Variant Price\n${handle},${title},C,1\n`)
  await importWith(shop, readShopify, row('cap'))
  const [cap] = await catalogue(shop.db)
  await shop.db.transaction(systemContext(), (tx) => updateProduct(tx, cap!.id, { handle: 'hat', vendor: 'Hatter' }))
  assert.deepEqual(counts(await importWith(shop, readShopify, row('cap'))), { ...none, unchanged: 1 })
  const twice = await importWith(shop, readShopify, text('Handle,Title,Variant SKU\ncap,Cap,C\nhat,Hat,D\n'))
  assert.match(twice.remarks[0]!.reason, /^Line 2 is the product "hat" already/)
  const other = await importWith(shop, readShopify, row('bonnet'))
  assert.match(other.remarks[0]!.reason, /^The product "hat" has the SKU C/)
  // Without a handle in the file it is found as a WooCommerce product is.
  assert.equal((await importWith(shop, readShopify, row('', 'Bonnet'))).updated, 1)
  assert.deepEqual((await catalogue(shop.db)).map(({ handle, title }) => [handle, title]), [['hat', 'Bonnet']])
})

test('whatever changes alone is counted as a change, and again it is none', async (t) => {
  const shop = await emptyShop(t)
  const cells: Record<string, string> = {
    Handle: 'cap', Title: 'Cap', Tags: 'a', 'Variant SKU': 'C', 'Variant Price': '10', 'Variant Compare At Price': '12',
    'Variant Inventory Tracker': 'shopify', 'Variant Inventory Qty': '5', 'Variant Inventory Policy': 'deny',
    'Image Src': 'https://images.example.com/1.jpg', 'Product Category': 'Hats', Published: 'true',
  }
  const sheet = () => text(`${Object.keys(cells).join(',')}\n${Object.values(cells).join(',')}\n`)
  await importWith(shop, readShopify, sheet())
  const changes: [string, string][] = [
    ['Variant Price', '11'], ['Variant Compare At Price', '13'], ['Variant Inventory Qty', '4'],
    ['Variant Inventory Policy', 'continue'], ['Variant Inventory Tracker', ''], ['Tags', 'b'],
    ['Product Category', 'Caps'], ['Image Src', 'https://images.example.com/2.jpg'], ['Published', 'false'],
    ['Published', 'true'], ['Title', 'Hat'],
  ]
  for (const [column, value] of changes) {
    cells[column] = value
    const [first, second] = [await importWith(shop, readShopify, sheet()), await importWith(shop, readShopify, sheet())]
    assert.deepEqual(counts(first), { ...none, updated: 1 }, `${column} ${value}`)
    assert.deepEqual(counts(second), { ...none, unchanged: 1 }, `${column} again`)
  }
})
