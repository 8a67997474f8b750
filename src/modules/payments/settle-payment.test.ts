// Every fault of the bank ends in the right state, with one charge and the order told once; compared with the bank's
// own log. Time passes as fast as the test likes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql, systemContext } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { testCharge } from './gateway-contract.ts'
import { testPayments, type TestPayments } from './internal/test-payments.ts'
import { decidePayment } from './operate-payment.ts'
import type { AttemptState, PaymentResult } from './payments.ts'

type Expected = { answer: PaymentResult['kind']; end: AttemptState }
const faults: Record<string, Expected> = {
  '': { answer: 'captured', end: 'captured' },
  decline: { answer: 'declined', end: 'declined' },
  drop_before_charge: { answer: 'unknown', end: 'captured' },
  charge_then_drop: { answer: 'unknown', end: 'captured' },
  'charge_then_drop,webhook_never': { answer: 'unknown', end: 'captured' },
  'charge_then_drop,webhook_late': { answer: 'unknown', end: 'captured' },
  'charge_then_drop,decline': { answer: 'unknown', end: 'declined' },
  charge_then_500: { answer: 'unknown', end: 'captured' },
  'charge_then_500,webhook_reordered': { answer: 'unknown', end: 'captured' },
  delay: { answer: 'unknown', end: 'captured' },
  'delay,webhook_twice': { answer: 'unknown', end: 'captured' },
  'look_up_later,webhook_never': { answer: 'unknown', end: 'captured' },
  'key_expired,webhook_never': { answer: 'unknown', end: 'captured' },
  webhook_twice: { answer: 'captured', end: 'captured' },
  webhook_late: { answer: 'captured', end: 'captured' },
  webhook_never: { answer: 'captured', end: 'captured' },
  webhook_first: { answer: 'captured', end: 'captured' },
  webhook_reordered: { answer: 'captured', end: 'captured' },
  dispute: { answer: 'captured', end: 'captured' },
}

async function state(payments: TestPayments, orderId: string): Promise<AttemptState> {
  return (await payments.payment(orderId)).attempts.at(-1)!.state
}

/** The seconds of the ladder, one look after the other, until nothing is unclear. */
async function climb(payments: TestPayments): Promise<void> {
  for (const seconds of [5, 30, 120, 600, 3_600]) await payments.later(seconds)
}

test('every fault ends in the right state, exactly once, as the bank has it', async (t) => {
  const payments = await testPayments(t)
  const orders = await Promise.all(Object.keys(faults).map(async (fault) => ({ fault, id: await payments.order() })))
  await Promise.all(orders.map(async ({ fault, id }) =>
    assert.equal((await payments.pay(id, fault)).kind, faults[fault]!.answer, fault)))
  await climb(payments)
  for (const { fault, id } of orders) {
    const { end } = faults[fault]!
    assert.equal(await state(payments, id), end, fault)
    const told = payments.told.filter((one) => one.endsWith(id))
    assert.deepEqual(told, [`${end === 'captured' ? 'paid' : 'failed'} ${id}`], fault)
    await payments.agreesWithTheBank(id)
  }
  assert.equal((await payments.charges()).length, orders.length)
})

test('a gateway without look-up is asked again with the same key; one that repeats its errors is looked up',
  async (t) => {
  for (const properties of [{ lookUp: 'none' as const }, { errorsCachedUnderKey: true }]) {
    const payments = await testPayments(t, { properties })
    for (const fault of ['drop_before_charge', 'charge_then_drop', 'delay,webhook_never']) {
      const orderId = await payments.order()
      assert.equal((await payments.pay(orderId, fault)).kind, 'unknown')
      await climb(payments)
      assert.equal(await state(payments, orderId), 'captured', fault)
      await payments.agreesWithTheBank(orderId)
    }
  }
})

test('a process that died before or after its call: recovery finishes what it began', async (t) => {
  const payments = await testPayments(t)
  for (const reached of [false, true]) {
    const orderId = await payments.order()
    const { id: paymentId } = await payments.payment(orderId)
    const key = newId()
    await payments.db.run(sql`insert into payments.attempt
      (id, payment_id, method, gateway, state, capture, data, next_check_at)
      values (${key}, ${paymentId}, 'card', 'simulator', 'sending', true, '{}', now())`)
    const charge = testCharge({ fault: 'webhook_never' }, { key })
    if (reached) await payments.gateway.charge(charge)
    await payments.later()
    // without a charge the gateway may still be on its way: nothing is repeated before that has become impossible
    assert.equal(await state(payments, orderId), reached ? 'captured' : 'unknown')
    await payments.later(30)
    assert.equal(await state(payments, orderId), 'captured')
    await payments.agreesWithTheBank(orderId)
  }
})

test('after the lifetime of the key nothing is repeated: look-up decides, or people do', async (t) => {
  for (const [lookUp, end] of [['key', 'declined'], ['none', 'unknown']] as const) {
    const payments = await testPayments(t, { properties: { lookUp } })
    const orderId = await payments.order()
    await payments.pay(orderId, 'drop_before_charge')
    await payments.later(25 * 3_600)
    assert.equal(await state(payments, orderId), end)
    assert.deepEqual(await payments.charges(), [])
  }
})

