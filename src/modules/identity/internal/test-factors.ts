// An authenticator app for tests: what a telephone does with the secret that it was shown.
import type { Db } from '../../../platform/db.ts'
import { sql } from '../../../platform/db.ts'
import { stepAt, totpCode } from '../totp.ts'
import type { Browser } from './test-identity.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

function fromBase32(text: string): Buffer {
  const bits = Array.from(text, (sign) => ALPHABET.indexOf(sign).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((eight) => parseInt(eight, 2)))
}

/** Enrols an app. `code` answers one that was not used yet: the step that enrolled is forgotten. */
export async function withAuthenticator({ db }: { db: Db }, browse: Browser) {
  const began = (await browse('POST', '/admin/me/totp')).body as { secret: string; url: string }
  const secret = fromBase32(began.secret)
  const code = (): string => totpCode(secret, stepAt(Date.now()))
  const { status, body } = await browse('PUT', '/admin/me/totp', { code: code() })
  if (status !== 200) throw new Error(`Could not enrol: ${JSON.stringify(body)}`)
  await db.run(sql`update identity.totp set last_step = 0`)
  return { began, secret, code, recoveryCodes: body.recoveryCodes as string[] }
}
