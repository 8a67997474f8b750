// The demo shop goes out as a file and into an empty shop: the same goods arrive.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Readable } from 'node:stream'
import { seedDemo } from '../../demo/seed.ts'
import { listChannels, saveChannel } from '../../src/modules/catalog/channels.ts'
import { addLocation } from '../../src/modules/inventory/locations.ts'
import { systemContext } from '../../src/platform/db.ts'
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
  const shown = { channel: channel!, currency: 'EUR', baseUrl }
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
    const arrived = await Array.fromAsync(readProducts(to, { ...shown, channel: target! }))
    // WooCommerce knows neither handles nor types: the handle then comes from the title.
    const plain = ({ line, handle, type, ...rest }: ImportedProduct) => (
      read === readShopify ? { handle, type, ...rest } : rest
    )
    const byTitle = (a: { title: string }, b: { title: string }): number => (a.title < b.title ? -1 : 1)
    assert.deepEqual(arrived.map(plain).sort(byTitle), sold.map(plain).sort(byTitle))
  }
})
