// A small HTTP/1.1 client on one kept connection, for measuring: a full client costs as much as the server that it
// measures, and both share the machine. It reads answers with a content-length, which is all that our servers give.
// When the server has closed the connection, the next request opens another.
import { connect, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'

export type Answer = { status: number; head: string; body: Buffer; json: () => any }
type Waiting = { resolve: (answer: Answer) => void; reject: (error: Error) => void }

const noBytes = Buffer.alloc(0)

export class Connection {
  readonly #url: URL
  #socket: Socket | undefined
  #received: Buffer = noBytes
  #waiting: Waiting | undefined

  private constructor(url: URL) { this.#url = url }

  static async open(url: string): Promise<Connection> {
    const connection = new Connection(new URL(url))
    await connection.#connect()
    return connection
  }

  #connect(): Promise<void> {
    const { hostname, port, protocol } = this.#url
    const secure = protocol === 'https:'
    return new Promise((resolve, reject) => {
      const socket = secure ? connectSecurely({ host: hostname, port: Number(port || 443), servername: hostname })
        : connect(Number(port || 80), hostname)
      const lose = (error: Error): void => {
        if (this.#socket === socket) this.#fail(error)
        reject(error)
      }
      socket.setNoDelay(true)
      socket.on('data', (part) => this.#read(part))
      socket.on('error', lose)
      socket.on('close', () => lose(new Error('The server closed the connection')))
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        this.#socket = socket
        this.#received = noBytes
        resolve()
      })
    })
  }

  /** One request at a time. `headers` are lines, each with its line end. */
  async request(method: string, path: string, headers = '', body?: string): Promise<Answer> {
    if (!this.#socket) await this.#connect()
    const about = body === undefined ? ''
      : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket!.write(
        `${method} ${path} HTTP/1.1\r\nhost: ${this.#url.host}\r\n${headers}${about}\r\n${body ?? ''}`)
    })
  }

  #read(part: Buffer): void {
    this.#received = this.#received.length === 0 ? part : Buffer.concat([this.#received, part])
    const end = this.#received.indexOf('\r\n\r\n')
    if (end === -1) return
    const head = this.#received.toString('latin1', 0, end)
    const told = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    if (told === undefined && /\r\ntransfer-encoding:/i.test(head)) {
      return this.#fail(new Error('The answer comes in chunks, which this client does not read: ask the shop itself'))
    }
    const length = Number(told ?? 0)
    if (this.#received.length < end + 4 + length) return
    const body = this.#received.subarray(end + 4, end + 4 + length)
    this.#received = this.#received.subarray(end + 4 + length)
    const waiting = this.#waiting
    this.#waiting = undefined
    if (/\r\nconnection: *close/i.test(head)) this.close()
    waiting?.resolve({ status: Number(head.slice(9, 12)), head, body, json: () => JSON.parse(body.toString('utf8')) })
  }

  #fail(error: Error): void {
    this.close()
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }

  close(): void {
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
  }
}

/** Opens connections, gives them to `fn`, and closes them. */
export async function withConnections<T>(
  url: string, count: number, fn: (connections: Connection[]) => Promise<T>,
): Promise<T> {
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(url)))
  try {
    return await fn(connections)
  } finally {
    for (const connection of connections) connection.close()
  }
}
