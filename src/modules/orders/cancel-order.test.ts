// A cancelled order takes no money, whatever a gateway says later.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql, systemContext } from '../../platform/db.ts'
import { isProblem } from '../../platform/problem.ts'
import { testShop } from '../../testing.ts'
import { paymentsOf } from '../payments/get-payment.ts'
import { recordCharge } from '../payments/record-charge.ts'
import { orderState } from './apply-payment.ts'
import { cancelOrder } from './cancel-order.ts'
import { lapseOrders } from './lapse-orders.ts'
import { OrderClosed, OrderNotFound } from './orders.ts'

test('a payment that is announced for a cancelled order is stopped, and frees its goods at once', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [3] })
  const cart = await shop.cart([{ variantId: mug, quantity: 1 }])
  const { orderId } = await shop.complete(cart, { fault: 'drop_before_charge' })
  await cancelOrder(shop.db, systemContext(), orderId, 'customer')
  const [before] = await paymentsOf(shop.db, orderId)
  const attemptId = before!.attempts[0]!.id
  await recordCharge(shop.db, systemContext(), { orderId, attemptId }, { kind: 'pending', reference: 'transfer-1' })
  const [after] = await paymentsOf(shop.db, orderId)
  const { state, nextCheckAt } = after!.attempts[0]!
  // Its gateway is asked to stop at the next look, which is due (payments/pending.test.ts).
  const isDue = new Date(nextCheckAt!).getTime() <= Date.now() + 1_000
  assert.deepEqual([after!.closed, state, isDue], [true, 'pending', true])
  assert.equal(await orderState(shop.db, orderId), 'cancelled')
  assert.deepEqual(await shop.stock(mug), { onHand: 3, reserved: 0 })
})

test('what does not exist or has lapsed is not cancelled', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [3] })
  const { orderId } = await shop.complete(await shop.cart([{ variantId: mug, quantity: 1 }]), { fault: 'decline' })
  await shop.db.run(sql`update orders.order set holds_until = now() where id = ${orderId}`)
  await lapseOrders(shop.db)
  const cancel = (id: string) => cancelOrder(shop.db, systemContext(), id, 'other')
  await assert.rejects(cancel(orderId), (error) => isProblem(error, OrderClosed))
  await assert.rejects(cancel(mug), (error) => isProblem(error, OrderNotFound))
})
