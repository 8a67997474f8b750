// Tells everybody that prices moved. A price list may hold a hundred thousand variants: they are told in events of a
// bounded size.
import { Type } from 'typebox'
import { sql, type Tx } from '../../../platform/db.ts'
import { publish } from '../../../platform/events.ts'
import { PricesChanged } from '../pricing.ts'

const VARIANTS_PER_EVENT = 1_000   // 40 kB of JSON

export async function announce(tx: Tx, variantIds: Iterable<string>): Promise<void> {
  const all = [...new Set(variantIds)]
  const events: Promise<unknown>[] = []
  for (let start = 0; start < all.length; start += VARIANTS_PER_EVENT) {
    events.push(publish(tx, PricesChanged, { variantIds: all.slice(start, start + VARIANTS_PER_EVENT) }))
  }
  await Promise.all(events)
}

/** Every variant that a price list prices. */
export async function announceList(tx: Tx, priceListId: string): Promise<void> {
  const rows = await tx.many(Variant, sql`
    select distinct variant_id as "variantId" from pricing.price where price_list_id = ${priceListId}`)
  await announce(tx, rows.map((row) => row.variantId))
}
export const Variant = Type.Object({ variantId: Type.String() })
