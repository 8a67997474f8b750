// Closed loops: as many workers as asked, each doing the next thing when the last is done. What is done before the
// clock starts warms caches, compilers and connections, and is not counted.

export type Figures = {
  perSecond: number; p50Ms: number; p99Ms: number; count: number; errors: number; firstError?: string,
}
export type Loop = { workers: number; seconds: number; warmUpSeconds: number }
type Sample = { latencies: number[]; seconds: number; errors: number; firstError: string | undefined }

/** Runs `act` in loops; a throw is an error of the sample. */
export async function runLoop(
  { workers, seconds, warmUpSeconds }: Loop, act: (worker: number) => Promise<void>,
): Promise<Sample> {
  const begin = performance.now() + warmUpSeconds * 1000
  const end = begin + seconds * 1000
  const sample: Sample = { latencies: [], seconds, errors: 0, firstError: undefined }
  await Promise.all(Array.from({ length: workers }, async (_, worker) => {
    for (let started = performance.now(); started < end;) {
      let failure: string | undefined
      await act(worker).catch((error: Error) => { failure = error.message })
      const done = performance.now()
      // Counted is what began and ended inside the window.
      if (started >= begin && done <= end) {
        if (failure === undefined) sample.latencies.push(done - started)
        else sample.errors++
      }
      sample.firstError ??= failure
      started = done
    }
  }))
  return sample
}

// Turns of one and the other, so that what else the machine does meets both alike.
const TURNS = 3

/** The figures of two things, measured in turns for `seconds` each. */
export async function compare(
  seconds: number, one: (loop: Omit<Loop, 'workers'>) => Promise<Sample>,
  other: (loop: Omit<Loop, 'workers'>) => Promise<Sample>,
): Promise<[Figures, Figures]> {
  const samples: [Sample[], Sample[]] = [[], []]
  for (let turn = 0; turn < TURNS; turn++) {
    const loop = { seconds: seconds / TURNS, warmUpSeconds: turn === 0 ? Math.max(1.5, seconds / 5) : 0.3 }
    samples[0].push(await one(loop))
    samples[1].push(await other(loop))
  }
  return [figuresOf(samples[0]), figuresOf(samples[1])]
}

/** What samples of the same thing say together. */
export function figuresOf(samples: Sample[]): Figures {
  const sorted = samples.flatMap(({ latencies }) => latencies).toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
  const firstError = samples.find((sample) => sample.firstError !== undefined)?.firstError
  return {
    perSecond: sorted.length / samples.reduce(
      (sum, { seconds }) => sum + seconds, 0
    ), p50Ms: at(0.5), p99Ms: at(0.99), count: sorted.length,
    errors: samples.reduce((sum, { errors }) => sum + errors, 0), ...firstError ? { firstError } : {},
  }
}

/** The same numbers for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
