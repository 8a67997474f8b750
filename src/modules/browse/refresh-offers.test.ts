// What lists are sorted and filtered by is what pricing and inventory say, whatever changes at once and in whatever
// order its events are handled; and what no event told is found by the check.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { randomFrom } from '../../../bench/random.ts'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { testShop, type TestShop } from '../../testing.ts'
import { announceChanges } from '../inventory/announce-changes.ts'
import { setStock } from '../inventory/set-stock.ts'
import { setPrices } from '../pricing/set-prices.ts'
import { checkOffers, followProducts, followStock, refreshOffers } from './refresh-offers.ts'

const Wrong = Type.Object({ count: Type.Integer() })

/** How many offers are not as the views of the other modules say. */
async function wrongOffers(db: Db): Promise<number> {
  const { count } = await db.one(Wrong, sql`
    select count(*) as count from browse.offer full join browse.current_offer using (product_id, channel_id, currency)
    where (offer.prices, offer.prices_in_stock)
      is distinct from (current_offer.prices, current_offer.prices_in_stock)`)
  return count
}

async function settle(shop: TestShop): Promise<void> {
  while (await announceChanges(shop.db) > 0) { /* until nothing is left */ }
  while (await shop.drain() > 0) { /* events of events */ }
}

const productOf = async (db: Db, variantId: string): Promise<string> => (await db.one(
  Type.Object({ id: Type.String() }), sql`select product_id as id from catalog.variant where id = ${variantId}`)).id

const stockOf = (shop: TestShop, variantId: string, onHand: number): Promise<void> =>
  shop.db.transaction(systemContext(), (tx) => setStock(tx, [{ variantId, locationId: shop.locations[0]!, onHand }]))

test('prices and stock that change at once leave the offers as they are then', async (t) => {
  const shop = await testShop(t, { max: 12 })
  const variants = await Promise.all(Array.from({ length: 6 }, () => shop.variant({ stock: [1] })))
  await settle(shop)
  assert.equal(await wrongOffers(shop.db), 0)
  const random = randomFrom(7)
  const change = async (): Promise<void> => {
    const variantId = variants[Math.floor(random() * variants.length)]!
    if (random() < 0.5) await stockOf(shop, variantId, Math.floor(random() * 3))
    else {
      const unitMinor = 100 + Math.floor(random() * 900)
      await shop.db.transaction(systemContext(), (tx) => setPrices(tx, [
        { variantId, channelId: shop.channelId, currency: 'EUR', unitMinor }]))
    }
  }
  for (let round = 0; round < 12; round++) {
    // Those who follow run while others change, two at a time.
    await Promise.all([
      ...Array.from({ length: 6 }, change), settle(shop), settle(shop), followStock(shop.db, variants),
    ])
    await settle(shop)
    assert.equal(await wrongOffers(shop.db), 0, `after round ${round}`)
  }
})

test('a sale that leaves some changes no offer, the last one and the first new one do', async (t) => {
  const shop = await testShop(t)
  const variantId = await shop.variant({ stock: [3] })
  const productId = await productOf(shop.db, variantId)
  await settle(shop)
  const state = async (): Promise<{ inStock: boolean, version: string }> => shop.db.one(
    Type.Object({ inStock: Type.Boolean(), version: Type.String() }), sql`
    select in_stock as "inStock", (select xmin::text from browse.offered_product where product_id = ${productId})
      || offer.xmin as version from browse.offer where product_id = ${productId}`)
  const before = await state()
  await stockOf(shop, variantId, 2)
  await settle(shop)
  assert.deepEqual(await state(), before)
  await stockOf(shop, variantId, 0)
  await settle(shop)
  const gone = await state()
  assert.equal(gone.inStock, false)
  await followStock(shop.db, [variantId])
  assert.deepEqual(await state(), gone)
  await stockOf(shop, variantId, 1)
  await settle(shop)
  assert.equal((await state()).inStock, true)
})

test('what no event told is found by the check, and a product without a price has no offer', async (t) => {
  const shop = await testShop(t)
  const [one, other] = [await shop.variant(), await shop.variant()]
  await settle(shop)
  await shop.db.run(sql`update browse.offer set prices = '{[1,1]}', prices_in_stock = '{}'`)
  await shop.db.run(sql`update browse.offered_product set checked_at = now() - interval '2 hours'`)
  assert.equal(await wrongOffers(shop.db), 2)
  await checkOffers(shop.db)
  assert.equal(await wrongOffers(shop.db), 0)
  await shop.db.run(sql`delete from pricing.price where variant_id = ${one}`)
  await followProducts(shop.db, [await productOf(shop.db, one)])
  const left = await shop.db.many(Type.Object({ id: Type.String() }), sql`select product_id as id from browse.offer`)
  assert.deepEqual(left.map(({ id }) => id), [await productOf(shop.db, other)])
  const changed = await shop.db.transaction(systemContext(), async (tx) => refreshOffers(tx, [left[0]!.id]))
  assert.equal(changed, 0)
})
