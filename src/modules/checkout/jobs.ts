// What checkout does by itself: a lapsed order gives its cart back to the shopper, and carts that nobody came back to
// are forgotten.
import { sql, type Db } from '../../platform/db.ts'
import { on, sweep } from '../../platform/events.ts'
import { firstIdOfLast } from '../../platform/id.ts'
import { OrderLapsed } from '../orders/orders.ts'

/** Opens the cart of an order that lapsed. Asked twice it finds nothing: the cart may be another order by then. */
async function reopenCart(db: Db, orderId: string): Promise<void> {
  await db.run(sql`update checkout.cart set order_id = null, updated_at = now() where order_id = ${orderId}`)
}

// A cart lives 60 days from its last change, so only ids of then are looked at.
async function forgetCarts(db: Db): Promise<void> {
  await db.run(sql`delete from checkout.cart where id = any(array(
    select id from checkout.cart where id < ${firstIdOfLast(59)} and expires_at < now()
    order by id limit 1000 for update skip locked))`)
}

export const handlers = [on(OrderLapsed, 'checkout.reopen-cart', (db, { orderId }) => reopenCart(db, orderId))]
export const sweeps = [sweep('checkout.forget-carts', { everySeconds: 300 }, forgetCarts)]
