// The secret links that staff get by mail, to accept an invitation or to set a new password. A newer one replaces the
// older.
import { sql, type Tx } from '../../platform/db.ts'
import { hashToken, newToken } from '../../platform/id.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'

const VALID_HOURS = { 'password-reset': 1, invitation: 72 }
const TEMPLATE = { 'password-reset': 'password-reset', invitation: 'staff-invitation' } as const

/** Mails a link that works once and for a limited time. Two statements in one trip, with the row of the token first. */
export async function sendToken(
  tx: Tx, staff: { id: string; email: string; name: string }, purpose: keyof typeof VALID_HOURS,
): Promise<void> {
  const token = newToken()
  const hours = VALID_HOURS[purpose]
  await Promise.all([
    tx.run(sql`delete from identity.one_time_token where staff_id = ${staff.id} and purpose = ${purpose}`),
    tx.run(sql`insert into identity.one_time_token (token_hash, purpose, staff_id, expires_at)
      values (${hashToken(token)}, ${purpose}, ${staff.id}, now() + make_interval(hours => ${hours}))`),
    enqueueMessage(tx, TEMPLATE[purpose], staff.email, { name: staff.name, token, hours }),
  ])
}
