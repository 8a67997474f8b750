// Stock as another system or a file says it is: absolute numbers, so that giving them twice changes nothing and books
// nothing.

import { sql, type Tx } from '../../platform/db.ts'
import { changeStock } from './change-stock.ts'

/**
 * `tracked` false: always available, never counted. `backorderLimit`: units that may be promised beyond what lies
 * there.
 */
export type StockLevel = {
  variantId: string, locationId: string, onHand: number, tracked?: boolean, backorderLimit?: number,
}

/** Meant for batches of some thousand. Throws as changeStock does. A level that is not given stays as it is. */
export async function setStock(tx: Tx, levels: StockLevel[], reference?: string): Promise<void> {
  await changeStock(tx, levels.map(({ variantId, locationId, onHand }) => ({
    variantId, locationId, cause: 'import', count: onHand,
  })), reference)
  await Promise.all([
    setTracked(tx, levels.flatMap(({ variantId, tracked }) => tracked === undefined ? [] : [{ variantId, tracked }])),
    setBackorderLimits(tx, levels.flatMap(({ variantId, locationId, backorderLimit: limit }) =>
      limit === undefined ? [] : [{ variantId, locationId, limit }])),
  ])
}

/** Asked twice it changes nothing. Promises that were made while the variant was tracked stay. */
export async function setTracked(tx: Tx, items: { variantId: string, tracked: boolean }[]): Promise<void> {
  if (items.length === 0) return
  await tx.run(sql`
    with wanted as (
      select distinct on (variant_id) variant_id, tracked
      from unnest(${items.map((item) => item.variantId)}::uuid[], ${items.map((item) => item.tracked)}::boolean[])
        as wanted (variant_id, tracked)
      order by variant_id
    ), changed as (
      insert into inventory.item (variant_id, tracked) select * from wanted
      on conflict (variant_id) do update set tracked = excluded.tracked where item.tracked <> excluded.tracked
      returning variant_id
    )
    insert into inventory.stock_change (variant_id) select variant_id from changed`)
}

/**
 * Asked twice it changes nothing. A limit never falls below what is promised beyond stock already: the promise stands.
 */
export async function setBackorderLimits(
  tx: Tx, limits: { variantId: string, locationId: string, limit: number }[],
): Promise<void> {
  if (limits.length === 0) return
  await tx.run(sql`
    with wanted as (
      select * from unnest(
        ${limits.map((row) => row.variantId)}::uuid[], ${limits.map((row) => row.locationId)}::uuid[],
        ${limits.map((row) => row.limit)}::integer[]
      ) as wanted (variant_id, location_id, units)
    ), locked as materialized (
      select variant_id, location_id from inventory.stock
      where variant_id = any(${limits.map((row) => row.variantId)}::uuid[])
      order by variant_id, location_id for no key update
    ), changed as (
      update inventory.stock set backorder_limit = greatest(units, reserved - on_hand)
      from wanted join locked using (variant_id, location_id)
      where stock.variant_id = wanted.variant_id and stock.location_id = wanted.location_id
        and backorder_limit <> greatest(units, reserved - on_hand)
      returning stock.variant_id
    )
    insert into inventory.stock_change (variant_id) select distinct variant_id from changed`)
}
