// Far more than a shop can do, and in every bad manner: retries without pause, bodies a byte at a time, heads that
// never end, sockets that say nothing, megabytes that nobody asked for, and what is no HTTP at all. Meanwhile a few
// customers shop as always. The shop has to live, to stay small, to answer whether it lives, to finish what it
// accepted, and to be as before within ten seconds.
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { withConnections, type Connection } from '../../bench/connection.ts'
import { oneOf, randomFrom, type Random } from '../../bench/random.ts'
import { newId } from '../../src/platform/id.ts'
import { buy } from '../bounded.ts'
import { judge } from '../check.ts'
import { Crowd } from '../customers.ts'
import type { Programme } from '../programme.ts'
import { openStage, type Stage } from '../stage.ts'

const STORM_MS = 10_000
const CUSTOMERS = 4
const IMPATIENT = 400              // who repeat what was refused at once
const BAD_SOCKETS = 300
const WELL_WITHIN_MS = 10_000      // after the storm
const HEALTH_WITHIN_MS = 5_000
const MOST_MEGABYTES = 700         // of the process, at its worst

export const overload: Programme = {
  name: 'overload', about: 'storms of retries, slow, idle, oversized and malformed clients', unit: 'attacks',
  counts: { full: 200_000, quick: 3_000 },
  async open(sabotage) {
    const stage = await openStage(11, sabotage)
    await stage.startShop()
    return {
      async round(seed) {
        const random = randomFrom(seed)
        const crowd = new Crowd(stage, random)
        const storm = new Storm(stage, random)
        crowd.start(CUSTOMERS)
        const [attacks, deaf] = await Promise.all([storm.rage(), listen(stage, () => storm.over)])
        const recovery = await recoveryOf(crowd, performance.now())
        await crowd.stop()
        const megabytes = mostMegabytesOf(stage.shopPid())
        return {
          count: attacks, figures: { orders: crowd.orders, slowestRecoveryMs: recovery, slowestHealthMs: deaf },
          violations: [
            ...stage.shopLives() ? [] : ['the shop ended'],
            ...deaf <= HEALTH_WITHIN_MS ? [] : [`/health was not answered for ${deaf} ms`],
            ...recovery <= WELL_WITHIN_MS ? [] : [`nobody could order for ${recovery} ms after the storm`],
            ...megabytes <= MOST_MEGABYTES ? [] : [`the process took ${megabytes} MB`],
            ...crowd.complaints, ...await judge(stage),
          ],
        }
      },
      close: () => stage.close(),
    }
  },
}

class Storm {
  over = false
  readonly #stage: Stage
  readonly #random: Random
  #attacks = 0

  constructor(stage: Stage, random: Random) {
    this.#stage = stage
    this.#random = random
  }

  /** Answers how many requests and sockets it threw. */
  async rage(): Promise<number> {
    const { url, terms } = this.#stage
    const bad = Array.from({ length: BAD_SOCKETS }, () => this.#misbehave())
    await withConnections(url, IMPATIENT, async (connections) => {
      const raging = connections.map((connection) => this.#retry(connection, oneOf(terms.plenty, this.#random)))
      await sleep(STORM_MS)
      this.over = true
      // Whoever waits for an answer gets one, or is cut off with the connection.
      await Promise.race([Promise.all(raging), sleep(WELL_WITHIN_MS)])
    })
    await Promise.all(bad)
    return this.#attacks
  }

  /** The price is wrong, so that it costs a quote and sells nothing; refused or not, it comes again at once. */
  async #retry(connection: Connection, variantId: string): Promise<void> {
    const key = newId()
    while (!this.over) {
      this.#attacks++
      const answer = await buy(this.#stage, connection, { variantId, key, totalMinor: 1 }).catch(() => undefined)
      if (!answer) await sleep(10)
    }
  }

  async #misbehave(): Promise<void> {
    while (!this.over) {
      this.#attacks++
      const socket = connect(Number(new URL(this.#stage.url).port), '127.0.0.1')
      const gone = new Promise<void>((resolve) => socket.on('close', () => resolve()).on('error', () => resolve()))
      socket.resume()
      await Promise.race([oneOf(manners, this.#random)(socket, () => this.over), gone, this.#patience()])
      socket.destroy()
    }
  }

  // A socket is left after a while, so that every manner has its turn.
  async #patience(): Promise<void> {
    for (let waited = 0; waited < 2_000 && !this.over; waited += 100) await sleep(100)
  }
}

type Manner = (socket: Socket, over: () => boolean) => Promise<void>
const head = (length: number): string => 'POST /store/checkout HTTP/1.1\r\nhost: shop\r\n' +
  `content-type: application/json\r\ncontent-length: ${length}\r\n\r\n`

async function drip(socket: Socket, bytes: string, over: () => boolean): Promise<void> {
  for (const byte of bytes) {
    if (over() || socket.destroyed) return
    socket.write(byte)
    await sleep(50)
  }
}

const manners: readonly Manner[] = [
  async () => { await sleep(2_000) },
  (socket, over) => drip(socket, head(500), over),
  (socket, over) => { socket.write(head(10_000)); return drip(socket, '{'.repeat(10_000), over) },
  // Of 50 MB more than one is refused; who goes on sending is cut off.
  async (socket, over) => {
    socket.write(head(50_000_000))
    const part = Buffer.alloc(65_536, 0x20)
    for (let sent = 0; sent < 50_000_000 && !over() && !socket.destroyed; sent += part.length) {
      if (socket.write(part)) continue
      await Promise.race([new Promise((drained) => socket.once('drain', drained)), sleep(500)])
    }
  },
  async (socket) => {
    socket.end(`GET /store/products HTTP/1.1\r\nhost: shop\r\nx-long: ${'a'.repeat(70_000)}\r\n\r\n`)
  },
  async (socket) => { socket.end(head(7) + '{"a":[[') },
  async (socket) => { socket.end(Buffer.from(Array.from({ length: 500 }, (_, place) => (place * 89) % 256))) },
  // Half a request, and gone.
  async (socket) => { socket.write(head(400) + '{"currency":"EUR"'); await sleep(20); socket.resetAndDestroy() },
]

/** The longest that /health was not answered, in ms. */
async function listen({ url }: Stage, over: () => boolean): Promise<number> {
  let longest = 0
  while (!over()) {
    const asked = performance.now()
    await fetch(`${url}/health`, { signal: AbortSignal.timeout(2 * HEALTH_WITHIN_MS) }).catch(() => {})
    longest = Math.max(longest, performance.now() - asked)
    await sleep(100)
  }
  return Math.round(longest)
}

/** How long after the end of the storm the next order was placed, in ms. */
async function recoveryOf(crowd: Crowd, ended: number): Promise<number> {
  const before = crowd.orders
  while (crowd.orders === before && performance.now() - ended < 3 * WELL_WITHIN_MS) await sleep(20)
  return Math.round(performance.now() - ended)
}

function mostMegabytesOf(pid: number): number {
  try {
    return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1_024)
  } catch {
    return 0                       // a system that does not tell
  }
}
