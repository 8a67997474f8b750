// The network between the shop and its database is bad: slow, in crumbs, reset, or silent, which is the worst of it: a
// connection that nobody closes and nobody answers. When the network is well again the shop is, too, by itself.
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../../bench/random.ts'
import { judge } from '../check.ts'
import { Crowd } from '../customers.ts'
import type { Faults } from '../fault-proxy.ts'
import type { Programme } from '../programme.ts'
import { openStage, type Stage } from '../stage.ts'

const CUSTOMERS = 8
const HARM_MS = 2_000
// A statement may take 15 seconds, so only after more than that a shop knows that an answer will never come.
const RECOVERED_WITHIN_MS = 25_000
const GIVE_UP_AFTER_MS = 60_000

const slow = (random: () => number): Faults => ({ delayMs: 20 * random(), jitterMs: 20 * random() })
const harms: ((random: () => number) => Faults | 'reset')[] = [
  slow, () => ({ sliceBytes: 7 }), (random) => ({ ...slow(random), sliceBytes: 500 }),
  () => 'reset', () => ({ silent: true }),
]

export const link: Programme = {
  name: 'link', about: 'a slow, crumbling, resetting or silent link to the database', unit: 'faults',
  counts: { full: 200, quick: harms.length },
  async open(sabotage) {
    const stage = await openStage(6, sabotage)
    await stage.startShop()
    return {
      async round(seed) {
        const random = randomFrom(seed)
        const crowd = new Crowd(stage, random, { faults: ['', '', 'webhook_twice'] })
        crowd.start(CUSTOMERS)
        await sleep(300 + 500 * random())
        const slowest = Math.round(await harm(stage, crowd, harms[seed % harms.length]!(random)))
        await crowd.stop()
        const late = slowest > RECOVERED_WITHIN_MS ? [`the first success came ${slowest} ms after the harm`] : []
        const violations = [...crowd.complaints, ...late, ...await judge(stage)]
        stage.link.reset()               // what fell silent stays so for ever; the server's side of it goes now
        return { count: 1, violations, figures: { orders: crowd.orders, slowestRecoveryMs: slowest } }
      },
      close: () => stage.close(),
    }
  },
}

/** Milliseconds from the end of the harm to the first thing that was done for somebody after it. */
async function harm({ link }: Stage, crowd: Crowd, faults: Faults | 'reset'): Promise<number> {
  if (faults === 'reset') link.reset()
  else link.faults = faults
  await sleep(faults === 'reset' ? 0 : HARM_MS)
  link.faults = {}
  const healedAt = performance.now()
  while (crowd.success.sentAt < healedAt) {
    if (performance.now() - healedAt > GIVE_UP_AFTER_MS) return GIVE_UP_AFTER_MS
    await sleep(20)
  }
  return crowd.success.answeredAt - healedAt
}
