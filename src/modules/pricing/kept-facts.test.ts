// Facts that are kept in memory are never believed when they are out of date: whatever a price rests on, changed by
// whatever way, counts for the next quote.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Db, measured, sql, systemContext, type Conn, type Statement } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { testDatabase } from '../../platform/testing.ts'
import { testCatalogue } from './internal/test-catalogue.ts'
import type { QuoteRequest } from './pricing.ts'
import { savePromotion } from './promotions.ts'
import { quote } from './quote.ts'
import { setPrices } from './set-prices.ts'

async function shopOf(t: TestContext) {
  const db = await testDatabase(t)
  const catalogue = await testCatalogue(db, { variants: 3 })
  const request: QuoteRequest = {
    channelId: catalogue.channelId, currency: 'EUR', couponCodes: [], shippingMethodId: catalogue.methodId,
    lines: [{ variantId: catalogue.variants[0]!, quantity: 2 }, { variantId: catalogue.variants[1]!, quantity: 1 }],
  }
  // Another shop in the same database, as another process would be.
  const other = new Db({ url: db.url, max: 4 })
  t.after(() => other.close())
  return { db, other, request, ...catalogue }
}

/** What somebody is told who remembers nothing. */
async function fresh(db: Db, request: QuoteRequest): Promise<unknown> {
  const nobody = new Db({ url: db.url, max: 1 })
  try {
    return await quote(nobody, request).catch((error: Error) => error.message)
  } finally {
    await nobody.close()
  }
}

const remembered = (db: Db, request: QuoteRequest) => quote(db, request).catch((error: Error) => error.message)

const changes: [what: string, change: (shop: Awaited<ReturnType<typeof shopOf>>) => Statement][] = [
  ['a price', ({ variants }) => sql`update pricing.price set unit_minor = 777 where variant_id = ${variants[0]!}`],
  ['a price is gone', ({ variants }) => sql`delete from pricing.price where variant_id = ${variants[1]!}`],
  ['a price from a quantity', ({ variants }) => sql`
    insert into pricing.price (price_list_id, variant_id, min_quantity, unit_minor)
    select price_list_id, variant_id, 2, 5 from pricing.price where variant_id = ${variants[0]!}`],
  ['a title', ({ productId }) => sql`update catalog.product set title = 'Cup' where id = ${productId}`],
  ['an article number', ({ variants }) => sql`update catalog.variant set sku = 'NEW' where id = ${variants[0]!}`],
  ['a weight', ({ variants }) => sql`update catalog.variant set weight_grams = 9000 where id = ${variants[0]!}`],
  ['a variant is off', ({ variants }) => sql`update catalog.variant set active = false where id = ${variants[1]!}`],
  ['a draft again', ({ productId }) => sql`update catalog.product set status = 'draft' where id = ${productId}`],
  ['not published', ({ productId }) => sql`delete from catalog.publication where product_id = ${productId}`],
  ['taxes on top', () => sql`update catalog.channel set prices_include_tax = false`],
  ['a channel is off', ({ channelId }) => sql`update catalog.channel set active = false where id = ${channelId}`],
  ['a tax rate', () => sql`update pricing.tax_rate set rate_ppm = 70000`],
  ['no tax rate', () => sql`delete from pricing.tax_rate`],
  ['a delivery rate', () => sql`update shipping.rate set amount_minor = 990 where amount_minor is not null`],
  ['a delivery’s name', () => sql`update shipping.method set name = 'Mail'`],
  ['a zone', () => sql`delete from shipping.zone_country`],
]

test('whatever a price rests on counts for the next quote, changed in whatever way', async (t) => {
  for (const [what, change] of changes) {
    const shop = await shopOf(t)
    const before = await quote(shop.db, shop.request)
    assert.deepEqual(await remembered(shop.db, shop.request), before, 'asked twice it is the same')
    assert.ok(await shop.other.run(change(shop)) > 0, `${what} changed something`)
    const after = await remembered(shop.db, shop.request)
    assert.notDeepEqual(after, before, `${what}: the old quote`)
    assert.deepEqual(after, await fresh(shop.db, shop.request), what)
  }
})

