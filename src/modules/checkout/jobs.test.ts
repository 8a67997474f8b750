// What checkout does by itself: a lapsed order gives its cart back, a forgotten cart goes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from '../../platform/db.ts'
import { isProblem } from '../../platform/problem.ts'
import { testShop } from '../../testing.ts'
import { lapseOrders } from '../orders/lapse-orders.ts'
import { changeLines, readCart } from './cart.ts'
import { CartCompleted, CartNotFound } from './checkout.ts'
import { sweeps } from './jobs.ts'

test('the cart of a lapsed order is open again, once its event is delivered', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [5] })
  const cart = await shop.cart([{ variantId: mug, quantity: 1 }])
  const { orderId } = await shop.complete(cart, { fault: 'decline' })
  const add = () => changeLines(shop.db, cart.context, cart.cart.id, [{ variantId: mug, quantity: 1 }], 'add')
  await assert.rejects(add(), (error) => isProblem(error, CartCompleted))
  await shop.db.run(sql`update orders.order set holds_until = now() where id = ${orderId}`)
  await lapseOrders(shop.db)
  await shop.drain()
  assert.deepEqual((await add()).lines, [{ variantId: mug, quantity: 2 }])
})

test('an order whose payment is undecided keeps its holds; it does not lapse', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [5] })
  const { orderId, payment } = await shop.complete(
    await shop.cart([{ variantId: mug, quantity: 1 }]), { fault: 'charge_then_drop,webhook_never' })
  assert.equal(payment.kind, 'unknown')
  await shop.db.run(sql`update orders.order set holds_until = now() where id = ${orderId}`)
  assert.equal(await lapseOrders(shop.db), 0)
  assert.deepEqual(await shop.stock(mug), { onHand: 5, reserved: 1 })
})

test('a cart that nobody came back to is forgotten, another is kept', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant()
  const old = await shop.cart([{ variantId: mug, quantity: 1 }])
  const fresh = await shop.cart([{ variantId: mug, quantity: 1 }])
  await shop.db.run(sql`update checkout.cart set expires_at = now() where id = ${old.cart.id}`)
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61 * 86_400_000 })   // both carts are that old by their ids
  for (const sweep of sweeps) await sweep.run(shop.db)
  await assert.rejects(readCart(shop.db, old.context, old.cart.id), (error) => isProblem(error, CartNotFound))
  assert.equal((await readCart(shop.db, fresh.context, fresh.cart.id)).id, fresh.cart.id)
})
