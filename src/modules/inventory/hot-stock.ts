// A hot variant: when a queue stands before the rows of one variant, each order holds their lock for two trips and a
// flush, and nobody else sells a unit meanwhile. Then holds are granted first, many buyers' at once in a short
// transaction of their own, and an order's transaction only keeps what it holds (reserve.ts), without that lock. The
// row still decides, so any number of processes may do so, beside others that do not. A hold whose order fails is
// given back, and one whose process dies expires.
import { Type, type Static } from 'typebox'
import { measured, sql, systemContext, type Db, type Tx } from '../../platform/db.ts'
import { failpoint } from '../../platform/failpoint.ts'
import { isProblem, OutcomeUnknown, Problem } from '../../platform/problem.ts'
import { freeExpired } from './expire-reservations.ts'
import { SHOWN_UP_TO, type Line } from './inventory.ts'
import { release } from './release-reservation.ts'

// Two who meet by chance are through before a batch would begin; more already cost each other more than a batch does.
const HOT_FROM = 3
const HOT_FOR_MS = 2_000
const HOLD_SECONDS = 120        // an order's transaction is over in milliseconds, and keeps the hold for longer
const MOST_AT_ONCE = 200

const reserving = new Map<string, number>()   // variant → reserve statements under way in this process
const hotUntil = new Map<string, number>()

/** Runs a reserve statement and notes who queues: a variant that several wait for becomes hot. */
export async function noticingQueues<T>(lines: readonly Line[], run: () => Promise<T>): Promise<T> {
  for (const { variantId } of lines) {
    const count = (reserving.get(variantId) ?? 0) + 1
    reserving.set(variantId, count)
    if (count >= HOT_FROM) hotUntil.set(variantId, performance.now() + HOT_FOR_MS)
  }
  try {
    return await run()
  } finally {
    for (const { variantId } of lines) {
      const count = reserving.get(variantId)! - 1
      if (count > 0) reserving.set(variantId, count)
      else reserving.delete(variantId)
    }
  }
}

function isHot({ variantId }: Line): boolean {
  const until = hotUntil.get(variantId)
  if (until === undefined) return false
  if (until > performance.now()) return true
  hotUntil.delete(variantId)
  return false
}

/**
 * Places an order with what is hot in it held beforehand; `place` answers the id of the order that there is now. Who
 * got no hold is sent on all the same: it may be a repeat, and the rows decide. While nothing is hot this costs
 * nothing, and `findLines` is not called.
 */
export async function holdingHotStock(
  db: Db, orderId: string, findLines: () => Promise<readonly Line[]>, place: () => Promise<string>,
): Promise<string> {
  const hot = hotUntil.size === 0 ? [] : (await findLines()).filter(isHot)
  if (hot.length === 0) return place()
  await Promise.all(hot.map((line) => grant(db, orderId, line)))
  // A task of its own: the order may have failed because it waited too long for a connection, and this must not.
  const giveBack = (): Promise<void> =>
    measured(() => db.transaction(systemContext(), (tx) => release(tx, orderId))).catch(() => {})
  try {
    const placedId = await place()
    if (placedId !== orderId) await giveBack()    // the cart was an order already
    return placedId
  } catch (error) {
    // Where it is not certain that nothing was placed, the hold may be an order's: what is nobody's expires.
    if (error instanceof Problem && !isProblem(error, OutcomeUnknown)) await giveBack()
    throw error
  }
}

type Wish = { orderId: string; quantity: number; done: () => void; fail: (error: unknown) => void }

const queues = new WeakMap<Db, Map<string, Wish[]>>()

/** Holds a line together with everybody else's, if there is enough. */
function grant(db: Db, orderId: string, { variantId, quantity }: Line): Promise<void> {
  const byVariant = queues.get(db.root) ?? new Map<string, Wish[]>()
  queues.set(db.root, byVariant)
  return new Promise((done, fail) => {
    const wish = { orderId, quantity, done, fail }
    const waiting = byVariant.get(variantId)
    if (waiting) return void waiting.push(wish)
    byVariant.set(variantId, [wish])
    // A task of its own: it is nobody's request, and goes before those that wait for a connection.
    void measured(() => grantAll(db, variantId, byVariant))
  })
}

async function grantAll(db: Db, variantId: string, byVariant: Map<string, Wish[]>): Promise<void> {
  const waiting = byVariant.get(variantId)!
  while (waiting.length > 0) {
    const wishes = waiting.splice(0, MOST_AT_ONCE)
    if (wishes.length > 1) hotUntil.set(variantId, performance.now() + HOT_FOR_MS)
    try {
      await db.transaction(systemContext(), (tx) => grantTogether(tx, variantId, wishes))
      failpoint('holds.granted')
      for (const { done } of wishes) done()
    } catch (error) {
      for (const { fail } of wishes) fail(error)
    }
  }
  byVariant.delete(variantId)
}

