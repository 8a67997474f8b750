// Ten times more orders than the shop can place, for a minute: what is accepted has to stay fast and nearly as many as
// at the best of times, the rest is refused at once and told when to come back, and afterwards all is as before.
import { setTimeout as sleep } from 'node:timers/promises'
import { withConnections } from './connection.ts'
import { targetOf, withWorkers } from './measure-scenario.ts'
import { figuresOf, quantile, runLoop, runOpenLoop } from './measure.ts'
import { atLeast, atMost, exactly, number, type Outcome } from './outcome.ts'
import { scenarioNamed } from './scenarios.ts'
import type { World } from './world.ts'

const TIMES = 10
const WORKERS = 1_000
const PEAK_WORKERS = 64
const GOODPUT = 0.9
const P99_TIMES = 2
const RECOVERY_SECONDS = 10

export async function measureOverload(world: World): Promise<Outcome> {
  const { quick, seconds } = world.options
  const ground = await world.ground()
  const { watched, shop } = ground
  const scenario = scenarioNamed('one-shot')
  const target = targetOf(ground)
  const closed = (loop: { workers: number; seconds: number; warmUpSeconds: number }) => (
    withWorkers(world, target, { scenario, workers: loop.workers }, (act) => runLoop({ ...loop, watched }, act)))

  const peak = figuresOf([await closed({ workers: PEAK_WORKERS, seconds: Math.max(3, seconds), warmUpSeconds: 1.5 })])
  const perSecond = TIMES * peak.perSecond.median
  const health: number[] = []
  let deaf = 0
  const flood = await withConnections(shop.url, 1, async ([connection]) => {
    let over = false
    const asking = (async () => {
      while (!over) {
        const asked = performance.now()
        const alive = await connection!.request('GET', '/health').then(({ status }) => status === 200, () => false)
        if (alive) health.push(performance.now() - asked)
        else deaf++
        await sleep(100)
      }
    })()
    const loop = { workers: WORKERS, seconds: quick ? 10 : 60, perSecond, watched }
    const sample = await withWorkers(world, target, { scenario, workers: WORKERS }, (act) => runOpenLoop(loop, act))
    over = true
    await asking
    return sample
  })
  const during = figuresOf([flood])
  const ended = performance.now()
  let recovered = Infinity
  while (recovered === Infinity && performance.now() - ended < 3 * RECOVERY_SECONDS * 1_000) {
    const now = figuresOf([await closed({ workers: PEAK_WORKERS, seconds: 1, warmUpSeconds: 0.2 })])
    if (now.perSecond.median >= GOODPUT * peak.perSecond.median) recovered = (performance.now() - ended) / 1_000
  }
  const refusals = flood.refusalLatencies.toSorted((a, b) => a - b)
  return {
    rows: [
      { name: `overload, before @${PEAK_WORKERS}`, unit: 'orders/s', shop: peak },
      { name: `overload, ${number(perSecond)}/s`, unit: 'orders/s', shop: during },
    ],
    bounds: [
      atLeast('overload: goodput of the peak', during.perSecond.median / peak.perSecond.median, GOODPUT),
      atMost('overload: p99 of what was accepted', during.p99Ms, P99_TIMES * peak.p99Ms, ' ms'),
      atMost('overload: seconds until it was as before', recovered, RECOVERY_SECONDS),
      exactly('overload: anything but an order or 503 with Retry-After',
        `${during.errors}${during.firstError ? `, the first: ${during.firstError}` : ''}`, during.errors === 0),
      exactly('overload: health unanswered', String(deaf), deaf === 0),
    ],
    notes: [`overload: ${flood.refused} refused, p50 ${number(quantile(refusals, 0.5))} ms, p99 ` +
      `${number(quantile(refusals, 0.99))} ms; ${flood.unsent} could not be sent over ${WORKERS} connections; health ` +
      `p99 ${number(quantile(health.toSorted((a, b) => a - b), 0.99))} ms`],
  }
}
