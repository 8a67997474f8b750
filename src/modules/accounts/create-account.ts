// An account comes to be: with the customer of its address, who may be known already from orders as a guest.
import { sql, type Tx } from '../../platform/db.ts'
import { ensureHolder } from '../customers/account-holder.ts'

export type NewAccount = {
  email: string
  /** Who the address is to consents; see subjectOf in customers/people.ts. */
  subject: string
  /** Null: as known so far. */
  name: string | null
  passwordHash: string | null
  /** Somebody has shown that the mailbox is theirs: until then nothing that was ordered with it is shown. */
  emailProven: boolean
}

/** Answers the customer's id, or nothing where the address has an account already, which stays as it is. */
export async function createAccount(
  tx: Tx, { email, subject, name, passwordHash, emailProven }: NewAccount,
): Promise<string | undefined> {
  const customerId = await ensureHolder(tx, { email, subject, name })
  const made = await tx.run(sql`
    insert into accounts.account (customer_id, email, password_hash, email_proven_at)
    values (${customerId}, ${email}, ${passwordHash}, case when ${emailProven} then now() end) on conflict do nothing`)
  return made === 1 ? customerId : undefined
}
