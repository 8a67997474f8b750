// The programmes, each as rounds on a shop of its own. What a seed chose in a round it chooses again.
import type { AddressInfo } from 'node:net'
import { randomFrom } from '../bench/random.ts'
import { tryAssign } from './assign.ts'
import { flood } from './flood.ts'
import { fuzz } from './fuzz.ts'
import type { Ground } from './ground.ts'
import { operations, tableOf, tryMatrix } from './matrix.ts'
import { corpus as shots, judge, shoot } from './raw.ts'
import { pairsOf, trySame } from './same.ts'
import { corpus, damaged, tryUpload } from './upload.ts'

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

const same: Programme = {
  name: 'same', about: 'what is there and what is not, asked the same: one answer, in the same time', unit: 'pairs',
  counts: { full: 1_800, quick: 240, aRound: 900 },
  async round(ground, { count }) {
    const pairs = Math.ceil(count / 6)
    const compared = await trySame(ground, await pairsOf(ground, pairs), pairs)
    for (const { name, there, absent } of compared) {
      console.log(`${name.padEnd(60)} there ${there.toFixed(2)} ms, absent ${absent.toFixed(2)} ms`)
    }
    const violations = compared.flatMap(({ name, wrong }) => (wrong ? [`${name}: ${wrong}`] : []))
    return { count: compared.length * pairs, violations }
  },
}

const upload: Programme = {
  name: 'upload', about: 'programs as pictures, paths as names, forms that contradict themselves, damaged pictures',
  unit: 'files', counts: { full: 2_000, quick: 120, aRound: 1_000 },
  async round(ground, { seed, count }) {
    const fixed = await corpus()
    const files = [...fixed, ...await damaged(randomFrom(seed), Math.max(0, count - fixed.length))]
    const violations: string[] = []
    for (const file of files) violations.push(...[await tryUpload(ground, file)].filter((one) => one !== undefined))
    return { count: files.length, violations }
  },
}

const raw: Programme = {
  name: 'raw', about: 'spellings of addresses and framings of requests on a socket', unit: 'shots',
  async round({ app }) {
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo
    const violations: string[] = []
    for (const shot of shots) {
      violations.push(...[judge(shot, await shoot(port, shot))].filter((wrong) => wrong !== undefined))
      const next = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(5_000) })
        .then(({ status }) => status, () => 0)
      if (next !== 200) violations.push(`${shot.name}: the next one was not answered`)
    }
    await app.close()
    return { count: shots.length, violations }
  },
}

const wrongSignIns: Programme = {
  name: 'flood', about: 'wrong sign-ins from 1,000 addresses on 1,000 accounts, while people sign in and buy',
  unit: 'guesses', counts: { full: 10_000, quick: 400, aRound: 10_000 },
  async round(ground, { count, quick }) {
    const { notIn, ...figures } = await flood(ground, { guesses: count, seconds: Math.max(12, count * 0.03) })
    const { people, letIn, guessedIn, hashed, mayHash, quietP99Ms, floodP99Ms } = figures
    const slow = floodP99Ms > 1.5 * quietP99Ms
    return { count, figures, violations: [
      ...letIn < 0.99 * people ? [`${people - letIn} of ${people} people were not let in: ${notIn[0]}`] : [],
      ...guessedIn > 0 ? [`${guessedIn} guesses were let in`] : [],
      ...hashed > mayHash ? [`${hashed} guesses were hashed, and ${mayHash} may be`] : [],
      // The 99th of a few dozen orders is the slowest, which says nothing.
      ...slow && !quick ? [`checkout took ${floodP99Ms} ms at the 99th, ${quietP99Ms} when it was quiet`] : [],
    ] }
  },
}

export const programmes: readonly Programme[] = [matrix, assign, same, hostile, upload, raw, wrongSignIns]
