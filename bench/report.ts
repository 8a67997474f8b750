// Says what was measured: a table for people, one object for programs, and what changed between two such objects.
import { readFileSync } from 'node:fs'
import { cores, placement } from './machine.ts'
import type { Options } from './options.ts'
import { atLeast, number, percent, ratioOf, type Bound, type Outcome, type Row } from './outcome.ts'

export type Report = {
  date: string; node: string; cores: number; placement: string; seed: number; quick: boolean
  parts: Record<string, Outcome & { ratios: Record<string, number> }>
  violations: number
}

export function reportOf(outcomes: ReadonlyMap<string, Outcome>, { seed, quick }: Options): Report {
  const parts = Object.fromEntries([...outcomes].map(([part, outcome]) => [part, {
    ...outcome,
    ratios: Object.fromEntries(outcome.rows.filter(({ limit }) => limit).map((row) => [row.name, ratioOf(row)])),
  }]))
  const violations = [...outcomes.values()].flatMap(({ bounds }) => bounds).filter(({ holds }) => !holds).length
  return { date: new Date().toISOString(), node: process.version, cores, placement, seed, quick, parts, violations }
}

const rateOf = ({ perSecond: { median, min, max } }: Row['shop']): string => (
  min === max ? number(median) : `${number(median)} (${number(min)}–${number(max)})`)

export function tableOf({ parts, seed, quick }: Report): string {
  const all = Object.values(parts)
  const head = [
    '', 'per second', 'p50 ms', 'p99 ms', 'refused', 'µs server', 'database', 'client', 'limit', 'of it',
  ]
  const rows = all.flatMap(({ rows }) => rows).map((row) => [
    row.name, `${rateOf(row.shop)} ${row.unit}`, number(row.shop.p50Ms), number(row.shop.p99Ms),
    String(row.shop.refused || ''), ...(['server', 'database', 'generator'] as const)
      .map((role) => number(row.shop.cpuMicros[role])), row.limit ? rateOf(row.limit) : '', percent(ratioOf(row)),
  ])
  const bounds = all.flatMap(({ bounds }) => bounds).map((one) => [
    one.what, one.measured.slice(0, 60), one.promised, one.holds ? 'holds' : 'BROKEN',
  ])
  return [
    ...rows.length > 0 ? [table([head, ...rows]), ''] : [],
    table([['promise', 'measured', 'bound', ''], ...bounds]), '',
    ...all.flatMap(({ notes }) => notes), `${placement}; seed ${seed}${quick ? ', quick' : ''}.`,
  ].join('\n')
}

function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) => row.map(
    (cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))
  ).join('  ').trimEnd()).join('\n')
}

export function readReport(file: string): Report {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report
    if (typeof report.parts !== 'object') throw new Error('it has no parts')
    return report
  } catch (error) {
    throw new Error(`${file} is no report of the bench (${(error as Error).message}): make one with --save FILE`)
  }
}

type Change = { name: string; before: number; after: number }

function changes(before: Report, after: Report): Change[] {
  return Object.entries(after.parts).flatMap(([part, { ratios }]) => Object.entries(ratios).flatMap(([name, ratio]) => {
    const known = before.parts[part]?.ratios[name]
    return known === undefined ? [] : [{ name, before: known, after: ratio }]
  }))
}

/** Shares of the limits in both, and how they relate: absolute times say little on another machine or day. */
export function comparisonOf(before: Report, after: Report): string {
  const rows = changes(before, after).map((one) => [
    one.name, percent(one.before), percent(one.after), `${number(one.after / one.before)}×`,
  ])
  return rows.length > 0 ? table([['of its limit', 'before', 'after', 'change'], ...rows])
    : 'The two have no figure in common that stands beside a limit'
}

const KEPT = 0.85

/** What must not be lost against the baseline. */
export function losses(baseline: Report, now: Report): Bound[] {
  return changes(baseline, now).map(({ name, before, after }) => (
    atLeast(`${name}: share of its limit, beside the baseline`, after / before, KEPT, ' times')))
}
