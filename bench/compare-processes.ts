// Two processes beside one, on the same database: the results stay exact, and on few cores nothing much is lost. The
// gain needs more cores than two: the report says how many there were.
import { POOL } from './ground.ts'
import { cores } from './machine.ts'
import { withWorkers } from './measure-scenario.ts'
import { figuresOf, runLoop, type Sample } from './measure.ts'
import { atLeast, failures, type Outcome } from './outcome.ts'
import { sell } from './races.ts'
import { scenarioNamed } from './scenarios.ts'
import { startShop, type Shop } from './servers.ts'
import type { World } from './world.ts'

const KEPT = 0.9
const WORKERS = 16
const WARM_UP_SECONDS = 10    // each process has to meet each page, and to compile what it does

export async function compareProcesses(world: World): Promise<Outcome> {
  const ground = await world.ground()
  const { seconds, runs } = world.options
  const shops = [ground.shop, await startShop(ground.db.url, { pool: POOL, processes: 2 })] as const
  try {
    const outcome: Outcome = { rows: [], bounds: [], notes: [`processes: on ${cores} cores; the gain needs more`] }
    for (const name of ['product', 'one-shot']) {
      const scenario = scenarioNamed(name)
      const samples: [Sample[], Sample[]] = [[], []]
      const measure = async (shop: Shop, into: Sample[]): Promise<void> => {
        const target = { url: shop.url, goods: ground.goods }
        const loop = { workers: WORKERS, seconds, warmUpSeconds: into.length === 0 ? WARM_UP_SECONDS : 0.3 }
        into.push(await withWorkers(world, target, { scenario, workers: WORKERS },
          (act) => runLoop({ ...loop, watched: ground.watching(shop.pid) }, act)))
      }
      for (let turn = 0; turn < runs; turn++) {
        await measure(shops[0], samples[0])
        await measure(shops[1], samples[1])
      }
      const rows = samples.map((all, index) => (
        { name: `${name}, ${index + 1} process${index ? 'es' : ''}`, unit: scenario.unit, shop: figuresOf(all) }))
      const [one, two] = rows.map(({ shop }) => shop.perSecond.median) as [number, number]
      outcome.rows.push(...rows)
      outcome.bounds.push(...rows.flatMap(failures), atLeast(`${name} with 2 processes, beside 1`, two / one, KEPT))
    }
    outcome.bounds.push(...(await sell(ground, [shops[1].url])).bounds)
    return outcome
  } finally {
    await shops[1].stop()
  }
}
