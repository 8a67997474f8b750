// Passwords that are made here and shown once: for the first owner, and for the command line, where whoever has the
// machine gets in again when no mail server can send a link.
import { randomInt } from 'node:crypto'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { isProblem } from '../../platform/problem.ts'
import { checkPassword } from './check-password.ts'
import { hashPassword } from './hash-password.ts'
import { normalEmail, PasswordRefused } from './identity.ts'
import { getRole } from './roles.ts'
import { endSessions, findStaff } from './staff.ts'

export type SignIn = { email: string; password: string }

/**
 * Four groups of five letters and digits that are not taken for one another: 100 bits, and one can read it aloud. Drawn
 * again when the rules refuse it: the filter of common passwords takes some in a million for one of them.
 */
export function generatePassword(): string {
  const characters = 'abcdefghijkmnpqrstuvwxyz23456789'
  const group = (): string => Array.from({ length: 5 }, () => characters[randomInt(characters.length)]).join('')
  for (;;) {
    const password = Array.from({ length: 4 }, group).join('-')
    if (isAcceptable(password)) return password
  }
}

function isAcceptable(password: string): boolean {
  try {
    checkPassword(password, [])
    return true
  } catch (error) {
    if (isProblem(error, PasswordRefused)) return false
    throw error
  }
}

/** Adds somebody with a password to hand over. Throws EmailTaken, RoleNotFound. */
export async function addStaff(db: Db, input: { email: string; name: string; role: string }): Promise<SignIn> {
  const [email, password] = [normalEmail(input.email), generatePassword()]
  const passwordHash = await hashPassword(password)
  await db.transaction(systemContext(), async (tx) => {
    const { code } = await getRole(tx, input.role)
    await tx.run(sql`insert into identity.staff (id, email, name, role_code, password_hash)
      values (${newId()}, ${email}, ${input.name}, ${code}, ${passwordHash})`)
  })
  return { email, password }
}

/** Gives somebody a new password and ends all of their sessions; undefined when nobody has this address. */
export async function issuePassword(db: Db, address: string): Promise<SignIn | undefined> {
  const [email, password] = [normalEmail(address), generatePassword()]
  const passwordHash = await hashPassword(password)
  return db.transaction(systemContext(), async (tx) => {
    const staff = await findStaff(tx, email)
    if (!staff) return undefined
    await tx.run(sql`update identity.staff set password_hash = ${passwordHash} where id = ${staff.id}`)
    await tx.commit([
      endSessions(tx, staff.id), tx.run(sql`delete from identity.one_time_token where staff_id = ${staff.id}`),
    ])
    return { email, password }
  })
}
