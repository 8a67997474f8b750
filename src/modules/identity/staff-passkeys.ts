// Where the passkeys of staff lie, and on which pages they are used; what holds for all passkeys is in passkeys.ts.
import { sql } from '../../platform/db.ts'
import { mailSettings } from '../notifications/mail.ts'
import { KnownCredential, StoredPasskey, type Holders } from './passkeys.ts'

export const staffPasskeys: Holders = {
  pages: (db) => mailSettings.of(db).shopUrl,
  keepChallenge: (db, { hash, holderId }, seconds) => db.run(sql`
    insert into identity.passkey_challenge (challenge_hash, staff_id, expires_at)
    values (${hash}, ${holderId}, now() + make_interval(secs => ${seconds}))`),
  useChallenge: (tx, { hash, holderId }) => tx.run(sql`
    delete from identity.passkey_challenge where challenge_hash = ${hash}
      and staff_id is not distinct from ${holderId}::uuid and expires_at > now()`),
  credentialsOf: (db, staffId) => db.many(KnownCredential, sql`
    select credential_id as "credentialId", transports from identity.passkey where staff_id = ${staffId}`),
  find: (db, credentialId) => db.maybe(StoredPasskey, sql`
    select passkey.id, staff_id as "holderId", public_key as "publicKey", counter, password_hash as "passwordHash"
    from identity.passkey join identity.staff on staff.id = passkey.staff_id and staff.active
    where credential_id = ${credentialId}`),
  count: (tx, passkeyId, counter) => tx.run(sql`
    update identity.passkey set counter = ${counter}, last_used_at = now()
    where id = ${passkeyId} and (counter < ${counter} or (counter = 0 and ${counter} = 0))`),
}
