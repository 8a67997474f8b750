// Secrets that must be read again, and so cannot be hashed, are sealed: AES-256-GCM under a key made of the secret of
// the shop. That keeps them from whoever sees a table, an export or a log of statements, not from whoever has the whole
// database. The label is sealed in: what was written for one row opens in no other.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Db } from './db.ts'
import { derivedToken } from './derived-token.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

const keyOf = async (db: Db): Promise<Buffer> => Buffer.from(await derivedToken(db, '', 'seal'), 'base64url')

/** nonce, tag, then the text; `label` says what it is and whose. */
export async function seal(db: Db, label: string, plain: Buffer): Promise<Buffer> {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', await keyOf(db), nonce).setAAD(Buffer.from(label))
  const text = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), text])
}

/** Throws when it was not sealed here, under this label. */
export async function unseal(db: Db, label: string, sealed: Buffer): Promise<Buffer> {
  const [nonce, tag] = [sealed.subarray(0, NONCE_BYTES), sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)]
  const opened = createDecipheriv('aes-256-gcm', await keyOf(db), nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(label)).setAuthTag(tag)
  return Buffer.concat([opened.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), opened.final()])
}
