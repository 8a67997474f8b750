// Messages that were sent to a person. Their secrets (links to sign in) are no part of what is told.
import { Type } from 'typebox'
import { sql, type Conn, type Statement, type Tx } from '../../platform/db.ts'

/**
 * Somebody by their mail addresses, the present one first, and how long each was theirs: what came to it later is
 * somebody else's. The customer is theirs where they have an account.
 */
export type Person = { emails: readonly string[]; untils: readonly string[]; customerId: string | null }

/** The condition that a row with an address, made at a time, is about a person. */
export const isAbout = ({ emails, untils }: Person, email: Statement, at: Statement): Statement => sql`(
  lower(${email}) = any(${[...emails]}) and ${at} <= (
    select max(until) from unnest(${[...emails]}::text[], ${[...untils]}::timestamptz[]) as known (email, until)
    where known.email = lower(${email})))`

const PersonalMessage = Type.Object({ template: Type.String(), createdAt: Type.String(), sentAt: Type.Any() })

export function messagesToPerson(conn: Conn, person: Person) {
  return conn.many(PersonalMessage, sql`
    select template, created_at as "createdAt", sent_at as "sentAt" from notifications.message
    where ${isAbout(person, sql`recipient`, sql`created_at`)} order by id`)
}

type Orders = { ids: readonly string[]; emails: readonly string[] }

/** Removes them, those that wait as well, and what an order of theirs sent to another address that they gave. */
export function eraseMessages(tx: Tx, person: Person, { ids, emails }: Orders): Promise<number> {
  return tx.run(sql`
    delete from notifications.message where ${isAbout(person, sql`recipient`, sql`created_at`)}
      or (lower(recipient) = any(${[...emails]}) and data -> 'order' ->> 'id' = any(${[...ids]}))`)
}
