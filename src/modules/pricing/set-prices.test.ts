// Prices in bulk: set once, announced once, silent when nothing changes; and sales that start and end by the clock.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Type } from 'typebox'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { isProblem } from '../../platform/problem.ts'
import { testDatabase, type Cleanup } from '../../platform/testing.ts'
import { saveChannel } from '../catalog/channels.ts'
import { announceDueLists, createPriceList } from './price-lists.ts'
import { PriceListNotFound } from './pricing.ts'
import { priceVariants } from './price-variants.ts'
import { setPrices, type SetPrice } from './set-prices.ts'

const channelId = newId()
const base = { channelId, currency: 'EUR' }
async function shopDatabase(t: Cleanup, options: { max?: number } = {}): Promise<Db> {
  const db = await testDatabase(t, options)
  await db.transaction(systemContext(), (tx) => saveChannel(tx, channelId, {
    code: 'shop', name: 'Shop', currencies: ['EUR'], defaultCurrency: 'EUR', defaultLocale: 'en', country: 'IE',
    pricesIncludeTax: true,
  }))
  return db
}
const set = (db: Db, prices: SetPrice[]) => db.transaction(systemContext(), (tx) => setPrices(tx, prices))
const Payload = Type.Object({ variantIds: Type.Array(Type.String()) })

/** The variants that were announced since the last call, event by event. */
async function announced(db: Db): Promise<string[][]> {
  const events = await db.many(Type.Object({ payload: Payload }), sql`
    with taken as (delete from platform.event where type = 'pricing.prices-changed' returning id, payload)
    select payload from taken order by id`)
  return events.map((event) => event.payload.variantIds)
}

const Current = Type.Object({ variantId: Type.String(), unitMinor: Type.Integer() })
const currentPrices = (db: Db) => db.many(Current, sql`
  select variant_id as "variantId", unit_minor as "unitMinor" from pricing.current_price
  where channel_id = ${channelId} and currency = 'EUR' order by variant_id`)

test('the same prices twice: one change, one announcement, one base list', async (t) => {
  const db = await shopDatabase(t)
  const [mug, cup] = [newId(), newId()]
  const prices = [
    { ...base, variantId: mug, unitMinor: 900 }, { ...base, variantId: cup, unitMinor: 500, compareAtMinor: 700 },
  ]
  assert.deepEqual(new Set(await set(db, prices)), new Set([mug, cup]))
  assert.equal((await announced(db)).flat().length, 2)
  assert.deepEqual(await set(db, prices), [])
  assert.deepEqual(await announced(db), [])
  const again = [1, 950].map((unitMinor) => ({ ...base, variantId: mug, unitMinor }))
  assert.deepEqual(await set(db, again), [mug])
  assert.deepEqual(await announced(db), [[mug]])
  assert.deepEqual(await currentPrices(db), [{ variantId: mug, unitMinor: 950 }, { variantId: cup, unitMinor: 500 }])
  const nowhere = set(db, [{ priceListId: newId(), variantId: mug, unitMinor: 1 }])
  await assert.rejects(nowhere, (error) => isProblem(error, PriceListNotFound))
  assert.deepEqual(await set(db, []), [])
  const currencies = ['EUR', 'USD']
  await set(db, currencies.map((currency, index) => ({ channelId, currency, variantId: cup, unitMinor: 600 + index })))
  const both = await Promise.all(currencies.map((currency) => priceVariants(db, { channelId, currency }, [cup])))
  assert.deepEqual(both.map(([price]) => price!.steps[0]!.unitMinor), [600, 601])
})

test('a compare-at price that is no reduction is dropped', async (t) => {
  const db = await shopDatabase(t)
  const variantId = newId()
  await set(db, [{ ...base, variantId, unitMinor: 900, compareAtMinor: 900 }])
  const [price] = await priceVariants(db, base, [variantId])
  assert.deepEqual(price!.steps, [{ minQuantity: 1, unitMinor: 900, perUnits: 1, compareAtMinor: null }])
})

test('batches that overlap, in any order, at once: no deadlock, one base list', async (t) => {
  const db = await shopDatabase(t, { max: 10 })
  const variants = Array.from({ length: 200 }, newId)
  await Promise.all(Array.from({ length: 10 }, (_, index) => {
    const order = index % 2 ? variants : variants.toReversed()
    return set(db, order.map((variantId) => ({ ...base, variantId, unitMinor: index })))
  }))
  const units = new Set((await currentPrices(db)).map((price) => price.unitMinor))
  assert.equal(units.size, 1, 'each batch was written as a whole, after the other')
})

test('a thousand variants an event', async (t) => {
  const db = await shopDatabase(t)
  await set(db, Array.from({ length: 2500 }, () => ({ ...base, variantId: newId(), unitMinor: 5 })))
  assert.deepEqual((await announced(db)).map((variants) => variants.length).sort(), [1000, 1000, 500])
})

test('a sale is announced when it starts and when it ends, once each', async (t) => {
  const db = await shopDatabase(t)
  const variantId = newId()
  const list = await db.transaction(systemContext(), (tx) => createPriceList(tx, newId(), {
    ...base, name: 'Sale', priority: 1, startsAt: '2090-01-01T00:00:00Z', endsAt: '2091-01-01T00:00:00Z' }))
  await set(db, [{ priceListId: list.id, variantId, unitMinor: 500 }])
  await announced(db)
  const sweep = async () => {
    await announceDueLists(db)
    return announced(db)
  }
  const move = (from: number, to: number) => db.run(sql`
    update pricing.price_list set announced_at = now() - interval '1 day',
      starts_at = now() + make_interval(mins => ${from}), ends_at = now() + make_interval(mins => ${to})`)
  assert.deepEqual(await sweep(), [])
  await move(-1, 9)
  assert.deepEqual([await sweep(), await sweep()], [[[variantId]], []])
  assert.equal((await currentPrices(db)).length, 1)
  await move(-9, -1)
  assert.deepEqual([await sweep(), await sweep()], [[[variantId]], []])
  assert.equal((await currentPrices(db)).length, 0)
})

test('the published price is the price of one, whatever the lists', async (t) => {
  const db = await shopDatabase(t)
  const variants = [newId(), newId()]
  const price = fc.record({
    list: fc.nat(3), variant: fc.nat(1), minQuantity: fc.constantFrom(1, 1, 2, 5), unitMinor: fc.nat(999) })
  await fc.assert(fc.asyncProperty(fc.array(price, { maxLength: 12 }), async (prices) => {
    await db.run(sql`delete from pricing.price_list`)
    const lists = await db.transaction(systemContext(), (tx) => Promise.all([0, 1, 1, 5].map((priority) =>
      createPriceList(tx, newId(), { ...base, name: 'L', priority }))))
    await set(db, prices.map(({ list, variant, ...rest }) =>
      ({ ...rest, variantId: variants[variant]!, priceListId: lists[list]!.id })))
    const current = new Map((await currentPrices(db)).map((each) => [each.variantId, each.unitMinor]))
    const shown = (await priceVariants(db, base, variants)).flatMap(({ variantId, steps }) =>
      (steps[0]!.minQuantity === 1 ? [[variantId, steps[0]!.unitMinor] as const] : []))
    assert.deepEqual(current, new Map(shown))
  }), { numRuns: 25 })
})
