// Tells the rest of the shop that stock changed: at most twice a second, however many orders there were. What changed
// stock left a row behind; this collects them, marks answers that show these products as out of date, and publishes one
// event for whoever else wants to know.

import { Type } from 'typebox'
import { invalidate } from '../../platform/cache.ts'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { productTag } from '../catalog/catalog.ts'
import { StockChanged } from './inventory.ts'

const Variant = Type.Object({ variantId: Type.String() })

/** The sweep. A row that another worker took is skipped; up to 5,000 rows a turn keep an event below a megabyte. */
export function announceChanges(db: Db): Promise<number> {
  return db.transaction(systemContext(), async (tx) => {
    const rows = await tx.many(Variant, sql`
      with taken as (
        delete from inventory.stock_change where id = any(array(
          select id from inventory.stock_change order by id limit 5000 for update skip locked))
        returning variant_id
      )
      select distinct variant_id as "variantId" from taken`)
    if (rows.length === 0) return 0
    const variantIds = rows.map((row) => row.variantId)
    const shown = await tx.many(Type.Object({ productId: Type.String() }), sql`
      select distinct product_id as "productId" from catalog.sellable_variant
      where variant_id = any(${variantIds}::uuid[])`)
    await tx.commit([
      publish(tx, StockChanged, { variantIds }), invalidate(tx, shown.map((row) => productTag(row.productId))),
    ])
    return variantIds.length
  })
}
