// Files of other shops become a shop that sells: somebody buys an imported product through the SDK, over a real socket.
// Our own small samples always; the exports of real shops where their folder lies beside the clone.
import assert from 'node:assert/strict'
import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createStoreClient } from '../../sdk/src/kontor.ts'
import { getChannel } from '../../src/modules/catalog/channels.ts'
import { address, testShop } from '../../src/testing.ts'
import { saveItems } from './save-items.ts'
import { readShopify } from './shopify.ts'
import { readWooCommerce } from './woocommerce.ts'

const samples = join(import.meta.dirname, 'samples')
const realFiles = join(import.meta.dirname, '../../../shared/data/imports')
const files = [
  [join(samples, 'shopify.csv'), readShopify], [join(samples, 'woocommerce.csv'), readWooCommerce],
  [join(realFiles, 'shopify-apparel.csv'), readShopify],
  [join(realFiles, 'shopify-theme-bicycles.csv'), readShopify],
  [join(realFiles, 'woocommerce-sample-products.csv'), readWooCommerce],
] as const

for (const [file, read] of files) {
  const skip = !existsSync(file) && 'the exports of real shops are not beside the clone'
  test(`a shopper buys from ${file.split('/').at(-1)}`, { skip }, async (t) => {
    const shop = await testShop(t)
    const market = {
      channel: await getChannel(shop.db, shop.channelId), currency: 'EUR', locationId: shop.locations[0]!,
    }
    await saveItems(shop.db, read(() => createReadStream(file), { currency: 'EUR' }), market, {
      dryRun: false, progress: { remark() {}, saved() {} },
    })
    await shop.drain()
    const app = await shop.app()
    const { publishable } = await shop.keys()
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    const store = createStoreClient({ url, publishableKey: publishable })

    const { items: [listed] } = await store.listProducts({ inStock: true, limit: 1 })
    assert.ok(listed, 'something of the file is in stock')
    const answer = await fetch(`${url}/store/products/${encodeURIComponent(listed.handle)}`, {
      headers: { 'x-publishable-key': publishable },
    })
    assert.equal(answer.status, 200, 'over plain HTTP it is there as well')
    const product = await store.getProduct({ handleOrId: listed.handle })
    const variant = product.variants.find(({ prices, stock }) => prices.length > 0 && stock.status !== 'out_of_stock')
    const { cart: { id: cartId }, token } = await store.createCart({
      lines: [{ variantId: variant!.id, quantity: 1 }], email: 'anna@example.com', shippingAddress: address,
    })
    const { quote } = await store.updateCart({ cartId, shippingMethodId: shop.methodId }, { token })
    const { order } = await store.completeCart({
      cartId, expectedTotal: { amount: quote!.totalMinor, currency: 'EUR' }, payment: { method: 'card' },
    }, { token })
    assert.equal(order.state, 'placed')
    assert.equal(order.lines[0]!.variantId, variant!.id)
  })
}
