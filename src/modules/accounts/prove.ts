// Somebody has shown that a mailbox is theirs. An account whose mailbox was not proven until now may have been prepared
// by somebody else, who knows its password: so that opens nothing any more, and sessions that are open end.
import { Type } from 'typebox'
import { sql, type Tx } from '../../platform/db.ts'
import { endSessions } from './session.ts'

export const Owner = Type.Object({ id: Type.String(), passwordHash: Type.Union([Type.String(), Type.Null()]) })
const Found = Type.Object({ ...Owner.properties, proven: Type.Boolean() })

/** The account of the mailbox, locked, or nothing. Asked twice it changes nothing more. */
export async function prove(tx: Tx, email: string) {
  const account = await tx.maybe(Found, sql`
    select customer_id as id, password_hash as "passwordHash", email_proven_at is not null as proven
    from accounts.account where email = ${email} for update`)
  if (!account || account.proven) return account
  await tx.run(sql`
    update accounts.account set email_proven_at = now(), password_hash = null where customer_id = ${account.id}`)
  await endSessions(tx, account.id)
  return { ...account, passwordHash: null }
}
