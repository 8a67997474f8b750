// Pricing over HTTP, as the dashboard uses it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { createApp } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { createLog } from '../../platform/log.ts'
import { testDatabase, type Cleanup } from '../../platform/testing.ts'
import { adminRoutes } from './admin-api.ts'
import { testCatalogue } from './internal/test-catalogue.ts'
import { useCoupons } from './use-coupons.ts'

async function start(t: Cleanup) {
  const db = await testDatabase(t)
  const staff = { kind: 'staff' as const, id: newId(), sessionId: newId(), permissions: [] }
  const app = await createApp({ db, routes: adminRoutes, authenticate: async () => staff, log: createLog('silent') })
  t.after(() => app.close())
  const call = async (
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object, headers = {}
  ) => {
    const answer = await app.inject({ method, url: `/admin/${path}`, headers, ...(body ? { payload: body } : {}) })
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() }
  }
  return { db, call }
}
const key = { 'idempotency-key': 'one' }

function useOnce(db: Db, promotionId: string, code: string | null): Promise<void> {
  const promotions = [{ promotionId, code, name: '', amountMinor: 1, limited: true }]
  return db.transaction(systemContext(), (tx) => useCoupons(tx, newId(), { promotions }, 'ann@example.com'))
}

test('price lists: created once per key, changed, listed page by page, deleted', async (t) => {
  const { db, call } = await start(t)
  const { channelId } = await testCatalogue(db)
  await db.run(sql`delete from pricing.price_list`)
  const sale = { channelId, currency: 'EUR', name: 'Sale', priority: 10, startsAt: '2026-01-01T00:00:00Z' }
  const created = await call('POST', 'price-lists', sale, key)
  assert.deepEqual([created.status, created.body.endsAt], [201, null])
  assert.deepEqual((await call('POST', 'price-lists', sale, key)).body, created.body)
  const baseList = await call('POST', 'price-lists', { channelId, currency: 'EUR', name: 'Base', priority: 0 })
  assert.equal(baseList.status, 201)
  const path = (body: { fields?: { path: string }[] }) => body.fields?.[0]?.path
  for (const [values, status, field] of [
    [{ priority: 0 }, 422, 'body/startsAt'], [{ endsAt: '2025-01-01T00:00:00Z' }, 422, 'body/endsAt'],
    [{ currency: 'USD' }, 422, undefined], [{ channelId: newId() }, 404, undefined],
    [{ priority: 0, startsAt: null }, 409, undefined],
    [{ priority: -1 }, 400, 'body/priority'], [{ typo: 1 }, 400, 'body/typo'],
  ] as const) {
    const refused = await call('POST', 'price-lists', { ...sale, ...values })
    assert.deepEqual([refused.status, path(refused.body)], [status, field])
  }
  const changed = await call(
    'PATCH', `price-lists/${created.body.id}`, { name: 'Summer sale', endsAt: '2099-01-01T00:00:00Z' }
  )
  assert.deepEqual(changed.body, { ...created.body, name: 'Summer sale', endsAt: '2099-01-01T00:00:00Z' })
  const first = await call('GET', `price-lists?limit=1&channelId=${channelId}`)
  assert.deepEqual(first.body.items, [baseList.body])
  const second = await call(
    'GET', `price-lists?limit=1&channelId=${channelId}&currency=EUR&cursor=${first.body.nextCursor}`
  )
  assert.deepEqual(second.body, { items: [changed.body], nextCursor: null })
  assert.equal((await call('GET', 'price-lists?cursor=WyJ4Il0')).status, 400)
  assert.equal((await call('DELETE', `price-lists/${created.body.id}`)).status, 204)
  assert.equal((await call('DELETE', `price-lists/${created.body.id}`)).status, 404)
  assert.equal((await call('PATCH', `price-lists/${created.body.id}`, {})).status, 404)
})

