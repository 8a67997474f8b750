// The first owner. No shop has a default password: this one is made at the first start, printed once and kept as a
// hash only.
import { Type } from 'typebox'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { hashPassword } from './hash-password.ts'
import { normalEmail } from './identity.ts'
import { generatePassword, type SignIn } from './issue-password.ts'

const Staffed = Type.Object({ staffed: Type.Boolean() })

// A name under .example belongs to nobody: no mail of a trial shop reaches a stranger.
const UNTIL_TOLD = 'owner@shop.example'

/**
 * Creates the owner of a shop that has no staff, and answers the sign-in to print. A shop that has staff answers
 * undefined, and so does all but one of several processes that start at once.
 */
export async function createOwner(db: Db, email = UNTIL_TOLD): Promise<SignIn | undefined> {
  const { staffed } = await db.one(Staffed, sql`select exists (select from identity.staff) as staffed`)
  if (staffed) return undefined
  const password = generatePassword()
  const passwordHash = await hashPassword(password)
  const created = await db.transaction(systemContext(), async (tx) => {
    await tx.run(sql`select from identity.role where code = 'owner' for update`)
    return tx.run(sql`
      insert into identity.staff (id, email, name, role_code, password_hash)
      select ${newId()}, ${normalEmail(email)}, 'Owner', 'owner', ${passwordHash}
      where not exists (select from identity.staff)`)
  })
  return created === 1 ? { email: normalEmail(email), password } : undefined
}
