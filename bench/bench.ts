// `npm run bench`: what the shop costs, beside the limit of the same thing measured in the same run. Starts its own
// server and database, draws a table, and ends with 1 when a promise is broken. Figures depend on the machine; ratios
// less so. docs/performance.md tells how it measures.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { remoteGoods } from './goods.ts'
import { measureScenario } from './measure-scenario.ts'
import { readOptions, usage, UsageError, type Options } from './options.ts'
import type { Bound, Outcome } from './outcome.ts'
import { parts } from './parts.ts'
import { comparisonOf, losses, readReport, reportOf, tableOf, type Report } from './report.ts'
import { randomFrom } from './random.ts'
import { scenarios } from './scenarios.ts'
import { openWorld, type World } from './world.ts'

const say = (text: string): void => void process.stderr.write(`${text}\n`)

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (!options) return void console.log(help())
  if (options.command === 'compare') {
    const [before, after] = options.names.map(readReport) as [Report, Report]
    return void console.log(comparisonOf(before, after))
  }
  const unknown = options.names.find((name) => !parts.some((part) => part.name === name))
  if (unknown) throw new UsageError(`"${unknown}" is no part`)
  const report = reportOf(await (options.remote ? measureRemote(options) : measureOwn(options)), options)
  const print = options.json ? console.error : console.log
  print(tableOf(report))
  if (options.command === 'check') report.violations += compareWithBaseline(report, print)
  if (options.save) writeFileSync(options.save, `${JSON.stringify(report, null, 2)}\n`)
  brokenOf(report).forEach((bound) => print(accusation(bound)))
  if (options.json) console.log(JSON.stringify(report))
  process.exitCode = report.violations > 0 ? 1 : 0
}

const brokenOf = ({ parts }: Report): Bound[] => (
  Object.values(parts).flatMap(({ bounds }) => bounds).filter(({ holds }) => !holds))
const accusation = ({ what, measured, promised }: Bound): string => `BROKEN ${what}: ${measured}, promised ${promised}`

function help(): string {
  return [usage, '', ...parts.map(({ name, about }) => `  ${name.padEnd(12)}${about}`)].join('\n')
}

function compareWithBaseline(report: Report, print: (text: string) => void): number {
  const baseline = readReport(join(import.meta.dirname, 'baseline.json'))
  const kind = ({ quick }: Report): string => (quick ? 'quick' : 'full')
  if (kind(baseline) !== kind(report)) print(`The baseline is of a ${kind(baseline)} run, this one is ${kind(report)}.`)
  const lost = losses(baseline, report)
  if (lost.length === 0) throw new Error('None of what was measured is in the baseline: check other parts')
  const broken = lost.filter(({ holds }) => !holds)
  broken.forEach((bound) => print(accusation(bound)))
  print(`${lost.length} figures beside the baseline, ${broken.length} lost more than 15 %.`)
  return broken.length
}

async function measureOwn(options: Options): Promise<Map<string, Outcome>> {
  const chosen = options.names.length === 0 ? parts : parts.filter(({ name }) => options.names.includes(name))
  const world = await openWorld(options, say)
  const outcomes = new Map<string, Outcome>()
  try {
    for (const part of chosen) {
      say(`${part.name}: ${part.about}`)
      const began = performance.now()
      outcomes.set(part.name, await part.run(world).catch(broken(part.name)))
      say(`  ${((performance.now() - began) / 1_000).toFixed(1)} s`)
    }
    return outcomes
  } finally {
    await world.close()
  }
}

// A part that fails is a broken promise of its own; the others are measured all the same.
const broken = (name: string) => (error: Error): Outcome => (
  { rows: [], notes: [], bounds: [{ what: name, measured: error.message, promised: 'a measurement', holds: false }] })

async function measureRemote(options: Options): Promise<Map<string, Outcome>> {
  const remote = options.remote!
  const wanted = scenarios.filter(({ name, kind }) => {
    const possible = kind === 'page' || (name === 'orders' ? remote.secretKey !== undefined : remote.writes)
    return possible && (options.names.length === 0 || options.names.includes(name))
  })
  if (wanted.length === 0) {
    throw new UsageError('None of these parts can be measured there: --write and --secret-key add some')
  }
  const target = { url: remote.url, goods: await remoteGoods(remote) }
  const world = { options, random: randomFrom(options.seed), say } as World
  const outcomes = new Map<string, Outcome>()
  for (const scenario of wanted) {
    say(`${scenario.name}: ${scenario.about}`)
    outcomes.set(scenario.name, await measureScenario(world, target, scenario).catch(broken(scenario.name)))
  }
  return outcomes
}

await main().catch((error: Error) => {
  say(error instanceof UsageError ? `${error.message}.\n\n${help()}` : `The bench ended: ${error.message}`)
  process.exitCode = 2
})
