// What changes the shelves: counts, deliveries, damage, imports, transfers, returns, and what they do to promises.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Type } from 'typebox'
import { sql, type Db } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { isProblem } from '../../platform/problem.ts'
import { testDatabase } from '../../platform/testing.ts'
import { adjustStock } from './adjust-stock.ts'
import { announceChanges } from './announce-changes.ts'
import { availability } from './availability.ts'
import { changeStock } from './change-stock.ts'
import { claim } from './claim-reservation.ts'
import { expireReservations } from './expire-reservations.ts'
import { testStock } from './internal/test-stock.ts'
import { LocationNotFound, NotReserved, StockOutOfRange, StockListedTwice, type AdjustReason } from './inventory.ts'
import { extend, release } from './release-reservation.ts'
import { returnStock } from './return-stock.ts'
import { setStock } from './set-stock.ts'
import { shipReserved } from './ship-reserved.ts'
import { serveShortOrders } from './short-reservations.ts'
import { transferStock } from './transfer-stock.ts'

async function movements(db: Db, variantId: string): Promise<string[]> {
  const rows = await db.many(Type.Object({ moved: Type.String() }), sql`
    select cause || ' ' || quantity as moved from inventory.movement where variant_id = ${variantId} order by id`)
  return rows.map((row) => row.moved)
}

test('an import says what lies there: again, it changes and books nothing', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const levels = Array.from({ length: 2_000 }, (_, index) => ({
    variantId: newId(), locationId: stock.berlin, onHand: index % 7, tracked: index % 5 > 0, backorderLimit: index % 3,
  }))
  for (let time = 0; time < 2; time++) await stock.write((tx) => setStock(tx, levels, 'products.csv'))
  assert.equal(await db.run(sql`select from inventory.movement`), levels.filter((level) => level.onHand > 0).length)
  const [first] = await availability(db, [levels[8]!.variantId])
  assert.deepEqual(first, { variantId: levels[8]!.variantId, tracked: true, backorder: true, available: 1 })
  await stock.checkInvariants()
})

test('each reason does what it says, and the ledger tells', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const variantId = await stock.variant(0, 0)
  const place = { variantId, locationId: stock.berlin }
  const adjust = (reason: AdjustReason, quantity: number) =>
    stock.write((tx) => adjustStock(tx, [{ ...place, reason, quantity }]))
  await adjust('receipt', 10)
  await adjust('damage', 2)
  for (const reason of ['receipt', 'damage', 'count'] as const) {
    await assert.rejects(adjust(reason, -3), /A value makes no sense/, reason)
  }
  await adjust('correction', -1)
  for (let time = 0; time < 2; time++) await adjust('count', 9)
  await stock.write((tx) => returnStock(tx, newId(), [{ ...place, quantity: 1 }]))
  await stock.write((tx) => transferStock(tx, stock.berlin, stock.lyon, [{ variantId, quantity: 4 }]))
  assert.deepEqual(await movements(db, variantId),
    ['receipt 10', 'damage -2', 'correction -1', 'count 2', 'return 1', 'transfer -4', 'transfer 4'])
  assert.deepEqual(await stock.count(variantId), { onHand: 10, reserved: 0 })

  const change = (changes: Parameters<typeof changeStock>[1]) => stock.write((tx) => changeStock(tx, changes))
  await assert.rejects(change([{ ...place, cause: 'damage', change: -7 }]),
    StockOutOfRange({ lines: [{ ...place, onHand: 6, change: -7 }] }))
  const count = { ...place, cause: 'count', count: 1 } as const
  await assert.rejects(change([count, { ...count, count: 2 }]), StockListedTwice(place))
  const nowhere = newId()
  await assert.rejects(change([{ ...count, locationId: nowhere }]), LocationNotFound({ locationIds: [nowhere] }))
  await stock.checkInvariants()
})

