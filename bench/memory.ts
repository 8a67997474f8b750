// Memory of the server process: at rest with 1,000 products, and under a mixed load, where it may grow to a level but
// not go on growing.
import { setTimeout as sleep } from 'node:timers/promises'
import { withConnections } from './connection.ts'
import { POOL } from './ground.ts'
import { residentMegabytes } from './machine.ts'
import { runLoop } from './measure.ts'
import { atMost, exactly, number, spreadOf, type Outcome } from './outcome.ts'
import { scenarioNamed } from './scenarios.ts'
import { startShop } from './servers.ts'
import { Shopper } from './shopper.ts'
import type { World } from './world.ts'

const AT_REST_MB = 150
const FLAT_TIMES = 1.1
const WORKERS = 16
// Of sixteen people: most look, some put something into a cart, one buys.
const MIX = ['list', 'product', 'product', 'search', 'list', 'product', 'product', 'search', 'cart', 'cart', 'lines',
  'product', 'list', 'product', 'one-shot', 'order']

export async function measureMemory(world: World): Promise<Outcome> {
  const { quick, long } = world.options
  const { db, goods } = await world.ground()
  const shop = await startShop(db.url, { pool: POOL })
  try {
    await sleep(3_000)                  // what a start leaves to clean up is not rest
    const atRest = residentMegabytes(shop.pid)
    const seconds = long ? 1_200 : quick ? 12 : 120
    const sizes: number[] = []
    const looking = setInterval(() => sizes.push(residentMegabytes(shop.pid)), 500)
    const sample = await withConnections(shop.url, WORKERS, async (connections) => {
      const acts = await Promise.all(connections.map((connection, index) =>
        scenarioNamed(MIX[index]!).ready(goods, world.random)(new Shopper(connection, goods.terms))))
      return runLoop({ workers: WORKERS, seconds, warmUpSeconds: 1 }, (worker) => acts[worker]!())
    })
    clearInterval(looking)
    const third = Math.floor(sizes.length / 3)
    const middle = spreadOf(sizes.slice(third, 2 * third)).median
    const last = spreadOf(sizes.slice(2 * third)).median
    await sleep(3_000)
    return {
      rows: [],
      bounds: [
        atMost('memory at rest', atRest, AT_REST_MB, ' MB'),
        atMost(`memory in the last third of ${seconds} s of load, beside the middle third`, last / middle, FLAT_TIMES),
        exactly(
          'memory: errors of the load', `${sample.errors} ${sample.firstError ?? ''}`.trim(), sample.errors === 0),
      ],
      notes: [`memory: ${number(atRest)} MB at rest, at most ${number(Math.max(...sizes))} MB under load, ` +
        `${number(residentMegabytes(shop.pid))} MB three seconds after it`],
    }
  } finally {
    await shop.stop()
  }
}
