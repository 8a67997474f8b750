// The life of a promise: held, claimed, shipped, or given back.

import assert from 'node:assert/strict'
import test from 'node:test'
import { sql } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { testDatabase } from '../../platform/testing.ts'
import { changeStock } from './change-stock.ts'
import { claim } from './claim-reservation.ts'
import { expireReservations } from './expire-reservations.ts'
import { testStock } from './internal/test-stock.ts'
import { NotReserved } from './inventory.ts'
import { extend, release } from './release-reservation.ts'
import { shipReserved } from './ship-reserved.ts'

test('claimed once, however often and by how many it is asked', async (t) => {
  const stock = await testStock(await testDatabase(t))
  const mug = await stock.variant(5, 5)
  const order = await stock.order([{ variantId: mug, quantity: 7 }])
  const answers = await Promise.all(Array.from({ length: 10 }, () => stock.write((tx) => claim(tx, order!))))
  assert.deepEqual(new Set(answers), new Set(['claimed']))
  assert.deepEqual(await stock.states(order!), { claimed: 7 })
  const nothing = await stock.write((tx) => claim(tx, newId()))
  assert.equal(nothing, 'claimed', 'an order of untracked variants has nothing to claim')
  await stock.checkInvariants()
})

test('an expired hold is reserved again while the stock is there, swept or not', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  for (const sweep of [false, true]) {
    const mug = await stock.variant(5, 5)
    const order = await stock.order([{ variantId: mug, quantity: 7 }])
    await stock.pass(order!)
    if (sweep) assert.ok(await expireReservations(db) > 0)
    const answers = await Promise.all(Array.from({ length: 10 }, () => stock.write((tx) => claim(tx, order!))))
    assert.deepEqual(new Set(answers), new Set(['claimed']))
    assert.deepEqual(await stock.states(order!), { claimed: 7 })
    assert.deepEqual(await stock.count(mug), { onHand: 10, reserved: 7 })
  }
  await stock.checkInvariants()
})

test('an expired hold whose stock is gone is lost, and holds nothing', async (t) => {
  const stock = await testStock(await testDatabase(t))
  const [mug, cup] = [await stock.variant(5, 5), await stock.variant(5, 5)]
  const late = await stock.order([{ variantId: mug, quantity: 7 }, { variantId: cup, quantity: 1 }])
  await stock.pass(late!)
  assert.ok(await stock.order([{ variantId: mug, quantity: 10 }]))
  for (let time = 0; time < 2; time++) assert.equal(await stock.write((tx) => claim(tx, late!)), 'lost')
  assert.deepEqual(await stock.count(cup), { onHand: 10, reserved: 0 })
  await stock.checkInvariants()
})

test('a race between claims, releases, extensions and the sweep leaves one outcome', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const mug = await stock.variant(40, 40)
  await Promise.all(Array.from({ length: 40 }, async (_, index) => {
    const order = await stock.order([{ variantId: mug, quantity: 2 }])
    if (index % 2) await stock.pass(order!)
    const [answer] = await Promise.all([
      stock.write((tx) => claim(tx, order!)),
      stock.write((tx) => index % 3 ? extend(tx, order!, 60) : release(tx, order!)),
      expireReservations(db),
    ])
    if (answer === 'lost') return assert.deepEqual(await stock.states(order!), { released: 2 })
    if (index % 3) assert.deepEqual(await stock.states(order!), { claimed: 2 })
  }))
  await stock.checkInvariants()
})

test('released stock can be sold again, and the order is lost', async (t) => {
  const stock = await testStock(await testDatabase(t))
  const mug = await stock.variant(5, 5)
  const order = await stock.order([{ variantId: mug, quantity: 10 }])
  await stock.write((tx) => claim(tx, order!))
  await Promise.all(Array.from({ length: 5 }, () => stock.write((tx) => release(tx, order!))))
  assert.deepEqual(await stock.count(mug), { onHand: 10, reserved: 0 })
  assert.equal(await stock.write((tx) => claim(tx, order!)), 'lost')
  assert.ok(await stock.order([{ variantId: mug, quantity: 10 }]))
  await stock.checkInvariants()
})

test('shipped in parts, never more than reserved, never what has not arrived', async (t) => {
  const db = await testDatabase(t)
  const stock = await testStock(db)
  const mug = await stock.variant(3, 4, { backorderLimit: 5 })
  const order = await stock.order([{ variantId: mug, quantity: 9 }])
  await assert.rejects(stock.write((tx) => shipReserved(tx, order!, [{ variantId: mug, quantity: 1 }])),
    NotReserved({ lines: [{ variantId: mug, requested: 1, available: 0 }] }), 'a hold is not a sale yet')
  await stock.write((tx) => claim(tx, order!))
  await stock.write((tx) => shipReserved(tx, order!, [{ variantId: mug, quantity: 2 }], stock.lyon))
  await assert.rejects(stock.write((tx) => shipReserved(tx, order!, [{ variantId: mug, quantity: 6 }])),
    NotReserved({ lines: [{ variantId: mug, requested: 6, available: 5 }] }))
  const parts = await Promise.allSettled(Array.from({ length: 10 }, () =>
    stock.write((tx) => shipReserved(tx, order!, [{ variantId: mug, quantity: 1 }]))))
  assert.equal(parts.filter((part) => part.status === 'fulfilled').length, 5)
  assert.deepEqual(await stock.count(mug), { onHand: 0, reserved: 2 })
  const place = { variantId: mug, locationId: stock.berlin }
  await stock.write((tx) => changeStock(tx, [{ ...place, cause: 'receipt', change: 2 }]))
  const rest = [{ variantId: mug, quantity: 2 }, { variantId: newId(), quantity: 1 }]
  await stock.write((tx) => shipReserved(tx, order!, rest))
  assert.deepEqual(await stock.states(order!), { shipped: 9 })
  await assert.rejects(db.run(sql`update inventory.movement set quantity = 1`), /append-only/)
  await assert.rejects(db.run(sql`delete from inventory.movement`), /append-only/)
  await stock.checkInvariants()
})
