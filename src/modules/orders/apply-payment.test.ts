// An order and its money end together, whatever the bank does and whenever it says so: while nobody knows, the goods
// are kept; what comes too late goes back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql, systemContext } from '../../platform/db.ts'
import { testShop, type TestShop } from '../../testing.ts'
import { expireReservations } from '../inventory/expire-reservations.ts'
import { paymentsOf } from '../payments/get-payment.ts'
import { settlePayment } from '../payments/settle-payment.ts'
import { orderState } from './apply-payment.ts'
import { cancelOrder } from './cancel-order.ts'
import { lapseOrders } from './lapse-orders.ts'

const hour = sql`interval '1 hour'`
const overdue = ({ db }: TestShop) => db.run(sql`update orders.order set holds_until = now() - ${hour}`)

test('while the bank has not said, the order keeps its goods; when it says yes, the order is placed', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [1] })
  const cart = await shop.cart([{ variantId: mug, quantity: 1 }])
  const { orderId, payment } = await shop.complete(cart, { fault: 'charge_then_drop' })
  assert.equal(payment.kind, 'unknown')
  await overdue(shop)
  assert.equal(await lapseOrders(shop.db), 0)
  assert.deepEqual(await shop.stock(mug), { onHand: 1, reserved: 1 })
  await assert.rejects(shop.complete(await shop.cart([{ variantId: mug, quantity: 1 }])))
  await Promise.all(Array.from({ length: 10 }, () => settlePayment(shop.db, systemContext(), orderId)))
  assert.equal(await orderState(shop.db, orderId), 'placed')
  assert.deepEqual((await shop.charges()).map(({ capturedMinor }) => capturedMinor), [1_480])
})

test('the holds of an undecided payment are extended before their time is over', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [1] })
  const { orderId } = await shop.complete(await shop.cart([{ variantId: mug, quantity: 1 }]), { fault: 'action' })
  for (let quarter = 0; quarter < 3; quarter++) {
    // All but half a minute of its time passes, then the sweeps run as they always do.
    await shop.db.run(sql`update orders.order set holds_until = now() + interval '30 seconds'`)
    await shop.db.run(sql`update inventory.reservation set expires_at = now() + interval '30 seconds'`)
    assert.equal(await lapseOrders(shop.db), 0)
    await shop.db.run(sql`update inventory.reservation set expires_at = expires_at - interval '31 seconds'`)
    await expireReservations(shop.db)
    assert.deepEqual(await shop.stock(mug), { onHand: 1, reserved: 1 })
  }
  assert.equal(await orderState(shop.db, orderId), 'awaiting_payment')
  // One that nobody decides any more is left to its time.
  await shop.db.run(sql`update payments.attempt set created_at = created_at - ${hour}`)
  await shop.db.run(sql`update orders.order set holds_until = now() + interval '30 seconds'`)
  assert.equal(await lapseOrders(shop.db), 0)
  await overdue(shop)
  assert.equal(await lapseOrders(shop.db), 1)
})

test('who confirms after the order has lapsed gets the money back, and the goods are sold once', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [1] })
  const { orderId, payment } = await shop.complete(
    await shop.cart([{ variantId: mug, quantity: 1 }]), { fault: 'action' })
  await shop.db.run(sql`update payments.attempt set created_at = created_at - ${hour}`)
  await overdue(shop)
  assert.equal(await lapseOrders(shop.db), 1)
  await shop.complete(await shop.cart([{ variantId: mug, quantity: 1 }]))
  await fetch(payment.url!, { method: 'POST', body: 'answer=yes', redirect: 'manual' })
  await Promise.all(Array.from({ length: 5 }, () => settlePayment(shop.db, systemContext(), orderId)))
  assert.equal(await orderState(shop.db, orderId), 'lapsed')
  const [late] = await paymentsOf(shop.db, orderId)
  assert.deepEqual([late!.capturedMinor, late!.refundedMinor], [1_480, 1_480])
  assert.deepEqual((await shop.charges()).map(({ refundedMinor }) => refundedMinor).sort(), [0, 1_480])
  assert.deepEqual(await shop.stock(mug), { onHand: 1, reserved: 1 })
})

test('an order is cancelled while its payment is under way: nothing stays taken, in whatever order it happens',
  async (t) => {
  const shop = await testShop(t, { max: 40 })
  const mug = await shop.variant({ stock: [50] })
  const orderIds = await Promise.all(['', 'charge_then_drop', 'drop_before_charge', 'action'].flatMap((fault) =>
    ['card', 'card-later'].map(async (method) => {
      const cart = await shop.cart([{ variantId: mug, quantity: 1 }])
      const { orderId } = await shop.complete(cart, { fault: 'decline' })
      await Promise.all([
        shop.complete(cart, { fault }, method).catch(() => undefined),
        cancelOrder(shop.db, systemContext(), orderId, 'customer'),
      ])
      await shop.drain()
      // Others are still at it: what they repeat meanwhile must not be held for lost. A first call takes no hour.
      await shop.db.run(sql`update payments.attempt set created_at = created_at - ${hour} where state <> 'sending'`)
      for (let look = 0; look < 2; look++) await settlePayment(shop.db, systemContext(), orderId)
      assert.equal(await orderState(shop.db, orderId), 'cancelled')
      return orderId
    })))
  await shop.db.run(sql`
    update payments.attempt set created_at = created_at - ${hour}, sent_again_at = sent_again_at - ${hour}`)
  for (const orderId of orderIds) {
    for (let look = 0; look < 2; look++) await settlePayment(shop.db, systemContext(), orderId)
  }
  for (const { state, capturedMinor, refundedMinor } of await shop.charges()) {
    assert.equal(capturedMinor - refundedMinor, 0)
    assert.notEqual(state, 'authorized')
  }
  assert.deepEqual(await shop.stock(mug), { onHand: 50, reserved: 0 })
})

test('a call that was repeated a moment ago is not held for lost, and one that is held for lost is not repeated',
  async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [5] })
  const fallenSilent = async (): Promise<string> => {
    const cart = await shop.cart([{ variantId: mug, quantity: 1 }])
    const { orderId, payment } = await shop.complete(cart, { fault: 'drop_before_charge' })
    assert.equal(payment.kind, 'unknown')
    await shop.db.run(sql`update payments.attempt set created_at = created_at - ${hour} where state = 'unknown'`)
    return orderId
  }
  const look = async (orderId: string): Promise<string> => {
    await settlePayment(shop.db, systemContext(), orderId)
    return (await paymentsOf(shop.db, orderId))[0]!.attempts[0]!.state
  }
  const repeated = await fallenSilent()
  await shop.db.run(sql`update payments.attempt set sent_again_at = now()`)
  await cancelOrder(shop.db, systemContext(), repeated, 'customer')
  await shop.drain()
  assert.equal(await look(repeated), 'unknown')
  await shop.db.run(sql`update payments.attempt set sent_again_at = now() - ${hour}`)
  assert.equal(await look(repeated), 'declined')

  const lost = await fallenSilent()
  await shop.db.run(sql`update payments.attempt set lost = true where state = 'unknown'`)
  assert.equal(await look(lost), 'declined', 'nobody repeats it and the bank has not heard of it: it is over')
  assert.deepEqual(await shop.charges(), [])
  await cancelOrder(shop.db, systemContext(), lost, 'customer')
  await shop.drain()
  assert.equal(await look(lost), 'declined')
})
