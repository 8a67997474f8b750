// What only goes wrong together: somebody at the bank and we at the same charge, a closed order, a worker that was away
// for longer than a key lives. No money stays where it does not belong, and none goes back twice.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { systemContext } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { returnPayment } from './close-payment.ts'
import { testPayments } from './internal/test-payments.ts'
import { beginOperation } from './operations.ts'

test('somebody captured at the bank what our cancellation wanted to void: it is refunded', async (t) => {
  const payments = await testPayments(t)
  const { id, orderId, attempts: [attempt] } = await payments.paid(1_000)
  const reference = attempt!.reference!
  await payments.gateway.capture({ key: randomUUID(), reference, amountMinor: 1_000, currency: 'EUR' })
  await returnPayment(payments.db, systemContext(), orderId)
  await payments.later()
  const payment = await payments.payment(orderId)
  assert.deepEqual([payment.id, payment.capturedMinor, payment.refundedMinor], [id, 1_000, 1_000])
  assert.equal((await payments.charges())[0]!.refundedMinor, 1_000)
})

test('a capture that fails because the bank gave the authorisation back leaves no authorised payment', async (t) => {
  const payments = await testPayments(t)
  const { id, orderId, attempts: [attempt] } = await payments.paid(1_000)
  const reference = attempt!.reference!
  await payments.gateway.void({ key: randomUUID(), reference, amountMinor: 1_000, currency: 'EUR' })
  await payments.operate(id, 'capture')
  await payments.later()
  await payments.agreesWithTheBank(orderId)
  assert.equal((await payments.payment(orderId)).attempts[0]!.nextCheckAt, null)
})

test('a capture that the bank refuses is looked at once, and the authorisation stays', async (t) => {
  const payments = await testPayments(t)
  const { id, orderId } = await payments.paid(1_000)
  await payments.nextOperation('refuse')
  await payments.operate(id, 'capture')
  await payments.later()
  await payments.agreesWithTheBank(orderId)
  const [attempt] = (await payments.payment(orderId)).attempts
  assert.deepEqual([attempt!.state, attempt!.nextCheckAt], ['authorized', null])
})

test('a refund that was sent before everybody was away for two days is looked up before it is called failed',
  async (t) => {
  const payments = await testPayments(t)
  const { id: paymentId, orderId, attempts: [attempt] } = await payments.paid(1_000, 'card')
  const id = newId()
  await payments.db.transaction(systemContext(), (tx) =>
    beginOperation(tx, null, { id, paymentId, kind: 'refund', amountMinor: 400 }))
  await payments.gateway.refund({ key: id, reference: attempt!.reference!, amountMinor: 400, currency: 'EUR' })
  await payments.later(48 * 3_600)
  assert.deepEqual((await payments.payment(orderId)).operations.map(({ state }) => state), ['done'])
  await payments.agreesWithTheBank(orderId)
})
