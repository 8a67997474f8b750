// Who gets a connection when more want one than there are. A burst waits its turn, because it passes by itself: at a
// flash sale everybody comes within a tenth of a second. A queue that stands while more keep coming is overload: then
// only so many may wait as can be served soon, and everybody else is refused at once, which costs next to nothing and
// keeps fast what is accepted. What matters more is served first and refused last.

/** What a request is for, by its importance. */
export type Priority = 'webhook' | 'pay' | 'checkout' | 'cart' | 'browse' | 'export'

/** Who had a connection before goes on before anybody begins: half an order is worth less than none. */
export type Rank = Priority | 'begun'

// `share`: of the connections, so that however many browse, some are left for those who pay. `room`: how many may wait
// in overload, for sixteen connections: each rank less than the one before, and even the last more than the 64
// connections of a proxy that asks one thing after the other.
const ranks: readonly { rank: Rank; share: number; room: number }[] = [
  { rank: 'begun', share: 1, room: Infinity }, { rank: 'webhook', share: 1, room: 128 },
  { rank: 'pay', share: 1, room: 96 }, { rank: 'checkout', share: 0.9, room: 88 },
  { rank: 'cart', share: 0.8, room: 80 }, { rank: 'browse', share: 0.6, room: 72 },
  { rank: 'export', share: 0.4, room: 64 },
]
const BURST_ROOM = 8                // times that many may wait in a burst
const STANDING_AFTER_MS = 500       // a queue that was not empty for so long …
const STILL_COMING_MS = 100         // … while the last one came not longer ago than this, does not pass by itself
const LOOK_EVERY_MS = 50

type Waiting = { enter: (entered: boolean) => void; since: number; patienceMs: number }
type Queue = { rank: Rank; places: number; room: number; waiting: Waiting[] }

export class Gate {
  #inside = 0
  #waiting = 0
  #emptyAt = 0
  #lastCameAt = 0
  #timer: NodeJS.Timeout | undefined
  readonly #queues: readonly Queue[]

  constructor(places: number) {
    this.#queues = ranks.map(({ rank, share, room }) => ({
      rank, places: Math.max(1, Math.floor(places * share)), room: room * Math.max(1, places / 16), waiting: [],
    }))
  }

  get waiting(): number { return this.#waiting }

  /** Whether a request of this rank would be refused now. */
  isFull(rank: Rank): boolean {
    if (this.#waiting === 0 || rank === 'begun') return false
    this.#lastCameAt = performance.now()
    const { room } = this.#queueOf(rank)
    return this.#waiting >= (this.#isStanding() ? room : room * BURST_ROOM)
  }

  /**
   * A place: undefined when there is one at once, otherwise a promise that tells whether it came within `patienceMs`.
   * Whoever got one must `leave`.
   */
  enter(rank: Rank, patienceMs: number): Promise<boolean> | undefined {
    const own = this.#queueOf(rank)
    const isNext = this.#waiting === 0 || this.#queues.every(({ waiting }, index) =>
      waiting.length === 0 || index > this.#queues.indexOf(own))
    if (isNext && this.#inside < own.places) {
      this.#inside++
      return undefined
    }
    if (this.isFull(rank)) return Promise.resolve(false)
    const since = performance.now()
    if (this.#waiting++ === 0) this.#emptyAt = since
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref()
    return new Promise((enter) => void own.waiting.push({ enter, since, patienceMs }))
  }

  leave(): void {
    this.#inside--
    const next = this.#queues.find(({ waiting }) => waiting.length > 0)
    if (!next || this.#inside >= next.places) return
    this.#inside++
    this.#waiting--
    next.waiting.shift()!.enter(true)
  }

  #queueOf(rank: Rank): Queue {
    return this.#queues.find((queue) => queue.rank === rank)!
  }

  #isStanding(): boolean {
    const now = performance.now()
    return this.#waiting > 0 && now - this.#emptyAt > STANDING_AFTER_MS && now - this.#lastCameAt < STILL_COMING_MS
  }

  /** Refuses who has waited too long, and in overload the oldest of those who are too many, least important first. */
  #look(): void {
    const now = performance.now()
    for (const { waiting } of this.#queues) {
      const late = waiting.findIndex(({ since, patienceMs }) => now - since < patienceMs)
      this.#refuse(waiting, late === -1 ? waiting.length : late)
    }
    if (this.#isStanding()) {
      for (const { rank, room, waiting } of this.#queues.toReversed()) {
        if (rank !== 'begun') this.#refuse(waiting, Math.min(waiting.length, Math.ceil(this.#waiting - room)))
      }
    }
    if (this.#waiting > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #refuse(waiting: Waiting[], count: number): void {
    if (count <= 0) return
    this.#waiting -= count
    for (const { enter } of waiting.splice(0, count)) enter(false)
  }
}
