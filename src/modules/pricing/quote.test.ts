// The quote against a real database: which price counts, what is refused, and that one statement reads it all.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { measured, sql, systemContext, type Db, type Tx } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { isProblem, type ProblemKind } from '../../platform/problem.ts'
import { testDatabase } from '../../platform/testing.ts'
import { createCoupon } from './coupons.ts'
import { testCatalogue } from './internal/test-catalogue.ts'
import { createPriceList } from './price-lists.ts'
import {
  CouponNotApplicable, CurrencyNotOffered, sameTotal, ShippingMethodNotAvailable, VariantUnavailable,
  type QuoteRequest,
} from './pricing.ts'
import { priceVariants } from './price-variants.ts'
import { savePromotion } from './promotions.ts'
import { quote } from './quote.ts'
import { setPrices } from './set-prices.ts'
import { useCoupons } from './use-coupons.ts'

const inTx = <T>(db: Db, fn: (tx: Tx) => Promise<T>) => db.transaction(systemContext(), fn)
const refused = (kind: ProblemKind<any>) => (error: unknown) => isProblem(error, kind)

async function seed(db: Db, variants = 2) {
  const catalogue = await testCatalogue(db, { variants })
  const request = (values: Partial<QuoteRequest> = {}): QuoteRequest => ({
    channelId: catalogue.channelId, currency: 'EUR', lines: [{ variantId: catalogue.variants[0]!, quantity: 1 }],
    couponCodes: [], ...values })
  return { ...catalogue, request }
}

const list = (db: Db, channelId: string, priority: number, dates: { startsAt?: string; endsAt?: string } = {}) =>
  inTx(db, (tx) => createPriceList(tx, newId(), {
    channelId, currency: 'EUR', name: `P${priority}`, priority, ...dates }))

test('a cart of 1 line and of 100 lines costs one statement', async (t) => {
  const db = await testDatabase(t)
  const { variants, methodId, request } = await seed(db, 100)
  await inTx(db, (tx) => savePromotion(tx, newId(), {
    name: 'Ten', discount: { kind: 'percentage', ratePpm: 100_000 }, automatic: true,
    useLimit: 9, useLimitPerCustomer: 1 }))
  for (const count of [1, 100]) {
    const lines = variants.slice(0, count).map((variantId) => ({ variantId, quantity: 1 }))
    const shippingMethodId = count === 1 ? methodId : null
    await measured(async (cost) => {
      const quoted = await quote(db, request({ lines, shippingMethodId, customerKey: 'ann@example.com' }))
      assert.deepEqual(cost, { statements: 1, trips: 1 })
      assert.equal(quoted.lines.length, count)
      assert.equal(quoted.discountMinor, 100 * count)
      assert.equal(quoted.totalMinor, 900 * count + (shippingMethodId ? 490 : 0))
      assert.ok(sameTotal(quoted, { amount: quoted.totalMinor, currency: 'EUR' }))
      assert.ok(!sameTotal(quoted, { amount: quoted.totalMinor, currency: 'JPY' }))
    })
  }
})

test('the statement is planned once for a connection, not for each cart', async (t) => {
  const db = await testDatabase(t, { max: 1 })
  const { variants, methodId, request } = await seed(db, 30)
  for (let count = 1; count <= 12; count++) {
    const lines = variants.slice(0, count).map((variantId) => ({ variantId, quantity: 1 }))
    await quote(db, request({ lines, shippingMethodId: methodId }))
  }
  const plans = await db.one(Type.Object({ generic: Type.Integer() }), sql`
    select generic_plans as generic from pg_prepared_statements
    where statement like '%catalog.selling_channel%' and statement not like '%pg_prepared_statements%'`)
  assert.equal(plans.generic, 12 - 5, 'all but the first five, which PostgreSQL always plans')
})

test('the highest live list decides, then the newest, then the largest quantity reached', async (t) => {
  const db = await testDatabase(t)
  const { channelId, variants: [variantId, other], request } = await seed(db)
  const unit = async (quantity: number) =>
    (await quote(db, request({ lines: [{ variantId: variantId!, quantity }] }))).lines[0]!.unitMinor
  const set = (priceListId: string, minQuantity: number, unitMinor: number) =>
    inTx(db, (tx) => setPrices(tx, [{ priceListId, variantId: variantId!, minQuantity, unitMinor }]))
  await inTx(db, (tx) => setPrices(tx, [
    { channelId, currency: 'EUR', variantId: variantId!, minQuantity: 10, unitMinor: 800 },
    { channelId, currency: 'JPY', variantId: variantId!, unitMinor: 99 }]))
  assert.deepEqual([await unit(9), await unit(10)], [1000, 800])
  const past = await list(db, channelId, 9, { endsAt: '2020-01-01T00:00:00Z' })
  const future = await list(db, channelId, 9, { startsAt: '2090-01-01T00:00:00Z' })
  for (const { id } of [past, future]) await set(id, 1, 1)
  const older = await list(db, channelId, 1)
  const newer = await list(db, channelId, 1, { startsAt: '2020-01-01T00:00:00Z' })
  await set(older.id, 1, 700)
  assert.deepEqual([await unit(1), await unit(10)], [700, 700], 'a list above overrides all breaks below it')
  await set(newer.id, 5, 600)
  assert.deepEqual([await unit(4), await unit(5)], [700, 600])
  const [mine] = await priceVariants(db, { channelId, currency: 'EUR' }, [variantId!])
  assert.deepEqual(mine!.steps.map((step) => [step.minQuantity, step.unitMinor]), [[1, 700], [5, 600]])
  assert.equal((await priceVariants(db, { channelId, currency: 'EUR' }, [other!, newId()])).length, 1)
})

