// What people do with their own account: see it, change the password, end sessions on other devices.
import { Type } from 'typebox'
import { sql, type Context, type Db } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'
import { forgetActors } from './authenticate.ts'
import { checkPassword } from './check-password.ts'
import { hashPassword, isPassword } from './hash-password.ts'
import { Password, PasswordRefused, Session, SessionNotFound, SignInRefused, Staff } from './identity.ts'
import { limitRate } from './limit-rate.ts'
import { LIVE_SESSION, sessionCookie } from './session-cookie.ts'
import { deviceOf, openSession, type Device } from './sign-in.ts'
import { endSessions, getStaff } from './staff.ts'

function signedIn({ actor }: Context) {
  if (actor.kind !== 'staff') throw new Error(`A route for staff was called by ${actor.kind}`)
  return actor
}

const Own = Type.Object({ email: Type.String(), name: Type.String(), passwordHash: Type.String() })

/**
 * Changes the own password: ends all sessions and opens a new one. Answers its token. Throws SignInRefused,
 * PasswordRefused.
 */
async function changePassword(
  db: Db, context: Context, input: { currentPassword: string; newPassword: string }, device: Device,
): Promise<string> {
  const { id } = signedIn(context)
  // Somebody at an unlocked screen has a session, and must not try passwords with it.
  await limitRate(db, [{ name: 'password-change', subject: id, acts: 10, seconds: 3_600 }])
  const own = await db.one(Own, sql`
    select email, name, password_hash as "passwordHash" from identity.staff where id = ${id}`)
  const right = await isPassword(input.currentPassword, own.passwordHash)
  if (!right) throw SignInRefused({}, 'The current password is wrong.')
  checkPassword(input.newPassword, [own.email, own.name])
  const passwordHash = await hashPassword(input.newPassword)
  const token = await db.transaction(context, async (tx) => {
    const changed = await tx.run(sql`
      update identity.staff set password_hash = ${passwordHash}
      where id = ${id} and active and password_hash = ${own.passwordHash}`)
    if (changed === 0) throw SignInRefused({}, 'The password was changed in the meantime.')
    await endSessions(tx, id)
    const [signed] = await Promise.all([
      openSession(tx, { id, passwordHash }, device),
      tx.run(sql`delete from identity.one_time_token where staff_id = ${id}`),
      enqueueMessage(tx, 'password-changed', own.email, { name: own.name }),
    ])
    return signed!.token
  })
  forgetActors(db)
  return token
}

const tags = ['Signing in']
const Me = Type.Object({
  ...Staff.properties, permissions: Type.Array(Type.String({ description: '* is all of them' })),
  viewedBy: Type.Union([Id, Type.Null()], { description: 'Who sees the shop as this person: show a banner' }),
})

const getMe = route({
  method: 'GET', path: '/admin/me', operationId: 'getMe', access: 'staff', tags,
  summary: 'Who is signed in, and what they may do',
  response: { 200: Me },
  async run({ db, context }) {
    const { id, permissions, viewedBy = null } = signedIn(context)
    return { ...await getStaff(db, id), permissions: [...permissions], viewedBy }
  },
})

const putPassword = route({
  method: 'PUT', path: '/admin/me/password', operationId: 'changePassword', access: 'staff', tags,
  summary: 'Change the own password',
  description: 'Ends every session; this device gets a new one.',
  body: Type.Object({ currentPassword: Password, newPassword: Password }),
  response: { 204: null }, problems: [SignInRefused, PasswordRefused],
  async run({ db, context, body, request, reply }) {
    reply.header('set-cookie', sessionCookie(request, await changePassword(db, context, body, deviceOf(request))))
  },
})

const listSessions = route({
  method: 'GET', path: '/admin/me/sessions', operationId: 'listMySessions', access: 'staff', tags,
  summary: 'List the own sessions',
  response: { 200: Type.Object({ items: Type.Array(Session) }) },
  async run({ db, context }) {
    const { id, sessionId } = signedIn(context)
    return {
      items: await db.many(Session, sql`
        select id, created_at as "createdAt", last_seen_at as "lastSeenAt", expires_at as "expiresAt", address,
          user_agent as "userAgent", id = ${sessionId} as current
        from identity.session where staff_id = ${id} and ${LIVE_SESSION} order by last_seen_at desc limit 100`),
    }
  },
})

const deleteMySession = route({
  method: 'DELETE', path: '/admin/me/sessions/:sessionId', operationId: 'endMySession', access: 'staff', tags,
  summary: 'End one of the own sessions', params: Type.Object({ sessionId: Id }), response: { 204: null },
  problems: [SessionNotFound],
  async run({ db, context, params: { sessionId } }) {
    const { id } = signedIn(context)
    await db.transaction(context, async (tx) => {
      const ended = await tx.run(sql`delete from identity.session where id = ${sessionId} and staff_id = ${id}`)
      if (ended === 0) throw SessionNotFound({ sessionId })
    })
    forgetActors(db)
  },
})

export const meRoutes = [getMe, putPassword, listSessions, deleteMySession]
