// Chance with a seed: the same numbers for the same seed, so that two runs ask the same questions.

export type Random = () => number

/** mulberry32: numbers from 0 up to 1. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const oneOf = <T>(items: readonly T[], random: Random): T => items[Math.floor(random() * items.length)]!

/** Draws items as people do: the n-th of the list n times more rarely than the first (Zipf, s = 1). */
export function zipf<T>(items: readonly T[], random: Random): () => T {
  let sum = 0
  const sums = Float64Array.from(items, (_, rank) => (sum += 1 / (rank + 1)))
  return () => {
    const wanted = random() * sum
    let [low, high] = [0, sums.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < wanted) low = middle + 1
      else high = middle
    }
    return items[low]!
  }
}