const Place = Type.Object({
  locationId: Type.String(), onHand: Type.Integer(), reserved: Type.Integer(), backorderLimit: Type.Integer(),
  priority: Type.Integer(),
})
type Place = Static<typeof Place>
type Piece = { orderId: string; locationId: string; quantity: number }

/** Grants in the order of asking; who asks for more than there is gets nothing, and the next is served. */
async function grantTogether(
  tx: Tx, variantId: string, wishes: readonly Pick<Wish, 'orderId' | 'quantity'>[],
): Promise<void> {
  let shared = shareOut(await lockPlaces(tx, variantId), wishes)
  if (!shared.allServed && await freeExpired(tx, [variantId]) > 0) {
    shared = shareOut(await lockPlaces(tx, variantId), wishes)
  }
  const { pieces, after } = shared
  if (pieces.length === 0) return
  const left = after.reduce((sum, { onHand, reserved }) => sum + Math.max(0, onHand - reserved), 0)
  await tx.commit([
    // Each column that the CHECK reads is set; see reserve.ts.
    tx.run(sql`
      update inventory.stock
      set reserved = place.reserved, on_hand = place.on_hand, backorder_limit = place.backorder_limit
      from unnest(${after.map((one) => one.locationId)}::uuid[], ${after.map((one) => one.reserved)}::integer[],
        ${after.map((one) => one.onHand)}::integer[], ${after.map((one) => one.backorderLimit)}::integer[]
      ) as place (location_id, reserved, on_hand, backorder_limit)
      where stock.variant_id = ${variantId} and stock.location_id = place.location_id`),
    tx.run(sql`
      insert into inventory.reservation (order_id, variant_id, location_id, quantity, state, expires_at)
      select order_id, ${variantId}, location_id, quantity, 'held',
        statement_timestamp() + make_interval(secs => ${HOLD_SECONDS})
      from unnest(${pieces.map((one) => one.orderId)}::uuid[], ${pieces.map((one) => one.locationId)}::uuid[],
        ${pieces.map((one) => one.quantity)}::integer[]) as piece (order_id, location_id, quantity)`),
    ...(left > SHOWN_UP_TO ? []
      : [tx.run(sql`insert into inventory.stock_change (variant_id) values (${variantId})`)]),
  ])
}

// What is not counted has nothing to lock, and needs no hold.
function lockPlaces(tx: Tx, variantId: string): Promise<Place[]> {
  return tx.many(Place, sql`
    select location_id as "locationId", on_hand as "onHand", reserved, backorder_limit as "backorderLimit", priority
    from inventory.stock join inventory.location on location.id = stock.location_id and location.active
    where variant_id = ${variantId}
      and not exists (select from inventory.item where variant_id = ${variantId} and not tracked)
    order by variant_id, location_id for no key update of stock`)
}

/** The rule of the reserve statement, for one variant and many orders: free stock, then promises, largest first. */
export function shareOut(
  places: readonly Place[], wishes: readonly { orderId: string; quantity: number }[],
): { pieces: Piece[]; after: Place[]; allServed: boolean } {
  const after = places.map((place) => ({ ...place }))
  const pieces: Piece[] = []
  let allServed = true
  for (const { orderId, quantity } of wishes) {
    const parts = after.flatMap((place) => [
      { place, rank: 1, size: Math.max(place.onHand - place.reserved, 0) },
      { place, rank: 2, size: place.onHand + place.backorderLimit - Math.max(place.onHand, place.reserved) },
    ]).filter(({ size }) => size > 0).sort((a, b) => a.rank - b.rank || b.size - a.size
      || a.place.priority - b.place.priority || (a.place.locationId < b.place.locationId ? -1 : 1))
    if (parts.reduce((sum, { size }) => sum + size, 0) < quantity) {
      allServed = false
      continue
    }
    let open = quantity
    for (const { place, size } of parts) {
      const taken = Math.min(size, open)
      if (taken === 0) break
      open -= taken
      place.reserved += taken
      const known = pieces.findLast((one) => one.orderId === orderId && one.locationId === place.locationId)
      if (known) known.quantity += taken
      else pieces.push({ orderId, locationId: place.locationId, quantity: taken })
    }
  }
  return { pieces, after, allServed }
}
