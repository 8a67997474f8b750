// A hot variant: holds granted together follow the rule of the reserve statement, nothing is sold twice, and what an
// order does not use comes back.
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Type } from 'typebox'
import { Db, measured, sql, systemContext } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { Busy, isProblem, InvalidValue } from '../../platform/problem.ts'
import { testDatabase } from '../../platform/testing.ts'
import { holdingHotStock, shareOut } from './hot-stock.ts'
import { testStock } from './internal/test-stock.ts'
import { OutOfStock, type Line } from './inventory.ts'
import { allocate, reserve } from './reserve.ts'
import { setStock } from './set-stock.ts'

/** Buys as checkout does: true when there was enough. */
async function buy(db: Db, line: Line, orderId = newId()): Promise<boolean> {
  try {
    await holdingHotStock(db, orderId, async () => [line], () => db.transaction(systemContext(), async (tx) => {
      await reserve(tx, orderId, [line], 900)
      return orderId
    }))
    return true
  } catch (error) {
    if (isProblem(error, OutOfStock)) return false
    throw error
  }
}

const crowd = (count: number, one: () => Promise<boolean>) => Promise.all(Array.from({ length: count }, one))

test('a queue makes a variant hot; 300 buyers in two processes, 100 units: exactly 100 are sold', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const elsewhere = new Db({ url: db.url, max: 8 })
  t.after(() => elsewhere.close())
  const mug = await stock.variant(60, 40)
  const line = { variantId: mug, quantity: 1 }
  const before = await db.one(Type.Object({ n: Type.Integer() }), sql`
    select count(*)::int as n from inventory.reservation`)
  const answers = (await Promise.all([0, 1, 2].map((wave) =>
    crowd(100, () => buy(wave === 1 ? elsewhere : db, line))))).flat()
  assert.equal(answers.filter(Boolean).length, 100)
  assert.deepEqual(await stock.count(mug), { onHand: 100, reserved: 100 })
  assert.equal(before.n, 0)
  await stock.checkInvariants()
  const held = await db.one(Type.Object({ longEnough: Type.Boolean() }), sql`
    select bool_and(expires_at > now() + interval '10 minutes') as "longEnough" from inventory.reservation
    where state = 'held'`)
  assert.ok(held.longEnough, 'the order keeps a hold for its own time')
})

test('when nothing is hot it costs nothing; when it is, the order asks without the lock of the row', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const mug = await stock.variant(1_000, 0)
  const line = { variantId: mug, quantity: 2 }
  const costs = () => measured(async (cost) => {
    assert.ok(await buy(db, line))
    return { ...cost }
  })
  assert.deepEqual(await costs(), { statements: 3, trips: 2 })
  await crowd(40, () => buy(db, line))
  // Somebody holds the row: who has a hold already does not wait for it.
  const orderId = newId()
  const blocker = await db.dedicated()
  await holdingHotStock(db, orderId, async () => [line], async () => {
    await blocker.query('begin')
    await blocker.query('select from inventory.stock where variant_id = $1 for update', [mug])
    await stock.write((tx) => reserve(tx, orderId, [line], 900))
    await blocker.query('rollback')
    return orderId
  })
  await blocker.end()
  assert.deepEqual(await stock.count(mug), { onHand: 1_000, reserved: 84 })
  await stock.checkInvariants()
})

test('a hold that no order used comes back: a refusal, a cart that was an order already', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const mug = await stock.variant(50, 0)
  const line = { variantId: mug, quantity: 1 }
  await crowd(30, () => buy(db, line))
  const lines = async () => [line]
  await assert.rejects(holdingHotStock(db, newId(), lines, async () => { throw InvalidValue({ fields: [] }) }))
  assert.equal(await holdingHotStock(db, newId(), lines, async () => 'the first order'), 'the first order')
  assert.deepEqual(await stock.count(mug), { onHand: 50, reserved: 30 })
  const crashed = newId()
  await assert.rejects(holdingHotStock(db, crashed, lines, async () => { throw new Error('who knows') }))
  assert.deepEqual(await stock.count(mug), { onHand: 50, reserved: 31 }, 'it may be an order')
  await stock.pass(crashed)
  assert.ok(await buy(db, { variantId: mug, quantity: 20 }), 'until its time is over')
  await stock.checkInvariants()
})

test('holds together are what the reserve statement would have given one after the other', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const amount = fc.integer({ min: 0, max: 12 })
  const place = fc.record({ onHand: amount, reserved: amount, backorderLimit: fc.integer({ min: 0, max: 4 }) })
    .filter(({ onHand, reserved, backorderLimit }) => reserved <= onHand + backorderLimit)
  const demand = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 })
  await fc.assert(fc.asyncProperty(place, place, demand, async (inBerlin, inLyon, quantities) => {
    const variantId = newId()
    const places = [{ locationId: stock.berlin, ...inBerlin }, { locationId: stock.lyon, ...inLyon }]
    await stock.write((tx) => setStock(tx, places.map(({ reserved: _, ...level }) => ({ variantId, ...level }))))
    for (const { locationId, reserved } of places) {
      await db.run(sql`update inventory.stock set reserved = ${reserved}
        where variant_id = ${variantId} and location_id = ${locationId}`)
    }
    const wishes = quantities.map((quantity) => ({ orderId: newId(), quantity }))
    for (const { orderId, quantity } of wishes) {
      await stock.write((tx) => allocate(tx, orderId, [{ variantId, quantity }], 60))
    }
    const pieces = await db.many(Type.Object({
      orderId: Type.String(), locationId: Type.String(), quantity: Type.Integer(),
    }), sql`
      select order_id as "orderId", location_id as "locationId", quantity from inventory.reservation
      where variant_id = ${variantId}`)
    const sorted = (all: typeof pieces) => all.map((one) => `${one.orderId} ${one.locationId} ${one.quantity}`).sort()
    const together = shareOut(places.map((one) => ({ ...one, priority: 100 })), wishes)
    assert.deepEqual(sorted(together.pieces), sorted(pieces))
  }), { numRuns: 60 })
})

test('who waited too long for a connection gives the hold back all the same', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const mug = await stock.variant(50, 0)
  const line = { variantId: mug, quantity: 1 }
  await crowd(20, () => buy(db, line))                        // now it is hot
  const { reserved } = await stock.count(mug)
  const busy = new Db({ url: db.url, max: 1, waitMs: 200 })
  t.after(() => busy.close())
  let asleep: Promise<unknown> | undefined
  const orderId = newId()
  await assert.rejects(measured(() => holdingHotStock(busy, orderId, async () => [line], async () => {
    asleep = measured(() => busy.run(sql`select pg_sleep(1)`))   // somebody else has the only connection
    await busy.run(sql`select 1`)
    return orderId
  }), 'pay'), (error) => isProblem(error, Busy))
  await asleep
  assert.deepEqual(await stock.count(mug), { onHand: 50, reserved }, 'the hold was given back')
})
