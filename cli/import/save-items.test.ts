// The whole way of a file into the catalogue: what arrives, that a second run changes nothing, and that one product
// which the database refuses does not take its batch along. The exports of real shops are imported too where the folder
// of samples lies beside the clone.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Type } from 'typebox'
import { sql, type Db } from '../../src/platform/db.ts'
import type { OpenFile } from './product.ts'
import { readShopify } from './shopify.ts'
import { emptyShop, file, importWith, text } from './test-import.ts'
import { readWooCommerce } from './woocommerce.ts'

const samples = join(import.meta.dirname, 'samples')
const realFiles = join(import.meta.dirname, '../../../shared/data/imports')

const Counts = Type.Object({
  products: Type.Integer(), variants: Type.Integer(), prices: Type.Integer(), units: Type.Integer(),
  movements: Type.Integer(),
  published: Type.Integer(), events: Type.Integer(),
})
const countAll = (db: Db) => db.one(Counts, sql`
  select (select count(*) from catalog.product) as products, (select count(*) from catalog.variant) as variants,
    (select count(*) from pricing.price) as prices, (
      select coalesce(sum(on_hand), 0)::bigint from inventory.stock
    ) as units,
    (select count(*) from inventory.movement) as movements, (select count(*) from catalog.publication) as published,
    (select count(*) from platform.event) as events`)

test('a Shopify file becomes products with prices and stock; a second run changes nothing', async (t) => {
  const shop = await emptyShop(t)
  const open = file(join(samples, 'shopify.csv'))
  const tried = await importWith(shop, readShopify, open, true)
  assert.equal(tried.created, 3)
  assert.equal((await countAll(shop.db)).products, 0, 'a dry run keeps nothing')

  const first = await importWith(shop, readShopify, open)
  assert.deepEqual({ ...first, remarks: first.remarks.length }, { ...tried, remarks: tried.remarks.length })
  const counts = await countAll(shop.db)
  assert.deepEqual({ products: 3, variants: 6, prices: 6, units: 27, published: 2 }, {
    products: counts.products, variants: counts.variants, prices: counts.prices, units: counts.units,
    published: counts.published,
  })
  const second = await importWith(shop, readShopify, open)
  assert.deepEqual({ created: 0, updated: 0, unchanged: 3 }, {
    created: second.created, updated: second.updated, unchanged: second.unchanged,
  })
  assert.deepEqual(await countAll(shop.db), counts)
})

test('a WooCommerce file becomes products, a sale with dates, a collection; a second run changes nothing',
  async (t) => {
  const shop = await emptyShop(t)
  const open = file(join(samples, 'woocommerce.csv'))
  const first = await importWith(shop, readWooCommerce, open)
  assert.deepEqual({ created: 4, collections: 1, refused: 1 }, {
    created: first.created, collections: first.collections, refused: first.refused,
  })
  const counts = await countAll(shop.db)
  const second = await importWith(shop, readWooCommerce, open)
  assert.equal(second.unchanged, 4)
  assert.deepEqual(await countAll(shop.db), counts)
})

test('a product that the database refuses is named, and its batch goes in without it', async (t) => {
  const shop = await emptyShop(t)
  await importWith(shop, readShopify, text('Handle,Title,Variant SKU,Variant Price\nfirst,First,A1,1\n'))
  const { created, remarks } = await importWith(shop, readShopify, text(
    'Handle,Title,Variant SKU,Variant Price\nsecond,Second,A2,1\nthird,Third,A1,1\nfourth,Fourth,A4,1\n'))
  assert.equal(created, 2)
  assert.deepEqual(remarks.map(({ line, value }) => ({ line, value })), [{ line: 3, value: 'third' }])
})

test('a row that cannot be read leaves the variant that it was about as it is', async (t) => {
  const shop = await emptyShop(t)
  const rows = (price: string): OpenFile => text('Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n' +
    `cap,Cap,Size,S,C-S,10\ncap,,,M,C-M,${price}\ncap,,,L,C-L,10\n`)
  await importWith(shop, readShopify, rows('11'))
  assert.equal((await importWith(shop, readShopify, rows('1e3'))).refused, 1)
  const Variant = Type.Object({ sku: Type.String(), price: Type.Integer() })
  assert.deepEqual(await shop.db.many(Variant, sql`
    select sku, unit_minor as price from catalog.variant join pricing.price on variant_id = variant.id
     where active order by sku`), [
    { sku: 'C-L', price: 1_000 }, { sku: 'C-M', price: 1_100 }, { sku: 'C-S', price: 1_000 },
  ])
})

test('tax rates arrive by country and class', async (t) => {
  const shop = await emptyShop(t)
  const header = 'Country Code,State Code,ZIP/Postcode,City,Rate %,Tax Name,Priority,Compound,Shipping,Tax Class\n'
  const { taxRates, refused } = await importWith(shop, readWooCommerce,
    text(
      `${header}DE,*,*,*,19.0000,VAT,1,0,1,\nDE,*,*,*,7.0000,VAT,1,0,1,reduced-rate\nUS,AL,12345,*,2,US AL,1,0,1,\n`
    ))
  assert.deepEqual({ taxRates, refused }, { taxRates: 2, refused: 1 })
  const Rate = Type.Object({ class: Type.String(), ppm: Type.Integer() })
  assert.deepEqual(await shop.db.many(Rate, sql`
    select tax_class as class, rate_ppm as ppm from pricing.tax_rate where country = 'DE' order by 1`), [
    { class: 'reduced', ppm: 70_000 }, { class: 'standard', ppm: 190_000 },
  ])
})

test('exports of real shops load, and again without a change', { skip: !existsSync(realFiles) }, async (t) => {
  const shop = await emptyShop(t)
  const expected: Record<string, number> = {
    'shopify-apparel.csv': 20, 'shopify-home-and-garden.csv': 20, 'shopify-theme-apparel.csv': 25,
    'shopify-theme-bicycles.csv': 284, 'woocommerce-sample-products.csv': 14,
  }
  for (const name of readdirSync(realFiles)) {
    const read = name.startsWith('shopify') ? readShopify : readWooCommerce
    const { created, remarks } = await importWith(shop, read, file(join(realFiles, name)))
    if (expected[name] === undefined) continue
    assert.equal(created, expected[name], `${name}: ${JSON.stringify(remarks)}`)
    const again = await importWith(shop, read, file(join(realFiles, name)))
    assert.equal(again.unchanged, expected[name], name)
  }
})
