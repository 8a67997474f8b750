// Customers through HTTP: made by hand and by their first order, with addresses, groups, segments and consents.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { sql } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import type { Cleanup } from '../../platform/testing.ts'
import { address, testShop } from '../../testing.ts'
import { countPurchases } from './count-purchases.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

async function open(t: Cleanup) {
  const shop = await testShop(t)
  const [app, { secret }] = [await shop.app(), await shop.keys()]
  const ask = async (method: Method, url: string, payload?: object, headers: Record<string, string> = {}) => {
    const answer = await app.inject({
      method, url: `/admin${url}`, headers: { authorization: `Bearer ${secret}`, ...headers },
      ...payload ? { payload } : {},
    })
    return { status: answer.statusCode, body: answer.body ? answer.json() : undefined }
  }
  const customer = async (email = `${newId()}@example.com`, more = {}): Promise<string> =>
    (await ask('POST', '/customers', { email, ...more })).body.id
  return { shop, ask, customer, db: shop.db }
}

test('a customer is added once for an address, read, changed and listed', async (t) => {
  const { ask, customer } = await open(t)
  const once = { 'idempotency-key': 'one' }
  const input = { email: 'Ada@Example.com', name: 'Ada', tags: ['wholesale'] }
  const [made, again] = [await ask('POST', '/customers', input, once), await ask('POST', '/customers', input, once)]
  assert.deepEqual([made.status, again.body, made.body.email], [201, made.body, 'ada@example.com'])
  assert.equal((await ask('POST', '/customers', input)).status, 409)
  const raced = await Promise.all(
    Array.from({ length: 8 }, () => ask('POST', '/customers', { email: 'b@example.com' })))
  assert.equal(raced.filter(({ status }) => status === 201).length, 1)
  const url = `/customers/${made.body.id}`
  const changed = await ask('PATCH', url, { phone: '+49 40 1', name: null })
  assert.deepEqual([changed.body.phone, changed.body.name, changed.body.tags], ['+49 40 1', null, ['wholesale']])
  assert.deepEqual((await ask('GET', url)).body, changed.body)
  for (const method of ['GET', 'PATCH'] as const) {
    assert.equal((await ask(method, `/customers/${newId()}`, method === 'GET' ? undefined : { name: 'x' })).status, 404)
  }
  await customer()
  assert.equal((await ask('GET', '/customers?tag=wholesale')).body.items.length, 1)
  assert.equal((await ask('GET', '/customers?email=ADA@example.com')).body.items.length, 1)
  const { items, nextCursor } = (await ask('GET', '/customers?limit=2')).body
  const rest = (await ask('GET', `/customers?limit=2&cursor=${nextCursor}`)).body
  assert.deepEqual([items.length, rest.items.length, rest.nextCursor], [2, 1, null])
})

test('twenty addresses, one of them the default, whoever adds at the same time', async (t) => {
  const { ask, customer } = await open(t)
  const url = `/customers/${await customer()}/addresses`
  const added = await Promise.all(Array.from({ length: 24 }, (_, index) =>
    ask('POST', url, { address, label: `no ${index}`, defaultShipping: true })))
  assert.deepEqual(added.map(({ status }) => status).toSorted(), [...Array(20).fill(201), ...Array(4).fill(409)])
  const { items } = (await ask('GET', url)).body
  assert.deepEqual([items.length, items.filter((one: any) => one.defaultShipping).length], [20, 1])
  const [one, two] = items
  assert.equal((await ask('DELETE', `${url}/${one.id}`)).status, 204)
  assert.equal((await ask('DELETE', `${url}/${one.id}`)).status, 404)
  assert.equal((await ask('PUT', `${url}/${one.id}`, { address })).status, 404)
  const put = await ask('PUT', `${url}/${two.id}`, { address: { ...address, city: 'Kiel' }, defaultBilling: true })
  assert.deepEqual([put.body.address.city, put.body.label, put.body.defaultBilling], ['Kiel', null, true])
  const once = { 'idempotency-key': 'one' }
  const first = await ask('POST', url, { address }, once)
  assert.deepEqual((await ask('POST', url, { address }, once)).body, first.body)
  for (const foreign of [`/customers/${await customer()}/addresses/${two.id}`]) {
    assert.equal((await ask('DELETE', foreign)).status, 404)
    assert.equal((await ask('PUT', foreign, { address })).status, 404)
  }
  assert.equal((await ask('GET', `/customers/${newId()}/addresses`)).status, 404)
  assert.equal((await ask('POST', `/customers/${newId()}/addresses`, { address })).status, 404)
})

