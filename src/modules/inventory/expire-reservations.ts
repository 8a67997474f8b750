// Takes back holds whose time is over. A buyer who would otherwise fail does it for the variants of his cart, in his
// own transaction; the sweep does it for everybody else each second. Both hold the stock rows first. A hold that is
// being claimed or extended at this moment is skipped.

import { Type } from 'typebox'
import { sql, systemContext, type Db, type Tx } from '../../platform/db.ts'
import { failpoint } from '../../platform/failpoint.ts'
import { lockStock } from './lock-stock.ts'

/**
 * Frees the expired holds of variants whose stock the transaction has locked. Answers how many stock rows got free
 * units.
 */
export function freeExpired(tx: Tx, variantIds: string[]): Promise<number> {
  return tx.run(sql`
    with expired as (
      update inventory.reservation set state = 'expired'
      where (order_id, id) in (
        select order_id, id from inventory.reservation
        where state = 'held' and expires_at <= statement_timestamp() and variant_id = any(${variantIds}::uuid[])
        for update skip locked)
      returning variant_id, location_id, quantity - shipped as quantity
    ), freed as (
      select variant_id, location_id, sum(quantity)::integer as quantity
      from expired group by variant_id, location_id
    ), announced as (
      insert into inventory.stock_change (variant_id) select distinct variant_id from freed
    )
    update inventory.stock set reserved = stock.reserved - freed.quantity
    from freed where stock.variant_id = freed.variant_id and stock.location_id = freed.location_id`)
}

/**
 * The sweep: up to a hundred variants with expired holds, the longest expired first. Any number of workers may run it.
 */
export function expireReservations(db: Db): Promise<number> {
  return db.transaction(systemContext(), async (tx) => {
    const expired = await tx.many(Type.Object({ variantId: Type.String() }), sql`
      select variant_id as "variantId" from inventory.reservation
      where state = 'held' and expires_at <= statement_timestamp()
      group by variant_id order by min(expires_at) limit 100`)
    if (expired.length === 0) return 0
    const variantIds = expired.map((row) => row.variantId)
    await lockStock(tx, variantIds)
    const freed = await freeExpired(tx, variantIds)
    failpoint('holds.expired')
    return freed
  })
}
