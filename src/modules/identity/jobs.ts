// What identity does by itself: send the links that were asked for, and forget what is over.
import { sql, type Db } from '../../platform/db.ts'
import { on, sweep } from '../../platform/events.ts'
import { PasswordResetRequested, SignInLinkRequested } from './identity.ts'
import { forgetCounts } from './limit-requests.ts'
import { forgetOrigins } from './limit-sign-in.ts'
import { sendReset } from './reset-password.ts'
import { sendSignInLink } from './sign-in-link.ts'

// What is over has no effect any more; this only keeps the tables small. Rows that somebody uses right now are left
// for later.
async function forgetWhatIsOver(db: Db): Promise<void> {
  await db.run(sql`delete from identity.session where id = any(array(
    select id from identity.session where expires_at < now() limit 1000 for update skip locked))`)
  await db.run(sql`delete from identity.one_time_token where token_hash = any(array(
    select token_hash from identity.one_time_token where expires_at < now() limit 1000 for update skip locked))`)
  await db.run(sql`delete from identity.passkey_challenge where challenge_hash = any(array(
    select challenge_hash from identity.passkey_challenge where expires_at < now() limit 1000 for update skip locked))`)
  await db.run(sql`delete from identity.sign_on_attempt where state_hash = any(array(
    select state_hash from identity.sign_on_attempt where expires_at < now() limit 1000 for update skip locked))`)
  await db.run(sql`delete from identity.rate_limit where key = any(array(
    select key from identity.rate_limit where drained_at < now() limit 10000 for update skip locked))`)
  await forgetOrigins(db)
  await forgetCounts(db)
}

export const handlers = [
  on(
    PasswordResetRequested, 'identity.send-password-reset',
    (db, { staffId }, { eventId }) => sendReset(db, staffId, eventId)
  ),
  on(SignInLinkRequested, 'identity.send-sign-in-link', (db, asked, { eventId }) => sendSignInLink(db, asked, eventId)),
]

export const sweeps = [sweep('identity.forget-what-is-over', { everySeconds: 60 }, forgetWhatIsOver)]
