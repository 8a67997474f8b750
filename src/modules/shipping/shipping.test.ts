// Zones, methods and rates over HTTP, and what they offer: steps that neither overlap nor gap, whatever the weight.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { systemContext } from '../../platform/db.ts'
import { createApp } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { createLog } from '../../platform/log.ts'
import { testDatabase, type Cleanup } from '../../platform/testing.ts'
import { adminRoutes } from './admin-api.ts'
import { saveMethod } from './methods.ts'
import { shippingOptions, type Parcel } from './shipping-options.ts'
import { storeRoutes } from './store-api.ts'
import { saveZone } from './zones.ts'

const channelId = newId()
const parcel = (values: Partial<Parcel> = {}): Parcel =>
  ({ channelId, currency: 'EUR', country: 'DE', weightGrams: 500, subtotalMinor: 2000, ...values })

async function start(t: Cleanup) {
  const db = await testDatabase(t)
  const staff = { kind: 'staff' as const, id: newId(), sessionId: newId(), permissions: [] }
  const shopper = { kind: 'shopper' as const, channelId, keyId: newId() }
  const app = await createApp({
    db, routes: [...adminRoutes, ...storeRoutes], log: createLog('silent'),
    authenticate: async (_, access) => (access === 'shopper' ? shopper : staff),
  })
  t.after(() => app.close())
  const call = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object, headers = {}) => {
    const answer = await app.inject({ method, url, headers, ...(body ? { payload: body } : {}) })
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() }
  }
  return { db, call }
}

test('staff sets up where and how the shop delivers, and a shopper sees it', async (t) => {
  const { db, call } = await start(t)
  const zone = { name: 'DACH', countries: ['DE', 'AT'] }
  const key = { 'idempotency-key': 'one' }
  const created = await call('POST', '/admin/shipping-zones', zone, key)
  assert.equal(created.status, 201)
  assert.deepEqual((await call('POST', '/admin/shipping-zones', zone, key)).body, created.body)
  const zoneId = created.body.id
  const method = {
    zoneId, code: 'parcel', name: 'Parcel', kind: 'flat', rates: [{ currency: 'EUR', from: 0, amountMinor: 490 }],
  }
  const made = await call('POST', '/admin/shipping-methods', method, key)
  assert.equal(made.status, 201)
  assert.deepEqual((await call('POST', '/admin/shipping-methods', method, key)).body, made.body)
  assert.equal((await call('POST', '/admin/shipping-methods', method)).status, 409, 'the code is taken')
  assert.deepEqual((await call('GET', '/store/shipping-countries')).body, { countries: ['AT', 'DE'] })
  assert.deepEqual(await shippingOptions(db, parcel()), [
    { methodId: made.body.id, code: 'parcel', name: 'Parcel', description: null, amountMinor: 490 }])

  const other = await call('POST', '/admin/shipping-zones', { name: 'Alps', countries: ['AT', 'CH'] })
  assert.deepEqual([other.status, /AT/.test(other.body.detail)], [409, true])
  const germany = { name: 'Germany', countries: ['DE'] }
  assert.equal((await call('PUT', `/admin/shipping-zones/${zoneId}`, germany)).status, 200)
  assert.deepEqual((await call('GET', '/admin/shipping-zones')).body.items, [{ id: zoneId, ...germany }])

  const paused = await call('PUT', `/admin/shipping-methods/${made.body.id}`, { ...method, active: false })
  assert.equal(paused.status, 200)
  assert.deepEqual(await shippingOptions(db, parcel()), [])
  assert.equal((await call('GET', `/admin/shipping-methods?zoneId=${zoneId}`)).body.items.length, 1)
  assert.equal((await call('DELETE', `/admin/shipping-methods/${made.body.id}`)).status, 204)
  assert.equal((await call('DELETE', `/admin/shipping-methods/${made.body.id}`)).status, 404)
  assert.equal((await call('DELETE', `/admin/shipping-zones/${zoneId}`)).status, 204)
  assert.equal((await call('DELETE', `/admin/shipping-zones/${zoneId}`)).status, 404)
})

