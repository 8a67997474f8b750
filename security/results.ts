// What runs of the programmes came to, a file each (security/results), and the table in SECURITY.md that is made from
// them: by `npm run security -- … --keep`.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bound } from '../chaos/results.ts'

type Violation = { what: string; seed: number; replay: string }
export type Result = {
  programme: string; about: string; unit: string; count: number; rounds: number; violations: Violation[]
  seconds: number; seed: number; commit: string; at: string; figures: Record<string, number>; replay: string
}

const folder = join(import.meta.dirname, 'results')
const report = join(import.meta.dirname, '../SECURITY.md')
const fileOf = (programme: string): string => join(folder, `${programme}.json`)

const git = (...args: string[]): string => execFileSync('git', args, {
  cwd: join(import.meta.dirname, '..'), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
}).trim()

/** The commit of what is attacked, and whether it has been changed since. */
export function head(): string {
  try {
    const changed = git('status', '--porcelain', '--', 'src', 'plugins', 'cli', 'shop.config.ts') !== ''
    return git('rev-parse', '--short', 'HEAD') + (changed ? ' and changes' : '')
  } catch {
    return 'unknown'
  }
}

export function keep(result: Result): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(fileOf(result.programme), `${JSON.stringify(result, null, 2)}\n`)
}

/** What was kept of a programme, to go on from. Throws when it is of another commit. */
export function kept(programme: string): Result {
  const result = JSON.parse(readFileSync(fileOf(programme), 'utf8')) as Result
  if (result.commit === head()) return result
  throw new Error(`security/results/${programme}.json is of ${result.commit}, this is ${head()}: begin anew`)
}

/** The line of a run for whoever watches it. */
export function told(result: Result): string {
  const { programme, count, unit, violations, seconds, figures } = result
  const limit = bound(result)
  return `${programme}: ${count.toLocaleString('en')} ${unit}, ${violations.length} violations${
    limit && ` (${limit})`}, ${seconds} s; ${figuresOf(figures)}`
}

// `operationsThatDidSomething: 87` reads "operations that did something 87".
const figuresOf = (figures: Record<string, number>): string => Object.entries(figures).map(([name, value]) =>
  `${name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${value.toLocaleString('en')}`).join(', ')

const table = /(<!-- results:.*-->\n)[^]*?(<!-- end of results -->)/

/** SECURITY.md with the table of all that is kept. */
export function writeReport(): void {
  const results = readdirSync(folder).filter((name) => name.endsWith('.json')).sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Result)
  const rows = results.map((one) => [
    one.about, `${one.count.toLocaleString('en')} ${one.unit}`, one.violations.length, bound(one),
    figuresOf(one.figures), `${one.seconds} s`, one.commit, one.at.slice(0, 10), one.seed, `\`${one.replay}\``,
  ])
  const names = ['what is tried', 'n', 'violations', 'at 95 %', 'meanwhile', 'took', 'commit', 'on', 'seed', 'again']
  const lines = [names, names.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`)
  const text = readFileSync(report, 'utf8')
  if (!table.test(text)) throw new Error('SECURITY.md has no <!-- results: … --> and <!-- end of results -->')
  const written = text.replace(table, (_, begin: string, end: string) => `${begin}\n${lines.join('\n')}\n\n${end}`)
  writeFileSync(report, written)
}
