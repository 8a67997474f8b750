// Inventory over HTTP, as the dashboard uses it.

import assert from 'node:assert/strict'
import test from 'node:test'
import { newId } from '../../platform/id.ts'
import { createApp } from '../../platform/http.ts'
import { createLog } from '../../platform/log.ts'
import { testDatabase, type Cleanup } from '../../platform/testing.ts'
import { createProduct } from '../catalog/create-product.ts'
import { getProduct } from '../catalog/get-product.ts'
import { adminRoutes } from './admin-api.ts'
import { testStock } from './internal/test-stock.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

async function start(t: Cleanup) {
  const db = await testDatabase(t)
  const staff = { kind: 'staff' as const, id: newId(), sessionId: newId(), permissions: [] }
  const app = await createApp({ db, routes: adminRoutes, authenticate: async () => staff, log: createLog('silent') })
  t.after(() => app.close())
  const stock = await testStock(db)
  const call = async (method: Method, path: string, body?: object, headers = {}) => {
    const url = `/admin/inventory/${path}`
    const answer = await app.inject({ method, url, headers, ...(body ? { payload: body } : {}) })
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json(), headers: answer.headers }
  }
  /** A variant that the catalogue knows: staff may name no other. */
  const variant = async (inBerlin: number, inLyon: number): Promise<string> => {
    const productId = newId()
    await stock.write((tx) => createProduct(tx, productId, { title: 'Mug' }))
    const { variants } = await getProduct(db, productId)
    return stock.variant(inBerlin, inLyon, { variantId: variants[0]!.id })
  }
  return { stock, variant, call, staff }
}

test('adjustments: many in one call, all or nothing, once per key', async (t) => {
  const { stock, variant, call, staff } = await start(t)
  const [mug, cup] = [await variant(5, 0), await variant(5, 0)]
  const adjust = (quantity: number, headers = {}) => call('POST', 'adjustments', {
    reference: 'delivery 7',
    adjustments: [
      { variantId: mug, locationId: stock.berlin, reason: 'receipt', quantity: 5 },
      { variantId: cup, locationId: stock.lyon, reason: 'correction', quantity },
    ],
  }, headers)
  assert.deepEqual((await adjust(-1)).body.lines, [{ variantId: cup, locationId: stock.lyon, onHand: 0, change: -1 }])
  for (const replayed of [undefined, 'true']) {
    const answer = await adjust(2, { 'idempotency-key': 'one' })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['idempotent-replayed'], replayed)
    assert.deepEqual(answer.body.items.map((item: { onHand: number }) => item.onHand).toSorted(), [10, 2].toSorted())
  }
  const { body } = await call('GET', `movements?reference=delivery%207&limit=1`)
  assert.equal(body.items[0].actor, `staff:${staff.id}`)
  const next = await call('GET', `movements?reference=delivery%207&cursor=${body.nextCursor}`)
  assert.deepEqual(next.body.items.map((item: { quantity: number }) => item.quantity), [5])
  assert.equal((await call('GET', 'movements?cursor=WyJ4Il0')).status, 400)
  await stock.checkInvariants()
})

test('stock is listed by variant, place and shortage, page by page', async (t) => {
  const { stock, variant, call } = await start(t)
  const variants = [await variant(1, 2), await stock.variant(30, 40)]
  const all: unknown[] = []
  for (let cursor = ''; ;) {
    const { body } = await call('GET', `stock?limit=3&variantId=${variants.join('&variantId=')}${cursor}`)
    all.push(...body.items)
    if (!body.nextCursor) break
    cursor = `&cursor=${body.nextCursor}`
  }
  assert.equal(all.length, 4)
  const low = await call('GET', `stock?availableBelow=2&locationId=${stock.berlin}`)
  assert.deepEqual(low.body.items.map((item: { variantId: string }) => item.variantId), [variants[0]])
  assert.equal(low.body.items[0].variant.productTitle, 'Mug')
  assert.equal((await call('GET', 'stock?cursor=WyJhIiwiYiJd')).status, 400)
})

test('tracking, backorders and transfers', async (t) => {
  const { stock, variant, call } = await start(t)
  const mug = await variant(0, 0)
  const limited = (limit: number) => ({ items: [{ variantId: mug, backorder: [{ locationId: stock.lyon, limit }] }] })
  const set = await call('PUT', 'items', limited(5))
  assert.deepEqual(set.body.items, [{ variantId: mug, tracked: true, backorder: true, available: 0 }])
  assert.ok(await stock.order([{ variantId: mug, quantity: 4 }]))
  await call('PUT', 'items', limited(0))
  assert.equal(await stock.order([{ variantId: mug, quantity: 1 }]), undefined, 'the promise stands, no other is made')
  const untracked = await call('PUT', 'items', { items: [{ variantId: mug, tracked: false }] })
  assert.equal(untracked.body.items[0].tracked, false)

  const cup = await variant(5, 0)
  const move = { fromLocationId: stock.berlin, toLocationId: stock.lyon, lines: [{ variantId: cup, quantity: 3 }] }
  assert.equal((await call('POST', 'transfers', move)).status, 200)
  assert.equal((await call('POST', 'transfers', move)).status, 409)
  assert.equal((await call('POST', 'transfers', { ...move, toLocationId: newId() })).body.title, 'No such location')
  assert.equal((await call('POST', 'transfers', { ...move, toLocationId: stock.berlin })).status, 422)
  const nobody = newId()
  const unknown = await call('POST', 'transfers', { ...move, lines: [{ variantId: nobody, quantity: 1 }] })
  assert.deepEqual([unknown.status, unknown.body.variantIds], [404, [nobody]])
  await stock.checkInvariants()
})

test('promises are listed, newest first', async (t) => {
  const { stock, variant, call } = await start(t)
  const mug = await variant(5, 5)
  const first = await stock.order([{ variantId: mug, quantity: 5 }])
  const second = await stock.order([{ variantId: mug, quantity: 2 }])
  const { body } = await call('GET', `reservations?variantId=${mug}&state=held&limit=1`)
  assert.deepEqual([body.items[0].orderId, body.items[0].quantity], [second, 2])
  const next = await call('GET', `reservations?variantId=${mug}&cursor=${body.nextCursor}`)
  assert.deepEqual(next.body.items.map((item: { orderId: string }) => item.orderId), [first])
  await stock.pass(first!)
  assert.deepEqual((await call('GET', `reservations?orderId=${first}`)).body.items, [])
})

test('locations: added, changed, and deleted only while unused', async (t) => {
  const { stock, call } = await start(t)
  const add = () => call('POST', 'locations', { code: 'oslo', name: 'Oslo' }, { 'idempotency-key': 'oslo' })
  const { body: oslo, status } = await add()
  assert.equal(status, 201)
  assert.deepEqual((await add()).body, oslo)
  assert.equal((await call('POST', 'locations', { code: 'oslo', name: 'Oslo' })).body.code, 'oslo')
  assert.equal((await call('PATCH', `locations/${oslo.id}`, { priority: 1, active: false })).body.priority, 1)
  assert.equal((await call('PATCH', `locations/${oslo.id}`, { code: 'lyon' })).status, 409)
  assert.equal((await call('PATCH', `locations/${newId()}`, { name: 'Nowhere' })).status, 404)
  assert.equal((await call('GET', 'locations')).body.items[0].code, 'oslo')
  await stock.variant(1, 1)
  assert.equal((await call('DELETE', `locations/${stock.lyon}`)).status, 409)
  assert.equal((await call('DELETE', `locations/${oslo.id}`)).status, 204)
  assert.equal((await call('DELETE', `locations/${oslo.id}`)).status, 404)
})
