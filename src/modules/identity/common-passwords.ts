// The 49,000 passwords that people choose most often, as a Bloom filter of 180 kB: it says yes to each of them, and to
// about two in a million others. scripts/generate-common-passwords.ts made it of a free list (NOTICE), and says how.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

// 30 bits for each password and 20 of them looked at: (1 - e^(-20/30))^20 = 0.0000006 by the formula; 7 of
// 4,000,000 others were taken for one of them when it was measured.
const BITS_EACH = 30
const LOOKS = 20

const filter = readFileSync(join(import.meta.dirname, 'common-passwords.bin'))

/** Whether it is one of them; `password` in small letters, NFKC. */
export function isCommon(password: string): boolean {
  return placesOf(password, filter.length * 8).every((place) => (filter[place >> 3]! & (1 << (place & 7))) !== 0)
}

/** The filter of these passwords, as the file keeps it. */
export function filterOf(passwords: ReadonlySet<string>): Buffer {
  const bytes = Buffer.alloc(Math.ceil(passwords.size * BITS_EACH / 8))
  for (const password of passwords) {
    for (const place of placesOf(password, bytes.length * 8)) bytes[place >> 3]! |= 1 << (place & 7)
  }
  return bytes
}

// Two hashes stand for twenty (Kirsch and Mitzenmacher): h1 + i * h2, below 2^53.
function placesOf(password: string, bits: number): number[] {
  const hash = createHash('sha256').update(password).digest()
  const [first, second] = [hash.readUInt32LE(0), hash.readUInt32LE(4)]
  return Array.from({ length: LOOKS }, (_, look) => (first + look * second) % bits)
}
