// Measures one scenario: closed loops at each number of connections, in turns with the limit of the same thing, so that
// what else the machine does meets both alike; then an open loop at fixed rates.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withConnections } from './connection.ts'
import { withDriver } from './driver-loop.ts'
import type { Goods } from './goods.ts'
import { POOL, type Ground } from './ground.ts'
import type { Watched } from './machine.ts'
import { figuresOf, runLoop, runOpenLoop, type Act, type Sample } from './measure.ts'
import { atLeast, atLeastOfLimit, atMost, failures, number, type Outcome, type Row } from './outcome.ts'
import { oneOf } from './random.ts'
import type { Scenario } from './scenarios.ts'
import { queueOf } from './seed.ts'
import { startBare } from './servers.ts'
import { Shopper } from './shopper.ts'
import type { World } from './world.ts'

/** A shop that answers; `ground` when it is ours, so that its limit can be measured. */
export type Target = { url: string; goods: Goods; ground?: Ground }

type Limit = {
  about: string
  watched: Watched
  most: number
  use: (workers: number, fn: (act: Act) => Promise<void>) => Promise<void>
  close: () => Promise<void>
}

export const targetOf = (ground: Ground): Target => ({ url: ground.shop.url, goods: ground.goods, ground })

/** Shoppers who are ready to do what the scenario says. */
export function withWorkers<T>(
  { random }: World, { url, goods }: Target, { scenario, workers }: { scenario: Scenario; workers: number },
  fn: (act: Act) => Promise<T>,
): Promise<T> {
  return withConnections(url, workers, async (connections) => {
    const ready = scenario.ready(goods, random)
    // One after the other: a crowd that gets ready at once would be refused, and is not what is measured.
    const acts: (() => Promise<unknown>)[] = []
    for (const connection of connections) acts.push(await ready(new Shopper(connection, goods.terms)))
    return fn((worker) => acts[worker]!())
  })
}

export async function measureScenario(world: World, target: Target, scenario: Scenario): Promise<Outcome> {
  const limit = target.ground && await openLimit(world, target.ground, scenario)
  const drained: number[] = []
  try {
    const rows: Row[] = []
    for (const workers of world.options.levels) {
      rows.push(await closedLoops(world, target, { scenario, workers, limit, drained }))
    }
    const open = await openLoops(world, target, scenario, Math.max(...rows.map(({ shop }) => shop.perSecond.median)))
    return {
      rows: [...rows, ...open], bounds: [...rows, ...open].flatMap(failures).concat(promised(scenario, rows, drained)),
      notes: limit ? [`${scenario.name}: the limit is ${limit.about}`] : [],
    }
  } finally {
    await limit?.close()
  }
}

type ClosedLoop = { scenario: Scenario; workers: number; limit: Limit | undefined; drained: number[] }

async function closedLoops(
  world: World, target: Target, { scenario, workers, limit, drained }: ClosedLoop,
): Promise<Row> {
  const { seconds, runs } = world.options
  const [ours, theirs]: [Sample[], Sample[]] = [[], []]
  const run = async (act: Act, workers: number, turn: number, watched: Watched | undefined): Promise<Sample> => {
    const warmUpSeconds = turn === 0 ? Math.max(1.2, seconds / 3) : 0.2
    const sample = await runLoop({ workers, seconds, warmUpSeconds, ...watched ? { watched } : {} }, act)
    if (scenario.kind === 'order' && target.ground) drained.push(await drain(target.ground))
    return sample
  }
  await withWorkers(world, target, { scenario, workers }, async (act) => {
    const measure = async (limitAct?: Act): Promise<void> => {
      for (let turn = 0; turn < runs; turn++) {
        ours.push(await run(act, workers, turn, target.ground?.watched))
        if (limitAct) theirs.push(await run(limitAct, Math.min(workers, limit!.most), turn, limit!.watched))
      }
    }
    await (limit ? limit.use(Math.min(workers, limit.most), measure) : measure())
  })
  return {
    name: `${scenario.name} @${workers}`, unit: scenario.unit, shop: figuresOf(ours),
    ...limit ? { limit: figuresOf(theirs) } : {},
  }
}

const OPEN_WORKERS = 128
const OPEN_SHARES = [0.25, 0.5, 0.75]

