// The programmes, each as rounds on a shop of its own. What a seed chose in a round it chooses again.
import type { AddressInfo } from 'node:net'
import { randomFrom } from '../bench/random.ts'
import { tryAssign } from './assign.ts'
import { fuzz } from './fuzz.ts'
import type { Ground } from './ground.ts'
import { operations, tableOf, tryMatrix } from './matrix.ts'
import { corpus, judge, shoot } from './raw.ts'

export type Round = { count: number; violations: string[]; figures?: Record<string, number> }
export type Programme = {
  name: string
  about: string
  unit: string
  /** How much is tried; nothing here: all that there is, in one round. */
  counts?: { full: number; quick: number; aRound: number }
  round: (ground: Ground, options: { seed: number; count: number; quick: boolean }) => Promise<Round>
}

const matrix: Programme = {
  name: 'matrix', about: 'every operation × everybody who may not', unit: 'cells',
  async round(ground) {
    const cells = await tryMatrix(ground)
    console.log(tableOf(cells))
    const violations = cells.filter(({ leak }) => leak)
      .map(({ operation, principal, wanted, got }) => `${operation} as ${principal}: ${got}, not ${wanted}`)
    return { count: cells.length, violations, figures: { operations: operations.length } }
  },
}

const assign: Programme = {
  name: 'assign', about: 'fields that would be worth something, added to every body at every level', unit: 'fields',
  async round(ground, { quick }) {
    const tried = await tryAssign(ground, operations, quick)
    const violations = tried.filter(({ wrong }) => wrong)
      .map(({ operation, place, field, wrong }) => `${operation}, ${field} in ${place}: ${wrong}`)
    const places = new Set(tried.map(({ operation, place }) => `${operation} ${place}`))
    return { count: tried.length, violations, figures: { objects: places.size } }
  },
}

const hostile: Programme = {
  name: 'fuzz', about: 'valid, wrong and hostile values in every operation, by six principals', unit: 'requests',
  counts: { full: 100_000, quick: 2_500, aRound: 2_500 },
  async round(ground, { seed, count }) {
    const { shots, violations } = await fuzz(ground, { count, random: randomFrom(seed) })
    const accepted = shots.filter(({ status }) => status < 300)
    return { count: shots.length, violations, figures: {
      mostOperationsThatDidSomethingInARound: new Set(accepted.map(({ operation }) => operation)).size,
      accepted: accepted.length, refused: shots.filter(({ status }) => status >= 400).length,
      mostMegabytes: Math.round(process.memoryUsage.rss() / 1_048_576),
    } }
  },
}

const raw: Programme = {
  name: 'raw', about: 'spellings of addresses and framings of requests on a socket', unit: 'shots',
  async round({ app }) {
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo
    const violations: string[] = []
    for (const shot of corpus) {
      violations.push(...[judge(shot, await shoot(port, shot))].filter((wrong) => wrong !== undefined))
      const next = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(5_000) })
        .then(({ status }) => status, () => 0)
      if (next !== 200) violations.push(`${shot.name}: the next one was not answered`)
    }
    await app.close()
    return { count: corpus.length, violations }
  },
}

export const programmes: readonly Programme[] = [matrix, assign, hostile, raw]
