// `npm run security`: tries to get at what is not its own, and to make the shop misbehave. Ends with 1 when it managed.
// Results are kept after each round, so that a long run can be stopped and resumed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../src/platform/postgres.ts'
import type { Ground } from './ground.ts'
import type { Programme } from './programmes.ts'
import { head, keep, kept, told, writeReport, type Result } from './results.ts'

const usage = `npm run security -- [programme …] [options]     tries to break in, and says how it went

  matrix         every operation × everybody who may not
  assign         fields that would be worth something, added to every body
  same           what exists and what does not: the same answer in the same time
  fuzz           hostile values in every operation (100,000 requests, quick 2,500)
  upload         files that are meant to harm
  raw            spellings and framings on a socket
  flood          wrong sign-ins from everywhere (five minutes, quick 12 seconds)

  --quick        a minute or two
  --count N      so many requests or samples at least, instead of the whole
  --seed N       other choices; a violation says the seed of its round
  --resume       goes on from security/results where the last run of this commit stopped
  --keep         writes security/results/NAME.json, and the table of SECURITY.md from all of them`

const say = (line: string): void => void process.stderr.write(`${line}\n`)

type Options = { quick: boolean; keep: boolean; resume: boolean; seed: number; count: number | undefined }

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: {
    quick: { type: 'boolean', default: false }, count: { type: 'string' }, seed: { type: 'string', default: '1' },
    resume: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } })
  if (values.help) return console.log(usage)
  const options: Options = {
    ...values, seed: whole('seed', values.seed), count: values.count ? whole('count', values.count) : undefined,
  }
  const postgres = await startPostgres({ throwaway: true })
  try {
    // The shop of a test reads where the database is when it is loaded.
    process.env['TEST_DATABASE_URL'] = postgres.url
    const { programmes } = await import('./programmes.ts')
    const unknown = positionals.find((name) => !programmes.some((one) => one.name === name))
    if (unknown) throw new Error(`There is no programme "${unknown}".\n\n${usage}`)
    const log = logOf(join(postgres.folder, 'server.log'))
    for (const programme of programmes) {
      if (positionals.length > 0 && !positionals.includes(programme.name)) continue
      const result = await run(programme, options, log)
      console.log(told(result))
      for (const { what, replay } of result.violations) say(`BROKEN ${programme.name}: ${what}\n  ${replay}`)
      if (result.violations.length > 0) process.exitCode = 1
    }
    if (options.keep) writeReport()
  } finally {
    await postgres.stop()
  }
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new Error(`--${name} is "${text}": give a whole number above 0`)
}

async function run(programme: Programme, options: Options, log: () => string[]): Promise<Result> {
  const { counts, name, unit } = programme
  const wanted = options.count ?? (options.quick ? counts?.quick : counts?.full) ?? 1
  const result = options.resume ? kept(name) : begun(programme, options.seed)
  const [before, started] = [result.seconds, performance.now()]
  while (result.count < wanted) {
    const seed = result.seed + result.rounds
    const count = Math.min(wanted - result.count, counts?.aRound ?? 1)
    const { violations, figures = {}, ...tried } = await onGround((ground) =>
      programme.round(ground, { seed, count, quick: options.quick }))
    result.count += tried.count
    result.rounds++
    const replay = counts ? `npm run security -- ${name} --seed ${seed} --count ${count}` : result.replay
    result.violations.push(...[...violations, ...log()].map((what) => ({ what, seed, replay })))
    for (const [figure, value] of Object.entries(figures)) {
      const so = result.figures[figure] ?? 0
      result.figures[figure] = figure.startsWith('most') ? Math.max(so, value) : so + value
    }
    result.seconds = Math.round(before + (performance.now() - started) / 1_000)
    if (counts) result.replay = `npm run security -- ${name} --seed ${result.seed} --count ${result.count}`
    if (result.count < wanted) say(`  ${result.count} of ${wanted} ${unit}, ${result.violations.length} violations`)
    if (options.keep) keep(result)
  }
  return result
}

function begun({ name, about, unit }: Programme, seed: number): Result {
  return {
    programme: name, about, unit, count: 0, rounds: 0, violations: [], seconds: 0, seed, commit: head(),
    at: new Date().toISOString(), figures: {}, replay: `npm run security -- ${name}`,
  }
}

/** Opens a ground for `fn`, and clears it away. */
async function onGround<T>(fn: (ground: Ground) => Promise<T>): Promise<T> {
  const { openGround } = await import('./ground.ts')
  const undo: (() => unknown)[] = []
  try {
    return await fn(await openGround({ after: (step) => void undo.push(step) }))
  } finally {
    for (const step of undo.reverse()) await step()
  }
}

/** What PostgreSQL has logged since it was last asked that no input may bring about: a statement that is none. */
function logOf(file: string): () => string[] {
  let read = 0
  return () => {
    const text = readFileSync(file, 'utf8')
    const lines = text.slice(read).split('\n')
    read = text.length
    return lines.filter((line) => /syntax error|does not exist|PANIC|by signal/.test(line))
      .map((line) => `PostgreSQL: ${line}`)
  }
}

await main().catch((error: Error) => {
  say(error.message)
  process.exitCode = 2
})
