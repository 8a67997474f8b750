// Fifty want what there is less of, at the same moment, over connections that are open already; every other time the
// link between shop and database is slow. What was accepted is what there was: no more, and no less.
import { setTimeout as sleep } from 'node:timers/promises'
import { withConnections, type Answer } from '../../bench/connection.ts'
import { randomFrom, type Random } from '../../bench/random.ts'
import { resources, type Race, type Resource } from '../bounded.ts'
import { judge } from '../check.ts'
import type { Programme } from '../programme.ts'
import { openStage, type Stage } from '../stage.ts'

const DEMAND = 50
const BUSY_PAUSE_MS = 30

export const races: Programme = {
  name: 'races', about: `each of ${resources.length} bounded resources, wanted by ${DEMAND} at once`, unit: 'races',
  counts: { full: resources.length * 200, quick: resources.length },
  async open(sabotage) {
    const stage = await openStage(6, sabotage)
    await stage.startShop()
    return {
      async round(seed) {
        const random = randomFrom(seed)
        stage.link.faults = random() < 0.5 ? { delayMs: 1, jitterMs: 3 } : {}
        const violations: string[] = []
        for (const resource of resources) violations.push(...await run(stage, resource, random))
        stage.link.faults = {}
        return { count: resources.length, violations: [...violations, ...await judge(stage)] }
      },
      close: () => stage.close(),
    }
  },
}

async function run(stage: Stage, { name, race }: Resource, random: Random): Promise<string[]> {
  const raced = await race(stage, DEMAND, random)
  const answers = await withConnections(stage.url, DEMAND, async (connections) => {
    // A request each, so that nothing is still to be set up when they start.
    await Promise.all(connections.map((connection) => connection.request('GET', '/health')))
    return Promise.all(connections.map((connection, index) => decided(() => raced.want(connection, index))))
  })
  return (await compare(raced, answers)).map((what) => `${name}, wanted by ${DEMAND}: ${what}`)
}

/** Who is told to come back comes back. */
export async function decided(want: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await want()
    if (answer.status !== 503 && codeOf(answer) !== 'idempotency-key-in-flight') return answer
    await sleep(BUSY_PAUSE_MS)
  }
}

export const codeOf = (answer: Answer): string =>
  (answer.body.length === 0 ? '' : String(answer.json().type ?? '').split('/').at(-1)!)

async function compare({ limit, accepted, refusals, verdict }: Race, answers: Answer[]): Promise<string[]> {
  const [yes, no] = [answers.filter(accepted), answers.filter((answer) => !accepted(answer))]
  const strange = no.find((answer) => !refusals.includes(codeOf(answer)))
  const more = await verdict?.(yes)
  return [
    ...yes.length === Math.min(limit, DEMAND) ? [] : [`${yes.length} were accepted, and there were ${limit}`],
    ...strange ? [`a loser was told ${strange.status} ${strange.body.toString().slice(0, 200)}`] : [],
    ...more ? [more] : [],
  ]
}
