// Whether the demo shop has its past: one small question, asked at every start.
import { Type } from 'typebox'
import { sql, type Conn } from '../src/platform/db.ts'

/** The reference of the receipts that stocked what the past sold. */
export const REFERENCE = 'demo history'

export async function pastIsLoaded(conn: Conn): Promise<boolean> {
  const { loaded } = await conn.one(Type.Object({ loaded: Type.Boolean() }), sql`
    select exists (select from inventory.movement where reference = ${REFERENCE}) as loaded`)
  return loaded
}
