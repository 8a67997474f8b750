// How far somebody reaches in a whole shop: channels, locations and amounts, seen and changed through HTTP.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { authorizationPage } from '../scripts/generate-authorization.ts'
import { createSecretKey } from './modules/identity/api-keys.ts'
import { permissions } from './modules/identity/identity.ts'
import { systemContext } from './platform/db.ts'
import { newId } from './platform/id.ts'
import type { Cleanup } from './platform/testing.ts'
import { testShop } from './testing.ts'

async function open(t: Cleanup) {
  const shop = await testShop(t)
  const app = await shop.app()
  const everywhere = { channelIds: null, locationIds: null, companyIds: null }
  const as = async (limits: Partial<Parameters<typeof createSecretKey>[2]>) => {
    const key = await shop.db.transaction(systemContext(), (tx) => createSecretKey(tx, newId(), {
      name: 'key', permissions: Object.keys(permissions), ...limits,
    }))
    return async (method: 'GET' | 'PATCH' | 'POST' | 'DELETE', url: string, payload?: object) => {
      const answer = await app.inject({
        method, url, headers: { authorization: `Bearer ${key}` }, ...payload ? { payload } : {},
      })
      return { status: answer.statusCode, body: answer.body ? answer.json() : undefined }
    }
  }
  return { shop, as, everywhere }
}

test('somebody kept to other channels sees no order of this one, and cancels none', async (t) => {
  const { shop, as, everywhere } = await open(t)
  const order = await shop.complete(await shop.cart([{ variantId: await shop.variant(), quantity: 1 }]))
  const [foreign, own] = [
    await as({ reach: { ...everywhere, channelIds: [newId()] } }),
    await as({ reach: { ...everywhere, channelIds: [newId(), shop.channelId] } }),
  ]
  const url = `/admin/orders/${order.orderId}`
  assert.deepEqual((await foreign('GET', '/admin/orders')).body.items, [])
  assert.equal((await foreign('GET', url)).status, 404)
  assert.equal((await foreign('POST', `${url}/cancel`, { reason: 'other' })).status, 404)
  assert.equal((await own('GET', '/admin/orders')).body.items.length, 1)
  assert.equal((await own('GET', url)).status, 200)
  assert.equal((await own('GET', '/admin/products')).status, 200, 'what all share is read')
  for (const url of ['/admin/payment-cases', '/admin/staff', '/admin/audit-log']) {
    assert.equal((await own('GET', url)).status, 403, `${url} does not keep to channels, so it refuses`)
  }
  assert.equal((await own('POST', '/admin/secret-keys', { name: 'more', permissions: ['orders:read'] })).status, 403)
  assert.equal((await own('POST', `${url}/cancel`, { reason: 'other' })).status, 200)
})

test('somebody kept to a location sees and moves its stock alone', async (t) => {
  const { shop, as, everywhere } = await open(t)
  const variantId = await shop.variant({ stock: [5, 7] })
  const [hamburg, lyon] = shop.locations as [string, string]
  await shop.complete(await shop.cart([{ variantId, quantity: 1 }]))
  const clerk = await as({ reach: { ...everywhere, locationIds: [hamburg] } })
  const at = async (url: string): Promise<string[]> => [...new Set((await clerk('GET', url)).body.items
    .map((one: { locationId?: string; id: string }) => one.locationId ?? one.id))] as string[]
  assert.deepEqual(await at('/admin/inventory/stock'), [hamburg])
  assert.deepEqual(await at('/admin/inventory/movements'), [hamburg])
  assert.deepEqual(await at('/admin/inventory/locations'), [hamburg])
  assert.ok((await at('/admin/inventory/reservations')).every((id) => id === hamburg))
  const count = (locationId: string) => clerk('POST', '/admin/inventory/adjustments', {
    adjustments: [{ variantId, locationId, reason: 'count', quantity: 9 }],
  })
  assert.deepEqual([(await count(hamburg)).status, (await count(lyon)).status], [200, 404])
  assert.equal((await clerk('POST', '/admin/inventory/transfers', {
    fromLocationId: hamburg, toLocationId: lyon, lines: [{ variantId, quantity: 1 }],
  })).status, 404)
  assert.equal((await clerk('DELETE', `/admin/inventory/locations/${hamburg}`)).status, 403)
})

