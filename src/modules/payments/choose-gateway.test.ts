// Where a method is offered and who serves it: the first route that fits, by share, the same for one order for ever.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../platform/id.ts'
import { fits, gatewaysFor, type Place } from './choose-gateway.ts'
import type { PaymentMethod } from './gateway.ts'
import { testPayments, type TestPayments } from './internal/test-payments.ts'
import { listPaymentMethods } from './open-payment.ts'

const place = (more: Partial<Place> = {}): Place =>
  ({ currency: 'EUR', country: 'DE', channel: 'web', amountMinor: 5_000, ...more })

const card = (gateway: PaymentMethod['gateway'], more: Partial<PaymentMethod> = {}): PaymentMethod =>
  ({ code: 'card', title: 'Card', capture: 'automatic', gateway, ...more })

const order = (payments: TestPayments, method: PaymentMethod, where = place(), orderId = newId()): string[] =>
  gatewaysFor(payments.db, method, where, orderId).map(({ code }) => code)

test('terms hold by country, currency, channel and amount, and what is not known does not speak against them', () => {
  const terms = {
    countries: ['DE'], currencies: ['EUR'], channels: ['web'], amounts: { EUR: { fromMinor: 1_000, toMinor: 9_000 } },
  }
  assert.ok(fits(terms, place()))
  assert.ok(fits(terms, place({ country: null, channel: null, amountMinor: null })))
  for (const amountMinor of [1_000, 9_000]) assert.ok(fits(terms, place({ amountMinor })))
  const elsewhere: Partial<Place>[] = [
    { country: 'FR' }, { currency: 'USD' }, { channel: 'app' }, { amountMinor: 999 }, { amountMinor: 9_001 },
  ]
  for (const wrong of elsewhere) assert.ok(!fits(terms, place(wrong)), JSON.stringify(wrong))
  assert.ok(!fits({ amounts: { EUR: {} } }, place({ currency: 'USD', amountMinor: null })), 'not named')
})

test('a method is offered where its terms fit and somebody serves it', async (t) => {
  const payments = await testPayments(t)
  payments.serve([
    card([{ currencies: ['EUR'], amounts: { EUR: { fromMinor: 2_000 } }, shares: { simulator: 1 } }]),
    card('simulator', { code: 'app-only', channels: ['app'] }),
    card('other', { code: 'small', amounts: { EUR: { toMinor: 100 }, USD: {} } }),
  ], ['other'])
  const codes = (where: Place) => listPaymentMethods(payments.db, where).map(({ code }) => code)
  assert.deepEqual(codes(place()), ['card'])
  assert.deepEqual(codes(place({ channel: 'app' })), ['card', 'app-only'])
  assert.deepEqual(codes(place({ amountMinor: 100 })), ['small'], 'no route fits, so nobody serves the card')
  assert.deepEqual(codes(place({ currency: 'USD' })), ['small'])
})

test('the first route that fits decides; shares hold within chance, and an order keeps its gateway', async (t) => {
  const payments = await testPayments(t)
  payments.serve([card('simulator')], ['other', 'third'])
  const method = card([
    { countries: ['FR'], shares: { third: 1 } }, { shares: { simulator: 70, other: 30, third: 0 } },
  ])
  assert.deepEqual(order(payments, method, place({ country: 'FR' })), ['third'])
  const orderIds = Array.from({ length: 4_000 }, newId)
  const first = orderIds.map((orderId) => order(payments, method, place(), orderId))
  // 2,800 expected with a standard deviation of 29: five of them are no chance
  const served = first.filter(([code]) => code === 'simulator').length
  assert.ok(Math.abs(served - 2_800) < 145, `${served} of 4,000 at a share of 70 %`)
  assert.ok(first.every((codes) => codes.length === 3 && codes[2] === 'third'), 'a share of 0 comes last')
  assert.deepEqual(orderIds.map((orderId) => order(payments, method, place(), orderId)), first)
  // a share that grows takes orders from the others and gives none away
  const grown = card([{ shares: { simulator: 90, other: 30 } }])
  for (const [index, orderId] of orderIds.entries()) {
    if (first[index]![0] === 'simulator') assert.equal(order(payments, grown, place(), orderId)[0], 'simulator')
  }
})

test('an order comes to the gateway of its country, channel and amount, as they were when it was placed', async (t) => {
  const payments = await testPayments(t)
  const [second] = payments.serve([card([
    { channels: ['app'], shares: { second: 1 } }, { amounts: { EUR: { fromMinor: 5_000 } }, shares: { second: 1 } },
    { countries: ['FR'], shares: { second: 1 } }, { shares: { simulator: 1 } },
  ])], ['second'])
  const cases: [amountMinor: number, where: { country?: string; channel?: string }, served: string][] = [
    [1_000, { country: 'DE', channel: 'web' }, 'simulator'], [1_000, { country: 'FR' }, 'second'],
    [6_000, { country: 'DE', channel: 'web' }, 'second'], [1_000, { country: 'DE', channel: 'app' }, 'second'],
  ]
  for (const [amountMinor, where, served] of cases) {
    const orderId = await payments.order(amountMinor, { country: 'DE', channel: 'web', ...where })
    assert.equal((await payments.pay(orderId)).kind, 'captured')
    assert.equal((await payments.payment(orderId)).attempts[0]!.gateway, served, 'recorded with the attempt')
  }
  assert.equal(second!.asked.length, 3)
})
