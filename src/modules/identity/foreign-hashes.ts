// Passwords as other shops hashed them: bcrypt (and Devise's, with its pepper), phpass and the newer bcrypt of
// WordPress. They are read until the first sign-in, which hashes the password anew (sign-in.ts). bcrypt reads 72 bytes
// at most, as it did over there.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import bcrypt from 'bcryptjs'

const BCRYPT = /^\$2[abxy]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/
const PHPASS = /^\$[PH]\$[./0-9A-Za-z]{31}$/
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** What is stored of a hash with Devise's pepper. The pepper lies beside it until the first sign-in; see docs. */
export const withPepper = (hash: string, pepper: string): string =>
  `$devise$${Buffer.from(pepper).toString('base64url')}${hash}`

/** Checks a password against a hash of another system; undefined when it is of none that we know. */
export async function isForeignPassword(password: string, stored: string): Promise<boolean | undefined> {
  if (PHPASS.test(stored)) return phpass(password, stored)
  if (BCRYPT.test(stored)) return bcrypt.compare(password, stored)
  const [, pepper, peppered] = /^\$devise\$([\w-]*)(\$2.*)$/.exec(stored) ?? []
  if (peppered !== undefined && BCRYPT.test(peppered)) {
    return bcrypt.compare(password + Buffer.from(pepper!, 'base64url').toString(), peppered)
  }
  const wordpress = /^\$wp(\$2.*)$/.exec(stored)?.[1]
  if (wordpress === undefined || !BCRYPT.test(wordpress)) return undefined
  return bcrypt.compare(createHmac('sha384', 'wp-sha384').update(password.trim()).digest('base64'), wordpress)
}

/** MD5 with a salt, 2^n times: one character of n, eight of salt, 22 of the sum in an order of their own. */
function phpass(password: string, stored: string): boolean {
  const rounds = 2 ** ALPHABET.indexOf(stored[3]!)
  if (rounds < 128 || rounds > 2 ** 20) return false
  const md5 = (...parts: (string | Buffer)[]): Buffer =>
    createHash('md5').update(Buffer.concat(parts.map((part) => Buffer.from(part as string)))).digest()
  let sum = md5(stored.slice(4, 12), password)
  for (let round = 0; round < rounds; round++) sum = md5(sum, password)
  return timingSafeEqual(Buffer.from(encode64(sum)), Buffer.from(stored.slice(12)))
}

// Three bytes at a time, the least first, six bits a sign.
function encode64(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const value = bytes[at]! | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0) << 16
    const signs = Math.min(4, bytes.length - at + 1)
    for (let sign = 0; sign < signs; sign++) text += ALPHABET[value >> 6 * sign & 63]
  }
  return text
}
