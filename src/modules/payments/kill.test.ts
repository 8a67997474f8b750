// A shop that is killed (SIGKILL, a real process) around a call of its gateway: recovery alone ends with our record
// equal to the bank's, and nothing is done twice.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { failoverMethods, testPayments, type TestPayments } from './internal/test-payments.ts'

async function killed({ db, bankUrl }: TestPayments, ...what: [call: string, moment: string, id: string]) {
  const shop = spawn(process.execPath, [`${import.meta.dirname}/internal/killed-shop.ts`, db.url, bankUrl, ...what],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, KONTOR_FAILPOINT: what[1] } })
  assert.deepEqual(await once(shop, 'exit'), [null, 'SIGKILL'])
}

for (const moment of ['before', 'after']) {
  test(`killed ${moment} the bank charged: recovery charges once and the order is told once`, async (t) => {
    const payments = await testPayments(t)
    const orderId = await payments.order()
    await killed(payments, 'charge', moment, orderId)
    assert.equal((await payments.payment(orderId)).attempts[0]!.state, 'sending', 'committed before the call')
    assert.equal((await payments.charges()).length, moment === 'after' ? 1 : 0)
    await payments.later()
    await payments.later(30)
    await payments.agreesWithTheBank(orderId)
    assert.equal((await payments.charges()).length, 1)
    assert.deepEqual(payments.told, [`paid ${orderId}`])
  })

  test(`killed ${moment} the bank refunded: recovery refunds once`, async (t) => {
    const payments = await testPayments(t)
    const { id, orderId } = await payments.paid(1_000, 'card')
    await killed(payments, 'refund', moment, id)
    const { refundingMinor, operations } = await payments.payment(orderId)
    assert.deepEqual([refundingMinor, operations[0]!.state], [400, 'sending'], 'committed before the call')
    assert.equal((await payments.bankOperations()).length, moment === 'after' ? 1 : 0)
    await payments.later()
    await payments.agreesWithTheBank(orderId)
    assert.equal((await payments.payment(orderId)).refundedMinor, 400)
    assert.equal((await payments.bankOperations()).length, 1)
  })
}

const steps: Record<string, string[]> = {
  'charge.recorded': ['simulator declined'],
  'charge.committed:2': ['simulator declined', 'second sending'],
  'charge.answered:2': ['simulator declined', 'second sending'],
  'charge.recorded:2': ['simulator declined', 'second captured'],
}
for (const [step, left] of Object.entries(steps)) {
  test(`killed at ${step} of a failover: what was decided is on record, and there is one charge`, async (t) => {
    const payments = await testPayments(t)
    payments.serve(failoverMethods('second'), ['second'])
    const orderId = await payments.order()
    const states = async () =>
      (await payments.payment(orderId)).attempts.map(({ gateway, state }) => `${gateway} ${state}`)
    await killed(payments, 'failover', step, orderId)
    assert.deepEqual(await states(), left)
    await payments.later()
    await payments.later(30)
    assert.equal((await payments.pay(orderId, 'unavailable')).kind, 'captured')
    assert.deepEqual(await states(), ['simulator declined', 'second captured'])
    await payments.agreesWithTheBank(orderId)
  })
}
