// Paying: one charge however often and at the same time it is asked, two short transactions around the call, and a
// second attempt only after a definite no.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Db, measured, sql } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { isProblem } from '../../platform/problem.ts'
import { testPayments, TestPayments } from './internal/test-payments.ts'
import { listPaymentMethods } from './open-payment.ts'
import { PaymentClosed, PaymentMethodNotAvailable } from './payments.ts'

test('two short transactions: five statements in two trips before the call, six in three after it', async (t) => {
  const payments = await testPayments(t)
  const orderId = await payments.order()
  await payments.pay(await payments.order())
  const cost = await measured(async (cost) => {
    assert.equal((await payments.pay(orderId, 'webhook_never')).kind, 'captured')
    return cost
  })
  // Begin, lock, read; insert, commit. Begin, lock; attempt, payment, ledger; commit. The order's part is counted by
  // checkout.
  assert.deepEqual(cost, { statements: 5 + 6, trips: 2 + 3 })
})

test('twenty at once make one attempt and one charge, and everybody hears how it stands', async (t) => {
  const payments = await testPayments(t)
  for (let round = 0; round < 5; round++) {
    const orderId = await payments.order()
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) =>
      payments.pay(orderId, '', index % 2 ? 'card' : 'card-later')))
    assert.ok(answers.every(({ kind }) => ['captured', 'authorized', 'unknown'].includes(kind)))
    assert.equal((await payments.payment(orderId)).attempts.length, 1)
    await payments.agreesWithTheBank(orderId)
  }
  assert.equal((await payments.charges()).length, 5)
  assert.equal(payments.told.length, 5)
})

test('the webhook and the answer at once, with recovery beside them, place one order', async (t) => {
  const payments = await testPayments(t)
  for (const fault of ['webhook_first', 'webhook_twice', 'webhook_reordered', '']) {
    const orderId = await payments.order()
    let paying = true
    const answer = payments.pay(orderId, fault).finally(() => { paying = false })
    while (paying) await payments.later()
    assert.deepEqual(await answer, { kind: 'captured' })
    assert.equal(payments.told.filter((one) => one === `paid ${orderId}`).length, 1)
    await payments.agreesWithTheBank(orderId)
  }
})

test('after a decline the next card pays; while the outcome is unknown nothing else is tried', async (t) => {
  const payments = await testPayments(t)
  const orderId = await payments.order()
  assert.deepEqual(await payments.pay(orderId, 'decline'), { kind: 'declined', reason: 'the card was declined' })
  assert.deepEqual(await payments.pay(orderId, 'charge_then_drop,webhook_never'), { kind: 'unknown' })
  assert.deepEqual(await payments.pay(orderId, '', 'transfer'), { kind: 'unknown' })
  assert.equal((await payments.charges()).length, 2)
  await payments.later()
  assert.deepEqual(await payments.pay(orderId), { kind: 'captured' })
  await payments.agreesWithTheBank(orderId)
})

test('what cannot be paid is refused by name', async (t) => {
  const payments = await testPayments(t)
  const orderId = await payments.order()
  assert.deepEqual(await payments.pay(newId()), { kind: 'none' }, 'an order that owes nothing has no payment')
  await assert.rejects(payments.pay(orderId, '', 'gold'), (error: any) => isProblem(error, PaymentMethodNotAvailable)
    && assert.deepEqual(error.extra['offered'], ['card', 'card-later', 'transfer']) === undefined)
  await payments.db.run(sql`update payments.payment set closed = true`)
  await assert.rejects(payments.pay(orderId), (error) => isProblem(error, PaymentClosed))
  assert.deepEqual(await payments.charges(), [])
  const place = { currency: 'EUR', country: 'DE', channel: null, amountMinor: null }
  assert.deepEqual(listPaymentMethods(payments.db, place).map(({ code }) => code),
    ['card', 'card-later', 'transfer'])
})

test('no connection is held while a gateway is asked: ten wait for it beside a pool of two', async (t) => {
  const { db: { url }, gateway, bankUrl } = await testPayments(t)
  const db = new Db({ url, max: 2 })
  t.after(() => db.close())
  let reached = 0
  let answer = (): void => {}
  const held = new Promise<void>((resolve) => { answer = resolve })
  const payments = new TestPayments(db, {
    ...gateway, async charge(request) {
      reached++
      await held
      return gateway.charge(request)
    },
  }, bankUrl)
  const orders = await Promise.all(Array.from({ length: 10 }, () => payments.order()))
  const paying = orders.map((orderId) => payments.pay(orderId, 'webhook_never'))
  while (reached < 10) await new Promise((resolve) => setTimeout(resolve, 5))
  await Promise.all(Array.from({ length: 20 }, () => db.run(sql`select from payments.payment`)))
  answer()
  assert.deepEqual(new Set((await Promise.all(paying)).map(({ kind }) => kind)), new Set(['captured']))
})
