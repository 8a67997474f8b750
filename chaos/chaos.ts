// `npm run chaos`: breaks a shop on purpose, in the ways of the programmes, and counts what that broke. Ends with 1
// when anything was. Results are kept after each round, so that a long run can be stopped and resumed.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadAdapter, raceShop, type Crowding } from './any-shop.ts'
import type { Programme } from './programme.ts'
import { clock } from './programmes/clock.ts'
import { commit } from './programmes/commit.ts'
import { database } from './programmes/database.ts'
import { failpointsProgramme } from './programmes/failpoints.ts'
import { gateway } from './programmes/gateway.ts'
import { jobs } from './programmes/jobs.ts'
import { kill } from './programmes/kill.ts'
import { link } from './programmes/link.ts'
import { model } from './programmes/model.ts'
import { payment } from './programmes/payment.ts'
import { overload } from './programmes/overload.ts'
import { races } from './programmes/races.ts'
import { restore } from './programmes/restore.ts'
import { sale } from './programmes/sale.ts'
import { upgrade } from './programmes/upgrade.ts'
import { webhooks } from './programmes/webhooks.ts'
import { bound, keep, readResult, writeReport, type Result } from './results.ts'

const programmes: readonly Programme[] = [
  kill, failpointsProgramme, commit, database, gateway, payment, link, jobs, clock, restore, upgrade, races, sale,
  overload, model, webhooks,
]

const usage = `npm run chaos -- [programme …] [options]      breaks a shop on purpose, and counts what that broke

${programmes.map(({ name, about, unit, counts: { full, quick } }) =>
  `  ${name.padEnd(12)}${about} (${full} ${unit}, quick ${quick})`).join('\n')}

  --quick        all of it in a few minutes
  --count N      so many kills, cuts or charges at least, instead of the whole
  --seed N       other choices; a violation says the seed of its round
  --resume       goes on from chaos/results where the last run of this commit stopped
  --keep         writes chaos/results/PROGRAMME.json, and the table of RELIABILITY.md from all of them
  --shop FILE    with races: the last units and a cart completed ten times, at the shop that this adapter speaks to
                 (chaos/adapters/kontor.ts shows how one is written); --buyers N and --units N say how many
  --json         the last line is one object with every result`

const say = (line: string): void => void process.stderr.write(`${line}\n`)

type Options = { count: number | undefined; quick: boolean; seed: number; resume: boolean; keep: boolean }

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: {
    quick: { type: 'boolean', default: false }, count: { type: 'string' }, seed: { type: 'string', default: '1' },
    resume: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
    shop: { type: 'string' }, buyers: { type: 'string', default: '400' }, units: { type: 'string', default: '100' },
  } })
  if (values.help) return console.log(usage)
  if (values.shop) {
    const crowding = { buyers: whole('buyers', values.buyers), units: whole('units', values.units), completions: 10 }
    return raceAnyShop(values.shop, crowding)
  }
  const unknown = positionals.find((name) => !programmes.some((one) => one.name === name))
  if (unknown) throw new Error(`There is no programme "${unknown}".\n\n${usage}`)
  const options: Options = {
    ...values, seed: whole('seed', values.seed), count: values.count ? whole('count', values.count) : undefined,
  }
  const chosen = programmes.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const done: Result[] = []
  for (const programme of chosen) done.push(await runProgramme(programme, options))
  if (options.keep) writeReport()
  console.log(table(done))
  for (const { programme, violations } of done) {
    for (const { what, replay } of violations) say(`BROKEN ${programme}: ${what}\n  ${replay}`)
  }
  if (values.json) console.log(JSON.stringify(done))
  if (done.some(({ violations }) => violations.length > 0)) process.exitCode = 1
}

async function raceAnyShop(file: string, crowding: Crowding): Promise<void> {
  const shop = await loadAdapter(file)
  say(`${shop.name}: ${crowding.buyers} buyers for ${crowding.units} units, then one cart that is completed ` +
    `${crowding.completions} times at once`)
  const { violations, figures = {} } = await raceShop(shop, crowding)
  console.log(Object.entries(figures).map(([name, value]) => `${name} ${value}`).join(', '))
  for (const what of violations) say(`BROKEN ${what}`)
  if (violations.length > 0) process.exitCode = 1
  await shop.close?.()
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new Error(`--${name} is "${text}": give a whole number above 0`)
}

async function runProgramme(programme: Programme, options: Options): Promise<Result> {
  const wanted = options.count ?? programme.counts[options.quick ? 'quick' : 'full']
  const result = options.resume ? resumed(programme) : begun(programme, options.seed)
  say(`${programme.name}: ${programme.about}; ${wanted} ${programme.unit}`)
  const before = result.seconds
  const started = performance.now()
  const opened = await programme.open()
  try {
    while (result.count < wanted && result.rounds < 2 * wanted + 10) {
      const seed = result.seed + result.rounds
      const { count, violations, figures = {} } = await opened.round(seed)
      result.count += count
      result.rounds++
      const replay = `npm run chaos -- ${programme.name} --seed ${seed} --count 1`
      result.violations.push(...violations.map((what) => ({ what, seed, replay })))
      gather(result.figures, figures)
      result.seconds = Math.round(before + (performance.now() - started) / 1_000)
      const broken = `${result.violations.length} violations`
      say(`  ${result.count} of ${wanted} ${programme.unit}, ${broken}, ${result.seconds} s`)
      if (options.keep) keep(result)
    }
  } finally {
    await opened.close()
  }
  return result
}

function gather(all: Record<string, number>, more: Record<string, number>): void {
  for (const [name, value] of Object.entries(more)) {
    all[name] = name.startsWith('slowest') ? Math.max(all[name] ?? 0, value) : (all[name] ?? 0) + value
  }
}

const git = (...args: string[]): string => execFileSync('git', args, {
  cwd: join(import.meta.dirname, '..'), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
}).trim()

/** The commit of what is put to the proof, and whether it has been changed since. */
const head = (): string => git('rev-parse', '--short', 'HEAD') +
  (git('status', '--porcelain', '--', 'src', 'plugins', 'cli', 'shop.config.ts') === '' ? '' : ' and changes')

function begun({ name, about, unit }: Programme, seed: number): Result {
  let commit = 'unknown'
  try {
    commit = head()
  } catch { /* not a clone: the result says so */ }
  return {
    programme: name, about, unit, count: 0, rounds: 0, violations: [], seconds: 0, seed, commit,
    at: new Date().toISOString(), figures: {},
  }
}

function resumed(programme: Programme): Result {
  const kept = readResult(programme.name)
  if (kept.commit !== head()) throw new Error(`chaos/results/${programme.name}.json is of ${kept.commit}: begin anew`)
  return kept
}

function table(done: readonly Result[]): string {
  const rows = [['programme', 'n', 'violations', 'at 95 %', 'seconds', 'figures'], ...done.map((one) => [
    one.programme, `${one.count} ${one.unit}`, String(one.violations.length), bound(one), String(one.seconds),
    Object.entries(one.figures).map(([name, value]) => `${name} ${value}`).join(', '),
  ])]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()).join('\n')
}

// Ended by a signal, we still clear away what we started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

await main().catch((error: Error) => {
  say(error.message)
  process.exit(2)                    // customers of a round that failed would go on
})
