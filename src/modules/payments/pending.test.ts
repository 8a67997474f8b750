// A bank debit is under way for days, and the message that ends it may be lost: then the gateway is asked, rarely, and
// people after weeks. Who cancels meanwhile has it stopped, or gets back what is collected all the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { sql, systemContext } from '../../platform/db.ts'
import { findCase } from './cases.ts'
import { returnPayment } from './close-payment.ts'
import type { ChargeOutcome, Gateway } from './gateway.ts'
import { testPayments, type TestPayments } from './internal/test-payments.ts'
import { recordCharge } from './record-charge.ts'
import { settlePayment } from './settle-payment.ts'

const system = { kind: 'system' as const }

/** A gateway at which charges are under way until `says` is told otherwise. */
function debit(payments: TestPayments) {
  const [other] = payments.serve([{ code: 'debit', gateway: 'bank', title: 'Debit', capture: 'automatic' }], ['bank'])
  other!.answer = { kind: 'pending', reference: 'debit-1' }
  const bank = { says: other!.answer as ChargeOutcome, looks: 0, voids: 0, refunds: 0, refusesToStop: false }
  Object.assign(other!.gateway, {
    lookUp: async () => (bank.looks++, bank.says),
    void: async () => {
      bank.voids++
      return bank.refusesToStop ? { kind: 'failed', reason: 'it is under way' } : { kind: 'done', reference: 'v' }
    },
    refund: async () => (bank.refunds++, { kind: 'done', reference: 'r' }),
  } satisfies Partial<Gateway>)
  return bank
}

const captured: ChargeOutcome = {
  kind: 'captured', reference: 'debit-1', amountMinor: 1_000, capturedMinor: 1_000, currency: 'EUR',
}
const Due = Type.Object({ seconds: Type.Union([Type.Number(), Type.Null()]), checks: Type.Integer() })
const due = (payments: TestPayments, orderId: string) => payments.db.one(Due, sql`
  select extract(epoch from next_check_at - now())::float8 as seconds, checks
  from payments.attempt join payments.payment on payment.id = payment_id where order_id = ${orderId}`)
const attempt = async (payments: TestPayments, orderId: string) => (await payments.payment(orderId)).attempts[0]!

test('the gateway is asked after an hour, then ever more rarely, until it has been paid or not', async (t) => {
  for (const [end, told] of [[captured, 'paid'], [{ kind: 'declined', reason: 'no cover' }, 'failed']] as const) {
    const payments = await testPayments(t)
    const bank = debit(payments)
    const orderId = await payments.order()
    assert.equal((await payments.pay(orderId, '', 'debit')).kind, 'pending')
    for (const hours of [1, 6, 24, 24]) {
      const { seconds } = await due(payments, orderId)
      assert.ok(Math.abs(seconds! - hours * 3_600) < 60, `${seconds} seconds, and not ${hours} hours`)
      await payments.later(hours * 3_600)
      assert.equal((await attempt(payments, orderId)).state, 'pending')
    }
    assert.equal(bank.looks, 4)
    bank.says = end
    await payments.later(24 * 3_600)
    assert.equal((await attempt(payments, orderId)).state, end.kind)
    assert.equal((await due(payments, orderId)).seconds, null)
    assert.equal(payments.told.at(-1), `${told} ${orderId}`)
    assert.equal(payments.alerts.length, told === 'failed' ? 1 : 0, 'goods may be on their way')
  }
})

test('a look, a message and a repeat at once record it once', async (t) => {
  const payments = await testPayments(t)
  const bank = debit(payments)
  const orderId = await payments.order()
  await payments.pay(orderId, '', 'debit')
  bank.says = captured
  const { id: attemptId } = await attempt(payments, orderId)
  await Promise.all(Array.from({ length: 10 }, (_, turn) => (turn % 2
    ? settlePayment(payments.db, systemContext(), orderId)
    : recordCharge(payments.db, systemContext(), { orderId, attemptId }, captured))))
  const payment = await payments.payment(orderId)
  assert.deepEqual([payment.capturedMinor, payment.attempts.length], [1_000, 1])
  await payments.later()
  assert.equal((await payments.payment(orderId)).capturedMinor, 1_000)
})

test('cancelled while it is under way: stopped at the gateway, or given back when it comes all the same', async (t) => {
  for (const refusesToStop of [false, true]) {
    const payments = await testPayments(t)
    const bank = debit(payments)
    bank.refusesToStop = refusesToStop
    const orderId = await payments.order()
    await payments.pay(orderId, '', 'debit')
    payments.refusing.add(orderId)
    await returnPayment(payments.db, systemContext(), orderId)
    await returnPayment(payments.db, systemContext(), orderId)
    assert.ok(bank.voids >= 1)
    assert.equal((await attempt(payments, orderId)).state, refusesToStop ? 'pending' : 'expired')
    bank.says = captured
    await payments.later(24 * 3_600)
    await payments.later()
    const { refundedMinor, capturedMinor } = await payments.payment(orderId)
    assert.deepEqual([capturedMinor, refundedMinor, bank.refunds], refusesToStop ? [1_000, 1_000, 1] : [0, 0, 0])
    // It is told by a listener that takes no money, so nothing says that it was paid.
    assert.ok(!payments.told.slice(1).some((told) => told.startsWith('paid')))
  }
})

test('after two weeks people are asked; a transfer that people look after is asked of nobody', async (t) => {
  const payments = await testPayments(t)
  debit(payments)
  const orderId = await payments.order()
  await payments.pay(orderId, '', 'debit')
  const { id } = await attempt(payments, orderId)
  assert.equal(await findCase(payments.db, system, id), undefined)
  await payments.later(15 * 24 * 3_600)
  assert.equal((await findCase(payments.db, system, id))?.state, 'pending')

  const byHand = await testPayments(t)
  const transfer = await byHand.order()
  await byHand.pay(transfer, '', 'transfer')
  assert.equal((await due(byHand, transfer)).seconds, null)
  await byHand.db.run(sql`update payments.attempt set next_check_at = now()`)     // as an upgrade leaves it
  await byHand.later()
  assert.equal((await due(byHand, transfer)).seconds, null)
  assert.equal((await attempt(byHand, transfer)).state, 'pending')
  await returnPayment(byHand.db, systemContext(), transfer)
  assert.equal((await attempt(byHand, transfer)).state, 'voided')
})
