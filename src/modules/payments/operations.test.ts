// Captures, refunds and voids: never more than there is, however many ask at once; what the bank answers unclearly is
// done once; a closed order ends with its money given back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemContext } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { isProblem } from '../../platform/problem.ts'
import { returnPayment } from './close-payment.ts'
import { testPayments } from './internal/test-payments.ts'
import { AmountNotAvailable, NotPossible, PaymentNotFound } from './payments.ts'

const refused = (error: unknown): boolean => isProblem(error, AmountNotAvailable) || isProblem(error, NotPossible)

test('fifty refunds at once that together exceed what was captured: as many as fit, and not one more', async (t) => {
  const payments = await testPayments(t)
  const { id, orderId } = await payments.paid(1_000, 'card')
  const answers = await Promise.allSettled(Array.from({ length: 50 }, () => payments.operate(id, 'refund', 70)))
  assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 14)
  for (const one of answers) assert.ok(one.status === 'fulfilled' || refused(one.reason), String(one))
  await payments.later()
  assert.equal((await payments.payment(orderId)).refundedMinor, 980)
  await payments.agreesWithTheBank(orderId)
})

test('fifty captures at once, and voids among them: either captured within the authorisation, or voided', async (t) => {
  const payments = await testPayments(t)
  for (let round = 0; round < 3; round++) {
    const { id, orderId } = await payments.paid(1_000)
    const answers = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => index % 10 === 9
      ? payments.operate(id, 'void') : payments.operate(id, 'capture', 300)))
    for (const one of answers) assert.ok(one.status === 'fulfilled' || refused(one.reason), String(one))
    await payments.later()
    const { capturedMinor, attempts } = await payments.payment(orderId)
    assert.ok(capturedMinor === 900 || (capturedMinor === 0 && attempts[0]!.state === 'voided'), `${capturedMinor}`)
    await payments.agreesWithTheBank(orderId)
  }
})

test('parts are captured and refunded; what exceeds them is refused by name with what is left', async (t) => {
  const payments = await testPayments(t)
  const { id, orderId } = await payments.paid(1_000)
  const left = (availableMinor: number) => (error: any) => isProblem(error, AmountNotAvailable)
    && assert.equal(error.extra['availableMinor'], availableMinor) === undefined
  await assert.rejects(payments.operate(id, 'refund'), left(0))
  assert.equal((await payments.operate(id, 'capture', 400)).capturedMinor, 400)
  await assert.rejects(payments.operate(id, 'capture', 601), left(600))
  await assert.rejects(payments.operate(id, 'void'), (error) => isProblem(error, NotPossible))
  assert.equal((await payments.operate(id, 'capture')).capturedMinor, 1_000)
  assert.equal((await payments.operate(id, 'refund', 1)).refundedMinor, 1)
  await assert.rejects(payments.operate(id, 'refund', 1_000), left(999))
  assert.equal((await payments.operate(id, 'refund')).refundedMinor, 1_000)
  await assert.rejects(payments.operate(newId(), 'refund'), (error) => isProblem(error, PaymentNotFound))
  await assert.rejects(payments.operate((await payments.payment(await payments.order())).id, 'capture'),
    (error) => isProblem(error, NotPossible))
  await payments.agreesWithTheBank(orderId)
})

test('a gateway that captures once and wholly is asked for nothing else', async (t) => {
  const payments = await testPayments(t, { properties: { partialCapture: false, multipleCaptures: false } })
  const { id, orderId } = await payments.paid(1_000)
  await assert.rejects(payments.operate(id, 'capture', 400), (error) => isProblem(error, NotPossible))
  assert.equal((await payments.operate(id, 'capture')).capturedMinor, 1_000)
  await payments.agreesWithTheBank(orderId)
})

test('an operation with an unclear answer is done once, with look-up and without; a refusal gives the amount free',
  async (t) => {
  for (const lookUp of ['key', 'none'] as const) {
    const payments = await testPayments(t, { properties: { lookUp } })
    for (const kind of ['capture', 'refund', 'void'] as const) {
      for (const fault of ['drop_before', 'done_then_drop', 'done_then_500', 'refuse']) {
        const { id, orderId } = await payments.paid(1_000, kind === 'refund' ? 'card' : 'card-later')
        await payments.nextOperation(fault)
        const asked = await payments.operate(id, kind)
        assert.equal(asked.operations[0]!.state, fault === 'refuse' ? 'failed' : 'unknown', `${kind} ${fault}`)
        await payments.later(5)
        const [operation] = (await payments.payment(orderId)).operations
        assert.equal(operation!.state, fault === 'refuse' ? 'failed' : 'done', `${kind} ${fault}`)
        if (fault === 'refuse') await payments.operate(id, kind)
        await payments.agreesWithTheBank(orderId)
      }
    }
    assert.deepEqual(payments.alerts, ['capture', 'refund', 'void'].map(
      (kind) => `a ${kind} failed: refused by the bank`))
  }
})

test('after the lifetime of its key an operation is not repeated: look-up decides, or people do', async (t) => {
  for (const [lookUp, end] of [['key', 'failed'], ['none', 'unknown']] as const) {
    const payments = await testPayments(t, { properties: { lookUp } })
    const { id, orderId } = await payments.paid(1_000, 'card')
    await payments.nextOperation('drop_before')
    await payments.operate(id, 'refund')
    await payments.later(25 * 3_600)
    assert.equal((await payments.payment(orderId)).operations[0]!.state, end)
    assert.deepEqual(await payments.bankOperations(), [])
  }
})

test('an order is cancelled while its payment is captured: what was taken goes back, and nothing is taken after it',
  async (t) => {
  const payments = await testPayments(t)
  for (const fault of ['done_then_drop', 'refuse']) {
    const { id, orderId } = await payments.paid(1_000)
    await payments.nextOperation('drop_before')
    await payments.operate(id, 'capture', 400)
    await payments.nextOperation(fault)
    await Promise.all(Array.from({ length: 5 }, () => returnPayment(payments.db, systemContext(), orderId)))
    await payments.later(30)
    await payments.later(30)
    const payment = await payments.payment(orderId)
    assert.equal(payment.capturedMinor - payment.refundedMinor, 0)
    assert.deepEqual(payment.operations.map(({ kind, state }) => [kind, state]).sort(), fault === 'refuse'
      ? [['capture', 'failed'], ['void', 'done']] : [['capture', 'done'], ['refund', 'done']])
    await assert.rejects(payments.operate(id, 'capture'), refused)
    await payments.agreesWithTheBank(orderId)
  }
})

test('a payment that waits for the shopper or for a transfer ends with its order', async (t) => {
  const payments = await testPayments(t)
  for (const [fault, method, end] of [['action', 'card', 'expired'], ['', 'transfer', 'voided']] as const) {
    const orderId = await payments.order()
    await payments.pay(orderId, fault, method)
    await returnPayment(payments.db, systemContext(), orderId)
    assert.equal((await payments.payment(orderId)).attempts[0]!.state, end)
  }
})
