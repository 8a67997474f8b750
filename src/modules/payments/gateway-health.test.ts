// A gateway that does not answer, refuses for technical reasons or is slow is asked last, in every process; it is
// probed without a shopper, then one attempt at a time is let through, and people hear of it once.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { Type } from 'typebox'
import { Db, sql } from '../../platform/db.ts'
import { readCircuits } from './gateway-health.ts'
import { failoverMethods, testPayments, TestPayments } from './internal/test-payments.ts'
import { probeGateways } from './probe-gateways.ts'

async function open(t: Parameters<typeof testPayments>[0], properties = {}) {
  const payments = await testPayments(t, { properties })
  const [second] = payments.serve(failoverMethods('second'), ['second'])
  return { payments, second: second! }
}

/** Who is asked first for a new order. */
async function served(payments: TestPayments, fault = 'webhook_never'): Promise<string> {
  const orderId = await payments.order()
  await payments.pay(orderId, fault)
  return (await payments.payment(orderId)).attempts[0]!.gateway
}

async function makeIll(payments: TestPayments): Promise<void> {
  for (let call = 0; call < 5; call++) assert.equal(await served(payments, 'unavailable,webhook_never'), 'simulator')
  assert.deepEqual(await readCircuits(payments.db), { simulator: 'open' })
}

const letTimePass = (payments: TestPayments) => payments.db.run(sql`update payments.circuit set try_at = now()`)

test('five bad calls open the circuit; others are asked, also by other processes; people hear once', async (t) => {
  const { payments } = await open(t)
  await makeIll(payments)
  assert.equal(await served(payments), 'second')
  const elsewhere = new Db({ url: payments.db.url, max: 3 })
  t.after(() => elsewhere.close())
  const other = new TestPayments(elsewhere, { ...payments.gateway }, payments.bankUrl)
  other.serve(failoverMethods('second'), ['second'])
  assert.equal(await served(other), 'second')
  await payments.work()
  assert.deepEqual(payments.alerts.filter((one) => one.includes('not well')), [
    'the gateway simulator is not well, and others are asked before it: the bank cannot charge just now'])
})

test('a probe half-opens it, one attempt at a time is let through, and a good one closes it', async (t) => {
  const { payments } = await open(t)
  await makeIll(payments)
  assert.equal(await probeGateways(payments.db), 0, 'not yet')
  await letTimePass(payments)
  assert.deepEqual((await Promise.all([1, 2, 3].map(() => probeGateways(payments.db)))).toSorted(), [0, 0, 1])
  assert.deepEqual(await readCircuits(payments.db), { simulator: 'half_open' })
  const charge = payments.gateway.charge
  payments.gateway.charge = async (request) => {
    await sleep(200)
    return charge(request)
  }
  const gateways = await Promise.all(Array.from({ length: 6 }, () => served(payments)))
  assert.equal(gateways.filter((one) => one === 'simulator').length, 1)
  assert.deepEqual(await readCircuits(payments.db), {})
  assert.equal(await served(payments), 'simulator')
})

test('a bad attempt of a half-open one opens it again at once, for longer', async (t) => {
  const { payments, second } = await open(t)
  await makeIll(payments)
  await letTimePass(payments)
  await probeGateways(payments.db)
  assert.equal(await served(payments, 'unavailable,webhook_never'), 'simulator')
  assert.deepEqual(await readCircuits(payments.db), { simulator: 'open' })
  const { times, seconds } = await payments.db.one(Type.Object({ times: Type.Integer(), seconds: Type.Number() }), sql`
    select times, extract(epoch from try_at - now())::float8 as seconds from payments.circuit`)
  assert.ok(times === 2 && seconds > 20, `${times} times, for ${seconds} s`)
  assert.equal(second.asked.length, 6, 'each of the six shoppers was served by the other one')
})

test('a gateway that cannot be reached fails its probe', async (t) => {
  const { payments } = await open(t)
  await makeIll(payments)
  await letTimePass(payments)
  payments.gateway.lookUp = async () => { throw new Error('connection reset') }
  assert.equal(await probeGateways(payments.db), 1)
  assert.deepEqual(await readCircuits(payments.db), { simulator: 'open' })
})

test('slow counts as bad, though each answer is good', async (t) => {
  const { payments } = await open(t, { timeoutMs: 400 })
  const charge = payments.gateway.charge
  payments.gateway.charge = async (request) => {
    const answer = await charge(request)
    await sleep(220)
    return answer
  }
  for (let call = 0; call < 5; call++) assert.equal(await served(payments), 'simulator')
  assert.equal(await served(payments), 'second')
})

test('a decline of the card says nothing about its gateway', async (t) => {
  const { payments } = await open(t)
  for (let call = 0; call < 8; call++) assert.equal(await served(payments, 'decline,webhook_never'), 'simulator')
  assert.deepEqual(await readCircuits(payments.db), {})
})

test('the only gateway is asked however it feels', async (t) => {
  const { payments } = await open(t)
  payments.serve(failoverMethods(), [])
  await makeIll(payments)
  assert.equal(await served(payments), 'simulator')
  assert.deepEqual(await readCircuits(payments.db), {}, 'a good answer closes it')
})
