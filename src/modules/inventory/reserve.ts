// Promises stock to an order: all lines, all locations, one statement, all or nothing. It locks first and computes from
// what it locked, because under READ COMMITTED the snapshot is older than the wait for a lock, while the rows that
// `for no key update` returns are the newest. Everybody locks in the order (variant, location), so opposite carts
// cannot deadlock. The CHECK is the second wall; PostgreSQL tries it on the snapshot's version of the row first, where
// `reserved + n` may break it although there is room by now: so the update sets each column that the CHECK reads.

import { Type, type Static } from 'typebox'
import { sql, type Statement, type Tx } from '../../platform/db.ts'
import { freeExpired } from './expire-reservations.ts'
import { noticingQueues } from './hot-stock.ts'
import { OutOfStock, SHOWN_UP_TO, type Line } from './inventory.ts'

/**
 * Holds the lines for the order until `expiresInSeconds` from now. Throws OutOfStock, naming each line that fails with
 * what could be had. Asked twice it holds once: a variant that the order holds already, it keeps until then, and its
 * stock is not locked.
 */
export async function reserve(tx: Tx, orderId: string, lines: Line[], expiresInSeconds: number): Promise<void> {
  const failed = await noticingQueues(lines, () => allocate(tx, orderId, lines, expiresInSeconds))
  if (failed.length === 0) return
  // Expiry is logical at once: a hold whose time is over never costs a sale, swept or not. The failed statement left
  // all its locks in place.
  const freed = await freeExpired(tx, failed.map((line) => line.variantId))
  const stillFailed = freed > 0 ? await allocate(tx, orderId, lines, expiresInSeconds) : failed
  if (stillFailed.length > 0) throw OutOfStock({ lines: stillFailed })
}

const Failed = Type.Object({ variantId: Type.String(), requested: Type.Integer(), available: Type.Integer() })

/**
 * The statement itself. Answers the lines that failed; then nothing was taken. `expiresInSeconds` null claims at once.
 */
export function allocate(
  tx: Tx, orderId: string, lines: Line[], expiresInSeconds: number | null,
): Promise<Static<typeof Failed>[]> {
  return tx.many(Failed, allocation(orderId, lines, expiresInSeconds))
}

/** Its text, for `allocate` and for whoever asks how it runs. */
export function allocation(orderId: string, lines: Line[], expiresInSeconds: number | null): Statement {
  const variantIds = lines.map((line) => line.variantId)
  const quantities = lines.map((line) => line.quantity)
  return sql`
    with kept as (
      update inventory.reservation set expires_at = statement_timestamp() + make_interval(secs => ${expiresInSeconds})
      where order_id = ${orderId} and state = 'held' and ${expiresInSeconds}::double precision is not null
        -- In coalesce, so that it is a filter and no reason to read everybody's holds by their expiry.
        and coalesce(expires_at > statement_timestamp(), false)
      returning variant_id
    ), line as (
      select variant_id, sum(quantity)::integer as quantity
      from unnest(${variantIds}::uuid[], ${quantities}::integer[]) as wanted (variant_id, quantity)
      where variant_id not in (
        select variant_id from inventory.item where variant_id = any(${variantIds}::uuid[]) and not tracked)
        and variant_id not in (select variant_id from kept)
      group by variant_id
    ), locked as materialized (
      select variant_id, location_id, on_hand, reserved, backorder_limit
      from inventory.stock
      where variant_id = any(array(select variant_id from line))
      order by variant_id, location_id
      for no key update
    ), piece as (  -- what a location can give: what lies free there, then what it may promise beyond; largest first
      select locked.variant_id, locked.location_id, part.size,
        sum(part.size) over (partition by locked.variant_id) as total,
        sum(part.size) over (partition by locked.variant_id
          order by part.rank, part.size desc, location.priority, locked.location_id
          rows unbounded preceding) - part.size as before
      from locked
      join inventory.location on location.id = locked.location_id and location.active
      cross join lateral (values
        (1, greatest(on_hand - reserved, 0)),
        (2, on_hand + backorder_limit - greatest(on_hand, reserved))
      ) as part (rank, size)
      where part.size > 0
    ), outcome as (
      select line.variant_id, line.quantity, coalesce(max(piece.total), 0) as available
      from line left join piece using (variant_id)
      group by line.variant_id, line.quantity
    ), failed as materialized (
      select variant_id, quantity, available from outcome where available < quantity
    ), taken as materialized (
      select variant_id, piece.location_id, sum(least(piece.size, line.quantity - piece.before))::integer as quantity
      from line join piece using (variant_id)
      where piece.before < line.quantity and not exists (select from failed)
      group by variant_id, piece.location_id
    ), stocked as (
      update inventory.stock
      set reserved = locked.reserved + taken.quantity,
        on_hand = locked.on_hand, backorder_limit = locked.backorder_limit
      from taken join locked using (variant_id, location_id)
      where stock.variant_id = taken.variant_id and stock.location_id = taken.location_id
    ), promised as (
      insert into inventory.reservation (order_id, variant_id, location_id, quantity, state, expires_at)
      select ${orderId}::uuid, variant_id, location_id, quantity, ${expiresInSeconds === null ? 'claimed' : 'held'},
        statement_timestamp() + make_interval(secs => ${expiresInSeconds})
      from taken
    ), announced as (
      insert into inventory.stock_change (variant_id)
      select variant_id from outcome where available - quantity <= ${SHOWN_UP_TO} and not exists (select from failed)
    )
    select variant_id as "variantId", quantity as requested, available::integer from failed order by variant_id`
}
