// Tokens that can be said twice. A shopper whose first answer was lost repeats the request under its Idempotency-Key
// and must get the token again, while the database holds only its hash: so it is computed from the id and the secret of
// the shop. See docs/decisions/derived-tokens.md.
import { createHmac, randomBytes } from 'node:crypto'
import { Type } from 'typebox'
import { sql, type Db } from './db.ts'

const secrets = new WeakMap<Db, Promise<Buffer>>()

/** The token of a cart or an order: always the same for the same id, and not to be guessed without the secret. */
export async function derivedToken(db: Db, prefix: string, id: string): Promise<string> {
  let secret = secrets.get(db.root)
  if (!secret) {
    secret = readSecret(db)
    secrets.set(db.root, secret)
    secret.catch(() => secrets.delete(db.root))
  }
  return prefix + createHmac('sha256', await secret).update(prefix + id).digest('base64url')
}

const Secret = Type.Object({ value: Type.Unsafe<Buffer>(Type.Any()) })

async function readSecret(db: Db): Promise<Buffer> {
  const read = () => db.maybe(Secret, sql`select value from platform.secret`)
  const known = await read()
  if (known) return known.value
  // Of several processes that find none, one is first.
  await db.run(sql`insert into platform.secret (value) values (${randomBytes(32)}) on conflict do nothing`)
  return (await read())!.value
}
