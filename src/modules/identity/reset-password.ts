// A forgotten password. Whoever asks gets one answer, whether the address is known or not: the request only notes an
// event, and the mail is made behind it. The link works once, for an hour, and setting the password ends every
// session.
import { Type } from 'typebox'
import { sql, systemContext, type Context, type Db } from '../../platform/db.ts'
import { firstTime, publish } from '../../platform/events.ts'
import { route } from '../../platform/http.ts'
import { hashToken } from '../../platform/id.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'
import { forgetActors } from './authenticate.ts'
import { checkPassword } from './check-password.ts'
import { hashPassword } from './hash-password.ts'
import {
  Email, normalEmail, Password, PasswordRefused, PasswordResetRequested, Token, TokenRefused,
} from './identity.ts'
import { addressPrefix, limitRate } from './limit-rate.ts'
import { refuseBreached } from './refuse-breached.ts'
import { sendToken } from './send-token.ts'
import { endSessions } from './staff.ts'

const Person = Type.Object({ id: Type.String(), email: Type.String(), name: Type.String() })

/** Asks for a mail with a link. Throws TooManyRequests, known address or not. */
async function requestReset(db: Db, context: Context, email: string, address: string): Promise<void> {
  await limitRate(db, [
    { name: 'reset-address', subject: addressPrefix(address), acts: 20, seconds: 3_600 },
    { name: 'reset-account', subject: normalEmail(email), acts: 5, seconds: 3_600 },
  ])
  await db.transaction(context, async (tx) => {
    const { staffId } = await tx.one(Type.Object({ staffId: Type.Union([Type.String(), Type.Null()]) }), sql`
      select (select id from identity.staff where email = ${normalEmail(email)} and active) as "staffId"`)
    await tx.commit([publish(tx, PasswordResetRequested, { staffId })])
  })
}

/** Sends the mail that was asked for. Somebody who was invited and never came gets the invitation again. */
export async function sendReset(db: Db, staffId: string | null, eventId: string): Promise<void> {
  if (!staffId) return
  await db.transaction(systemContext(eventId), async (tx) => {
    const person = await tx.maybe(Person, sql`
      select id, email, name from identity.staff where id = ${staffId} and active`)
    if (!person || !await firstTime(tx, 'identity.send-password-reset', eventId)) return
    await sendToken(tx, person, 'password-reset')
  })
}

/**
 * Sets the password with the secret of a mailed link. Throws TokenRefused, PasswordRefused; of many at once, one
 * succeeds.
 */
async function setPasswordByToken(db: Db, context: Context, token: string, password: string): Promise<void> {
  const tokenHash = hashToken(token)
  const person = await db.maybe(Person, sql`
    select staff.id, staff.email, staff.name
    from identity.one_time_token as token join identity.staff on staff.id = token.staff_id
    where token.token_hash = ${tokenHash} and token.purpose in ('password-reset', 'invitation')
      and token.expires_at > now() and staff.active`)
  if (!person) throw TokenRefused({})
  checkPassword(password, [person.email, person.name])
  await refuseBreached(db, password)
  const passwordHash = await hashPassword(password)   // before the transaction: no row lock waits for it
  await db.transaction(context, async (tx) => {
    const used = await tx.run(sql`
      delete from identity.one_time_token
      where token_hash = ${tokenHash} and purpose in ('password-reset', 'invitation') and expires_at > now()`)
    if (used === 0) throw TokenRefused({})
    await tx.run(sql`update identity.staff set password_hash = ${passwordHash} where id = ${person.id}`)
    await tx.commit([
      endSessions(tx, person.id),
      tx.run(sql`delete from identity.one_time_token where staff_id = ${person.id}`),
      enqueueMessage(tx, 'password-changed', person.email, { name: person.name }),
    ])
  })
  forgetActors(db)
}

const tags = ['Signing in']

export const postPasswordReset = route({
  method: 'POST', path: '/admin/password-reset', operationId: 'requestPasswordReset', access: 'public', tags,
  summary: 'Ask for a link to set a new password',
  description: 'The answer is the same for known and unknown addresses.',
  body: Type.Object({ email: Email }), response: { 202: null }, replay: 'none',
  run: ({ db, context, body, request }) => requestReset(db, context, body.email, request.ip),
})

export const putPasswordReset = route({
  method: 'PUT', path: '/admin/password-reset', operationId: 'setPasswordByToken', access: 'public', tags,
  summary: 'Set a password with the token of a link',
  description: 'Accepts an invitation, too. Ends every session; sign in afterwards.',
  body: Type.Object({ token: Token, password: Password }),
  response: { 204: null }, problems: [TokenRefused, PasswordRefused],
  run: ({ db, context, body }) => setPasswordByToken(db, context, body.token, body.password),
})
