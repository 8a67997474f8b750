// Another gateway follows one that certainly charged nothing, once each for an order, and none ever follows an unclear
// outcome: with two tabs at once, there is one charge. kill.test.ts kills the shop between the steps.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NotSent } from './gateway.ts'
import { failoverMethods, testPayments, type TestPayments } from './internal/test-payments.ts'

/** A shop whose card is served by the simulated bank, and by others when that one cannot. */
async function open(t: Parameters<typeof testPayments>[0]) {
  const payments = await testPayments(t)
  const others = payments.serve(failoverMethods('second', 'third'), ['second', 'third'])
  return { payments, second: others[0]!, third: others[1]! }
}

const states = async (payments: TestPayments, orderId: string): Promise<string[]> =>
  (await payments.payment(orderId)).attempts.map(({ gateway, state }) => `${gateway} ${state}`)

test('a refusal for technical reasons is followed by the next gateway; a decline of the card is not', async (t) => {
  const { payments, second } = await open(t)
  const [ill, declined] = [await payments.order(), await payments.order()]
  assert.deepEqual(await payments.pay(ill, 'unavailable'), { kind: 'captured' })
  assert.deepEqual(await states(payments, ill), ['simulator declined', 'second captured'])
  assert.deepEqual(second.asked[0]!.data, {}, 'what the form of one gave is not for the other')
  assert.equal((await payments.pay(declined, 'decline')).kind, 'declined')
  assert.deepEqual(await states(payments, declined), ['simulator declined'])
  assert.equal(second.asked.length, 1)
})

test('what never left is followed; what may have arrived is not', async (t) => {
  const { payments, second } = await open(t)
  const bank = payments.gateway.charge
  const orders = { unsent: await payments.order(), broken: await payments.order(), slow: await payments.order() }
  payments.gateway.charge = async () => { throw new NotSent('connection refused') }
  assert.deepEqual(await payments.pay(orders.unsent), { kind: 'captured' })
  assert.deepEqual(await states(payments, orders.unsent), ['simulator declined', 'second captured'])
  payments.gateway.charge = async () => { throw new Error('connection reset') }
  assert.deepEqual(await payments.pay(orders.broken), { kind: 'unknown' })
  payments.gateway.charge = bank
  assert.deepEqual(await payments.pay(orders.slow, 'charge_then_drop,webhook_never'), { kind: 'unknown' })
  assert.equal(second.asked.length, 1)
  for (const id of [orders.broken, orders.slow]) assert.equal((await states(payments, id)).length, 1)
  await payments.later(30)
  for (const id of [orders.broken, orders.slow]) assert.deepEqual(await states(payments, id), ['simulator captured'])
})

test('each gateway once an order: when all of them cannot, the shopper hears no, and may ask again', async (t) => {
  const { payments, second, third } = await open(t)
  const orderId = await payments.order()
  second.answer = third.answer = { kind: 'declined', reason: 'down', technical: true }
  assert.deepEqual(await payments.pay(orderId, 'unavailable'), { kind: 'declined', reason: 'down' })
  assert.deepEqual(await states(payments, orderId), ['simulator declined', 'second declined', 'third declined'])
  second.answer = undefined
  assert.equal((await payments.pay(orderId, 'unavailable')).kind, 'declined', 'asked anew: one attempt, no failover')
  assert.equal((await states(payments, orderId)).length, 4)
})

test('a second gateway that is unclear ends it: nobody follows, and recovery finds out', async (t) => {
  const { payments, second, third } = await open(t)
  const orderId = await payments.order()
  second.answer = { kind: 'unknown', detail: 'it broke' }
  assert.equal((await payments.pay(orderId, 'unavailable')).kind, 'unknown')
  assert.deepEqual(await states(payments, orderId), ['simulator declined', 'second unknown'])
  assert.equal((await payments.pay(orderId)).kind, 'unknown')
  assert.equal(third.asked.length, 0)
  second.answer = undefined
  await payments.later(30)
  assert.deepEqual(await states(payments, orderId), ['simulator declined', 'second captured'])
  assert.deepEqual(payments.told.filter((one) => one.startsWith('paid')), [`paid ${orderId}`])
})

test('two tabs and a failover: one charge, never two live attempts', async (t) => {
  const { payments, second, third } = await open(t)
  for (let round = 0; round < 8; round++) {
    const orderId = await payments.order()
    const answers = await Promise.all(Array.from({ length: 6 }, () => payments.pay(orderId, 'unavailable')))
    assert.ok(answers.every(({ kind }) => ['captured', 'unknown', 'declined'].includes(kind)))
    const good = (await states(payments, orderId)).filter((one) => !one.endsWith('declined'))
    assert.equal(good.length, 1)
    assert.equal(payments.told.filter((one) => one === `paid ${orderId}`).length, 1)
  }
  assert.equal(second.asked.length + third.asked.length, 8)
})
