// Refunds of lines: what was paid for each unit, to the last cent and never twice, however many ask at once; what the
// gateway refuses is free again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemContext } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { isProblem } from '../../platform/problem.ts'
import { testShop, type TestShop } from '../../testing.ts'
import { AmountNotAvailable, NotPossible } from '../payments/payments.ts'
import { OrderNotFound } from './orders.ts'
import { NotRefundable, refundOrder, refundsOf } from './refund-order.ts'

const cause = 'returned'
const buy = async (shop: TestShop, method = 'card'): Promise<string> => {
  const [mug, bowl] = [await shop.variant({ price: 1_000 }), await shop.variant({ price: 333 })]
  await shop.coupon({ code: `TEN${mug}`, useLimit: 1, ratePpm: 100_000 })
  const cart = await shop.cart([{ variantId: mug, quantity: 1 }, { variantId: bowl, quantity: 3 }], {
    couponCodes: [`TEN${mug}`],
  })
  return (await shop.complete(cart, {}, method)).orderId
}

test('units cost what was paid for them, and the last unit brings a line to its total', async (t) => {
  const shop = await testShop(t)
  const orderId = await buy(shop)
  const refund = (quantity: number) => refundOrder(shop.db, systemContext(), orderId, {
    lines: [{ position: 2, quantity }], cause, note: 'one was cracked',
  })
  const first = await refund(1)
  assert.deepEqual([first.state, first.cause, first.note, first.lines[0]!.quantity], [
    'done', cause, 'one was cracked', 1,
  ])
  const rest = await refund(2)
  assert.equal(first.amountMinor + rest.amountMinor, 899)   // 9.99 less 10 %
  await assert.rejects(refund(1), (error: any) => isProblem(error, NotRefundable) && assert.deepEqual(error.extra, {
    lines: [{ position: 1, refundableQuantity: 1 }, { position: 2, refundableQuantity: 0 }],
    refundableShippingMinor: 490,
  }) === undefined)
  const whole = await refundOrder(shop.db, systemContext(), orderId, {
    lines: [{ position: 1, quantity: 1 }], shippingMinor: 490, cause,
  })
  assert.equal(first.amountMinor + rest.amountMinor + whole.amountMinor, (await shop.charges())[0]!.capturedMinor)
  const more = (wish: object) => refundOrder(shop.db, systemContext(), orderId, { cause: 'goodwill', ...wish })
  await assert.rejects(more({ extraMinor: 1 }), (error) => isProblem(error, AmountNotAvailable))
  await assert.rejects(more({ shippingMinor: 1 }), (error) => isProblem(error, NotRefundable))
  await assert.rejects(more({ lines: [{ position: 9, quantity: 1 }] }), (error) => isProblem(error, NotRefundable))
  await assert.rejects(more({}), (error) => isProblem(error, NotPossible))
  assert.equal((await refundsOf(shop.db, orderId)).length, 3)
})

test('two refunds at once that together exceed what was captured, or the units: one of them', async (t) => {
  const shop = await testShop(t, { max: 30 })
  for (const wish of [{ extraMinor: 1_500 }, { lines: [{ position: 2, quantity: 2 }] }]) {
    const orderId = await buy(shop)
    const answers = await Promise.allSettled([1, 2].map(() =>
      refundOrder(shop.db, systemContext(), orderId, { ...wish, cause })))
    assert.deepEqual(answers.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    const [lost] = answers.filter((answer) => answer.status === 'rejected')
    assert.ok(isProblem(lost!.reason, AmountNotAvailable) || isProblem(lost!.reason, NotRefundable), lost!.reason)
  }
  const orderId = await buy(shop)
  const units = await Promise.allSettled(Array.from({ length: 20 }, () =>
    refundOrder(shop.db, systemContext(), orderId, { lines: [{ position: 2, quantity: 1 }], cause })))
  const refused = units.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
  for (const reason of refused) {
    assert.ok(isProblem(reason, AmountNotAvailable) || isProblem(reason, NotRefundable), reason)
  }
  assert.equal(units.length - refused.length, 3)
})

test('what the gateway refuses can be refunded again', async (t) => {
  const shop = await testShop(t)
  const orderId = await buy(shop)
  const refund = () => refundOrder(shop.db, systemContext(), orderId, {
    lines: [{ position: 1, quantity: 1 }], shippingMinor: 490, cause,
  })
  await fetch(`${shop.bank.url}/faults`, { method: 'POST', body: JSON.stringify({ fault: 'refuse' }) })
  assert.equal((await refund()).state, 'failed')
  await shop.drain()
  await shop.drain()
  assert.equal((await refund()).state, 'done')
  await shop.drain()
  await assert.rejects(refund(), (error) => isProblem(error, NotRefundable))
})

test('over HTTP: a repeat is one refund; who may not, and what is not there or not paid, is refused', async (t) => {
  const shop = await testShop(t)
  const app = await shop.app()
  const { secret } = await shop.keys()
  const call = async (method: 'GET' | 'POST', orderId: string, payload?: object) => {
    const answer = await app.inject({
      method, url: `/admin/orders/${orderId}/refunds`, ...payload ? { payload } : {},
      headers: { authorization: `Bearer ${secret}`, ...payload ? { 'idempotency-key': 'once' } : {} },
    })
    return { status: answer.statusCode, body: answer.json() }
  }
  const orderId = await buy(shop)
  const [first, again] = [await call('POST', orderId, { extraMinor: 5, cause: 'late' }),
    await call('POST', orderId, { extraMinor: 5, cause: 'late' })]
  assert.deepEqual([first.status, again.body.id], [201, first.body.id])
  assert.deepEqual((await call('GET', orderId)).body.items.map((one: any) => one.amountMinor), [5])
  assert.equal((await call('GET', newId())).status, 404)
  await assert.rejects(refundOrder(shop.db, systemContext(), newId(), { extraMinor: 5, cause }),
    (error) => isProblem(error, OrderNotFound))
  for (const method of ['transfer', 'card-later']) {
    const unpaid = await buy(shop, method)
    await assert.rejects(refundOrder(shop.db, systemContext(), unpaid, { extraMinor: 5, cause }),
      (error) => isProblem(error, NotPossible) || isProblem(error, AmountNotAvailable))
  }
})
