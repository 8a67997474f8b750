// A small HTTP/1.1 client on one kept connection, for measuring: a full client costs as much as the server that it
// measures, and both share the machine. It reads answers with a content-length, which is all that our servers give.
import { connect, type Socket } from 'node:net'

export type Answer = { status: number; body: Buffer; json: () => any }

export class Connection {
  readonly #socket: Socket
  readonly #host: string
  #received: Buffer = Buffer.alloc(0)
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined

  private constructor(socket: Socket, host: string) {
    this.#socket = socket
    this.#host = host
    socket.setNoDelay(true)
    socket.on('data', (part) => this.#read(part))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('The server closed the connection')))
  }

  static open(url: string): Promise<Connection> {
    const { hostname, port, host } = new URL(url)
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => resolve(new Connection(socket, host)))
      socket.once('error', reject)
    })
  }

  /** One request at a time. */
  request(method: string, path: string, headers: Record<string, string> = {}, body?: unknown): Promise<Answer> {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const sent = text === undefined ? headers : {
      ...headers, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)),
    }
    const head = Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`).join('')
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\n${head}\r\n${text ?? ''}`)
    })
  }

  #read(part: Buffer): void {
    this.#received = this.#received.length === 0 ? part : Buffer.concat([this.#received, part])
    const end = this.#received.indexOf('\r\n\r\n')
    if (end === -1) return
    const head = this.#received.toString('latin1', 0, end)
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
    if (this.#received.length < end + 4 + length) return
    const body = this.#received.subarray(end + 4, end + 4 + length)
    this.#received = this.#received.subarray(end + 4 + length)
    this.#waiting?.resolve({ status: Number(head.slice(9, 12)), body, json: () => JSON.parse(body.toString('utf8')) })
    this.#waiting = undefined
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }

  close(): void {
    this.#socket.destroy()
  }
}
