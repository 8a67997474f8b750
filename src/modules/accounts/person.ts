// What accounts know of a person, told as a whole and removed as a whole. Whoever changed their address is found by the
// one that they have now.
import { Type } from 'typebox'
import { sql, type Conn, type Tx } from '../../platform/db.ts'
import type { Person } from '../notifications/person.ts'

const Known = Type.Object({ customerId: Type.String(), email: Type.String(), until: Type.String() })

/** Their customer, and the addresses that are or were theirs. */
export async function personOf(conn: Conn, email: string): Promise<Person> {
  const former = await conn.many(Known, sql`
    select customer_id as "customerId", former.email, former.until
    from accounts.account join accounts.former_email as former using (customer_id) where account.email = ${email}`)
  const account = await conn.maybe(Type.Object({ customerId: Type.String() }), sql`
    select customer_id as "customerId" from accounts.account where email = ${email}`)
  return {
    customerId: account?.customerId ?? null,
    emails: [email, ...former.map((one) => one.email)], untils: ['infinity', ...former.map(({ until }) => until)],
  }
}

const PersonalSession = Type.Object({
  createdAt: Type.String(), lastSeenAt: Type.String(), address: Type.String(), userAgent: Type.String(),
})
const Personal = Type.Object({
  createdAt: Type.String(), emailProvenAt: Type.Union([Type.String(), Type.Null()]),
  formerEmails: Type.Array(Type.String()), passkeys: Type.Array(Type.Unknown()), signOns: Type.Array(Type.Unknown()),
})

/** The account and its sessions, or null. */
export async function accountOfPerson(conn: Conn, email: string) {
  const account = await conn.maybe(Personal, sql`
    select created_at as "createdAt", email_proven_at as "emailProvenAt",
      array(select former.email from accounts.former_email as former
        where former.customer_id = account.customer_id order by until) as "formerEmails",
      coalesce((select jsonb_agg(jsonb_build_object('name', name, 'createdAt', passkey.created_at))
        from accounts.passkey where passkey.customer_id = account.customer_id), '[]') as passkeys,
      coalesce((select jsonb_agg(jsonb_build_object('provider', provider, 'subject', subject))
        from accounts.sign_on_account as own where own.customer_id = account.customer_id), '[]') as "signOns"
    from accounts.account where email = ${email}`)
  const sessions = await conn.many(PersonalSession, sql`
    select session.created_at as "createdAt", last_seen_at as "lastSeenAt", address, user_agent as "userAgent"
    from accounts.session join accounts.account using (customer_id) where email = ${email} order by session.id`)
  return account ? { ...account, sessions } : null
}

/** Removes the account with its sessions, and every link to the address. Asked twice it changes nothing more. */
export async function eraseAccount(tx: Tx, email: string): Promise<void> {
  await tx.run(sql`delete from accounts.account where email = ${email}`)
  await tx.run(sql`delete from accounts.link where email = ${email}`)
}
