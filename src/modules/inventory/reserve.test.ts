// A unit is sold once, a cart whole or not at all, and nobody waits for ever: the reserve statement under many buyers.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Type } from 'typebox'
import { measured, sql, systemContext } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { testDatabase } from '../../platform/testing.ts'
import { changeStock } from './change-stock.ts'
import { testStock } from './internal/test-stock.ts'
import { OutOfStock } from './inventory.ts'
import { release } from './release-reservation.ts'
import { allocate, allocation, reserve } from './reserve.ts'
import { setStock } from './set-stock.ts'

test('ten units in two places, sixty buyers', async (t) => {
  const stock = await testStock(await testDatabase(t))
  for (let round = 0; round < 5; round++) {
    const mug = await stock.variant(6, 4)
    const orders = await Promise.all(Array.from({ length: 60 }, () => stock.order([{ variantId: mug, quantity: 1 }])))
    assert.equal(orders.filter(Boolean).length, 10)
    assert.deepEqual(await stock.count(mug), { onHand: 10, reserved: 10 })
  }
  await stock.checkInvariants()
})

test('lines are split over places, the largest free stock first', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const mug = await stock.variant(50, 45)
  const orders = await Promise.all(Array.from({ length: 40 }, () => stock.order([{ variantId: mug, quantity: 7 }])))
  assert.equal(orders.filter(Boolean).length, 13)
  assert.deepEqual(await stock.count(mug), { onHand: 95, reserved: 91 })

  const cup = await stock.variant(3, 5)
  await assert.rejects(stock.write((tx) => reserve(tx, newId(), [
    { variantId: cup, quantity: 4 }, { variantId: cup, quantity: 5 }, { variantId: mug, quantity: 1 },
  ], 60)), OutOfStock({ lines: [{ variantId: cup, requested: 9, available: 8 }] }))
  assert.deepEqual(await stock.count(mug), { onHand: 95, reserved: 91 }, 'all or nothing')
  await stock.order([{ variantId: cup, quantity: 6 }])
  assert.equal(await db.run(sql`
    select from inventory.stock where variant_id = ${cup} and location_id = ${stock.lyon} and reserved = 5`), 1)
  await stock.checkInvariants()
})

test('carts in opposite orders do not deadlock', async (t) => {
  const stock = await testStock(await testDatabase(t))
  const variants = await Promise.all(Array.from({ length: 20 }, () => stock.variant(100, 100)))
  let runs = 0
  await Promise.all(Array.from({ length: 100 }, (_, index) => stock.write((tx) => {
    runs++                                                    // a deadlock would run the transaction again
    const lines = variants.map((variantId) => ({ variantId, quantity: 2 }))
    return reserve(tx, newId(), index % 2 ? lines : lines.toReversed(), 60)
  })))
  assert.equal(runs, 100)
  for (const variantId of variants) assert.deepEqual(await stock.count(variantId), { onHand: 200, reserved: 200 })
  await stock.checkInvariants()
})

test('one line and a hundred cost one statement', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const lines = await Promise.all(Array.from({ length: 100 }, async () => (
    { variantId: await stock.variant(10, 5), quantity: 7 })))
  for (const some of [lines.slice(0, 1), lines]) {
    const cost = await measured(async (cost) => {
      await db.transaction(systemContext(), (tx) => reserve(tx, newId(), some, 60))
      return cost
    })
    assert.equal(cost.statements, 3, 'begin, reserve, commit')
  }
  assert.equal(await stock.order(lines), undefined)
  await stock.checkInvariants()
})

