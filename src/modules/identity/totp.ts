// Codes of an authenticator app: RFC 6238 with what all apps assume (SHA-1, 6 digits, 30 seconds). No I/O.
import { createHmac, timingSafeEqual } from 'node:crypto'

const STEP_MS = 30_000
const DIGITS = 6
// One step to each side: clocks of telephones differ, and people type slowly.
const WINDOW = [0, -1, 1]

export const stepAt = (timeMs: number): number => Math.floor(timeMs / STEP_MS)

/** The code of a step (RFC 4226, dynamic truncation). */
export function totpCode(secret: Buffer, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const offset = mac[mac.length - 1]! & 0xf
  return String((mac.readUInt32BE(offset) & 0x7fff_ffff) % 10 ** DIGITS).padStart(DIGITS, '0')
}

/** The step around this time whose code it is. */
export function stepOf(secret: Buffer, code: string, timeMs: number): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined
  return WINDOW.map((apart) => stepAt(timeMs) + apart).find(
    (step) => timingSafeEqual(Buffer.from(totpCode(secret, step)), Buffer.from(code)))
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** RFC 4648, without padding: how apps take a secret. */
export function base32(bytes: Buffer): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,5}/g) ?? []).map((five) => ALPHABET[parseInt(five.padEnd(5, '0'), 2)]).join('')
}

/** What a page shows as a QR code. */
export function totpUrl({ secret, issuer, account }: { secret: Buffer; issuer: string; account: string }): string {
  const [from, who] = [encodeURIComponent(issuer), encodeURIComponent(account)]
  return `otpauth://totp/${from}:${who}?secret=${base32(secret)}&issuer=${from}`
}
