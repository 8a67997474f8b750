// The shop's clock is wrong and jumps: by seconds, by an hour as in spring and autumn, by years. The database's clock
// decides what is over, so nothing ends before its time, nothing waits for ever, and no time of the shop's is written.
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { Type } from 'typebox'
import { oneOf, randomFrom } from '../../bench/random.ts'
import { sql, type Db } from '../../src/platform/db.ts'
import { judge } from '../check.ts'
import { Crowd } from '../customers.ts'
import type { Programme } from '../programme.ts'
import { openStage } from '../stage.ts'

const CUSTOMERS = 6
const STEPS_A_ROUND = 12
const [SECOND, HOUR, YEAR] = [1_000, 3_600_000, 365 * 86_400_000]
const offsets = [
  0, SECOND, -SECOND, HOUR, -HOUR, 24 * HOUR, -24 * HOUR, 10 * YEAR, -10 * YEAR, Date.UTC(2038, 0, 19) - Date.now(),
]

export const clock: Programme = {
  name: 'clock', about: "steps of the shop's clock, from a second to ten years", unit: 'steps',
  counts: { full: 1_000, quick: STEPS_A_ROUND },
  async open(sabotage) {
    const stage = await openStage(7, sabotage)
    await stage.startShop({ preload: join(import.meta.dirname, '../skewed-clock.ts') })
    return {
      async round(seed) {
        const random = randomFrom(seed)
        const crowd = new Crowd(stage, random, { faults: ['', '', 'webhook_late', 'charge_then_drop'] })
        crowd.start(CUSTOMERS)
        for (let step = 0; step < STEPS_A_ROUND; step++) {
          stage.tellShop({ clockOffsetMs: oneOf(offsets, random) + Math.floor(2 * SECOND * (random() - 0.5)) })
          await sleep(50 + 300 * random())
        }
        await crowd.stop()
        const untimely = await findUntimely(stage.db)
        return {
          count: STEPS_A_ROUND, violations: [...crowd.complaints, ...await judge(stage), ...untimely],
          figures: { orders: crowd.orders },
        }
      },
      close: () => stage.close(),
    }
  },
}

const Column = Type.Object({ table: Type.String(), column: Type.String() })
const Order = Type.Object({ number: Type.Integer() })

/** Times that are years away from the database's, and orders that ended before theirs. */
async function findUntimely(db: Db): Promise<string[]> {
  const columns = await db.many(Column, sql`
    select format('%I.%I', table_schema, table_name) as table, column_name as column
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
    where data_type = 'timestamp with time zone' and table_type = 'BASE TABLE'
      and table_schema not in ('pg_catalog', 'information_schema')`)
  const client = await db.dedicated()
  const broken: string[] = []
  for (const { table, column } of columns) {
    const { rows: [{ count }] } = await client.query(`select count(*)::int as count from ${table}
      where "${column}" not between now() - interval '5 years' and now() + interval '5 years'`)
    if (count > 0) broken.push(`I11 ${count} rows of ${table} have a ${column} of another clock`)
  }
  await client.end()
  const early = await db.many(Order, sql`
    select number from orders.order where state = 'lapsed' and closed_at < holds_until - interval '1 minute'
      or holds_until < created_at + interval '14 minutes'`)
  return [...broken, ...early.map(({ number }) => `I2 the order ${number} ended, or will, before its time`)]
}
