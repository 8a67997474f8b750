// Goods leave: the promise is kept, the shelf is emptier, the ledger knows. on_hand and reserved fall together, so what
// is free stays as it was.

import { Type, type Static } from 'typebox'
import { sql, type Tx } from '../../platform/db.ts'
import { NotReserved, type Line } from './inventory.ts'
import { actorText } from './internal/actor.ts'
import { lockStockOfOrder } from './lock-stock.ts'


/**
 * Takes the lines from the order's claimed units, at `locationId` if given, else wherever they lie. Throws NotReserved,
 * naming each line for which the order holds less, or whose goods have not arrived yet; lines that were untracked when
 * they were sold are let through. Each call ships: the caller's own row of the shipment, in the same transaction, makes
 * asking twice safe. One trip.
 */
export async function shipReserved(tx: Tx, orderId: string, lines: Line[], locationId?: string): Promise<void> {
  const [, failed] = await Promise.all([lockStockOfOrder(tx, orderId), takeReserved(tx, orderId, lines, locationId)])
  if (failed.length > 0) throw NotReserved({ lines: failed })
}

const Failed = Type.Object({ variantId: Type.String(), requested: Type.Integer(), available: Type.Integer() })

function takeReserved(tx: Tx, orderId: string, lines: Line[], locationId?: string): Promise<Static<typeof Failed>[]> {
  return tx.many(Failed, sql`
    with line as (
      select variant_id, sum(quantity)::integer as quantity
      from unnest(${lines.map((line) => line.variantId)}::uuid[], ${lines.map((line) => line.quantity)}::integer[])
        as wanted (variant_id, quantity)
      where exists (
        select from inventory.reservation where order_id = ${orderId} and reservation.variant_id = wanted.variant_id)
      group by variant_id
    ), piece as (  -- what lies there already goes first, then the older promise
      select id, variant_id, location_id, size, sum(size) over (
        partition by variant_id order by size < live, id rows unbounded preceding) - size as before
      from (
        select reservation.id, variant_id, location_id,
          quantity - shipped as live, least(quantity - shipped, on_hand) as size
        from inventory.reservation join inventory.stock using (variant_id, location_id)
        where order_id = ${orderId} and state = 'claimed'
          and location_id = coalesce(${locationId ?? null}::uuid, location_id)
      ) as claimed
    ), taken as (
      select id, variant_id, location_id, least(size, line.quantity - before)::integer as quantity
      from line join piece using (variant_id)
      where size > 0 and before < line.quantity
    ), failed as materialized (
      select variant_id, line.quantity as requested, coalesce(sum(taken.quantity), 0)::integer as available
      from line left join taken using (variant_id)
      group by variant_id, line.quantity having coalesce(sum(taken.quantity), 0) < line.quantity
    ), kept as (
      update inventory.reservation set shipped = shipped + taken.quantity,
        state = case when shipped + taken.quantity = reservation.quantity then 'shipped' else state end
      from taken where order_id = ${orderId} and reservation.id = taken.id and not exists (select from failed)
    ), left_shelf as (
      update inventory.stock set on_hand = on_hand - gone.quantity, reserved = reserved - gone.quantity
      from (
        select variant_id, location_id, sum(quantity)::integer as quantity
        from taken where not exists (select from failed) group by variant_id, location_id
      ) as gone
      where stock.variant_id = gone.variant_id and stock.location_id = gone.location_id
    ), booked as (
      insert into inventory.movement (variant_id, location_id, quantity, cause, actor, reference)
      select variant_id, location_id, -sum(quantity)::integer, 'shipment', ${actorText(tx.context)}, ${orderId}::text
      from taken where not exists (select from failed) group by variant_id, location_id
    )
    select variant_id as "variantId", requested, available from failed order by variant_id`)
}
