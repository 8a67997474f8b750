// Tells everybody that prices moved: cached answers that show them are dropped with the change itself, other modules
// hear an event. A price list may hold a hundred thousand variants, so both go out in parts of a bounded size.
import { Type } from 'typebox'
import { invalidate } from '../../../platform/cache.ts'
import { sql, type Tx } from '../../../platform/db.ts'
import { publish } from '../../../platform/events.ts'
import { PRODUCTS_TAG, productTag } from '../../catalog/catalog.ts'
import { PricesChanged } from '../pricing.ts'

const VARIANTS_AT_ONCE = 1_000   // 40 kB of JSON

export async function announce(tx: Tx, variantIds: Iterable<string>): Promise<void> {
  const all = [...new Set(variantIds)]
  for (let start = 0; start < all.length; start += VARIANTS_AT_ONCE) {
    const some = all.slice(start, start + VARIANTS_AT_ONCE)
    const [shown] = await Promise.all([
      tx.many(Type.Object({ productId: Type.String() }), sql`
        select distinct product_id as "productId" from catalog.sellable_variant
        where variant_id = any(${some}::uuid[])`),
      publish(tx, PricesChanged, { variantIds: some }),
    ])
    if (shown.length > 0) await invalidate(tx, [PRODUCTS_TAG, ...shown.map((row) => productTag(row.productId))])
  }
}

/** Every variant that a price list prices. */
export async function announceList(tx: Tx, priceListId: string): Promise<void> {
  const rows = await tx.many(Variant, sql`
    select distinct variant_id as "variantId" from pricing.price where price_list_id = ${priceListId}`)
  await announce(tx, rows.map((row) => row.variantId))
}
export const Variant = Type.Object({ variantId: Type.String() })
