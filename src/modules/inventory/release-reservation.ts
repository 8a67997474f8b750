// Gives back what an order holds and has not shipped: it lapsed or was cancelled. And its counterpart: more time for a
// hold while a payment is unknown or waits for the shopper.

import { sql, type Tx } from '../../platform/db.ts'
import { lockStockOfOrder } from './lock-stock.ts'

/** Asked twice it gives back once. After it, claim answers 'lost'. One trip. */
export async function release(tx: Tx, orderId: string): Promise<void> {
  await Promise.all([
    lockStockOfOrder(tx, orderId),
    tx.run(sql`
      with released as (
        update inventory.reservation set state = 'released', expires_at = null
        where order_id = ${orderId} and state in ('held', 'claimed')
        returning variant_id, location_id, quantity - shipped as quantity
      ), freed as (
        select variant_id, location_id, sum(quantity)::integer as quantity
        from released group by variant_id, location_id
      ), announced as (
        insert into inventory.stock_change (variant_id) select distinct variant_id from freed
      )
      update inventory.stock set reserved = stock.reserved - freed.quantity
      from freed where stock.variant_id = freed.variant_id and stock.location_id = freed.location_id`),
    tx.run(sql`
      update inventory.reservation set state = 'released', expires_at = null
      where order_id = ${orderId} and state in ('short', 'expired')`),
  ])
}

/**
 * The order's holds end no earlier than `seconds` from now. Asked twice it never shortens; what is claimed or gone
 * stays as it is.
 */
export async function extend(tx: Tx, orderId: string, seconds: number): Promise<void> {
  await tx.run(sql`
    update inventory.reservation
    set expires_at = greatest(expires_at, statement_timestamp() + make_interval(secs => ${seconds}))
    where order_id = ${orderId} and state = 'held'`)
}