test('prices of a variant are replaced with all their breaks; the same document twice changes nothing', async (t) => {
  const { db, call } = await start(t)
  const { channelId, variants } = await testCatalogue(db)
  const [mug, cup] = variants.toSorted() as [string, string]
  const { body: list } = await call('POST', 'price-lists', { channelId, currency: 'EUR', name: 'Sale', priority: 1 })
  const path = `price-lists/${list.id}/prices`
  const items = [
    { variantId: mug, prices: [{ unitMinor: 900 }, { minQuantity: 10, unitMinor: 800, compareAtMinor: 900 }] },
    { variantId: cup, prices: [{ unitMinor: 1250, perUnits: 1000 }] },
  ]
  assert.deepEqual((await call('PUT', path, { items })).body, { changed: 2 })
  assert.deepEqual((await call('PUT', path, { items })).body, { changed: 0 })
  const one = [{ variantId: mug, prices: [{ unitMinor: 900 }] }]
  assert.deepEqual((await call('PUT', path, { items: one })).body, { changed: 1 })
  const whole = { minQuantity: 1, perUnits: 1, compareAtMinor: null }
  const first = await call('GET', `${path}?limit=1`)
  assert.deepEqual(first.body.items, [{ variantId: mug, prices: [{ ...whole, unitMinor: 900 }] }])
  const second = await call('GET', `${path}?limit=1&cursor=${first.body.nextCursor}`)
  assert.deepEqual(second.body, {
    items: [{ variantId: cup, prices: [{ ...whole, unitMinor: 1250, perUnits: 1000 }] }], nextCursor: null,
  })
  assert.deepEqual((await call('PUT', path, { items: [{ variantId: cup, prices: [] }] })).body, { changed: 1 })
  assert.deepEqual((await call('GET', `${path}?variantId=${cup}`)).body.items, [])
  const double = { variantId: cup, prices: [{ unitMinor: 1 }, { unitMinor: 2 }] }
  const refused = await call('PUT', path, { items: [items[0]!, items[0]!, double, { variantId: newId(), prices: [] }] })
  assert.deepEqual(refused.body.fields.map((field: { path: string }) => field.path), [
    'body/items/1/variantId', 'body/items/2/prices', 'body/items/3/variantId'])
  assert.equal((await call('PUT', `price-lists/${newId()}/prices`, { items })).status, 404)
  assert.equal((await call('GET', `price-lists/${newId()}/prices`)).status, 404)
})

test('tax rates are set by place and class', async (t) => {
  const { call } = await start(t)
  const rate = { country: 'CA', taxClass: 'standard', ratePpm: 50_000, name: 'GST' }
  assert.equal((await call('PUT', 'tax-rates', { items: [rate, { ...rate, region: 'QC', ratePpm: 1 }] })).status, 204)
  const quebec = { ...rate, region: 'QC', ratePpm: 149_750, name: 'GST + QST' }
  assert.equal((await call('PUT', 'tax-rates', { items: [quebec] })).status, 204)
  const { body } = await call('GET', 'tax-rates?country=CA')
  assert.deepEqual(body.items.map(({ id: _, ...item }: { id: string }) => item), [{ ...rate, region: null }, quebec])
  assert.equal((await call('DELETE', `tax-rates/${body.items[0].id}`)).status, 204)
  assert.equal((await call('DELETE', `tax-rates/${body.items[0].id}`)).status, 404)
  assert.equal((await call('GET', 'tax-rates')).body.items.length, 1)
})

