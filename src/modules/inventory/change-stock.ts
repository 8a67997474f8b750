// Changes what lies on the shelves, many stocks at a time: every count, receipt, damage, correction, import, transfer
// and return comes through here, so each change of on_hand has its movement. When less is left than was promised, the
// newest promises turn short; when more came, the promises that wait are served before anybody new.

import { Type, type Static } from 'typebox'
import { sql, type Tx } from '../../platform/db.ts'
import { actorText } from './internal/actor.ts'
import { MAX_ON_HAND, StockOutOfRange, StockListedTwice, type MovementCause } from './inventory.ts'
import { cutReservations, serveShort } from './short-reservations.ts'

/** `count`: the units that lie there now, or else `change`: units added (negative: taken). */
type Place = { variantId: string, locationId: string }
export type StockChange = Place & { cause: MovementCause, count?: number, change?: number }

const Before = Type.Object({
  variantId: Type.String(), locationId: Type.String(),
  onHand: Type.Integer(), reserved: Type.Integer(), backorderLimit: Type.Integer(),
})
/** `excess`: promised units for which there is neither stock nor backorder room any more. */
type Delta = Place & { cause: MovementCause, onHand: number, reserved: number, change: number, excess: number }

/**
 * A variant may be named once per location (StockListedTwice). Throws StockOutOfRange when a change would leave less
 * than nothing, LocationNotFound. `refuse`: promised units may not be taken (a transfer), instead of turning short. A
 * change of 0 leaves no trace, so a count repeated is safe; the others add up each time. Two trips for any number of
 * changes; more only when promises are cut or served.
 */
export async function changeStock(
  tx: Tx, changes: StockChange[], reference?: string, promised: 'short' | 'refuse' = 'short',
): Promise<void> {
  if (changes.length === 0) return
  const before = await lockOrCreate(tx, changes)
  const deltas = changes.map((change) => delta(change, before)).filter((delta) => delta.change !== 0)
  const refused = deltas.filter(({ onHand, reserved, change }) =>
    onHand + change < (promised === 'refuse' && change < 0 ? reserved : 0) || onHand + change > MAX_ON_HAND)
  if (refused.length > 0) throw StockOutOfRange({ lines: refused.map(({ variantId, locationId, onHand, change }) => ({
    variantId, locationId, onHand, change,
  })) })
  if (deltas.length === 0) return

  const excess = deltas.filter((delta) => delta.excess > 0).map((delta) => ({ ...delta, quantity: delta.excess }))
  if (excess.length > 0) await cutReservations(tx, excess)
  await write(tx, deltas, reference)
  const refilled = new Set(deltas.filter((delta) => delta.change > 0).map((delta) => delta.variantId))
  if (refilled.size > 0) await serveShort(tx, [...refilled])
}

/** Locks all stock rows of the variants in key order, after making those that are missing. */
async function lockOrCreate(tx: Tx, changes: StockChange[]): Promise<Map<string, Static<typeof Before>>> {
  const variantIds = changes.map((change) => change.variantId)
  const locationIds = changes.map((change) => change.locationId)
  const [, , rows] = await Promise.all([
    tx.run(sql`
      insert into inventory.item (variant_id)
      select distinct unnest(${variantIds}::uuid[]) order by 1 on conflict do nothing`),
    tx.run(sql`
      insert into inventory.stock (variant_id, location_id)
      select distinct * from unnest(${variantIds}::uuid[], ${locationIds}::uuid[]) order by 1, 2
      on conflict do nothing`),
    tx.many(Before, sql`
      select variant_id as "variantId", location_id as "locationId",
        on_hand as "onHand", reserved, backorder_limit as "backorderLimit"
      from inventory.stock where variant_id = any(${variantIds}::uuid[])
      order by variant_id, location_id for no key update`),
  ])
  return new Map(rows.map((row) => [row.variantId + row.locationId, row]))
}

function delta(change: StockChange, before: Map<string, Static<typeof Before>>): Delta {
  const { variantId, locationId, cause } = change
  const stock = before.get(variantId + locationId)
  if (!stock) throw StockListedTwice({ variantId, locationId })
  before.delete(variantId + locationId)
  const { onHand, reserved, backorderLimit } = stock
  const units = change.count === undefined ? change.change ?? 0 : change.count - onHand
  const excess = Math.max(0, reserved - (onHand + units + backorderLimit))
  return { variantId, locationId, cause, onHand, reserved, change: units, excess }
}

function write(tx: Tx, deltas: Delta[], reference?: string): Promise<number> {
  return tx.run(sql`
    with changed as (
      select * from unnest(
        ${deltas.map((delta) => delta.variantId)}::uuid[], ${deltas.map((delta) => delta.locationId)}::uuid[],
        ${deltas.map((delta) => delta.change)}::integer[], ${deltas.map((delta) => delta.cause)}::text[]
      ) as changed (variant_id, location_id, quantity, cause)
    ), booked as (
      insert into inventory.movement (variant_id, location_id, quantity, cause, actor, reference)
      select variant_id, location_id, quantity, cause, ${actorText(tx.context)}, ${reference ?? null}::text from changed
    ), announced as (
      insert into inventory.stock_change (variant_id) select distinct variant_id from changed
    )
    update inventory.stock set on_hand = stock.on_hand + changed.quantity
    from changed where stock.variant_id = changed.variant_id and stock.location_id = changed.location_id`)
}
