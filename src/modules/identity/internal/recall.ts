// Who somebody is, remembered for at most a second: a busy shop asks the database once a second for each key or
// session, not for each request, and a revocation is felt everywhere within that second. In the second half of it an
// answer is used and renewed behind it, so that under traffic no request waits. What is unknown is not remembered:
// guesses must not push out guests.
import { AsyncLocalStorage } from 'node:async_hooks'

const RENEW_AFTER_MS = 500
const FORGET_AFTER_MS = 1_000
// A few megabytes at most.
const MAX_ENTRIES = 20_000

type Entry<T> = { value: T; since: number; renewing: boolean }

export class Recall<T> {
  #entries = new Map<string, Entry<T>>()
  #loading = new Map<string, Promise<T | undefined>>()
  #load: (key: string) => Promise<T | undefined>
  // The look-up serves every request of its second, so it runs (and is counted) outside the one that happened to ask.
  #outside = AsyncLocalStorage.snapshot()

  constructor(load: (key: string) => Promise<T | undefined>) { this.#load = load }

  get(key: string): T | Promise<T | undefined> {
    const entry = this.#entries.get(key)
    const age = entry ? performance.now() - entry.since : Infinity
    if (!entry || age > FORGET_AFTER_MS) return this.#read(key)
    if (age > RENEW_AFTER_MS && !entry.renewing) {
      entry.renewing = true
      this.#read(key).catch(() => {})   // then the next request after the second meets the failure itself
    }
    return entry.value
  }

  /** Forgets everybody: something changed here. Other processes learn of it within the second. */
  clear(): void {
    this.#entries.clear()
    this.#loading.clear()
  }

  #read(key: string): Promise<T | undefined> {
    const running = this.#loading.get(key)
    if (running) return running
    const since = performance.now()   // the answer is as old as the question
    const promise = this.#outside(() => this.#load(key)).then((value) => {
      if (this.#loading.get(key) === promise) this.#keep(key, value, since)
      return value
    }).finally(() => { if (this.#loading.get(key) === promise) this.#loading.delete(key) })
    this.#loading.set(key, promise)
    return promise
  }

  #keep(key: string, value: T | undefined, since: number): void {
    this.#entries.delete(key)
    if (value === undefined) return
    this.#entries.set(key, { value, since, renewing: false })
    if (this.#entries.size > MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!)
  }
}