test('promotions: every kind is read as it was written, changed in part, counted and deleted', async (t) => {
  const { db, call } = await start(t)
  for (const discount of [
    { kind: 'percentage', ratePpm: 1 }, { kind: 'free_delivery' }, { kind: 'amount', amountMinor: 5 },
  ]) {
    const made = await call('POST', 'promotions', { name: 'P', automatic: true, discount, currency: 'EUR' })
    assert.deepEqual([made.status, made.body.discount], [201, discount])
  }
  const settings = {
    name: 'Five off', automatic: false, discount: { kind: 'amount', amountMinor: 500 }, currency: 'EUR', useLimit: 3,
  }
  const created = await call('POST', 'promotions', settings, key)
  assert.deepEqual((await call('POST', 'promotions', settings, key)).body, created.body)
  const id = created.body.id
  assert.deepEqual((await call('GET', `promotions/${id}`)).body, created.body)
  await useOnce(db, id, null)
  const changed = await call('PATCH', `promotions/${id}`, { minimumSubtotalMinor: 2000, combines: true })
  assert.deepEqual(changed.body, { ...created.body, minimumSubtotalMinor: 2000, combines: true, used: 1 })
  for (const [values, status] of [
    [{ currency: null }, 422], [{ currency: 'ABC' }, 422], [{ discount: { kind: 'percentage' } }, 400],
    [{ startsAt: '2026-02-01T00:00:00Z', endsAt: '2026-01-01T00:00:00Z' }, 422], [{ productIds: [] }, 400],
    [{ discount: { kind: 'percentage', ratePpm: 1_000_001 } }, 400], [{ used: 0 }, 400],
  ] as const) {
    assert.equal((await call('PATCH', `promotions/${id}`, values)).status, status, JSON.stringify(values))
  }
  assert.equal((await call('GET', 'promotions?limit=3')).body.items.length, 3)
  assert.equal((await call('DELETE', `promotions/${id}`)).status, 204)
  for (const method of ['GET', 'DELETE'] as const) assert.equal((await call(method, `promotions/${id}`)).status, 404)
  assert.equal((await call('PATCH', `promotions/${id}`, {})).status, 404)
})

test('coupons: one by one, in batches that nobody can guess, found by code', async (t) => {
  const { db, call } = await start(t)
  const promotion = { name: 'P', automatic: false, discount: { kind: 'free_delivery' } }
  const { body: { id } } = await call('POST', 'promotions', promotion)
  const coupon = { code: 'Summer', useLimit: 1 }
  const created = await call('POST', `promotions/${id}/coupons`, coupon, key)
  assert.deepEqual([created.status, created.body.code, created.body.used], [201, 'SUMMER', 0])
  assert.deepEqual((await call('POST', `promotions/${id}/coupons`, coupon, key)).body, created.body)
  assert.equal((await call('POST', `promotions/${id}/coupons`, { code: 'SUMMER' })).status, 409)
  assert.equal((await call('POST', `promotions/${newId()}/coupons`, { code: 'OTHER' })).status, 404)

  const generate = () => call('POST', `promotions/${id}/coupon-batches`, { count: 300, prefix: 'vip-' }, key)
  const batch = await generate()
  const codes = new Set(batch.body.items.map((coupon: { code: string }) => coupon.code))
  assert.equal(codes.size, 300)
  for (const coupon of batch.body.items) assert.ok(/^VIP-[0-9A-Z]{10}$/.test(coupon.code) && coupon.useLimit === 1)
  assert.deepEqual((await generate()).body, batch.body)
  assert.equal((await call('GET', `coupons?promotionId=${id}&limit=100`)).body.items.length, 100)
  assert.deepEqual((await call('GET', 'coupons?code=summer')).body.items, [created.body])

  const use = () => useOnce(db, id, 'SUMMER')
  await use()
  const path = `coupons/${created.body.id}`
  assert.deepEqual((await call('PATCH', path, { active: false })).body, { ...created.body, active: false, used: 1 })
  const backwards = { startsAt: '2026-02-01T00:00:00Z', endsAt: '2026-01-01T00:00:00Z' }
  assert.equal((await call('PATCH', path, backwards)).status, 422)
  await assert.rejects(use())
  assert.equal((await call('DELETE', path)).status, 204)
  for (const method of ['DELETE', 'PATCH'] as const) {
    assert.equal((await call(method, path, method === 'PATCH' ? {} : undefined)).status, 404)
  }
  const again = await call('POST', `promotions/${id}/coupons`, { code: 'SUMMER', useLimit: 1 })
  assert.equal(again.body.used, 0, 'a new coupon of the same code starts to count anew')
})
