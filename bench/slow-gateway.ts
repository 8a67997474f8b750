// A gateway that takes half a minute, with four times as many shoppers waiting for it as the shop has connections: the
// other steps of a checkout, at the same rate with and without them, in turns. If one call held a connection, all would
// stand.
import { setTimeout as sleep } from 'node:timers/promises'
import { METHOD, withBank } from './bank.ts'
import { withConnections } from './connection.ts'
import { POOL, type Ground } from './ground.ts'
import { drain, targetOf, withWorkers } from './measure-scenario.ts'
import { figuresOf, runOpenLoop, type Sample } from './measure.ts'
import { atLeast, atMost, failures, type Outcome } from './outcome.ts'
import { oneOf } from './random.ts'
import { scenarioNamed } from './scenarios.ts'
import { Shopper } from './shopper.ts'
import type { World } from './world.ts'

const SLOW_MS = 30_000
const WAITING = 4 * POOL
const PER_SECOND = 40                 // checkouts of six steps: far from what the shop can do
const WORKERS = 32
const P99_TIMES = 1.2
const ROUNDS = 3

export async function measureSlowGateway(world: World): Promise<Outcome> {
  // So many that the 99th of a hundred is not simply the slowest of all.
  const seconds = world.options.quick ? 8 : 15
  return withBank(world, { name: 'bench_slow', slowMs: SLOW_MS }, async (ground) => {
    const run = () => withWorkers(world, targetOf(ground), { scenario: scenarioNamed('checkout'), workers: WORKERS },
      (act) => runOpenLoop({ workers: WORKERS, seconds, watched: ground.watched, perSecond: PER_SECOND }, act))
    await run()
    const [quiet, slow]: [Sample[], Sample[]] = [[], []]
    let fewest = Infinity
    for (let round = 0; round < ROUNDS; round++) {
      await drain(ground)
      quiet.push(await run())
      const crowd = await keepWaiting(ground, world)
      slow.push(await run())
      fewest = Math.min(fewest, await crowd.leave())
    }
    const rows = [
      { name: `slow-gateway, quiet ${PER_SECOND}/s`, unit: 'checkouts/s', shop: figuresOf(quiet) },
      { name: `slow-gateway, ${WAITING} waiting`, unit: 'checkouts/s', shop: figuresOf(slow) },
    ] as const
    return {
      rows: [...rows], notes: [], bounds: [
        ...rows.flatMap(failures),
        atMost('slow-gateway: p99 of the other steps', rows[1].shop.p99Ms, P99_TIMES * rows[0].shop.p99Ms, ' ms'),
        atLeast('slow-gateway: shoppers at the bank meanwhile', fewest, 0.9 * WAITING),
      ],
    }
  })
}

/** Shoppers at the bank: who is answered at last begins anew. `leave` says how many waited when they were fewest. */
async function keepWaiting({ goods, shop }: Ground, { random }: World) {
  let [left, waiting, fewest] = [false, 0, Infinity]
  const crowd = withConnections(shop.url, WAITING, async (connections) => {
    await Promise.all(connections.map(async (connection, index) => {
      const shopper = new Shopper(connection, { ...goods.terms, paymentMethod: METHOD })
      await sleep(20 * index)          // one after the other, as shoppers come
      while (!left) {
        const lines = [{ variantId: oneOf(goods.variantIds, random), quantity: 1 }]
        const total = await shopper.quote(lines)
        waiting++
        await shopper.buyNow(lines, total, { fault: 'delay,webhook_never' })
        waiting--
      }
    }))
  })
  for (const deadline = Date.now() + 20_000; waiting < WAITING; await sleep(50)) {
    if (Date.now() > deadline) throw new Error(`only ${waiting} of ${WAITING} shoppers came to wait at the bank`)
  }
  const looking = setInterval(() => { fewest = Math.min(fewest, waiting) }, 100)
  return {
    async leave() {
      clearInterval(looking)
      left = true
      await crowd
      return fewest
    },
  }
}
