// What a request costs when there is a hundred times more of everything: the CPU time of server and database for one
// answer, with few and many products, without and with years of orders. Requests are drawn as people ask (Zipf, s = 1).
// Answers from memory and those that had to be made are measured apart: for the latter the shop gets a memory that is
// too small, and is asked for one thing after the other, none twice in a row.
import { withConnections } from './connection.ts'
import { POOL, type Ground, type Size } from './ground.ts'
import { figuresOf, runLoop, type Act, type Sample } from './measure.ts'
import { atMost, failures, number, type Figures, type Outcome, type Row } from './outcome.ts'
import { zipf } from './random.ts'
import { scenarioNamed } from './scenarios.ts'
import { startShop } from './servers.ts'
import { Shopper } from './shopper.ts'
import type { World } from './world.ts'

const AT_MOST_TIMES = 1.3
const WORKERS = 16
const HOT = 100      // addresses that fit into memory, whatever the size of the shop

type Costs = Map<string, Figures>

export async function measureGrowth(world: World): Promise<Outcome> {
  const { quick } = world.options
  const small: Size = { products: 1_000, orders: 0 }
  const wide: Size = { products: quick ? 10_000 : 100_000, orders: 0 }
  const old: Size = { products: 1_000, orders: quick ? 50_000 : 1_000_000 }
  const base = await costsOf(world, await world.grown(small))
  const rows: Row[] = []
  const outcome: Outcome = { rows, bounds: [], notes: [] }
  const label = ({ products, orders }: Size): string => (
    `${products.toLocaleString('en')} products, ${orders.toLocaleString('en')} orders`)
  const add = (costs: Costs, size: Size): void => {
    for (const [name, shop] of costs) rows.push({ name: `${name}: ${label(size)}`, unit: 'req/s', shop })
  }
  add(base, small)
  for (const size of [wide, old]) {
    const costs = await costsOf(world, await world.grown(size))
    add(costs, size)
    for (const [name, figures] of costs) {
      const times = cost(figures) / cost(base.get(name)!)
      outcome.bounds.push(atMost(`growth, ${name}: cost with ${label(size)}`, times, AT_MOST_TIMES, ' times'))
    }
  }
  outcome.bounds.push(...rows.flatMap(failures))
  outcome.notes.push(`growth: cost is CPU time of server and database for an answer; base: ${
    [...base].map(([name, figures]) => `${name} ${number(cost(figures))} µs`).join(', ')}`)
  return outcome
}

const cost = ({ cpuMicros: { server, database } }: Figures): number => server + database

async function costsOf(world: World, ground: Ground): Promise<Costs> {
  const costs: Costs = new Map()
  const { lists, pages, searches } = ground.goods
  const reads = { list: lists, product: pages, search: searches }
  for (const [name, addresses] of Object.entries(reads)) {
    const hot = addresses.slice(0, HOT)
    await readEach(ground, hot)
    const draw = zipf(hot, world.random)
    costs.set(`${name} hit`, await measure(world, ground, ground.shop, (shopper) => () => shopper.read(draw())))
  }
  const forgetful = await startShop(ground.db.url, { pool: POOL, roles: 'store', environment: { CACHE_MB: '1' } })
  try {
    for (const [name, addresses] of Object.entries(reads)) {
      let next = 0
      const read = (shopper: Shopper) => () => shopper.read(addresses[next++ % addresses.length]!)
      costs.set(`${name} miss`, await measure(world, ground, forgetful, read))
    }
  } finally {
    await forgetful.stop()
  }
  for (const name of ['cart', 'one-shot', 'order']) {
    const ready = scenarioNamed(name).ready(ground.goods, world.random)
    costs.set(name, await measure(world, ground, ground.shop, ready))
  }
  return costs
}

async function readEach({ shop, goods }: Ground, addresses: readonly string[]): Promise<void> {
  await withConnections(shop.url, 1, async ([connection]) => {
    const shopper = new Shopper(connection!, goods.terms)
    for (const address of addresses) await shopper.read(address)
  })
}

type Ready = (shopper: Shopper) => (() => Promise<unknown>) | Promise<() => Promise<unknown>>

function measure(world: World, ground: Ground, shop: { url: string; pid: number }, ready: Ready): Promise<Figures> {
  const { seconds, runs } = world.options
  return withConnections(shop.url, WORKERS, async (connections) => {
    const acts: (() => Promise<unknown>)[] = []
    for (const one of connections) acts.push(await ready(new Shopper(one, ground.goods.terms)))
    const act: Act = (worker) => acts[worker]!()
    const samples: Sample[] = []
    for (let turn = 0; turn < runs; turn++) {
      const loop = { workers: WORKERS, seconds: Math.min(seconds, 3), warmUpSeconds: turn === 0 ? 0.5 : 0.1 }
      samples.push(await runLoop({ ...loop, watched: ground.watching(shop.pid) }, act))
    }
    return figuresOf(samples)
  })
}