test('the shopper confirms at the bank, refuses, or comes too late; whoever waits is not charged twice', async (t) => {
  const payments = await testPayments(t)
  const confirm = (url: string, answer: string) =>
    fetch(url, { method: 'POST', body: `answer=${answer}`, redirect: 'manual' })
  for (const [method, answer, end] of [
    ['card', 'yes', 'captured'], ['card-later', 'yes', 'authorized'], ['card', 'no', 'declined'],
  ] as const) {
    const orderId = await payments.order()
    const first = await payments.pay(orderId, 'action,webhook_never', method)
    assert.equal(first.kind, 'action')
    assert.deepEqual(await payments.pay(orderId), first)
    await payments.later(5)
    assert.equal(await state(payments, orderId), 'requires_action')
    await confirm(first.url!, answer)
    await payments.later(30)
    assert.equal(await state(payments, orderId), end)
    await payments.agreesWithTheBank(orderId)
  }
  const abandoned = await payments.order()
  const { url } = await payments.pay(abandoned, 'action', 'card')
  await payments.db.run(sql`update payments.payment set closed = true where order_id = ${abandoned}`)
  await payments.later(3_600)
  assert.equal(await state(payments, abandoned), 'expired')
  await confirm(url!, 'yes')
  assert.equal((await payments.charges()).find(({ key }) => url!.includes(key))!.capturedMinor, 0)
})

test('a success that the order does not take any more is given back by itself, once, with an alert', async (t) => {
  const payments = await testPayments(t)
  for (const method of ['card', 'card-later']) {
    for (const fault of ['', 'charge_then_drop']) {
      const orderId = await payments.order()
      payments.refusing.add(orderId)
      await payments.pay(orderId, fault, method)
      await climb(payments)
      const payment = await payments.payment(orderId)
      assert.deepEqual([payment.closed, payment.capturedMinor - payment.refundedMinor], [true, 0])
      assert.deepEqual(payment.operations.map(({ kind }) => kind), [method === 'card' ? 'refund' : 'void'])
      await payments.agreesWithTheBank(orderId)
    }
  }
  const transfer = await payments.order()
  payments.refusing.add(transfer)
  await payments.pay(transfer, '', 'transfer')
  assert.equal(await state(payments, transfer), 'voided')
  assert.deepEqual(new Set(payments.alerts), new Set(['paid too late: the money is given back']))
  assert.equal(payments.alerts.length, 4)
  assert.deepEqual(payments.told, [])
})

test('a success of another amount is not believed, people hear of it once, and no second charge is made', async (t) => {
  const payments = await testPayments(t)
  const orderId = await payments.order()
  assert.equal((await payments.pay(orderId, 'other_amount,webhook_never')).kind, 'unknown')
  await climb(payments)
  assert.equal(await state(payments, orderId), 'unknown')
  assert.deepEqual(payments.alerts, ['the gateway speaks of 1001 EUR, ours are 1000 EUR'])
  assert.equal((await payments.pay(orderId)).kind, 'unknown')
  assert.equal((await payments.charges()).length, 1)
})

test('a fault that the bank does not know is refused, with those that it knows', async (t) => {
  const payments = await testPayments(t)
  const answer = await payments.pay(await payments.order(), 'nonsense')
  assert.equal(answer.kind, 'declined')
  assert.match(answer.reason!, /"nonsense" is no fault of the simulated bank; it knows decline, unavailable, /)
  assert.deepEqual(await payments.charges(), [])
})

test('people decide what no rule does, and never against a gateway that answers', async (t) => {
  const payments = await testPayments(t)
  const decide = (id: string, outcome: 'captured' | 'declined') =>
    decidePayment(payments.db, systemContext(), id, { outcome })
  const strange = await payments.order()
  assert.deepEqual(await payments.pay(strange, 'other_amount,webhook_never'), { kind: 'unknown' })
  const { id } = await payments.payment(strange)
  const outcomes = await Promise.allSettled([decide(id, 'captured'), decide(id, 'captured'), payments.later(30)])
  assert.ok(outcomes.some(({ status }) => status === 'fulfilled'))
  assert.equal(await state(payments, strange), 'captured')
  assert.equal((await payments.payment(strange)).capturedMinor, 1_000)
  assert.deepEqual(payments.told.filter((one) => one.endsWith(strange)), [`paid ${strange}`])
  await assert.rejects(decide(id, 'declined'), /Its outcome is known: captured/)

  const taken = await payments.order()
  await payments.pay(taken, 'charge_then_drop,webhook_never')
  await assert.rejects(decide((await payments.payment(taken)).id, 'declined'), /Its outcome is known: captured/)
  const promised = await payments.order()
  await payments.pay(promised, '', 'transfer')
  await decide((await payments.payment(promised)).id, 'declined')
  assert.equal(await state(payments, promised), 'declined')
  assert.deepEqual(await payments.pay(promised), { kind: 'captured' }, 'another way to pay is open')
  const untried = await payments.order()
  await assert.rejects(decide((await payments.payment(untried)).id, 'declined'), /Nobody has tried/)
})
