// The demo shop goes out as a file and into an empty shop: the same goods arrive.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { Type } from 'typebox'
import { seedDemo } from '../../demo/seed.ts'
import { listChannels, saveChannel } from '../../src/modules/catalog/channels.ts'
import { addLocation, getLocations } from '../../src/modules/inventory/locations.ts'
import { reserve } from '../../src/modules/inventory/reserve.ts'
import { sql, systemContext, type Db } from '../../src/platform/db.ts'
import { newId } from '../../src/platform/id.ts'
import { testDatabase } from '../../src/platform/testing.ts'
import { channel as demoChannel } from '../../demo/market.ts'
import type { ImportedProduct } from '../import/product.ts'
import { saveItems } from '../import/save-items.ts'
import { readShopify } from '../import/shopify.ts'
import { readWooCommerce } from '../import/woocommerce.ts'
import { readProducts } from './read-products.ts'
import { writeShopify } from './shopify.ts'
import { writeWooCommerce } from './woocommerce.ts'

const baseUrl = 'https://shop.example'

test('an export is an import', async (t) => {
  const from = await testDatabase(t)
  await seedDemo(from)
  const [channel] = await listChannels(from)
  const [location] = await getLocations(from)
  const shown = { channel: channel!, currency: 'EUR', locationId: location!.id, baseUrl }
  const sold = await Array.fromAsync(readProducts(from, shown))
  assert.equal(sold.length, 62)
  const options = { currency: 'EUR', tell() {} }
  const ways = [
    [readShopify, (await Array.fromAsync(writeShopify(sold, options))).join('')],
    [readWooCommerce, (await Array.fromAsync(writeWooCommerce(() => sold, options))).join('')],
  ] as const
  for (const [read, text] of ways) {
    const to = await testDatabase(t)
    const locationId = newId()
    await to.transaction(systemContext(), async (tx) => {
      await saveChannel(tx, newId(), demoChannel)
      await addLocation(tx, locationId, { code: 'main', name: 'Main' })
    })
    const [target] = await listChannels(to)
    const refused: unknown[] = []
    const summary = await saveItems(to, read(() => Readable.from([Buffer.from(text)]), { currency: 'EUR' }), {
      channel: target!, currency: 'EUR', locationId,
    }, { dryRun: false, progress: {
      remark: (kind, remark) => void (kind === 'refused' && refused.push(remark)), saved() {},
    } })
    assert.deepEqual({ created: summary.created, refused }, { created: 62, refused: [] })
    const arrived = await Array.fromAsync(readProducts(to, { ...shown, channel: target!, locationId }))
    const plain = ({ line, ...rest }: ImportedProduct) => rest
    const byTitle = (a: { title: string }, b: { title: string }): number => (a.title < b.title ? -1 : 1)
    assert.deepEqual(arrived.map(plain).sort(byTitle), sold.map(plain).sort(byTitle))
  }
})

const Row = Type.Object({ row: Type.String() })
/** Everything that a merchant would miss, row by row. */
const contents = async (db: Db): Promise<string[]> => (await db.many(Row, sql`
  select 'product ' || to_jsonb(one)::text as row from catalog.product one
  union all select 'variant ' || to_jsonb(one)::text from catalog.variant one
  union all select 'picture ' || to_jsonb(one)::text from catalog.product_image one
  union all select 'category ' || to_jsonb(one)::text from catalog.product_category one
  union all select 'publication ' || to_jsonb(one)::text from catalog.publication one
  union all select 'price ' || to_jsonb(one)::text from pricing.price one
  union all select 'stock ' || to_jsonb(one)::text from inventory.stock one
  union all select 'movement ' || to_jsonb(one)::text from inventory.movement one
  union all select 'reservation ' || to_jsonb(one)::text from inventory.reservation one
  order by 1`)).map(({ row }) => row)

test('an export into its own shop changes nothing, at any location, in any currency, while goods are reserved',
  async (t) => {
  const db = await testDatabase(t)
  await seedDemo(db)
  await illustrate(db)
  const [channel] = await listChannels(db)
  const stock = await db.many(Type.Object({ variantId: Type.String() }), sql`
    select distinct variant_id as "variantId" from inventory.stock where on_hand > 3 order by 1 limit 20`)
  const lines = stock.map(({ variantId }) => ({ variantId, quantity: 2 }))
  await db.transaction(systemContext(), (tx) => reserve(tx, newId(), lines, 3_600))
  const before = await contents(db)
  for (const { id: locationId } of await getLocations(db)) {
    for (const currency of channel!.currencies) {
      const market = { channel: channel!, currency, locationId }
      const sold = await Array.fromAsync(readProducts(db, { ...market, baseUrl }))
      for (const [read, written] of [
        [readShopify, writeShopify(sold, { currency, tell() {} })],
        [readWooCommerce, writeWooCommerce(() => sold, { currency, tell() {} })],
      ] as const) {
        const text = (await Array.fromAsync(written)).join('')
        const items = read(() => Readable.from([Buffer.from(text)]), { currency })
        const summary = await saveItems(db, items, market, { dryRun: false, progress: { remark() {}, saved() {} } })
        const { unchanged, updated, stockLevels, refused } = summary
        assert.deepEqual(await contents(db), before)
        assert.deepEqual({ unchanged, updated, stockLevels, refused },
          { unchanged: 62, updated: 0, stockLevels: 0, refused: 0 })
      }
    }
  }
  })

/** Pictures as the shop's own library gives them: by path, with words. */
async function illustrate(db: Db): Promise<void> {
  await db.run(sql`
    insert into catalog.product_image (id, product_id, url, alt, position)
    select gen_random_uuid(), id, '/media/' || handle || '/640.webp', title, 1 from catalog.product`)
}