async function openLoops(world: World, target: Target, scenario: Scenario, best: number): Promise<Row[]> {
  const { quick, rates, seconds } = world.options
  const wanted = rates ?? (quick ? [0.5] : OPEN_SHARES).map((share) => Math.max(1, Math.round(best * share)))
  return withWorkers(world, target, { scenario, workers: OPEN_WORKERS }, async (act) => {
    const rows: Row[] = []
    for (const perSecond of wanted) {
      const loop = { workers: OPEN_WORKERS, seconds: Math.max(1, seconds), perSecond }
      const watched = target.ground?.watched
      const sample = await runOpenLoop({ ...loop, ...watched ? { watched } : {} }, act)
      const late = sample.unsent > 0 ? { errors: sample.unsent, firstError: 'could not be sent in time' } : {}
      rows.push({
        name: `${scenario.name} open ${number(perSecond)}/s`, unit: scenario.unit,
        shop: { ...figuresOf([sample]), ...late },
      })
      if (target.ground) await drain(target.ground)
    }
    return rows
  })
}

const DRAIN_WITHIN_SECONDS = 5
const DRAIN_GIVE_UP_SECONDS = 60

/** Waits until the shop has done what it left for later; answers the seconds that it took, Infinity if it failed. */
export async function drain({ db }: Ground): Promise<number> {
  const started = performance.now()
  for (;;) {
    const { due, failed } = await queueOf(db)
    const seconds = (performance.now() - started) / 1_000
    if (failed > 0 || seconds > DRAIN_GIVE_UP_SECONDS) return Infinity
    if (due === 0) return seconds
    await sleep(100)
  }
}

const P99_TIMES = 3
const P99_AT = 64

function promised({ name, kind, atLeast: share, floor }: Scenario, rows: Row[], drained: number[]) {
  const best = Math.max(...rows.map(({ shop }) => shop.perSecond.median))
  const crowd = rows.find((row) => row.name.endsWith(`@${P99_AT}`))
  return [
    ...share ? rows.filter(({ limit }) => limit).map((row) => atLeastOfLimit(row, share)) : [],
    ...share && kind === 'page' && crowd?.limit
      ? [atMost(`${crowd.name} p99`, crowd.shop.p99Ms, P99_TIMES * crowd.limit.p99Ms, ' ms')] : [],
    ...floor ? [atLeast(`${name}, ${floor.why}`, best, floor.perSecond, '/s')] : [],
    ...drained.length > 0 ? [
      atMost(`${name}: seconds until its jobs are done`, Math.max(...drained), DRAIN_WITHIN_SECONDS),
    ] : [],
  ]
}

async function openLimit(world: World, ground: Ground, scenario: Scenario): Promise<Limit> {
  return scenario.kind === 'page' ? openBare(world, ground, scenario) : openDriver(world, ground, scenario)
}

// The same bytes from a bare route. Reading each of them once also warms the shop.
async function openBare(world: World, { shop, goods }: Ground, scenario: Scenario): Promise<Limit> {
  const file = join(world.folder, `${scenario.name}.json`)
  const answers: Record<string, string> = {}
  await withConnections(shop.url, 1, async ([connection]) => {
    const shopper = new Shopper(connection!, goods.terms)
    for (const address of scenario.addresses!(goods)) answers[address] = (await shopper.read(address)).toString()
  })
  writeFileSync(file, JSON.stringify(answers))
  const bare = await startBare(file)
  const target = { url: bare.url, goods }
  const bytes = Object.values(answers).reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  return {
    about: `a bare Fastify route with the same answers, ${number(bytes / Object.keys(answers).length / 1024)} kB each`,
    watched: { serverPid: bare.pid }, most: Infinity, close: bare.stop,
    use: (workers, fn) => withWorkers(world, target, { scenario, workers }, fn),
  }
}

async function openDriver(world: World, ground: Ground, scenario: Scenario): Promise<Limit> {
  const { goods, known, db } = ground
  const [before = [], ...rounds] = await ground.note((shopper) => {
    let act: () => Promise<unknown>
    const ready = async (): Promise<void> => { act = await scenario.ready(goods, world.random)(shopper) }
    return [ready, ...Array.from({ length: scenario.variety ?? 1 }, () => () => act())]
  })
  const replay = {
    before, rounds, known, variants: new Set(goods.variantIds),
    pickVariant: () => oneOf(goods.variantIds, world.random),
  }
  const round = rounds[0]!
  return {
    about: `${round.length} statements in ${new Set(round.map(({ trip }) => trip)).size} trips from a bare driver`,
    watched: ground.watched, most: POOL, close: async () => {},
    use: (workers, fn) => withDriver(db.url, workers, replay, fn),
  }
}
