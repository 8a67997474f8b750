// What the tests of inventory share: two locations, variants with stock there, and the question whether the invariants
// hold.

import assert from 'node:assert/strict'
import { Type } from 'typebox'
import { findBroken } from '../../../invariants.ts'
import { sql, systemContext, type Db, type Tx } from '../../../platform/db.ts'
import { newId } from '../../../platform/id.ts'
import { isProblem } from '../../../platform/problem.ts'
import { OutOfStock, type Line } from '../inventory.ts'
import { reserve } from '../reserve.ts'
import { setStock, type StockLevel } from '../set-stock.ts'

export async function testStock(db: Db) {
  const [berlin, lyon] = [newId(), newId()]
  await db.run(sql`
    insert into inventory.location (id, code, name)
    values (${berlin}, 'berlin', 'Berlin'), (${lyon}, 'lyon', 'Lyon')`)
  const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => db.transaction(systemContext(), work)

  return {
    berlin,
    lyon,
    write,
    /** A new variant with so many units in Berlin and in Lyon. */
    async variant(inBerlin: number, inLyon: number, more: Partial<StockLevel> = {}): Promise<string> {
      const variantId = more.variantId ?? newId()
      await write((tx) => setStock(tx, [
        { variantId, locationId: berlin, onHand: inBerlin, ...more }, { variantId, locationId: lyon, onHand: inLyon },
      ]))
      return variantId
    },
    /** Reserves for a new order: its id, or undefined when something is out of stock. */
    async order(lines: Line[], expiresInSeconds = 60): Promise<string | undefined> {
      const orderId = newId()
      try {
        await write((tx) => reserve(tx, orderId, lines, expiresInSeconds))
        return orderId
      } catch (error) {
        if (isProblem(error, OutOfStock)) return undefined
        throw error
      }
    },
    count: (variantId: string) => db.one(Type.Object({ onHand: Type.Integer(), reserved: Type.Integer() }), sql`
      select sum(on_hand) as "onHand", sum(reserved) as reserved from inventory.stock where variant_id = ${variantId}`),
    /** Units of the order by state. */
    async states(orderId: string): Promise<Record<string, number>> {
      const rows = await db.many(Type.Object({ state: Type.String(), units: Type.Integer() }), sql`
        select state, sum(quantity) as units from inventory.reservation where order_id = ${orderId} group by state`)
      return Object.fromEntries(rows.map((row) => [row.state, row.units]))
    },
    /** Makes the order's holds end now, as if their time had passed. */
    pass: (orderId: string) => db.run(sql`
      update inventory.reservation set expires_at = now() - interval '1 second'
      where order_id = ${orderId} and state = 'held'`),
    async checkInvariants(): Promise<void> {
      assert.deepEqual(await findBroken(db, { module: 'inventory' }), [])
    },
  }
}
