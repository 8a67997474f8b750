// What could be sold now. A picture, maybe a moment old: what is sold is decided by the reserve statement alone.

import { Type, type Static } from 'typebox'
import { sql, type Conn } from '../../platform/db.ts'

export const Availability = Type.Object({
  variantId: Type.String(),
  tracked: Type.Boolean(),
  backorder: Type.Boolean(),
  available: Type.Integer(),
})
export type Availability = Static<typeof Availability>

/** One row for each id, in no order; a variant that inventory does not know is tracked and not available. */
export function availability(conn: Conn, variantIds: string[]): Promise<Availability[]> {
  return conn.many(Availability, sql`
    select wanted.variant_id as "variantId", coalesce(known.tracked, true) as tracked,
      coalesce(known.backorder, false) as backorder, coalesce(known.available, 0) as available
    from (select distinct unnest(${variantIds}::uuid[]) as variant_id) as wanted
    left join (
      select * from inventory.variant_availability where variant_id = any(${variantIds}::uuid[])
    ) as known using (variant_id)`)
}
