// The updates that a shop makes all day stay on their page and touch no index (HOT), because no index holds what they
// change and pages have room. What leaves a queue by its change (an order that is placed, a reservation that is
// claimed, an attempt that is decided) is in an index for that, and is no such update: docs/decisions/indexes.md.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { changeLines } from './modules/checkout/cart.ts'
import { sql, type Db } from './platform/db.ts'
import { testShop } from './testing.ts'

const HOT = ['inventory.stock', 'checkout.cart', 'payments.payment', 'pricing.use_count', 'pricing.coupon_use']
// Of a page that is full the next update moves on, until it is pruned; nine of ten stay.
const SHARE = 0.9

const Counts = Type.Object({ name: Type.String(), updates: Type.Integer(), hot: Type.Integer() })

/** Updates of these tables, and how many were HOT: counted by PostgreSQL, told when connections end. */
async function readCounts(db: Db): Promise<Map<string, { updates: number; hot: number }>> {
  const rows = await db.many(Counts, sql`
    select schemaname || '.' || relname as name, n_tup_upd as updates, n_tup_hot_upd as hot
    from pg_catalog.pg_stat_user_tables where schemaname || '.' || relname = any(${HOT}::text[])`)
  return new Map(rows.map((row) => [row.name, row]))
}

test('what changes with every sale is updated in place', async (t) => {
  const shop = await testShop(t, { max: 4 })
  const mug = await shop.variant({ stock: [1_000] })
  await shop.coupon({ code: 'TEN', useLimit: 1_000, ratePpm: 100_000 })
  await shop.db.run(sql`analyze`)
  for (let turn = 0; turn < 40; turn++) {
    const one = await shop.cart([{ variantId: mug, quantity: 1 }], { couponCodes: ['TEN'] })
    for (const quantity of [2, 3, 1]) {
      await changeLines(shop.db, one.context, one.cart.id, [{ variantId: mug, quantity }], 'set')
    }
    await shop.complete(one)
  }
  await flush(shop.db)
  const counts = await readCounts(shop.db)
  for (const name of HOT) {
    const { updates, hot } = counts.get(name)!
    // Completing a cart gives it its order, whose index makes it one update in four that is not HOT.
    const share = name === 'checkout.cart' ? SHARE * 0.75 : SHARE
    assert.ok(updates >= 39, `${name} was updated ${updates} times`)
    assert.ok(hot >= updates * share, `${hot} of ${updates} updates of ${name} were HOT: see its indexes`)
  }
})

// A connection reports at most once a second, unless told to with its next statement.
async function flush(db: Db): Promise<void> {
  await Promise.all(Array.from({ length: 4 }, () => db.run(sql`select pg_stat_force_next_flush(), pg_sleep(0.05)`)))
  await Promise.all(Array.from({ length: 4 }, () => db.run(sql`select pg_sleep(0.05)`)))
}
