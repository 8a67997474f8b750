// The answer to a COMMIT is lost together with its connection: the shop cannot know whether its transaction is there.
// It may say so, and must do nothing twice.
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../../bench/random.ts'
import { judge } from '../check.ts'
import { Crowd } from '../customers.ts'
import type { Programme } from '../programme.ts'
import { openStage } from '../stage.ts'

const CUTS_A_ROUND = 30
const ROUND_MS = 15_000
const CUSTOMERS = 8

export const commit: Programme = {
  name: 'commit', about: 'a COMMIT whose answer is cut off', unit: 'cuts', counts: { full: 1_000, quick: 30 },
  async open(sabotage) {
    const stage = await openStage(3, sabotage)
    await stage.startShop()
    return {
      async round(seed) {
        const random = randomFrom(seed)
        const before = stage.link.cuts
        const crowd = new Crowd(stage, random, {
          faults: ['', '', 'charge_then_drop', 'webhook_first'], staff: 0.8,
        })
        crowd.start(CUSTOMERS)
        stage.link.faults = { cutCommits: 0.02 + 0.1 * random() }
        const end = performance.now() + ROUND_MS
        while (stage.link.cuts < before + CUTS_A_ROUND && performance.now() < end) await sleep(20)
        stage.link.faults = {}
        await crowd.stop()
        const violations = [...crowd.complaints, ...await judge(stage)]
        return { count: stage.link.cuts - before, violations, figures: { orders: crowd.orders } }
      },
      close: () => stage.close(),
    }
  },
}
