// What accounts do by themselves: send the links that were asked for, and forget what is over.
import { sql, type Db } from '../../platform/db.ts'
import { on, sweep } from '../../platform/events.ts'
import { LinkRequested } from './accounts.ts'
import { sendLink } from './request-link.ts'

// What is over has no effect any more; this only keeps the tables small. Rows that somebody uses right now are left for
// later.
async function forgetWhatIsOver(db: Db): Promise<void> {
  await db.run(sql`delete from accounts.session where id = any(array(
    select id from accounts.session where expires_at < now() limit 1000 for update skip locked))`)
  await db.run(sql`delete from accounts.link where id = any(array(
    select id from accounts.link where expires_at < now() limit 1000 for update skip locked))`)
  await db.run(sql`delete from accounts.passkey_challenge where challenge_hash = any(array(
    select challenge_hash from accounts.passkey_challenge where expires_at < now() limit 1000 for update skip locked))`)
}

export const handlers = [
  on(LinkRequested, 'accounts.send-link', (db, { linkId }, { eventId }) => sendLink(db, linkId, eventId)),
]

export const sweeps = [sweep('accounts.forget-what-is-over', { everySeconds: 60 }, forgetWhatIsOver)]