test('refunds stay within the limit, however they are divided, and cancelling is no way around it', async (t) => {
  const { shop, as } = await open(t)
  const variantId = await shop.variant({ price: 10_000 })
  const placed = await shop.complete(await shop.cart([{ variantId, quantity: 1 }]))
  const anybody = await as({})
  const { payments: [payment] } = (await anybody('GET', `/admin/orders/${placed.orderId}`)).body
  const limited = await as({ limits: { refund: [{ currency: 'EUR', amountMinor: 1_000 }], discountPpm: null } })
  const refund = (amountMinor?: number) =>
    limited('POST', `/admin/payments/${payment.id}/refund`, amountMinor ? { amountMinor } : {})
  const [first, second, all] = [await refund(600), await refund(600), await refund()]
  assert.deepEqual([first.status, second.status, second.body.limit, all.status], [200, 403, 1_000, 403])
  const raced = await Promise.all(Array.from({ length: 8 }, () => refund(200)))
  assert.equal(raced.filter(({ status }) => status === 200).length, 2)
  assert.equal((await limited('POST', `/admin/orders/${placed.orderId}/cancel`, { reason: 'other' })).status, 403)
  const other = await as({ limits: { refund: [{ currency: 'USD', amountMinor: 1_000_000 }], discountPpm: null } })
  assert.equal((await other('POST', `/admin/payments/${payment.id}/refund`, { amountMinor: 1 })).status, 403)
  const small = { name: 'small', permissions: ['payments:write'] }
  const key = (await limited('POST', '/admin/secret-keys', small)).body
  assert.deepEqual(key.limits.refund, [{ currency: 'EUR', amountMinor: 1_000 }], 'a key has its maker’s limits')
  for (const limits of [
    { refund: null, discountPpm: null }, { refund: [{ currency: 'EUR', amountMinor: 1_001 }], discountPpm: null },
    { refund: [{ currency: 'USD', amountMinor: 1 }], discountPpm: null },
  ]) assert.equal((await limited('POST', '/admin/secret-keys', { ...small, limits })).status, 403)
  assert.equal((await anybody('POST', `/admin/payments/${payment.id}/refund`, {})).status, 200)
})

test('promotions and their coupons stay within the limit of whoever gives them', async (t) => {
  const { as } = await open(t)
  const [anybody, limited] = [await as({}), await as({ limits: { refund: null, discountPpm: 100_000 } })]
  const give = (ask: typeof limited, discount: object, more: object = {}) =>
    ask('POST', '/admin/promotions', { name: 'Off', automatic: false, discount, ...more })
  const tenth = { kind: 'percentage', ratePpm: 100_000 }
  const euros = { currency: 'EUR', minimumSubtotalMinor: 10_000 }
  const own = await give(limited, tenth)
  const answers = [
    own, await give(limited, { kind: 'percentage', ratePpm: 100_001 }), await give(limited, { kind: 'free_delivery' }),
    await give(limited, { kind: 'amount', amountMinor: 1_000 }, euros),
    await give(limited, { kind: 'amount', amountMinor: 1_001 }, euros),
    await give(limited, { kind: 'amount', amountMinor: 1 }, { currency: 'EUR' }),
  ]
  assert.deepEqual(answers.map(({ status }) => status), [201, 403, 201, 201, 403, 403])
  assert.equal(answers[1]!.body.limit, 100_000)
  const change = (id: string, body: object) => limited('PATCH', `/admin/promotions/${id}`, body)
  assert.equal((await change(own.body.id, { discount: { kind: 'percentage', ratePpm: 200_000 } })).status, 403)
  assert.equal((await change(own.body.id, { active: false })).status, 200)

  const half = (await give(anybody, { kind: 'percentage', ratePpm: 500_000 })).body.id
  const coupon = (await anybody('POST', `/admin/promotions/${half}/coupons`, { code: 'HALF' })).body.id
  const refused = [
    await change(half, { active: true }), await limited('POST', `/admin/promotions/${half}/coupons`, { code: 'MINE' }),
    await limited('POST', `/admin/promotions/${half}/coupon-batches`, { count: 2 }),
    await limited('PATCH', `/admin/coupons/${coupon}`, { useLimit: 1_000 }),
  ]
  assert.deepEqual(refused.map(({ status }) => status), [403, 403, 403, 403])
  assert.equal((await limited('POST', `/admin/promotions/${own.body.id}/coupons`, { code: 'TENTH' })).status, 201)
})

test('docs/authorization.md is what the routes say', () => {
  const page = readFileSync(join(import.meta.dirname, '../docs/authorization.md'), 'utf8')
  assert.equal(page, authorizationPage(), 'run: node scripts/generate-authorization.ts')
})
