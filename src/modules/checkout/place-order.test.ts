// Placing an order: one order and one payment for a cart however often it is asked for, never more than there is, and a
// stated price in statements.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { measured, sql, systemContext } from '../../platform/db.ts'
import { testShop, type TestShop } from '../../testing.ts'
import { isProblem } from '../../platform/problem.ts'
import { OutOfStock } from '../inventory/inventory.ts'
import { lapseOrders } from '../orders/lapse-orders.ts'
import { cancelOrder } from '../orders/cancel-order.ts'
import { orderState } from '../orders/apply-payment.ts'
import { returnPayment } from '../payments/close-payment.ts'
import { paymentsOf } from '../payments/get-payment.ts'
import { updateCart } from './cart.ts'
import { CartChanged, CartIncomplete } from './checkout.ts'
import { placeOrder } from './place-order.ts'

const count = async (shop: TestShop, table: 'order' | 'payment' | 'attempt'): Promise<number> => {
  const from = { order: sql`orders.order`, payment: sql`payments.payment`, attempt: sql`payments.attempt` }[table]
  return (await shop.db.one(Type.Object({ n: Type.Integer() }), sql`select count(*) as n from ${from}`)).n
}

test('a purchase: the order is placed, the money taken, the stock promised', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ price: 990, stock: [6, 4] })
  const cart = await shop.cart([{ variantId: mug, quantity: 2 }])
  assert.equal(cart.cart.quote!.totalMinor, 2 * 990 + 490)
  const placed = await shop.complete(cart)
  assert.equal(placed.payment.kind, 'captured')
  assert.equal(await orderState(shop.db, placed.orderId), 'placed')
  assert.deepEqual(await shop.stock(mug), { onHand: 10, reserved: 2 })
  const [charge] = await shop.charges()
  assert.equal(charge!.capturedMinor, 2470)
})

test('the transaction costs nine statements in three trips, for 1 line and for 100; payment adds two short ones',
  async (t) => {
  const shop = await testShop(t)
  for (const size of [1, 100]) {
    const variants = await Promise.all(Array.from({ length: size }, () => shop.variant({ stock: [5] })))
    const cart = await shop.cart(variants.map((variantId) => ({ variantId, quantity: 1 })))
    // A method that is refused after the placement would cost the same; the simulated decline ends with the two
    // transactions of its attempt.
    const cost = await measured(async (cost) => {
      await shop.complete(cart, { fault: 'decline' })
      return cost
    })
    t.diagnostic(
      `${size} lines: ${cost.statements} statements, ${cost.trips} trips with the payment's two transactions`
    )
    // Attempt: begin, lock, read; insert, commit. Outcome of a decline: begin, two locks; the attempt, the timeline;
    // commit.
    const payment = { statements: 5 + 6, trips: 2 + 3 }
    assert.deepEqual(cost, { statements: 9 + payment.statements, trips: 3 + payment.trips })
  }
})

test('ten units in two places, sixty buyers: ten orders, and who lost learns which line failed', async (t) => {
  const shop = await testShop(t, { max: 40 })
  const mug = await shop.variant({ stock: [6, 4] })
  const carts = await Promise.all(Array.from({ length: 60 }, () => shop.cart([{ variantId: mug, quantity: 1 }])))
  const answers = await Promise.allSettled(carts.map((cart) => shop.complete(cart)))
  const lost = answers.filter((answer) => answer.status === 'rejected')
  assert.equal(answers.length - lost.length, 10)
  for (const { reason } of lost) {
    assert.ok(isProblem(reason, OutOfStock), String(reason))
    assert.deepEqual(reason.extra['lines'], [{ variantId: mug, requested: 1, available: 0 }])
  }
  assert.deepEqual(await shop.stock(mug), { onHand: 10, reserved: 10 })
  assert.equal((await shop.charges()).length, 10)
})

test('ten completions of one cart at once make one order, one payment, one charge', async (t) => {
  const shop = await testShop(t, { max: 40 })
  const mug = await shop.variant({ stock: [50] })
  for (let round = 0; round < 5; round++) {
    const cart = await shop.cart([{ variantId: mug, quantity: 1 }])
    const answers = await Promise.all(Array.from({ length: 10 }, () => shop.complete(cart)))
    assert.equal(new Set(answers.map((answer) => answer.orderId)).size, 1)
    assert.ok(answers.every((answer) => answer.payment.kind === 'captured' || answer.payment.kind === 'unknown'))
  }
  assert.deepEqual(await shop.stock(mug), { onHand: 50, reserved: 5 })
  assert.deepEqual([
    await count(shop, 'order'), await count(shop, 'payment'), await count(shop, 'attempt'),
    (await shop.charges()).length,
  ], [5, 5, 5, 5])
})

