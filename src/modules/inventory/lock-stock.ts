// The one lock of inventory: the stock rows of a variant at all its locations, in key order. Whoever makes a
// reservation live or ends one holds it and only then touches reservations (claiming or extending an unexpired hold
// changes no stock and needs no lock). It is a statement of its own, because the next statement's snapshot then sees
// what the wait was for.

import { sql, type Tx } from '../../platform/db.ts'

export function lockStock(tx: Tx, variantIds: string[]): Promise<number> {
  return tx.run(sql`
    select from inventory.stock where variant_id = any(${variantIds}::uuid[])
    order by variant_id, location_id for no key update`)
}

export function lockStockOfOrder(tx: Tx, orderId: string): Promise<number> {
  return tx.run(sql`
    select from inventory.stock
    where variant_id in (select variant_id from inventory.reservation where order_id = ${orderId})
    order by variant_id, location_id for no key update`)
}