test('asked twice it holds once; untracked is always there; an unknown variant never', async (t) => {
  const stock = await testStock(await testDatabase(t))
  const [mug, service, orderId] = [await stock.variant(5, 5), await stock.variant(0, 0, { tracked: false }), newId()]
  const lines = [{ variantId: mug, quantity: 3 }, { variantId: service, quantity: 1_000 }]
  for (let time = 0; time < 2; time++) await stock.write((tx) => reserve(tx, orderId, lines, 60))
  assert.deepEqual(await stock.count(mug), { onHand: 10, reserved: 3 })
  const nothing = newId()
  await assert.rejects(stock.write((tx) => reserve(tx, newId(), [{ variantId: nothing, quantity: 1 }], 60)),
    OutOfStock({ lines: [{ variantId: nothing, requested: 1, available: 0 }] }))
})

test('promises beyond stock stop at the backorder limit and are backed by the next delivery', async (t) => {
  const stock = await testStock(await testDatabase(t))
  const lamp = await stock.variant(2, 0, { backorderLimit: 5 })
  const orders = await Promise.all(Array.from({ length: 30 }, () => stock.order([{ variantId: lamp, quantity: 1 }])))
  assert.equal(orders.filter(Boolean).length, 7)
  const place = { variantId: lamp, locationId: stock.berlin }
  await stock.write((tx) => changeStock(tx, [{ ...place, cause: 'receipt', change: 5 }]))
  assert.deepEqual(await stock.count(lamp), { onHand: 7, reserved: 7 })
  await stock.checkInvariants()
})

test('a hold whose time is over never costs a sale', async (t) => {
  const stock = await testStock(await testDatabase(t))
  const mug = await stock.variant(3, 3)
  const abandoned = await stock.order([{ variantId: mug, quantity: 6 }])
  await stock.pass(abandoned!)
  const orders = await Promise.all(Array.from({ length: 20 }, () => stock.order([{ variantId: mug, quantity: 1 }])))
  assert.equal(orders.filter(Boolean).length, 6)
  assert.deepEqual(await stock.states(abandoned!), { expired: 6 })
  await stock.checkInvariants()
})

test('an inactive location sells nothing', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const mug = await stock.variant(3, 3)
  await db.run(sql`update inventory.location set active = false where id = ${stock.lyon}`)
  assert.equal(await stock.order([{ variantId: mug, quantity: 4 }]), undefined)
  assert.ok(await stock.order([{ variantId: mug, quantity: 3 }]))
})

test('no table that grows is read whole', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const levels = Array.from({ length: 5_000 }, () => ({ variantId: newId(), locationId: stock.berlin, onHand: 100 }))
  await stock.write((tx) => setStock(tx, levels))
  await Promise.all(Array.from({ length: 50 }, (_, index) => stock.order(levels.slice(index * 100, index * 100 + 100)
    .map(({ variantId }) => ({ variantId, quantity: 1 })))))
  await db.run(sql`analyze inventory.stock, inventory.item, inventory.reservation`)
  for (const count of [1, 100]) {
    const lines = levels.slice(0, count).map(({ variantId }) => ({ variantId, quantity: 1 }))
    const plan = await db.many(Type.Object({ 'QUERY PLAN': Type.String() }), sql`
      explain (costs off) ${allocation(newId(), lines, 60)}`)
    const scans = plan.map((line) => line['QUERY PLAN'])
      .filter((line) => /Seq Scan on (stock|item|reservation)/.test(line))
    assert.deepEqual(scans, [], `${count} lines`)
  }
})

// PostgreSQL checks the CHECK of an update first on the row as its snapshot saw it. Stock that was freed while we
// waited for the lock must count.
test('stock that came free during the wait is sold', async (t) => {
  const stock = await testStock(await testDatabase(t))
  const mug = await stock.variant(5, 0)
  const first = await stock.order([{ variantId: mug, quantity: 5 }])
  const { promise: held, resolve: isHeld } = Promise.withResolvers<void>()
  const giving = stock.write(async (tx) => {
    await release(tx, first!)
    isHeld()
    await new Promise((resolve) => setTimeout(resolve, 100))
  })
  await held
  const failed = await stock.write((tx) => allocate(tx, newId(), [{ variantId: mug, quantity: 4 }], 60))
  await giving
  assert.deepEqual(failed, [])
  await stock.checkInvariants()
})
