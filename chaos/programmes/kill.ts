// The shop is killed, as by a power failure, at random moments: in the middle of a checkout, of a refund, while it
// recovers from the kill before.
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../../bench/random.ts'
import { judge } from '../check.ts'
import { Crowd } from '../customers.ts'
import type { Programme } from '../programme.ts'
import { openStage } from '../stage.ts'

const KILLS_A_ROUND = 5
const CUSTOMERS = 6
const FAULTS = ['', '', '', 'charge_then_drop', 'webhook_first', 'webhook_late', 'decline']

export const kill: Programme = {
  name: 'kill', about: 'kill -9 of the shop in the middle of everything', unit: 'kills',
  counts: { full: 1_000, quick: 10 },
  async open(sabotage) {
    const stage = await openStage(1, sabotage)
    await stage.startShop()
    return {
      async round(seed) {
        const random = randomFrom(seed)
        const crowd = new Crowd(stage, random, { faults: FAULTS })
        crowd.start(CUSTOMERS)
        for (let killed = 0; killed < KILLS_A_ROUND; killed++) {
          // Every third one hits a shop that has hardly begun to recover.
          await sleep(random() < 0.3 ? 60 * random() : 100 + 600 * random())
          await stage.killShop()
          await stage.startShop()
        }
        await crowd.stop()
        return {
          count: KILLS_A_ROUND, violations: [...crowd.complaints, ...await judge(stage)],
          figures: { orders: crowd.orders },
        }
      },
      close: () => stage.close(),
    }
  },
}
