// The race for any shop, run against ours over HTTP, and against shops that are wrong in the ways that are measured.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adapter } from './adapters/kontor.ts'
import { raceShop, type ShopAdapter } from './any-shop.ts'
import { openStage } from './stage.ts'

test('our own shop sells what there is, and one cart once', async (t) => {
  const stage = await openStage(3)
  t.after(() => stage.close())
  await stage.startShop()
  const where = { SHOP_URL: stage.url, PUBLISHABLE_KEY: stage.terms.key, SECRET_KEY: stage.terms.secretKey }
  await assert.rejects(adapter(), /SHOP_URL is not set/)
  Object.assign(process.env, where)
  t.after(() => { for (const name of Object.keys(where)) delete process.env[name] })
  const shop = await adapter()
  const { violations, figures } = await raceShop(shop, { buyers: 30, units: 7, completions: 10 })
  assert.deepEqual(violations, [])
  assert.deepEqual([figures!['sold'], figures!['refused']], [7, 23])
})

/** A shop that looks at its stock before it sells, and forgets what it looked at. */
function careless(wrong: 'oversells' | 'pays twice' | 'sells nothing'): ShopAdapter<{ units: number; sold: number }> {
  return {
    name: 'careless',
    list: async (units) => ({ units, sold: 0 }),
    cart: async (item) => item,
    async complete(cart) {
      const item = cart as { units: number; sold: number }
      if (wrong === 'sells nothing' || (wrong === 'pays twice' && item.sold > 0)) return 'refused'
      item.sold++
      return 'sold'
    },
    count: async (item) => ({ orders: item.sold, payments: wrong === 'pays twice' ? 2 * item.sold : item.sold }),
  }
}

test('a shop that sells too much, too little, or twice is told so', async () => {
  const broken = async (wrong: Parameters<typeof careless>[0]): Promise<string[]> =>
    (await raceShop(careless(wrong) as ShopAdapter, { buyers: 5, units: 2, completions: 3 })).violations
  assert.deepEqual(await broken('oversells'), [
    '5 buyers and 2 units: buyers who were told that they have one: 5, not 2', '5 buyers and 2 units: orders: 5, not 2',
    '5 buyers and 2 units: payments: 5, not 2', 'one cart, completed 3 times at once: orders: 3, not 1',
    'one cart, completed 3 times at once: payments: 3, not 1',
  ])
  assert.ok((await broken('pays twice')).includes('one cart, completed 3 times at once: payments: 2, not 1'))
  assert.ok((await broken('sells nothing')).includes('5 buyers and 2 units: orders: 0, not 2'))
})