test('rates that make no sense are refused by field', async (t) => {
  const { call } = await start(t)
  const { body: { id: zoneId } } = await call('POST', '/admin/shipping-zones', { name: 'DE', countries: ['DE'] })
  const refused = async (values: object) => {
    const method = { zoneId, code: 'a', name: 'A', kind: 'weight', ...values }
    const answer = await call('POST', '/admin/shipping-methods', method)
    assert.ok(answer.status === 422 || answer.status === 404, JSON.stringify(answer))
    return answer.body.fields?.map((field: { path: string }) => field.path)
  }
  const step = (from: number, currency = 'EUR') => ({ currency, from, amountMinor: 1 })
  assert.deepEqual(await refused({ rates: [step(0), step(5), step(0)] }), ['body/rates/2/from'])
  assert.deepEqual(await refused({ kind: 'flat', rates: [step(5)] }), ['body/rates/0/from'])
  assert.deepEqual(await refused({ rates: [step(0, 'XYZ')] }), ['body/rates/0/currency'])
  assert.equal(await refused({ zoneId: newId(), rates: [step(0)] }), undefined)
  assert.equal((await call('PUT', `/admin/shipping-methods/${newId()}`, {
    zoneId, code: 'a', name: 'A', kind: 'flat', rates: [step(0)] })).status, 404)
  assert.equal((await call('PUT', `/admin/shipping-zones/${newId()}`, { name: 'A', countries: ['FR'] })).status, 404)
})

test('for every weight exactly the step it falls into is offered, whatever the steps', async (t) => {
  const { db } = await start(t)
  const methodId = newId()
  const zoneId = newId()
  await db.transaction(systemContext(), (tx) => saveZone(tx, zoneId, { name: 'DE', countries: ['DE'] }))
  const rate = fc.record({ currency: fc.constant('EUR'), from: fc.nat(50), amountMinor: fc.option(fc.nat(99)) })
  const drawn = fc.uniqueArray(rate, { selector: ({ from }) => from, minLength: 1, maxLength: 6 })
  const kinds = fc.constantFrom('weight', 'subtotal')
  await fc.assert(fc.asyncProperty(drawn, fc.nat(60), kinds, async (rates, at, kind) => {
    await db.transaction(systemContext(), (tx) =>
      saveMethod(tx, methodId, { zoneId, code: 'a', name: 'A', kind, rates }))
    const offered = await shippingOptions(db, parcel(kind === 'weight' ? { weightGrams: at } : { subtotalMinor: at }))
    const step = rates.filter(({ from }) => from <= at).toSorted((a, b) => b.from - a.from)[0]
    assert.deepEqual(offered.map((option) => option.amountMinor), [step?.amountMinor ?? []].flat())
  }), { numRuns: 40 })
})

test('another channel, country or currency is offered nothing; the cheapest comes first', async (t) => {
  const { db } = await start(t)
  const zoneId = newId()
  await db.transaction(systemContext(), async (tx) => {
    await saveZone(tx, zoneId, { name: 'DE', countries: ['DE'] })
    const flat = (amountMinor: number) =>
      ({ zoneId, kind: 'flat' as const, rates: [{ currency: 'EUR', from: 0, amountMinor }] })
    await saveMethod(tx, newId(), { ...flat(900), code: 'express', name: 'Express' })
    await saveMethod(tx, newId(), { ...flat(100), code: 'pickup', name: 'Pick-up', channelId })
  })
  const codes = async (values: Partial<Parcel>) =>
    (await shippingOptions(db, parcel(values))).map((option) => option.code)
  assert.deepEqual(await codes({}), ['pickup', 'express'])
  assert.deepEqual(await codes({ channelId: newId() }), ['express'])
  assert.deepEqual(await codes({ country: 'FR' }), [])
  assert.deepEqual(await codes({ currency: 'USD' }), [])
})