test('two tabs pay at once, each in another way: one of them does, and both hear how it stands', async (t) => {
  const shop = await testShop(t, { max: 40 })
  const mug = await shop.variant({ stock: [50] })
  for (const [one, other] of [['card', 'card-later'], ['card', 'transfer'], ['card-later', 'transfer']] as const) {
    for (const fault of ['', 'delay', 'charge_then_drop', 'action']) {
      const cart = await shop.cart([{ variantId: mug, quantity: 1 }])
      const before = (await shop.charges()).length
      const tabs = await Promise.all([
        shop.complete(cart, { fault }, one), shop.complete(cart, { fault }, other), shop.complete(cart, { fault }, one),
      ])
      assert.equal(new Set(tabs.map(({ orderId }) => orderId)).size, 1)
      assert.ok(tabs.every(({ payment }) => payment.kind !== 'declined' && payment.kind !== 'none'))
      const [payment, ...more] = await paymentsOf(shop.db, tabs[0]!.orderId)
      assert.deepEqual([more.length, payment!.attempts.length], [0, 1])
      assert.ok((await shop.charges()).length - before <= 1, 'charged twice')
    }
  }
})

test('a coupon that may be used five times is used five times by forty buyers', async (t) => {
  const shop = await testShop(t, { max: 40 })
  const mug = await shop.variant({ stock: [100] })
  await shop.coupon({ code: 'FIVE', useLimit: 5, ratePpm: 100_000 })
  const carts = await Promise.all(Array.from({ length: 40 }, (_, index) =>
    shop.cart([{ variantId: mug, quantity: 1 }], { couponCodes: ['FIVE'], email: `buyer${index}@example.com` })))
  const answers = await Promise.allSettled(carts.map((cart) => shop.complete(cart)))
  const placed = answers.filter((answer) => answer.status === 'fulfilled')
  assert.equal(placed.length, 5)
  assert.deepEqual(await shop.stock(mug), { onHand: 100, reserved: 5 })
})

test('a changed total and a missing field are refused, and nothing is half-done', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [5] })
  const { cart, context } = await shop.cart([{ variantId: mug, quantity: 1 }])
  const attempt = (amount: number) => placeOrder(
    shop.db, context, { cartId: cart.id, expectedTotal: { amount, currency: 'EUR' }, payment: { method: 'card' } }
  )
  await assert.rejects(
    attempt(cart.quote!.totalMinor - 1),
    (error: any) => isProblem(error, CartChanged) && error.extra['quote'] !== undefined
  )
  await updateCart(shop.db, context, cart.id, { email: null, shippingMethodId: null })
  await assert.rejects(attempt(990), (error: any) => isProblem(error, CartIncomplete) &&
    assert.deepEqual(error.extra['missing'], ['email', 'shippingMethodId']) === undefined)
  assert.deepEqual(await shop.stock(mug), { onHand: 5, reserved: 0 })
  assert.equal(await count(shop, 'order'), 0)
})

test('a declined card leaves the order waiting, another card pays it; it is the same order', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [5] })
  const cart = await shop.cart([{ variantId: mug, quantity: 1 }])
  const declined = await shop.complete(cart, { fault: 'decline' })
  assert.deepEqual(declined.payment, { kind: 'declined', reason: 'the card was declined' })
  assert.equal(await orderState(shop.db, declined.orderId), 'awaiting_payment')
  assert.deepEqual(await shop.stock(mug), { onHand: 5, reserved: 1 })
  const paid = await shop.complete(cart)
  assert.deepEqual([paid.orderId, paid.payment.kind], [declined.orderId, 'captured'])
  assert.equal(await count(shop, 'attempt'), 2)
})

test('an order that nobody pays lapses: its stock is free again; its cart can be ordered anew', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [1] })
  const cart = await shop.cart([{ variantId: mug, quantity: 1 }])
  const { orderId } = await shop.complete(cart, { fault: 'decline' })
  await shop.db.run(sql`update orders.order set holds_until = now() where id = ${orderId}`)
  assert.equal(await lapseOrders(shop.db), 1)
  assert.equal(await lapseOrders(shop.db), 0)
  assert.deepEqual(await shop.stock(mug), { onHand: 1, reserved: 0 })
  const again = await shop.complete(cart)
  assert.notEqual(again.orderId, orderId)
  assert.equal(await orderState(shop.db, again.orderId), 'placed')
})

test('a cancelled order frees its stock and gives the money back, once, however often it is asked', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [3] })
  const { orderId } = await shop.complete(await shop.cart([{ variantId: mug, quantity: 2 }]))
  await Promise.all(Array.from({ length: 5 }, () => cancelOrder(shop.db, systemContext(), orderId, 'customer')))
  await Promise.all(Array.from({ length: 5 }, () => returnPayment(shop.db, systemContext(), orderId)))
  assert.deepEqual(await shop.stock(mug), { onHand: 3, reserved: 0 })
  const [payment] = await paymentsOf(shop.db, orderId)
  assert.deepEqual([payment!.capturedMinor, payment!.refundedMinor, payment!.refundingMinor], [2470, 2470, 0])
  const [charge] = await shop.charges()
  assert.equal(charge!.refundedMinor, 2470)
})

test('an order whose total is nothing is placed without a payment', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ price: 0, stock: [3] })
  await shop.db.run(sql`update shipping.rate set amount_minor = 0`)
  const cart = await shop.cart([{ variantId: mug, quantity: 1 }])
  const placed = await shop.complete(cart)
  assert.deepEqual(await shop.complete(cart), placed)
  assert.deepEqual(placed.payment, { kind: 'none' })
  assert.equal(await orderState(shop.db, placed.orderId), 'placed')
  assert.equal(await count(shop, 'payment'), 0)
})