test('what cannot be bought is named line by line; nothing else is told', async (t) => {
  const db = await testDatabase(t)
  const { variants, request } = await seed(db)
  const unknown = newId()
  await db.run(sql`delete from pricing.price where variant_id = ${variants[1]}`)
  const lines = [...variants, unknown].map((variantId) => ({ variantId, quantity: 1 }))
  await assert.rejects(quote(db, request({ lines })), (error) => {
    assert.ok(isProblem(error, VariantUnavailable))
    assert.deepEqual(error.extra['lines'],
      [{ variantId: variants[1], reason: 'no_price' }, { variantId: unknown, reason: 'not_sold' }])
    return true
  })
  await assert.rejects(quote(db, request({ currency: 'USD' })), refused(CurrencyNotOffered))
  await assert.rejects(quote(db, request({ channelId: newId() })), refused(CurrencyNotOffered))
  await assert.rejects(quote(db, request({ shippingMethodId: newId() })), refused(ShippingMethodNotAvailable))
  assert.deepEqual((await quote(db, request({ lines: [] }))).totalMinor, 0)
})

test('delivery is priced for the country, the weight and the channel', async (t) => {
  const db = await testDatabase(t)
  const { variants: [variantId], methodId, request } = await seed(db)
  const ship = (quantity: number, country?: string) => quote(db, request({
    lines: [{ variantId: variantId!, quantity }], shippingMethodId: methodId, ...(country ? { country } : {}) }))
  assert.equal((await ship(19)).shippingMinor, 490)
  await assert.rejects(ship(20), refused(ShippingMethodNotAvailable))
  await assert.rejects(ship(1, 'FR'), refused(ShippingMethodNotAvailable))
  await db.run(sql`update shipping.method set channel_id = ${newId()}`)
  await assert.rejects(ship(1), refused(ShippingMethodNotAvailable))
})

test('lines of one variant are one line and reach its quantity break together', async (t) => {
  const db = await testDatabase(t)
  const { channelId, variants: [variantId, second], request } = await seed(db)
  const price = { channelId, currency: 'EUR', variantId: variantId!, minQuantity: 3, unitMinor: 900 }
  await inTx(db, (tx) => setPrices(tx, [price]))
  const lines = [[variantId!, 1], [second!, 1], [variantId!, 2]].map(([id, quantity]) =>
    ({ variantId: id as string, quantity: quantity as number }))
  const quoted = await quote(db, request({ lines }))
  assert.deepEqual(quoted.lines.map((line) => [line.quantity, line.subtotalMinor]), [[3, 2700], [1, 1000]])
})

test('each fault of a coupon has its own reason', async (t) => {
  const db = await testDatabase(t)
  const { channelId, productId, request } = await seed(db)
  const coupon = async (code: string, promotion: object, limits: object = {}) => inTx(db, async (tx) => {
    const { id } = await savePromotion(tx, newId(), {
      name: code, discount: { kind: 'percentage', ratePpm: 100_000 }, automatic: false, combines: true, ...promotion })
    await createCoupon(tx, newId(), id, { code, ...limits })
    return id
  })
  const reasons = async (codes: string[], customerKey = 'ann@example.com') => (await quote(db, request({
    couponCodes: codes, couponPolicy: 'report', customerKey }))).unusedCoupons.map(({ reason }) => reason)
  await coupon('GOOD', { channelId, productIds: [productId], currency: 'EUR' })
  await coupon('OFF', { active: false })
  await coupon('EARLY', { startsAt: '2090-01-01T00:00:00Z' })
  await coupon('LATE', {}, { endsAt: '2020-01-01T00:00:00Z' })
  await coupon('ELSEWHERE', { channelId: newId() })
  await coupon('YEN', { currency: 'JPY' })
  await coupon('NONE', { useLimit: 0 })
  await coupon('MINIMUM', { currency: 'EUR', minimumSubtotalMinor: 1001 })
  await coupon('PRODUCT', { productIds: [newId()] })
  assert.deepEqual(
    await reasons([' good', 'off', 'EARLY', 'LATE', 'ELSEWHERE', 'YEN', 'NONE', 'MINIMUM', 'PRODUCT', 'NOBODY']),
    ['inactive', 'not_started', 'ended', 'other_channel', 'other_currency', 'exhausted', 'minimum_not_met',
      'no_matching_product', 'unknown'])
  const once = await coupon('ONCE', { useLimitPerCustomer: 1 })
  const code = await coupon('CODE', {}, { useLimit: 1 })
  for (const [promotionId, text] of [[once, 'ONCE'], [code, 'CODE']] as const) {
    const quoted = await quote(db, request({ couponCodes: [text], customerKey: 'ann@example.com' }))
    assert.deepEqual(quoted.promotions.map((each) => [each.promotionId, each.limited]), [[promotionId, true]])
    await inTx(db, (tx) => useCoupons(tx, newId(), quoted, 'ann@example.com'))
  }
  assert.deepEqual(await reasons(['ONCE', 'CODE']), ['exhausted_for_customer', 'exhausted'])
  assert.deepEqual(await reasons(['ONCE', 'CODE'], 'bob@example.com'), ['exhausted'])
  await assert.rejects(quote(db, request({ couponCodes: ['CODE'] })), refused(CouponNotApplicable))
})
