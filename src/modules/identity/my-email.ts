// The own e-mail address: changed by a link that is sent to the new one, which proves it. The old one is told, and
// links that lie in its mailbox stop working.
import { Type } from 'typebox'
import { sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { route } from '../../platform/http.ts'
import { hashToken, newToken } from '../../platform/id.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'
import { Email, EmailTaken, normalEmail, Token, TokenRefused } from './identity.ts'
import { limitRate } from './limit-rate.ts'
import { signedIn } from './me.ts'
import { getStaff } from './staff.ts'

const VALID_HOURS = 1

/** Sends a link to the new address. A newer one replaces the older. Whether somebody has it, the link tells. */
async function requestChange(db: Db, context: Context, email: string): Promise<void> {
  const { id } = signedIn(context)
  await limitRate(db, [{ name: 'email-change', subject: id, acts: 5, seconds: 3_600 }])
  const token = newToken()
  await db.transaction(context, async (tx) => {
    const { name } = await getStaff(tx, id)
    await Promise.all([
      tx.run(sql`delete from identity.one_time_token where staff_id = ${id} and purpose = 'email-change'`),
      tx.run(sql`insert into identity.one_time_token (token_hash, purpose, staff_id, expires_at, email)
        values (${hashToken(token)}, 'email-change', ${id}, now() + make_interval(hours => ${VALID_HOURS}),
          ${normalEmail(email)})`),
      enqueueMessage(tx, 'email-change', normalEmail(email), { name, token, hours: VALID_HOURS }),
    ])
  })
}

const Change = Type.Object({ staffId: Type.String(), email: Type.String() })

/** Throws TokenRefused, EmailTaken; of many at once, one succeeds. */
async function changeEmail(tx: Tx, token: string): Promise<void> {
  const change = await tx.maybe(Change, sql`
    delete from identity.one_time_token
    where token_hash = ${hashToken(token)} and purpose = 'email-change' and expires_at > now()
    returning staff_id as "staffId", email`)
  if (!change) throw TokenRefused({})
  const old = await tx.maybe(Type.Object({ email: Type.String(), name: Type.String() }), sql`
    select email, name from identity.staff where id = ${change.staffId} and active for update`)
  if (!old) throw TokenRefused({})
  await Promise.all([
    tx.run(sql`update identity.staff set email = ${change.email} where id = ${change.staffId}`),
    tx.run(sql`delete from identity.one_time_token where staff_id = ${change.staffId}`),
    enqueueMessage(tx, 'sign-in-changed', old.email, {
      name: old.name, what: 'Your account has another e-mail address now: this one does not sign in any more.',
    }),
  ])
}

const tags = ['Own account']

const postEmail = route({
  method: 'POST', path: '/admin/me/email', operationId: 'requestEmailChange', access: 'staff', sensitive: true, tags,
  summary: 'Change the own e-mail address', description: 'Nothing changes before the link in the new mailbox is used.',
  body: Type.Object({ email: Email }), response: { 202: null }, replay: 'none',
  run: ({ db, context, body }) => requestChange(db, context, body.email),
})

const putEmail = route({
  method: 'PUT', path: '/admin/email-change', operationId: 'confirmEmailChange', access: 'public', tags,
  summary: 'Confirm a new e-mail address with the token of a link', body: Type.Object({ token: Token }),
  response: { 204: null }, problems: [TokenRefused, EmailTaken],
  run: ({ db, context, body }) => db.transaction(context, (tx) => changeEmail(tx, body.token)),
})

export const emailRoutes = [postEmail, putEmail]
