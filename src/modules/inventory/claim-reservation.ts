// The order is paid (or may be unpaid): its holds become promises without an end. A hold whose time is over, but whose
// stock nobody took yet, is claimed like any other. One that was taken back is reserved again if the stock is still
// there; if not, the order is lost and the payment must be given back.

import { Type, type Static } from 'typebox'
import { sql, type Tx } from '../../platform/db.ts'
import { freeExpired } from './expire-reservations.ts'
import { lockStockOfOrder } from './lock-stock.ts'
import { release } from './release-reservation.ts'
import { allocate } from './reserve.ts'

const Unclaimed = Type.Object({ variantId: Type.String(), quantity: Type.Integer(), released: Type.Boolean() })
type Unclaimed = Static<typeof Unclaimed>

/**
 * 'claimed': every unit of the order is promised for good (an order of untracked variants alone has nothing to claim).
 * 'lost': it holds nothing any more, because it was released or the stock is gone. Asked twice it answers the same.
 */
export async function claim(tx: Tx, orderId: string): Promise<'claimed' | 'lost'> {
  const [, unclaimed] = await Promise.all([
    tx.run(sql`
      update inventory.reservation set state = 'claimed', expires_at = null
      where order_id = ${orderId} and state = 'held'`),
    listUnclaimed(tx, orderId),
  ])
  if (unclaimed.length === 0) return 'claimed'
  await lockStockOfOrder(tx, orderId)
  return reserveAgain(tx, orderId, await listUnclaimed(tx, orderId))   // again, for another claim may have been first
}

async function reserveAgain(tx: Tx, orderId: string, lines: Unclaimed[]): Promise<'claimed' | 'lost'> {
  if (lines.length === 0) return 'claimed'
  if (lines.some((line) => line.released)) return 'lost'
  await freeExpired(tx, lines.map((line) => line.variantId))
  const failed = await allocate(tx, orderId, lines, null)
  if (failed.length > 0) {
    await release(tx, orderId)
    return 'lost'
  }
  await tx.run(sql`
    delete from inventory.reservation
    where order_id = ${orderId} and (state = 'expired' or (state = 'short' and expires_at is not null))`)
  return 'claimed'
}

function listUnclaimed(tx: Tx, orderId: string): Promise<Unclaimed[]> {
  return tx.many(Unclaimed, sql`
    select variant_id as "variantId", sum(quantity)::integer as quantity, bool_or(state = 'released') as released
    from inventory.reservation
    where order_id = ${orderId}
      and (state in ('expired', 'released') or (state = 'short' and expires_at is not null))
    group by variant_id`)
}
