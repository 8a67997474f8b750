// Chance that repeats itself: the same seed gives the same shop on every machine (mulberry32, a well-known generator of
// 32 bits).

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** From 0 up to, but not, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  one<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)]!
  }

  /** One of the list, by weight. */
  weighed<T>(list: readonly T[], weight: (each: T) => number): T {
    let left = this.next() * list.reduce((total, each) => total + weight(each), 0)
    return list.find((each) => (left -= weight(each)) < 0) ?? list.at(-1)!
  }

  /** A UUIDv7 of that moment. */
  id(at: Date): string {
    const time = at.getTime().toString(16).padStart(12, '0')
    const hex = Array.from({ length: 19 }, () => this.whole(0, 15).toString(16)).join('')
    const variant = '89ab'[this.whole(0, 3)]!
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-${variant}${hex.slice(3, 6)}-${hex.slice(6, 18)}`
  }
}
