// Loops that measure. Closed: as many workers as asked, each doing the next thing when the last is done. Open: a fixed
// rate, whatever becomes of it; its latencies count from the moment at which a request was due, so that the time in
// which nothing could be sent is not left out (coordinated omission). What is done before the clock starts warms
// caches, compilers and connections, and is not counted.
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuSoFar, type CpuSeconds, type Watched } from './machine.ts'
import { spreadOf, type Figures } from './outcome.ts'

export type Act = (worker: number) => Promise<unknown>
export type Loop = { workers: number; seconds: number; warmUpSeconds: number; watched?: Watched }
export type Sample = {
  latencies: number[]; seconds: number; errors: number; firstError: string | undefined; refused: number
  cpu: CpuSeconds
}

/** The server is busy and says when to come back; no fault, but no success either. */
export class Refused extends Error {
  readonly retryAfterMs: number
  constructor(message: string, retryAfterSeconds: number) {
    super(message)
    this.retryAfterMs = retryAfterSeconds * 1_000
  }
}

const emptySample = (seconds: number): Sample => ({
  latencies: [], seconds, errors: 0, firstError: undefined, refused: 0,
  cpu: { server: NaN, database: NaN, generator: NaN },
})

const LONGEST_PAUSE_MS = 1_000

/** Runs `act` in loops. A throw is an error of the sample, a Refused is counted apart and waits as it was told. */
export async function runLoop({ workers, seconds, warmUpSeconds, watched = {} }: Loop, act: Act): Promise<Sample> {
  const begin = performance.now() + warmUpSeconds * 1_000
  const end = begin + seconds * 1_000
  const sample = emptySample(seconds)
  const meter = meterBetween(begin, end, watched)
  await Promise.all(Array.from({ length: workers }, async (_, worker) => {
    for (let started = performance.now(); started < end; started = performance.now()) {
      const failure = await act(worker).then(() => undefined, (error: Error) => error)
      const done = performance.now()
      note(sample, done >= begin && done <= end, failure, done - started)
      if (failure instanceof Refused) await sleep(Math.min(failure.retryAfterMs, LONGEST_PAUSE_MS))
    }
  }))
  return { ...sample, cpu: await meter }
}

function note(sample: Sample, counts: boolean, failure: Error | undefined, latencyMs: number): void {
  if (failure instanceof Refused) {
    if (counts) sample.refused++
    return
  }
  if (failure) sample.firstError ??= failure.message
  if (!counts) return
  if (failure) sample.errors++
  else sample.latencies.push(latencyMs)
}

/** CPU time between two moments. */
async function meterBetween(begin: number, end: number, watched: Watched): Promise<CpuSeconds> {
  await sleep(Math.max(0, begin - performance.now()))
  const before = cpuSoFar(watched)
  await sleep(Math.max(0, end - performance.now()))
  const after = cpuSoFar(watched)
  return {
    server: after.server - before.server, database: after.database - before.database,
    generator: after.generator - before.generator,
  }
}

const PATIENCE_MS = 1_000     // what is not sent so long after the end counts as never sent

export type OpenSample = Sample & {
  /** Requests that were due and never sent, because every worker still waited at the end. */
  unsent: number
  refusalLatencies: number[]
}

/**
 * Sends at a fixed rate over at most `workers` connections, from the millisecond in which each is due (timers are no
 * finer). Who is late is sent as soon as a worker is free, and its latency counts from when it was due.
 */
export async function runOpenLoop(
  { workers, seconds, watched = {}, perSecond }: Omit<Loop, 'warmUpSeconds'> & { perSecond: number }, act: Act,
): Promise<OpenSample> {
  const begin = performance.now() + 50
  const end = begin + seconds * 1_000
  const sample: OpenSample = { ...emptySample(seconds), unsent: 0, refusalLatencies: [] }
  const meter = meterBetween(begin, end, watched)
  const total = Math.floor(perSecond * seconds)
  let next = 0
  await Promise.all(Array.from({ length: Math.min(workers, total) }, async (_, worker) => {
    while (next < total) {
      const due = begin + Math.floor(next++ * 1_000 / perSecond)
      const early = due - performance.now()
      if (early > 0) await sleep(early)
      if (performance.now() > end + PATIENCE_MS) {
        sample.unsent++
        continue
      }
      const failure = await act(worker).then(() => undefined, (error: Error) => error)
      const done = performance.now()
      note(sample, true, failure, done - due)
      if (failure instanceof Refused) sample.refusalLatencies.push(done - due)
    }
  }))
  return { ...sample, cpu: await meter }
}

/** What several samples of the same thing say together. */
export function figuresOf(samples: readonly Sample[]): Figures {
  const sorted = samples.flatMap(({ latencies }) => latencies).toSorted((a, b) => a - b)
  const sum = (value: (sample: Sample) => number): number => samples.reduce((total, one) => total + value(one), 0)
  const firstError = samples.find((sample) => sample.firstError !== undefined)?.firstError
  const micros = (role: keyof CpuSeconds): number => sum(({ cpu }) => cpu[role]) / sorted.length * 1e6
  return {
    perSecond: spreadOf(samples.map(({ latencies, seconds }) => latencies.length / seconds)),
    p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99), count: sorted.length,
    errors: sum(({ errors }) => errors), ...firstError === undefined ? {} : { firstError },
    refused: sum(({ refused }) => refused),
    cpuMicros: { server: micros('server'), database: micros('database'), generator: micros('generator') },
  }
}

export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}
