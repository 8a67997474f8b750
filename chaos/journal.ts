// What a client knows: each request before it is sent, and each answer when it has come, on disk before anything else
// happens. What stands here as answered must be true of the shop for ever.
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'

export type Entry = {
  key: string
  what: string
  status?: number
  orderId?: string
  cartId?: string
  payment?: string
  operation?: { paymentId: string; kind: string; amountMinor: number }
}

export class Journal {
  readonly #path: string
  readonly #file: number
  #closed = false

  constructor(path: string) {
    this.#path = path
    this.#file = openSync(path, 'a')
  }

  note(entry: Entry): void {
    if (this.#closed) return         // a round failed, and its customers do not know yet
    writeSync(this.#file, `${JSON.stringify(entry)}\n`)
    fsyncSync(this.#file)
  }

  read(): Entry[] {
    return readFileSync(this.#path, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as Entry)
  }

  close(): void {
    this.#closed = true
    closeSync(this.#file)
  }
}
