// A merchant's file that contradicts itself stops the shop at its start, with a sentence that says where and what to
// do; what would offer a way to pay nowhere, or to nobody, is a contradiction too.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { manual } from '../plugins/manual/manual.ts'
import { readConfig } from './platform/config.ts'
import { createLog } from './platform/log.ts'
import { testDatabase } from './platform/testing.ts'
import { defineShop, type PaymentMethod } from './plugin.ts'
import { openShop } from './shop.ts'

const shopWith = (method: Partial<PaymentMethod>) => defineShop({
  roles: ['store'], plugins: [{ name: 'manual', setup: (kit) => kit.addGateway(manual) }],
  paymentMethods: [{ code: 'card', title: 'Card', capture: 'automatic', gateway: 'manual', ...method }],
})

test('terms and shares that make no sense are named', () => {
  const wrong: [Partial<PaymentMethod>, RegExp][] = [
    [{ gateway: [] }, /"card" is served by nobody/], [{ gateway: [{ shares: {} }] }, /has the shares \{\}/],
    [{ gateway: [{ shares: { manual: 0 } }] }, /one of them above 0/],
    [{ gateway: [{ shares: { manual: -1 } }] }, /has the shares/], [{ countries: ['de'] }, /the country "de"/],
    [{ gateway: [{ currencies: ['Euro'], shares: { manual: 1 } }] }, /the currency "Euro"/],
    [{ amounts: { eur: {} } }, /the currency "eur"/],
    [{ amounts: { EUR: { fromMinor: 2, toMinor: 1 } } }, /amounts from 2 to 1/],
  ]
  for (const [method, message] of wrong) assert.throws(() => shopWith(method), message, JSON.stringify(method))
  shopWith({ gateway: [{ countries: ['DE'], shares: { manual: 1 } }], amounts: { EUR: { toMinor: 5 } } })
})

test('a gateway that no plugin adds, and one of several that has no page, are named', async (t) => {
  const db = await testDatabase(t)
  const dataDir = mkdtempSync(join(tmpdir(), 'kontor-plugin-'))
  t.after(() => rmSync(dataDir, { recursive: true }))
  const settings = { log: createLog('silent'), dataDir, config: readConfig({}) }
  await assert.rejects(openShop(db, shopWith({ gateway: 'stripe' }), settings), /needs the gateway "stripe", which no/)
  const several = defineShop({
    ...shopWith({ gateway: [{ shares: { manual: 1, other: 1 } }] }),
    plugins: [{ name: 'manual', setup(kit) {
      kit.addGateway(manual)
      kit.addGateway({ ...manual, code: 'other' })
    } }],
  })
  await assert.rejects(openShop(db, several, settings), /"manual" has no page/)
})
