// What runs of the programmes came to, a file each (chaos/results), and the table in RELIABILITY.md that is made from
// them: by `npm run chaos -- … --keep`, or by `node chaos/results.ts`.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

type Violation = { what: string; seed: number; replay: string }
export type Result = {
  programme: string; about: string; unit: string; count: number; rounds: number; violations: Violation[]
  seconds: number; seed: number; commit: string; at: string; figures: Record<string, number>
}

const folder = join(import.meta.dirname, 'results')
const report = join(import.meta.dirname, '../RELIABILITY.md')
const fileOf = (programme: string): string => join(folder, `${programme}.json`)

export function readResult(programme: string): Result {
  if (!existsSync(fileOf(programme))) {
    throw new Error(`Nothing is kept of ${programme} in chaos/results: begin it with --keep, and resume that`)
  }
  return JSON.parse(readFileSync(fileOf(programme), 'utf8')) as Result
}

export function keep(result: Result): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(fileOf(result.programme), `${JSON.stringify(result, null, 2)}\n`)
}

/** The rule of three: none in n means at most 3/n at 95 %. */
export const bound = ({ count, violations }: Result): string => (
  violations.length > 0 ? '' : count === 0 ? 'nothing was done'
    : `≤ ${Number(Math.min(100, 300 / count).toPrecision(2))} %`)

const table = /(<!-- results -->\n)[\s\S]*?(<!-- end of results -->)/

/** RELIABILITY.md with the table of these results. */
export function withTable(text: string, results: readonly Result[]): string {
  if (!table.test(text)) throw new Error('RELIABILITY.md has no <!-- results --> and <!-- end of results -->')
  return text.replace(table, (_, begin: string, end: string) => `${begin}\n${tableOf(results)}\n\n${end}`)
}

export const allResults = (): Result[] => readdirSync(folder).filter((name) => name.endsWith('.json')).sort()
  .map((name) => readResult(name.slice(0, -'.json'.length)))

export const readReport = (): string => readFileSync(report, 'utf8')
export const writeReport = (): void => writeFileSync(report, withTable(readReport(), allResults()))

function tableOf(results: readonly Result[]): string {
  const rows = results.map((one) => [
    one.about, `${one.count.toLocaleString('en')} ${one.unit}`, String(one.violations.length), bound(one),
    Object.entries(one.figures).map(figureOf).join(', '), `${Math.ceil(one.seconds / 60)} min`, one.commit,
    one.at.slice(0, 10), `\`npm run chaos -- ${one.programme} --seed ${one.seed} --count ${one.count}\``,
  ])
  const head = ['fault', 'n', 'violations', 'at 95 %', 'meanwhile', 'took', 'commit', 'on', 'again']
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

// `slowestRecoveryMs: 812` reads "slowest recovery 812 ms".
function figureOf([name, value]: [string, number]): string {
  const words = name.replace(/Ms$/, '').replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return name.endsWith('Ms') ? `${words} ${value.toLocaleString('en')} ms` : `${value.toLocaleString('en')} ${words}`
}

if (process.argv[1] === import.meta.filename) writeReport()
