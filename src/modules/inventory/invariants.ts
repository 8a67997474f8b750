// What must be true of inventory at any moment, as statements: each row that one returns is a violation. `kontor
// doctor` runs them, and so does every race test when it ends. Numbers as in docs: I1 the counts, I2 the promises.

import { sql, type Statement } from '../../platform/db.ts'

export const invariants: { name: string, statement: Statement }[] = [
  {
    name: 'I1 on hand is the sum of the movements',
    statement: sql`
      select stock.variant_id, stock.location_id, on_hand, coalesce(sum(movement.quantity), 0) as moved
      from inventory.stock left join inventory.movement using (variant_id, location_id)
      group by stock.variant_id, stock.location_id having on_hand <> coalesce(sum(movement.quantity), 0)`,
  },
  {
    name: 'I1 reserved is the sum of the live reservations',
    statement: sql`
      select stock.variant_id, stock.location_id, reserved, coalesce(live.units, 0) as live
      from inventory.stock left join (
        select variant_id, location_id, sum(quantity - shipped) as units
        from inventory.reservation where state in ('held', 'claimed') group by variant_id, location_id
      ) as live using (variant_id, location_id)
      where reserved <> coalesce(live.units, 0)`,
  },
  {
    name: 'I1 nothing is below zero, I2 promises beyond stock stay within the backorder limit',
    statement: sql`
      select variant_id, location_id, on_hand, reserved, backorder_limit from inventory.stock
      where on_hand < 0 or reserved < 0 or reserved > on_hand + backorder_limit`,
  },
  {
    name: 'I2 shipped is no more than what came in',
    statement: sql`
      select variant_id, sum(quantity) as left_over
      from inventory.movement group by variant_id having sum(quantity) < 0`,
  },
  {
    name: 'I2 what orders shipped is what the ledger says was shipped',
    statement: sql`
      select variant_id, promised.units as shipped, moved.units as moved
      from (
        select variant_id, sum(shipped) as units from inventory.reservation where shipped > 0 group by variant_id
      ) as promised full join (
        select variant_id, -sum(quantity) as units from inventory.movement where cause = 'shipment' group by variant_id
      ) as moved using (variant_id)
      where coalesce(promised.units, 0) <> coalesce(moved.units, 0)`,
  },
  {
    // A minute is sixty turns of the sweep: by then a hold that is over has given its units back, unless no worker
    // runs.
    name: 'I2 no hold is long over and still not swept',
    statement: sql`
      select order_id, variant_id, quantity, expires_at from inventory.reservation
      where state = 'held' and expires_at < now() - interval '1 minute'`,
  },
  {
    name: 'I2 no order has waited a minute for stock that lies free',
    statement: sql`
      select order_id, reservation.variant_id, quantity, on_hand, reserved from inventory.reservation
      join inventory.stock on stock.variant_id = reservation.variant_id and on_hand + backorder_limit > reserved
      join inventory.location on location.id = stock.location_id and location.active
      where state = 'short' and expires_at is null and reservation.created_at < now() - interval '1 minute'`,
  },
]
