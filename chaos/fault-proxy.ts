// A TCP proxy that does to a link what networks do: it is slow, breaks, falls silent, or delivers in crumbs. And what
// only a proxy between a shop and its database can do at will: it lets a COMMIT through and loses the answer.
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type Faults = {
  /** Milliseconds that each piece waits, and up to how many more. */
  delayMs?: number
  jitterMs?: number
  /** Bytes at a time. */
  sliceBytes?: number
  /** Share of the commits whose answer is lost together with the connection. */
  cutCommits?: number
  /** Nothing goes through, in either direction, and nobody is told. What lost bytes so is lost for good. */
  silent?: boolean
}

// CommandComplete of PostgreSQL's protocol: 'C', the length of the rest, the tag, and a zero.
// https://www.postgresql.org/docs/current/protocol-message-formats.html
const COMMITTED = Buffer.from('C\0\0\0\x0bCOMMIT\0', 'latin1')

export class FaultProxy {
  faults: Faults = {}
  /** Answers of a COMMIT that were lost so far. */
  cuts = 0
  readonly #target: { host: string; port: number }
  readonly #random: () => number
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

  constructor(target: { host: string; port: number }, random: () => number) {
    this.#target = target
    this.#random = random
  }

  /** Listens on a port of its own, which it answers. */
  async start(): Promise<number> {
    this.#server = createServer((client) => this.#link(client))
    await new Promise<void>((resolve) => void this.#server!.listen(0, '127.0.0.1', resolve))
    return (this.#server.address() as AddressInfo).port
  }

  /** Breaks every connection that there is, as a switch that restarts. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async stop(): Promise<void> {
    this.#server?.close()
    this.reset()
  }

  #link(client: Socket): void {
    const server = connect(this.#target.port, this.#target.host)
    const both = [client, server]
    const link = { lost: false }
    for (const socket of both) {
      socket.setNoDelay(true)
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        if (!link.lost && !this.faults.silent) for (const other of both) other.destroy()
      })
    }
    const cut = (): void => {
      this.cuts++
      for (const socket of both) socket.resetAndDestroy()
    }
    this.#carry(client, server, link)
    this.#carry(server, client, link, { committed: commitWatcher(), cut })
  }

  #carry(from: Socket, to: Socket, link: { lost: boolean }, { committed, cut }: Cutting = {}): void {
    let order = Promise.resolve()
    from.on('data', (part: Buffer) => {
      link.lost ||= this.faults.silent ?? false
      if (link.lost) return
      if (committed?.(part) && this.#random() < (this.faults.cutCommits ?? 0)) return cut!()
      const { delayMs = 0, jitterMs = 0, sliceBytes = Infinity } = this.faults
      if (delayMs + jitterMs === 0 && sliceBytes === Infinity) {
        order = order.then(() => { to.write(part) })
        return
      }
      order = order.then(async () => {
        const pauseMs = delayMs + jitterMs * this.#random()
        if (pauseMs > 0) await sleep(pauseMs)
        for (let at = 0; at < part.length && !link.lost; at += sliceBytes) {
          to.write(part.subarray(at, Math.min(part.length, at + sliceBytes)))
        }
      })
    })
  }
}

type Cutting = { committed?: (part: Buffer) => boolean; cut?: () => void }

/** Whether the bytes so far end with, or hold, the answer to a COMMIT; it may come in two pieces. */
function commitWatcher(): (part: Buffer) => boolean {
  let before: Buffer = Buffer.alloc(0)
  return (part) => {
    const seen = Buffer.concat([before, part])
    before = Buffer.from(seen.subarray(Math.max(0, seen.length - COMMITTED.length + 1)))
    return seen.includes(COMMITTED)
  }
}