test('a count below what is promised cuts the newest promises; the next delivery serves the oldest', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const mug = await stock.variant(10, 0)
  const [first, second, third] = [
    await stock.order([{ variantId: mug, quantity: 4 }]), await stock.order([{ variantId: mug, quantity: 4 }]),
    await stock.order([{ variantId: mug, quantity: 2 }]),
  ]
  for (const order of [first, second]) await stock.write((tx) => claim(tx, order!))
  const adjust = (locationId: string, reason: AdjustReason, quantity: number) =>
    stock.write((tx) => adjustStock(tx, [{ variantId: mug, locationId, reason, quantity }]))
  await adjust(stock.berlin, 'count', 5)
  assert.deepEqual(await stock.states(first!), { claimed: 4 })
  assert.deepEqual(await stock.states(second!), { claimed: 1, short: 3 })
  assert.equal(await stock.write((tx) => claim(tx, third!)), 'lost', 'a hold that was cut is no promise yet')
  await stock.checkInvariants()

  await adjust(stock.lyon, 'receipt', 2)
  assert.deepEqual(await stock.states(second!), { claimed: 3, short: 1 })
  assert.equal(await stock.order([{ variantId: mug, quantity: 1 }]), undefined, 'who waited comes first')
  await stock.write((tx) => release(tx, first!))
  assert.equal(await serveShortOrders(db), 1)
  assert.deepEqual(await stock.states(second!), { claimed: 4 })
  assert.equal(await serveShortOrders(db), 0)
  await stock.checkInvariants()
})

test('a transfer takes only what is free', async (t) => {
  const stock = await testStock(await testDatabase(t))
  const mug = await stock.variant(5, 0, { backorderLimit: 9 })
  await stock.order([{ variantId: mug, quantity: 3 }])
  const moves = await Promise.allSettled(Array.from({ length: 6 }, () => stock.write((tx) =>
    transferStock(tx, stock.berlin, stock.lyon, [{ variantId: mug, quantity: 1 }]))))
  assert.equal(moves.filter((move) => move.status === 'fulfilled').length, 2)
  await stock.checkInvariants()
})

test('many changes are announced as one', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const [few, many] = [await stock.variant(5, 0), await stock.variant(500, 0)]
  await announceChanges(db)
  const lines = [{ variantId: few, quantity: 1 }, { variantId: many, quantity: 1 }]
  for (let time = 0; time < 3; time++) await stock.order(lines)
  assert.equal(await announceChanges(db), 1, 'a shelf that stays full looks the same')
  assert.equal(await announceChanges(db), 0)
  const last = await db.one(Type.Object({ payload: Type.Any() }), sql`
    select payload from platform.event order by id desc limit 1`)
  assert.deepEqual(last.payload, { variantIds: [few] })
})

test('everything at once keeps the counts', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const variants = await Promise.all([1, 2, 3, 4].map(() => stock.variant(30, 30, { backorderLimit: 3 })))
  const pick = <T>(from: T[]): T => from[Math.floor(Math.random() * from.length)]!
  const orders: string[] = [newId()]
  const acts: (() => Promise<unknown>)[] = [
    async () => {
      const lines = [1, 2].map(() => ({ variantId: pick(variants), quantity: pick([1, 2, 5]) }))
      const order = await stock.order(lines, pick([60, 0.01]))
      if (order) orders.push(order)
    },
    () => stock.write((tx) => claim(tx, pick(orders))),
    () => stock.write((tx) => release(tx, pick(orders))),
    () => stock.write((tx) => extend(tx, pick(orders), 60)),
    () => stock.write((tx) => shipReserved(tx, pick(orders), [{ variantId: pick(variants), quantity: 1 }]))
      .catch((error: unknown) => { if (!isProblem(error, NotReserved)) throw error }),
    () => stock.write((tx) => changeStock(tx, [{
      variantId: pick(variants), locationId: pick([stock.berlin, stock.lyon]),
      cause: 'count', count: pick([0, 5, 20, 40]),
    }])),
    () => expireReservations(db),
  ]
  await Promise.all(Array.from({ length: 300 }, (_, index) => index % 2 ? acts[0]!() : pick(acts)()))
  await serveShortOrders(db)
  await stock.checkInvariants()
})
