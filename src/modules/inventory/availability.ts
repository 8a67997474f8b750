// What could be sold now. A picture, maybe a moment old: what is sold is decided by the reserve statement alone.

import { Type, type Static } from 'typebox'
import { sql, type Conn, type Statement } from '../../platform/db.ts'

export const Availability = Type.Object({
  variantId: Type.String(),
  tracked: Type.Boolean(),
  backorder: Type.Boolean(),
  available: Type.Integer(),
})
export type Availability = Static<typeof Availability>

/**
 * One row for each id, in no order; a variant that inventory does not know is tracked and not available. The rule is
 * that of inventory.variant_availability, asked variant by variant.
 */
export function availability(conn: Conn, variantIds: string[]): Promise<Availability[]> {
  return conn.many(Availability, wantedAvailability(variantIds))
}

/** Its text, for `availability` and for whoever asks how it runs. The ids come out of a materialized row, so that
 * PostgreSQL keeps one plan for any of them: planning takes five times as long as running it. */
export const wantedAvailability = (variantIds: string[]): Statement => sql`
  with request as materialized (select ${variantIds}::uuid[] as variant_ids)
  select wanted.variant_id as "variantId", coalesce(item.tracked, true) as tracked,
    coalesce(stock.backorder, false) as backorder, coalesce(stock.available, 0)::integer as available
  from request
  cross join lateral (select distinct unnest(request.variant_ids) as variant_id) wanted
  left join inventory.item on item.variant_id = wanted.variant_id
  left join lateral (
    select bool_or(on_hand + backorder_limit > greatest(on_hand, reserved)) as backorder,
      sum(greatest(on_hand - reserved, 0)) as available
    from inventory.stock
    join inventory.location on location.id = stock.location_id and location.active
    where stock.variant_id = item.variant_id
  ) stock on true`