test('groups: made, renamed, filled, emptied, removed', async (t) => {
  const { ask, customer } = await open(t)
  const once = { 'idempotency-key': 'one' }
  const { body: group } = await ask('POST', '/customer-groups', { code: 'press', name: 'Press' }, once)
  assert.deepEqual((await ask('POST', '/customer-groups', { code: 'press', name: 'Press' }, once)).body, group)
  assert.equal((await ask('POST', '/customer-groups', { code: 'press', name: 'Press' })).status, 409)
  const [id, url] = [await customer(), `/customer-groups/${group.id}`]
  for (let time = 0; time < 2; time++) assert.equal((await ask('PUT', `${url}/customers/${id}`)).status, 204)
  assert.equal((await ask('PUT', `${url}/customers/${newId()}`)).status, 404)
  assert.equal((await ask('PUT', `/customer-groups/${newId()}/customers/${id}`)).status, 404)
  assert.deepEqual((await ask('GET', `/customers/${id}`)).body.groupIds, [group.id])
  assert.equal((await ask('GET', `/customers?groupId=${group.id}`)).body.items.length, 1)
  assert.equal((await ask('PUT', url, { code: 'media', name: 'Media' })).body.customers, 1)
  assert.equal((await ask('PUT', `/customer-groups/${newId()}`, { code: 'x', name: 'x' })).status, 404)
  assert.deepEqual((await ask('GET', '/customer-groups')).body.items.map(({ code }: any) => code), ['media'])
  for (let time = 0; time < 2; time++) assert.equal((await ask('DELETE', `${url}/customers/${id}`)).status, 204)
  assert.deepEqual([(await ask('DELETE', url)).status, (await ask('DELETE', url)).status], [204, 404])
})

test('an order makes a customer, and what they bought is counted however often it is told', async (t) => {
  const { shop, ask, db } = await open(t)
  const variantId = await shop.variant({ stock: [50] })
  const order = async () =>
    shop.complete(await shop.cart([{ variantId, quantity: 1 }], { email: 'Zoe@example.com' }))
  const [first] = await Promise.all([order(), order(), order()])
  await shop.drain()
  await Promise.all([countPurchases(db, first.orderId), countPurchases(db, first.orderId)])
  const [zoe] = (await ask('GET', '/customers?email=zoe@example.com')).body.items
  assert.deepEqual([zoe.name, zoe.purchases[0].orders], [address.name, 3])
  const { spentMinor } = zoe.purchases[0]
  await ask('POST', `/orders/${first.orderId}/cancel`, { reason: 'other' })
  await shop.drain()
  const after = (await ask('GET', `/customers/${zoe.id}`)).body.purchases[0]
  assert.deepEqual([after.orders, after.spentMinor], [2, spentMinor / 3 * 2])
  // Told late and at once, in the wrong order: a cancelled order is not counted again.
  await Promise.all(Array.from({ length: 20 }, () => countPurchases(db, first.orderId)))
  assert.deepEqual((await ask('GET', `/customers/${zoe.id}`)).body.purchases[0], after)
})

