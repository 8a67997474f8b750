// Messages that were sent to a person. Their secrets (links to sign in) are no part of what is told.
import { Type } from 'typebox'
import { sql, type Conn, type Tx } from '../../platform/db.ts'

const PersonalMessage = Type.Object({ template: Type.String(), createdAt: Type.String(), sentAt: Type.Any() })

export function messagesToPerson(conn: Conn, email: string) {
  return conn.many(PersonalMessage, sql`
    select template, created_at as "createdAt", sent_at as "sentAt" from notifications.message
    where lower(recipient) = ${email} order by id`)
}

/** Removes them, those that wait as well. */
export function eraseMessages(tx: Tx, email: string): Promise<number> {
  return tx.run(sql`delete from notifications.message where lower(recipient) = ${email}`)
}
