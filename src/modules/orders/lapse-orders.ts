// Orders that nobody paid in time give back what they held. Whoever still waits for a bank's answer keeps it: an
// undecided payment extends the holds, because goods that are paid for must not be sold to somebody else meanwhile.
import { Type } from 'typebox'
import { sql, systemContext, type Db, type Tx } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { failpoint } from '../../platform/failpoint.ts'
import { extend, release } from '../inventory/release-reservation.ts'
import { closePayment, isUndecided } from '../payments/close-payment.ts'
import { returnStoredValue } from '../payments/stored-value.ts'
import { releaseCoupons } from '../pricing/use-coupons.ts'
import { OrderLapsed } from './orders.ts'
import { note } from './timeline.ts'

// One look a few seconds later costs nothing; a bank that is slow is asked again and again by payments itself.
const EXTEND_SECONDS = 5 * 60
// Holds are extended before their time is over, since from that moment their stock is anybody's. A worker that was away
// for less than this loses nobody's goods.
const AHEAD_SECONDS = 60
const AT_ONCE = 100

const Order = Type.Object({ orderId: Type.String() })
const Due = Type.Object({ over: Type.Boolean() })

/**
 * Lets the orders lapse whose time is over; answers how many. Each in a transaction of its own, so that one cannot hold
 * up the others.
 */
export async function lapseOrders(db: Db): Promise<number> {
  const due = await db.many(Order, sql`
    select id as "orderId" from orders.order
    where state = 'awaiting_payment' and holds_until <= now() + make_interval(secs => ${AHEAD_SECONDS})
    order by holds_until limit ${AT_ONCE}`)
  let lapsed = 0
  for (const { orderId } of due) if (await db.transaction(systemContext(), (tx) => lapseOrder(tx, orderId))) lapsed++
  return lapsed
}

/** False when it is not due any more, or its payment is undecided. Asked twice, the second time does nothing. */
async function lapseOrder(tx: Tx, orderId: string): Promise<boolean> {
  const locked = await tx.maybe(Due, sql`
    select holds_until <= now() as over from orders.order
    where id = ${orderId} and state = 'awaiting_payment'
      and holds_until <= now() + make_interval(secs => ${AHEAD_SECONDS})
    for update skip locked`)
  if (!locked) return false
  const undecided = locked.over ? await closePayment(tx, orderId) === 'undecided' : await isUndecided(tx, orderId)
  if (!undecided && !locked.over) return false
  if (undecided) {
    await Promise.all([
      extend(tx, orderId, EXTEND_SECONDS),
      tx.run(sql`
        update orders.order set holds_until = now() + make_interval(secs => ${EXTEND_SECONDS}) where id = ${orderId}`),
    ])
    return false
  }
  await release(tx, orderId)
  await releaseCoupons(tx, orderId)
  await returnStoredValue(tx, orderId)
  failpoint('order.lapsed')
  await tx.commit([
    tx.run(sql`update orders.order set state = 'lapsed', closed_at = now() where id = ${orderId}`),
    note(tx, orderId, 'lapsed'),
    publish(tx, OrderLapsed, { orderId }),
  ])
  return true
}
