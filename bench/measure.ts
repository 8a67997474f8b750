// Closed loops: as many workers as asked, each doing the next thing when the last is done. What is done before the clock starts warms
// caches, compilers and connections, and is not counted.

export type Figures = { perSecond: number; p50Ms: number; p99Ms: number; count: number; errors: number; firstError?: string }
export type Loop = { workers: number; seconds: number; warmUpSeconds: number }

/** Runs `act` in loops; a throw is an error of the figures. */
export async function measureLoop({ workers, seconds, warmUpSeconds }: Loop, act: (worker: number) => Promise<void>): Promise<Figures> {
  const begin = performance.now() + warmUpSeconds * 1000
  const end = begin + seconds * 1000
  const latencies: number[] = []
  let errors = 0
  let firstError: string | undefined
  await Promise.all(Array.from({ length: workers }, async (_, worker) => {
    for (let started = performance.now(); started < end;) {
      let failure: string | undefined
      await act(worker).catch((error: Error) => { failure = error.message })
      const done = performance.now()
      // Counted is what began and ended inside the window.
      if (started >= begin && done <= end) {
        if (failure === undefined) latencies.push(done - started)
        else errors++
      }
      firstError ??= failure
      started = done
    }
  }))
  return { ...figuresOf(latencies, seconds), errors, ...firstError ? { firstError } : {} }
}

/** Figures of things that were all begun at once and took `seconds` together. */
export function figuresOf(latencies: number[], seconds: number): Figures {
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
  return { perSecond: latencies.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), count: latencies.length, errors: 0 }
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
