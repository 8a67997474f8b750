// What browsing does by itself: prices changed, so answers that show them are out of date. (Catalogue and inventory
// mark theirs in their own transactions.)

import { Type } from 'typebox'
import { invalidate } from '../../platform/cache.ts'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { on } from '../../platform/events.ts'
import { PRODUCTS_TAG, productTag } from '../catalog/catalog.ts'
import { PricesChanged } from '../pricing/pricing.ts'

/** Asked twice it marks them twice, which costs a read. */
async function forgetPrices(db: Db, variantIds: string[]): Promise<void> {
  const shown = await db.many(Type.Object({ productId: Type.String() }), sql`
    select distinct product_id as "productId" from catalog.sellable_variant
    where variant_id = any(${variantIds}::uuid[])`)
  if (shown.length === 0) return
  await db.transaction(systemContext(), (tx) =>
    invalidate(tx, [PRODUCTS_TAG, ...shown.map((row) => productTag(row.productId))]))
}

export const handlers = [
  on(PricesChanged, 'browse.forget-prices', (db, { variantIds }) => forgetPrices(db, variantIds)),
]
