// The container of a backup: a plain tar (ustar) of small entries, written and read as a stream, so any tool can look
// into it. A table is cut into parts, because tar wants the size of an entry before its bytes and nobody knows that of
// a table in advance.
import { Buffer } from 'node:buffer'

const BLOCK = 512
// An entry is held in memory once on either side.
export const MAX_ENTRY_BYTES = 4 << 20

/** The archive does not end as one, or is none. */
export class DamagedArchive extends Error {}

export function header(name: string, size: number, mtime: Date): Buffer {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0') + '\0'
  if (Buffer.byteLength(name) > 100) throw new RangeError(`The name ${name} is too long for an archive`)
  block.write(name, 0)
  block.write(octal(0o600, 7), 100)
  block.write(octal(0, 7), 108)
  block.write(octal(0, 7), 116)
  block.write(octal(size, 11), 124)
  block.write(octal(Math.floor(mtime.getTime() / 1_000), 11), 136)
  block.write('        ', 148)                        // the sum is taken over blanks in its own place
  block.write('0', 156)                               // an ordinary file
  block.write('ustar\x0000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)} `, 148, 8)
  return block
}

/** An entry with its padding. */
export function entry(name: string, data: Buffer, mtime: Date): Buffer {
  return Buffer.concat([header(name, data.length, mtime), data, Buffer.alloc(padding(data.length))])
}

/** Two empty blocks end an archive. */
export const end = Buffer.alloc(2 * BLOCK)

const padding = (size: number): number => (BLOCK - size % BLOCK) % BLOCK

/** The entries in their order. Throws DamagedArchive for what is no such archive or breaks off. */
export async function* entries(source: AsyncIterable<Buffer>): AsyncGenerator<{ name: string; data: Buffer }> {
  const bytes = new Bytes(source)
  for (;;) {
    const block = await bytes.take(BLOCK)
    if (block.every((byte) => byte === 0)) return
    const { name, size } = read(block)
    const data = await bytes.take(size)
    await bytes.take(padding(size))
    yield { name, data }
  }
}

function read(block: Buffer): { name: string; size: number } {
  const text = (from: number, to: number): string => block.toString('utf8', from, to).replace(/\0.*$/s, '')
  const sum = parseInt(text(148, 156), 8)
  const blank = Buffer.from(block).fill(0x20, 148, 156)
  if (sum !== blank.reduce((total, byte) => total + byte, 0)) {
    throw new DamagedArchive('This is no backup, or it is damaged.')
  }
  const size = parseInt(text(124, 136), 8)
  if (!(size >= 0 && size <= 16 * MAX_ENTRY_BYTES)) throw new DamagedArchive(
    'An entry of the backup is larger than any that was written.')
  return { name: text(0, 100), size }
}

/** Exactly so many bytes at a time out of a stream of chunks. */
class Bytes {
  readonly #chunks: AsyncIterator<Buffer>
  #held: Buffer[] = []
  #length = 0

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]()
  }

  async take(size: number): Promise<Buffer> {
    while (this.#length < size) {
      const chunk = await this.#chunks.next()
      if (chunk.done) throw new DamagedArchive(
        'The backup breaks off: it was not written to its end, or not copied whole.')
      this.#held.push(chunk.value)
      this.#length += chunk.value.length
    }
    const all = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held)
    this.#held = [all.subarray(size)]
    this.#length -= size
    return all.subarray(0, size)
  }
}
