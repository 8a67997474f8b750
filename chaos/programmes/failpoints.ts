// The shop is killed at each place where a crash would hurt (src/platform/failpoint.ts), at the first, second or third
// pass. It starts again with the next place set, so that the next kill hits the recovery from the one before. A place
// that nothing reaches is a violation: what is declared must be what is killed.
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../../bench/random.ts'
import { sql } from '../../src/platform/db.ts'
import { failpoints } from '../../src/platform/failpoint.ts'
import { judge } from '../check.ts'
import { Crowd, type Habits } from '../customers.ts'
import type { Programme, Round } from '../programme.ts'
import { openStage, type Stage } from '../stage.ts'

const CUSTOMERS = 16            // so many that a variant gets hot
const REACHED_WITHIN_MS = 20_000
const PASSES = 3
const KILLS_A_ROUND = 4

export const failpointsProgramme: Programme = {
  name: 'failpoints', about: 'kill -9 at each declared failpoint', unit: 'kills',
  counts: { full: failpoints.length * 10, quick: failpoints.length },
  async open(sabotage) {
    const stage = await openStage(2, sabotage)
    return { round: (seed) => killAt(failpoints, stage, seed), close: () => stage.close() }
  },
}

/** Kills a shop full of customers at some of these places, one after the other. */
export async function killAt(
  places: readonly string[], stage: Stage, seed: number, habits: Habits = {},
): Promise<Round> {
  const random = randomFrom(seed)
  const crowd = new Crowd(stage, random, {
    faults: ['', '', 'decline', 'webhook_twice'], scarce: 0.4, staff: 0.7, ...habits,
  })
  const missed: string[] = []
  crowd.start(CUSTOMERS)
  for (let kill = 0; kill < KILLS_A_ROUND; kill++) {
    const name = places[(seed * KILLS_A_ROUND + kill) % places.length]!
    const pass = 1 + Math.floor(random() * PASSES)
    await stage.restock()
    await stage.startShop({ failpoint: `${name}:${pass}` })
    if (!await dies(stage)) missed.push(`${name} was not reached ${pass} times`)
    await stage.killShop()
  }
  await stage.startShop()
  await crowd.stop()
  const violations = [...missed, ...crowd.complaints, ...await judge(stage)]
  await stage.stopShop()
  return { count: KILLS_A_ROUND - missed.length, figures: { orders: crowd.orders }, violations }
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
