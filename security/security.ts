// `npm run security`: tries to get at what is not its own, and to make the shop misbehave. Ends with 1 when it managed.
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { randomFrom } from '../bench/random.ts'
import { startPostgres } from '../src/platform/postgres.ts'

const FUZZ_FULL = 100_000
const FUZZ_QUICK = 3_000

const usage = `npm run security -- [matrix] [fuzz] [raw] [options]     tries to break in, and says how it went

  matrix         every operation × everybody who may not
  fuzz           hostile values in every operation (${FUZZ_FULL} requests, quick ${FUZZ_QUICK})
  raw            spellings and framings on a socket

  --quick        a minute
  --count N      so many requests of the fuzzer
  --seed N       other choices
  --keep         writes security/results/NAME.json, and the table of SECURITY.md from them`

type Result = {
  programme: string; about: string; count: number; unit: string; violations: string[]; seconds: number; seed: number
  commit: string; at: string; replay: string; figures: Record<string, number>
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: {
    quick: { type: 'boolean', default: false }, count: { type: 'string' }, seed: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
  } })
  const unknown = positionals.find((name) => !['matrix', 'fuzz', 'raw'].includes(name))
  if (unknown) throw new Error(`There is no programme "${unknown}".\n\n${usage}`)
  if (values.help) return console.log(usage)
  const count = whole('count', values.count ?? String(values.quick ? FUZZ_QUICK : FUZZ_FULL))
  const seed = whole('seed', values.seed)
  const chosen = positionals.length === 0 ? ['matrix', 'fuzz', 'raw'] : positionals
  const postgres = await startPostgres({ throwaway: true })
  process.env['TEST_DATABASE_URL'] = postgres.url
  try {
    let broken = 0
    if (chosen.includes('matrix')) broken += finish(await runMatrix(seed), values.keep)
    if (chosen.includes('fuzz')) broken += finish(await runFuzz(count, seed), values.keep)
    if (chosen.includes('raw')) broken += finish(await runRaw(seed), values.keep)
    if (values.keep) writeTable()
    if (broken > 0) process.exitCode = 1
  } finally {
    await postgres.stop()
  }
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new Error(`--${name} is "${text}": give a whole number above 0`)
}

type Ended = Omit<Result, 'seconds' | 'commit' | 'at'> & { began: number }

/** Opens a ground for `fn`, and clears it away. The shop reads where the database is when it is loaded. */
async function onGround<T>(fn: (ground: import('./ground.ts').Ground) => Promise<T>): Promise<T> {
  const { openGround } = await import('./ground.ts')
  const undo: (() => unknown)[] = []
  try {
    return await fn(await openGround({ after: (fn) => void undo.push(fn) }))
  } finally {
    for (const step of undo.reverse()) await step()
  }
}

async function runMatrix(seed: number): Promise<Ended> {
  const began = performance.now()
  const { operations, tableOf, tryMatrix } = await import('./matrix.ts')
  const cells = await onGround((ground) => tryMatrix(ground, operations, (done) => {
    if (done % 25 === 0 || done === operations.length) say(`  ${done} of ${operations.length} operations`)
  }))
  console.log(tableOf(cells))
  const leaks = cells.filter(({ leak }) => leak)
  return {
    programme: 'matrix', about: 'every operation × everybody who may not', count: cells.length, unit: 'cells', seed,
    began, violations: leaks.map(({ operation, principal, wanted, got }) =>
      `${operation} as ${principal}: ${got}, not ${wanted}`),
    replay: 'npm run security -- matrix', figures: { operations: operations.length },
  }
}

async function runFuzz(count: number, seed: number): Promise<Ended> {
  const began = performance.now()
  const { fuzz } = await import('./fuzz.ts')
  const { shots, violations } = await onGround((ground) => fuzz(ground, {
    count, random: randomFrom(seed), progress: (done) => say(`  ${done} of ${count} requests`),
  }))
  const letIn = new Set(shots.filter(({ status }) => status < 300).map(({ operation }) => operation))
  return {
    programme: 'fuzz', about: 'valid, wrong and hostile values in every operation, by six principals', count, began,
    seed, unit: 'requests', violations, replay: `npm run security -- fuzz --seed ${seed} --count ${count}`,
    figures: {
      operations: new Set(shots.map(({ operation }) => operation)).size, operationsThatDidSomething: letIn.size,
      accepted: shots.filter(({ status }) => status < 300).length,
      refused: shots.filter(({ status }) => status >= 400).length,
    },
  }
}

async function runRaw(seed: number): Promise<Ended> {
  const began = performance.now()
  const { corpus, judge, shoot } = await import('./raw.ts')
  const violations = await onGround(async ({ app }) => {
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo
    const found: string[] = []
    for (const shot of corpus) {
      found.push(...[judge(shot, await shoot(port, shot))].filter((wrong) => wrong !== undefined))
      const next = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(5_000) })
        .then(({ status }) => status, () => 0)
      if (next !== 200) found.push(`${shot.name}: the next one was not answered`)
    }
    await app.close()
    return found
  })
  return {
    programme: 'raw', about: 'spellings of addresses and framings of requests on a socket', count: corpus.length,
    unit: 'shots', violations, seed, began, replay: 'npm run security -- raw', figures: {},
  }
}

/** The results that are kept, as the table of SECURITY.md. */
function writeTable(): void {
  const results = globSync(join(import.meta.dirname, 'results/*.json')).sort()
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Result)
  const rows = results.map((one) => `| ${one.about} | ${one.count.toLocaleString('en')} ${one.unit} | ${
    one.violations.length} | ${one.violations.length > 0 ? '' : `≤ ${(300 / one.count).toPrecision(2)} %`} | ${
    one.commit}, ${one.at.slice(0, 10)}, ${one.seconds} s | \`${one.replay}\` |`)
  const file = join(import.meta.dirname, '../SECURITY.md')
  const table = [
    '| what is tried | n | violations | at 95 % | commit, day, time | again |', '|---|---|---|---|---|---|', ...rows,
  ]
  writeFileSync(file, readFileSync(file, 'utf8').replace(/(<!-- results:.*-->\n)[^]*?(<!-- end of results -->)/,
    (_, begin: string, end: string) => `${begin}\n${table.join('\n')}\n\n${end}`))
}

function finish({ began, ...rest }: Ended, keep: boolean): number {
  const result: Result = {
    ...rest, seconds: Math.round((performance.now() - began) / 1_000), commit: head(), at: new Date().toISOString(),
  }
  const { programme, count, unit, violations, seconds, figures } = result
  const bound = violations.length === 0 ? `, at most ${(300 / count).toPrecision(2)} % at 95 %` : ''
  console.log(`${programme}: ${count} ${unit}, ${violations.length} violations${bound}, ${seconds} s; ${
    Object.entries(figures).map(([name, value]) => `${name} ${value}`).join(', ')}`)
  for (const violation of violations) say(`BROKEN ${programme}: ${violation}`)
  if (keep) {
    const folder = join(import.meta.dirname, 'results')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `${programme}.json`), `${JSON.stringify(result, null, 2)}\n`)
  }
  return violations.length
}

function head(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: import.meta.dirname, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}

await main().catch((error: Error) => {
  say(error.message)
  process.exitCode = 2
})