test('a quote from memory costs one statement, a small one; who remembers nothing is told the same', async (t) => {
  const { db, request, variants } = await shopOf(t)
  await quote(db, request)
  await quote(db, { ...request, lines: [{ variantId: variants[2]!, quantity: 4 }] })
  // Lines that were never in one cart before, in another order.
  const mixed = { ...request, lines: [{ variantId: variants[2]!, quantity: 4 }, ...request.lines.toReversed()] }
  const sent: string[] = []
  const told = await measured(async (cost) => {
    const answer = await quote(noting(db, sent), mixed)
    assert.deepEqual(cost, { statements: 1, trips: 1 })
    return answer
  })
  assert.doesNotMatch(sent.join(), /live_price/)
  assert.deepEqual(told, await fresh(db, mixed))
})

function noting(db: Db, sent: string[]): Conn {
  const noted = (statement: Statement): Statement => (sent.push(statement.strings.join('?')), statement)
  return {
    root: db.root,
    many: (row, statement) => db.many(row, noted(statement)), one: (row, statement) => db.one(row, noted(statement)),
    maybe: (row, statement) => db.maybe(row, noted(statement)), run: (statement) => db.run(noted(statement)),
  }
}

test('a list and a promotion begin and end by the clock of the database', async (t) => {
  const { db, request, channelId, variants } = await shopOf(t)
  const write = <T>(fn: Parameters<Db['transaction']>[1]) => db.transaction(systemContext(), fn) as Promise<T>
  const soon = new Date(Date.now() + 1_200).toISOString()
  const later = new Date(Date.now() + 2_400).toISOString()
  const listId = newId()
  await db.run(sql`insert into pricing.price_list (id, channel_id, currency, name, priority, starts_at, ends_at)
    values (${listId}, ${channelId}, 'EUR', 'Sale', 10, ${soon}, ${later})`)
  await write((tx) => setPrices(tx, [{ variantId: variants[0]!, priceListId: listId, unitMinor: 100 } as never]))
  await write((tx) => savePromotion(tx, newId(), {
    name: 'Opening', automatic: true, discount: { kind: 'percentage', ratePpm: 500_000 }, startsAt: later,
  }))
  const totals = new Set<number>()
  for (const end = Date.now() + 3_000; Date.now() < end;) {
    const told = await quote(db, request)
    totals.add(told.subtotalMinor - told.discountMinor)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.deepEqual([...totals], [3_000, 1_200, 1_500])
})

test('a change counts when it is committed, not when it is made, however old its transaction', async (t) => {
  const { db, other, request, variants } = await shopOf(t)
  const before = await quote(db, request)
  let commit = (): void => {}
  const open = new Promise<void>((resolve) => { commit = resolve })
  const writing = other.transaction(systemContext(), async (tx) => {
    await tx.run(sql`update pricing.price set unit_minor = 1 where variant_id = ${variants[0]!}`)
    await open
  })
  await other.run(sql`update catalog.product set title = 'Cup'`)       // a younger one, committed first
  const between = await quote(db, request)
  assert.equal(between.totalMinor, before.totalMinor)
  assert.equal(between.lines[0]!.productTitle, 'Cup')
  commit()
  await writing
  assert.equal((await quote(db, request)).lines[0]!.unitMinor, 1)
})

test('raced by a writer, nobody is told a price that was over when he asked', async (t) => {
  const { db, other, request, variants } = await shopOf(t)
  let committed = 1_000
  let done = false
  const writer = (async () => {
    for (let price = 1_001; price <= 1_150; price++) {
      await other.run(sql`update pricing.price set unit_minor = ${price} where variant_id = ${variants[0]!}`)
      committed = price
      if (price % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 3))
    }
    done = true
  })()
  let asked = 0
  await Promise.all(Array.from({ length: 4 }, async () => {
    while (!done) {
      const atLeast = committed
      const { lines } = await quote(db, request)
      assert.ok(lines[0]!.unitMinor >= atLeast, `${lines[0]!.unitMinor} was told after ${atLeast} was committed`)
      asked++
    }
  }))
  await writer
  assert.ok(asked > 50, `${asked} quotes`)
})

test('limited promotions and coupons are never told from memory', async (t) => {
  const { db, request } = await shopOf(t)
  await db.transaction(systemContext(), (tx) => savePromotion(tx, newId(), {
    name: 'First ten', automatic: true, useLimit: 10, discount: { kind: 'percentage', ratePpm: 100_000 },
  }))
  assert.ok((await quote(db, request)).discountMinor > 0)
  await db.run(sql`insert into pricing.use_count (promotion_id, scope, used, use_limit)
    select id, 'all', 10, 10 from pricing.promotion`)
  assert.equal((await quote(db, request)).discountMinor, 0)
})