test('a segment holds whoever fits its rule now', async (t) => {
  const { shop, ask, customer } = await open(t)
  const [ada, bob] = [await customer('ada@example.com', { tags: ['vip'] }), await customer('bob@example.com')]
  const { body: group } = await ask('POST', '/customer-groups', { code: 'press', name: 'Press' })
  await ask('PUT', `/customer-groups/${group.id}/customers/${bob}`)
  await ask('POST', `/customers/${ada}/addresses`, { address: { ...address, country: 'FR' } })
  const consent = { purpose: 'newsletter', granted: true, wording: 'Send me news', source: 'checkout' }
  await ask('POST', `/customers/${bob}/consents`, consent)
  const variantId = await shop.variant({ price: 5_000 })
  await shop.complete(await shop.cart([{ variantId, quantity: 1 }], { email: 'ada@example.com' }))
  await shop.drain()
  const names = new Map([[ada, 'ada'], [bob, 'bob']])
  const rules: [string, object[], ('all' | 'any')?][] = [
    ['ada', [{ field: 'tag', tag: 'vip' }]], ['bob', [{ field: 'tag', tag: 'vip', not: true }]],
    ['bob', [{ field: 'group', groupId: group.id }]], ['ada', [{ field: 'country', countries: ['FR', 'BE'] }]],
    ['ada', [{ field: 'orders', from: 1 }]], ['bob', [{ field: 'orders', to: 0 }]],
    ['ada', [{ field: 'spent', currency: 'EUR', from: 5_000 }]], ['', [{ field: 'spent', currency: 'USD', from: 1 }]],
    ['ada', [{ field: 'lastOrderDays', to: 30 }]], ['bob', [{ field: 'lastOrderDays', to: 30, not: true }]],
    ['ada bob', [{ field: 'createdDays', to: 1 }]], ['', [{ field: 'createdDays', from: 1 }]],
    ['bob', [{ field: 'consent', purpose: 'newsletter' }]], ['', [{ field: 'consent', purpose: 'profiling' }]],
    ['ada bob', [{ field: 'tag', tag: 'vip' }, { field: 'group', groupId: group.id }], 'any'],
    ['', [{ field: 'tag', tag: 'vip' }, { field: 'group', groupId: group.id }], 'all'],
  ]
  const { body: segment } = await ask('POST', '/customer-segments', {
    name: 'First', rule: { match: 'all', conditions: [{ field: 'orders' }] },
  }, { 'idempotency-key': 'one' })
  const url = `/customer-segments/${segment.id}`
  for (const [wanted, conditions, match = 'all'] of rules) {
    assert.equal((await ask('PUT', url, { name: 'Now', rule: { match, conditions } })).status, 200)
    const { items } = (await ask('GET', `${url}/customers`)).body
    assert.equal(items.map(({ id }: { id: string }) => names.get(id)).join(' '), wanted, JSON.stringify(conditions))
  }
  await ask('POST', `/customers/${bob}/consents`, { ...consent, granted: false })
  await ask('PUT', url, {
    name: 'Now', rule: { match: 'all', conditions: [{ field: 'consent', purpose: 'newsletter' }] },
  })
  assert.deepEqual((await ask('GET', `${url}/customers`)).body.items, [], 'whoever withdrew is in it no more')
  const one = (await ask('GET', '/customer-segments')).body.items[0]
  assert.equal((await ask('POST', '/customer-segments', { name: one.name, rule: one.rule })).status, 409)
  for (const rule of [
    { match: 'all', conditions: [] }, { match: 'all', conditions: [{ field: 'id', value: '1 or true' }] },
    { match: 'some', conditions: one.rule.conditions },
  ]) assert.equal((await ask('PUT', url, { name: 'Bad', rule })).status, 400)
  assert.deepEqual([(await ask('DELETE', url)).status, (await ask('DELETE', url)).status], [204, 404])
  assert.equal((await ask('PUT', url, { name: 'x', rule: one.rule })).status, 404)
  assert.equal((await ask('GET', `${url}/customers`)).status, 404)
})

test('consents are added, never changed, and the newest counts', async (t) => {
  const { ask, customer, db } = await open(t)
  const id = await customer('ada@example.com')
  const consent = { purpose: 'newsletter', granted: true, wording: 'Send me news', source: 'checkout' }
  const once = { 'idempotency-key': 'one' }
  const said = await ask('POST', `/customers/${id}/consents`, consent, once)
  assert.deepEqual((await ask('POST', `/customers/${id}/consents`, consent, once)).body, said.body)
  await ask('POST', `/customers/${id}/consents`, { ...consent, granted: false })
  const { items } = (await ask('GET', `/customers/${id}/consents`)).body
  assert.deepEqual(items.map(({ granted }: { granted: boolean }) => granted), [false, true])
  assert.equal((await ask('GET', `/customers/${newId()}/consents`)).status, 404)
  await assert.rejects(db.run(sql`update customers.consent set granted = true`), /append-only/)
  await assert.rejects(db.run(sql`delete from customers.consent`), /append-only/)
  const { subject } = await db.one(Type.Object({ subject: Type.String() }), sql`
    select distinct subject from customers.consent`)
  assert.doesNotMatch(subject, /ada/)
})
