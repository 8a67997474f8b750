// The shop is killed at each place where a crash would hurt (src/platform/failpoint.ts), at the first, second and third
// pass. A place that nothing reaches is a violation: what is declared must be what is killed.
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../../bench/random.ts'
import { sql } from '../../src/platform/db.ts'
import { failpoints } from '../../src/platform/failpoint.ts'
import { judge } from '../check.ts'
import { Crowd } from '../customers.ts'
import type { Programme } from '../programme.ts'
import { openStage, type Stage } from '../stage.ts'

const CUSTOMERS = 16            // so many that a variant gets hot
const REACHED_WITHIN_MS = 20_000
const PASSES = 3

export const failpointsProgramme: Programme = {
  name: 'failpoints', about: 'kill -9 at each declared failpoint', unit: 'kills',
  counts: { full: failpoints.length * 10, quick: failpoints.length },
  async open(sabotage) {
    const stage = await openStage(2, sabotage)
    return {
      async round(seed) {
        const random = randomFrom(seed)
        const name = failpoints[seed % failpoints.length]!
        const pass = 1 + Math.floor(random() * PASSES)
        await stage.restock()
        await stage.startShop({ failpoint: `${name}:${pass}` })
        const crowd = new Crowd(stage, random, {
          faults: ['', '', 'decline', 'webhook_twice'], scarce: name === 'holds.granted' ? 1 : 0.4, staff: 0.7,
        })
        crowd.start(CUSTOMERS)
        const reached = await dies(stage)
        await stage.killShop()
        await stage.startShop()
        await crowd.stop()
        const violations = [...crowd.complaints, ...await judge(stage)]
        await stage.stopShop()
        return {
          count: reached ? 1 : 0, figures: { orders: crowd.orders },
          violations: reached ? violations : [`${name} was not reached ${pass} times`, ...violations],
        }
      },
      close: () => stage.close(),
    }
  },
}

/** Waits until the failpoint has killed the shop; meanwhile the time of holds and of unpaid orders runs out. */
async function dies(stage: Stage): Promise<boolean> {
  for (const deadline = Date.now() + REACHED_WITHIN_MS; Date.now() < deadline; await sleep(100)) {
    if (!stage.shopLives()) return true
    await stage.db.run(sql`
      update inventory.reservation set expires_at = now()
      where state = 'held' and created_at < now() - interval '1 second'`)
    await stage.db.run(sql`
      update orders.order set holds_until = now()
      where state = 'awaiting_payment' and created_at < now() - interval '2 seconds'`)
  }
  return false
}
