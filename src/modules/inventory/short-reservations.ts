// What happens to promises when their stock is gone, and when stock comes back. A short reservation has no stock behind
// it: units are cut from the newest promises, and given back to the oldest.

import { Type } from 'typebox'
import { sql, systemContext, type Db, type Tx } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { StockShort, type Placed } from './inventory.ts'
import { lockStock } from './lock-stock.ts'
import { allocate } from './reserve.ts'

const Cut = Type.Object({
  orderId: Type.String(), variantId: Type.String(), locationId: Type.String(), quantity: Type.Integer(),
})

/**
 * Turns so many units of each stock short, newest promises first, and publishes StockShort. The caller holds the stock
 * rows. The live reservations are locked as well, by a statement of their own, so that none is claimed while it is cut.
 * One trip, and one for the event.
 */
export async function cutReservations(tx: Tx, excess: Placed[]): Promise<void> {
  const variantIds = excess.map((line) => line.variantId)
  const locationIds = excess.map((line) => line.locationId)
  const [, lines] = await Promise.all([
    tx.run(sql`
      select from inventory.reservation
      where (variant_id, location_id) in (select * from unnest(${variantIds}::uuid[], ${locationIds}::uuid[]))
        and state in ('held', 'claimed')
      order by order_id, id for update`),
    tx.many(Cut, sql`
      with excess as (
        select * from unnest(
          ${variantIds}::uuid[], ${locationIds}::uuid[], ${excess.map((line) => line.quantity)}::integer[]
        ) as excess (variant_id, location_id, units)
      ), live as (
        select order_id, id, variant_id, location_id, quantity, shipped, expires_at, created_at, units,
          sum(quantity - shipped) over (partition by variant_id, location_id
            order by id desc rows unbounded preceding) - (quantity - shipped) as before
        from inventory.reservation join excess using (variant_id, location_id)
        where state in ('held', 'claimed')
      ), cut as materialized (
        select live.*, least(quantity - shipped, units - before)::integer as lost from live where before < units
      ), whole as (
        delete from inventory.reservation using cut
        where reservation.order_id = cut.order_id and reservation.id = cut.id and cut.lost = cut.quantity
      ), part as (
        update inventory.reservation set quantity = reservation.quantity - cut.lost,
          state = case when reservation.quantity - cut.lost = reservation.shipped then 'shipped'
            else reservation.state end
        from cut where reservation.order_id = cut.order_id and reservation.id = cut.id and cut.lost < cut.quantity
      ), freed as (
        update inventory.stock set reserved = stock.reserved - lost.units
        from (
          select variant_id, location_id, sum(lost)::integer as units from cut group by variant_id, location_id
        ) as lost
        where stock.variant_id = lost.variant_id and stock.location_id = lost.location_id
      )
      insert into inventory.reservation (order_id, variant_id, location_id, quantity, state, expires_at, created_at)
      select order_id, variant_id, location_id, lost, 'short', expires_at, created_at from cut
      returning order_id as "orderId", variant_id as "variantId", location_id as "locationId", quantity`),
  ])
  await publish(tx, StockShort, { lines })
}

const Short = Type.Object({
  orderId: Type.String(), id: Type.Integer(), variantId: Type.String(), quantity: Type.Integer(),
})

/**
 * Promises free stock to the orders that wait for it, oldest first, each as much as there is. The caller holds the
 * stock rows. A loop, since shortage is rare and the reserve statement already knows how to share out; at most 200
 * promises at a time, the sweep comes back for more.
 */
export async function serveShort(tx: Tx, variantIds: string[]): Promise<void> {
  const waiting = await tx.many(Short, sql`
    select order_id as "orderId", id, variant_id as "variantId", quantity
    from inventory.reservation
    where state = 'short' and expires_at is null and variant_id = any(${variantIds}::uuid[])
    order by variant_id, created_at, id limit 200`)
  const exhausted = new Set<string>()
  for (const { orderId, id, variantId, quantity } of waiting) {
    if (exhausted.has(variantId)) continue
    const [failed] = await allocate(tx, orderId, [{ variantId, quantity }], null)
    const served = failed?.available ?? quantity
    if (failed) exhausted.add(variantId)
    if (failed && served > 0) await allocate(tx, orderId, [{ variantId, quantity: served }], null)
    await tx.run(served === quantity
      ? sql`delete from inventory.reservation where order_id = ${orderId} and id = ${id}`
      : sql`
        update inventory.reservation set quantity = quantity - ${served}
        where order_id = ${orderId} and id = ${id}`)
  }
}

/** The sweep: units that became free by a release or an expiry go to the orders that wait for them. */
export function serveShortOrders(db: Db): Promise<number> {
  return db.transaction(systemContext(), async (tx) => {
    const rows = await tx.many(Type.Object({ variantId: Type.String() }), sql`
      select distinct variant_id as "variantId" from inventory.reservation
      where state = 'short' and expires_at is null and exists (
        select from inventory.stock join inventory.location on location.id = stock.location_id and location.active
        where stock.variant_id = reservation.variant_id and on_hand + backorder_limit > reserved)
      limit 100`)
    if (rows.length === 0) return 0
    const variantIds = rows.map((row) => row.variantId)
    await lockStock(tx, variantIds)
    await serveShort(tx, variantIds)
    return variantIds.length
  })
}
