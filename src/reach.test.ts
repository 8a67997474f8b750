// How far somebody reaches in a whole shop: channels, locations and amounts, seen and changed through HTTP.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { authorizationPage } from '../scripts/generate-authorization.ts'
import { createSecretKey } from './modules/identity/api-keys.ts'
import { permissions } from './modules/identity/identity.ts'
import { sql, systemContext } from './platform/db.ts'
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
  for (const url of ['/admin/transfers', '/admin/ledger/entries', '/admin/staff', '/admin/audit-log']) {
    assert.equal((await own('GET', url)).status, 403, `${url} does not keep to channels, so it refuses`)
  }
  assert.equal((await own('POST', '/admin/secret-keys', { name: 'more', permissions: ['orders:read'] })).status, 403)
  assert.equal((await own('POST', `${url}/cancel`, { reason: 'other' })).status, 200)
})

test('somebody kept to channels sees and moves the money of their orders alone', async (t) => {
  const { shop, as, everywhere } = await open(t)
  const cart = await shop.cart([{ variantId: await shop.variant(), quantity: 1 }])
  const order = await shop.complete(cart, {}, 'card-later')
  const anybody = await as({})
  const payments = `/admin/orders/${order.orderId}/payments`
  const [payment] = (await anybody('GET', payments)).body.items
  const url = `/admin/payments/${payment.id}`
  const [foreign, own] = [
    await as({ reach: { ...everywhere, channelIds: [newId()] } }),
    await as({ reach: { ...everywhere, channelIds: [newId(), shop.channelId] } }),
  ]
  assert.deepEqual((await foreign('GET', payments)).body.items, [])
  const absent = await foreign('GET', `/admin/payments/${newId()}`)
  const acts = ['capture', 'refund', 'void', 'receipt'].map((act) => [act, {}] as const)
  const refused = [
    await foreign('GET', url), await foreign('POST', `${url}/decide`, { outcome: 'captured' }),
    ...await Promise.all(acts.map(([act, body]) => foreign('POST', `${url}/${act}`, body))),
  ]
  for (const { status, body } of [absent, ...refused]) {
    assert.deepEqual([status, body.type], [404, absent.body.type], 'as if it were not there')
  }
  assert.deepEqual((await anybody('GET', url)).body, payment, 'nothing was begun')
  assert.deepEqual([(await own('GET', url)).body, (await own('GET', payments)).body.items], [payment, [payment]])
  assert.equal((await own('POST', `${url}/capture`, {})).body.capturedMinor, payment.amountMinor)
  assert.equal((await own('POST', `${url}/refund`, { amountMinor: 100 })).body.refundedMinor, 100)
})

test('what is unclear about money is seen and decided in its own channel alone', async (t) => {
  const { shop, as, everywhere } = await open(t)
  const order = await shop.complete(await shop.cart([{ variantId: await shop.variant(), quantity: 1 }]))
  const caseId = newId()
  await shop.db.run(sql`insert into payments.operation (id, payment_id, attempt_id, kind, amount_minor, state, reason)
    select ${caseId}, payment_id, id, 'capture', 100, 'failed', 'refused' from payments.attempt`)
  await shop.db.run(sql`insert into payments.webhook_event (gateway, event_id, about, reference, state, reason)
    values ('simulator', 'strange', 'charge', 'none', 'quarantined', 'another amount')`)
  const anybody = await as({})
  const [foreign, own] = [
    await as({ reach: { ...everywhere, channelIds: [newId()] } }),
    await as({ reach: { ...everywhere, channelIds: [newId(), shop.channelId] } }),
  ]
  const cases = async (ask: typeof own): Promise<{ id: string; kind: string }[]> =>
    (await ask('GET', '/admin/payment-cases')).body.items
  const kinds = async (ask: typeof own) => (await cases(ask)).map(({ kind }) => kind).sort()
  assert.deepEqual([await kinds(anybody), await kinds(own), await kinds(foreign)],
    [['operation', 'webhook'], ['operation'], []], 'what belongs to no channel is for those who may act in all')

  const decide = (ask: typeof own, id: string, decision: string) =>
    ask('POST', `/admin/payment-cases/${id}/decisions`, { decision })
  const counts = async (ask: typeof own) => Promise.all(['', `?orderId=${order.orderId}`].map(async (which) =>
    (await ask('GET', `/admin/payment-decisions${which}`)).body.items.length))
  const message = (await cases(anybody)).find(({ kind }) => kind === 'webhook')!.id
  const absent = await decide(foreign, newId(), 'dismiss')
  const notThere = ({ status, body }: typeof absent) =>
    assert.deepEqual([status, body.type, body.detail], [404, absent.body.type, absent.body.detail])
  for (const id of [caseId, message]) notThere(await decide(foreign, id, 'dismiss'))
  notThere(await decide(own, message, 'dismiss'))
  assert.deepEqual(await counts(anybody), [0, 0], 'nothing was decided')
  assert.equal((await decide(own, caseId, 'dismiss')).status, 200)
  assert.deepEqual([await counts(anybody), await counts(own), await counts(foreign)], [[1, 1], [1, 1], [0, 0]])
  assert.equal((await decide(own, caseId, 'try_again')).status, 409)
  for (const decision of ['dismiss', 'try_again']) notThere(await decide(foreign, caseId, decision))
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

test('whoever may give back only so much books nothing by hand, and a key that is over is not made', async (t) => {
  const { as } = await open(t)
  const entry = {
    currency: 'EUR', note: 'Lost',
    lines: [{ account: 'bank', amountMinor: -100 }, { account: 'write_off', amountMinor: 100 }],
  }
  const clerk = await as({ limits: { refund: [{ currency: 'EUR', amountMinor: 500 }] } as never })
  const refused = await clerk('POST', '/admin/ledger/entries', entry)
  assert.deepEqual([refused.status, refused.body.type.split('/').at(-1)], [403, 'limit-exceeded'])
  const anybody = await as({})
  assert.equal((await anybody('POST', '/admin/ledger/entries', entry)).status, 201)
  const key = (expiresAt: string) =>
    anybody('POST', '/admin/secret-keys', { name: 'more', permissions: ['orders:read'], expiresAt })
  assert.equal((await key('2020-01-01T00:00:00Z')).status, 422)
  assert.equal((await key('2099-01-01T00:00:00Z')).status, 201)
})
