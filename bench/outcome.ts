// What a part of the bench answers: rows of figures beside their limits, and the promises that it judged.
import type { CpuSeconds } from './machine.ts'

/** The median of several runs, and the smallest and the largest. */
export type Spread = { median: number; min: number; max: number }

export type Figures = {
  perSecond: Spread
  p50Ms: number
  p99Ms: number
  count: number
  errors: number
  firstError?: string
  /** Answers 503 with Retry-After: the shop said that it is busy. */
  refused: number
  /** CPU time for one answer, in microseconds, of the server, of all database processes, and of the bench itself. */
  cpuMicros: CpuSeconds
}

export type Row = { name: string; unit: string; shop: Figures; limit?: Figures }
export type Bound = { what: string; measured: string; promised: string; holds: boolean }
export type Outcome = { rows: Row[]; bounds: Bound[]; notes: string[] }

/** How much of the limit the shop reaches, or NaN. */
export const ratioOf = ({ shop, limit }: Row): number => (
  limit ? shop.perSecond.median / limit.perSecond.median : NaN
)

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  return {
    median: sorted[Math.floor(sorted.length / 2)] ?? NaN, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN,
  }
}

/** What nothing excuses: requests that failed, of the shop or of its limit. */
export function failures({ name, shop, limit }: Row): Bound[] {
  const bound = (what: string, { errors, firstError }: Figures): Bound[] => errors === 0 ? [] : [{
    what: `${name}${what}`, measured: `${errors} errors, the first: ${firstError}`, promised: 'none', holds: false,
  }]
  return [...bound('', shop), ...limit ? bound(', its limit', limit) : []]
}

/** The promise of a share of the limit. */
export function atLeastOfLimit(row: Row, share: number): Bound {
  const ratio = ratioOf(row)
  return {
    what: `${row.name} of its limit`, measured: percent(ratio), promised: `≥ ${percent(share)}`, holds: ratio >= share,
  }
}

export const atLeast = (what: string, value: number, least: number, unit = ''): Bound => (
  { what, measured: `${number(value)}${unit}`, promised: `≥ ${number(least)}${unit}`, holds: value >= least }
)
export const atMost = (what: string, value: number, most: number, unit = ''): Bound => (
  { what, measured: `${number(value)}${unit}`, promised: `≤ ${number(most)}${unit}`, holds: value <= most }
)
export const exactly = (what: string, measured: string, holds: boolean): Bound => (
  { what, measured, promised: 'exact', holds }
)

export const percent = (share: number): string => Number.isNaN(share) ? '' : `${Math.round(share * 100)} %`
export const number = (value: number): string => (
  Number.isNaN(value) ? '' : value >= 100 ? Math.round(value).toLocaleString('en')
    : value >= 10 ? value.toFixed(1) : value.toFixed(2)
)
