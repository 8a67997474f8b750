// What people do with their own account: see it, and change the password.
import { Type } from 'typebox'
import { sql, type Context, type Db } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { Forbidden } from '../../platform/problem.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'
import { forgetActors } from './authenticate.ts'
import { checkPassword } from './check-password.ts'
import { hashPassword, isPassword } from './hash-password.ts'
import { Password, PasswordRefused, SignInRefused, Staff, TokenRefused } from './identity.ts'
import { limitRate } from './limit-rate.ts'
import { sessionCookie } from './session-cookie.ts'
import { refuseBreached } from './refuse-breached.ts'
import { proveSession } from './sign-in.ts'
import { endSessions, getStaff } from './staff.ts'

/**
 * Who is signed in; for routes with the access `staff`. Throws Forbidden for somebody who sees the shop as this person:
 * an account's own affairs are its own.
 */
export function signedIn({ actor }: Context, { orSeen = false } = {}) {
  if (actor.kind !== 'staff') throw new Error(`A route for staff was called by ${actor.kind}`)
  if (actor.viewedBy && !orSeen) throw Forbidden({}, 'This is for the person alone: leave out x-view-as.')
  return actor
}

const Own = Type.Object({
  email: Type.String(), name: Type.String(), passwordHash: Type.Union([Type.String(), Type.Null()]),
})

/**
 * Changes the own password, ends all other sessions and gives this one another token, which it answers. Throws
 * SignInRefused, PasswordRefused.
 */
async function changePassword(
  db: Db, context: Context, input: { currentPassword: string; newPassword: string }
): Promise<string> {
  const { id, sessionId } = signedIn(context)
  // Somebody at an unlocked screen has a session, and must not try passwords with it.
  await limitRate(db, [{ name: 'password-change', subject: id, acts: 10, seconds: 3_600 }])
  const own = await db.one(Own, sql`
    select email, name, password_hash as "passwordHash" from identity.staff where id = ${id}`)
  const right = await isPassword(input.currentPassword, own.passwordHash)
  if (!right) throw SignInRefused({}, 'The current password is wrong.')
  checkPassword(input.newPassword, [own.email, own.name])
  await refuseBreached(db, input.newPassword)
  const passwordHash = await hashPassword(input.newPassword)
  const token = await db.transaction(context, async (tx) => {
    const changed = await tx.run(sql`
      update identity.staff set password_hash = ${passwordHash}
      where id = ${id} and active and password_hash = ${own.passwordHash}`)
    if (changed === 0) throw SignInRefused({}, 'The password was changed in the meantime.')
    await endSessions(tx, id, sessionId)
    const [renewed] = await Promise.all([
      proveSession(tx, sessionId, { half: false }),
      tx.run(sql`delete from identity.one_time_token where staff_id = ${id}`),
      enqueueMessage(tx, 'password-changed', own.email, { name: own.name }),
    ])
    return renewed
  })
  forgetActors(db)
  return token
}

const tags = ['Own account']
const Me = Type.Object({
  ...Staff.properties, permissions: Type.Array(Type.String({ description: '* is all of them' })),
  viewedBy: Type.Union([Id, Type.Null()], { description: 'Who sees the shop as this person: show a banner' }),
})

const getMe = route({
  method: 'GET', path: '/admin/me', operationId: 'getMe', access: 'staff', tags,
  summary: 'Who is signed in, and what they may do',
  response: { 200: Me },
  async run({ db, context }) {
    const { id, permissions, viewedBy = null } = signedIn(context, { orSeen: true })
    return { ...await getStaff(db, id), permissions: [...permissions], viewedBy }
  },
})

const putPassword = route({
  method: 'PUT', path: '/admin/me/password', operationId: 'changePassword', access: 'staff', tags,
  summary: 'Change the own password',
  description: 'Ends every other session; this device goes on.',
  body: Type.Object({ currentPassword: Password, newPassword: Password }),
  response: { 204: null }, problems: [SignInRefused, PasswordRefused, TokenRefused],
  async run({ db, context, body, request, reply }) {
    reply.header('set-cookie', sessionCookie(request, await changePassword(db, context, body)))
  },
})

export const meRoutes = [getMe, putPassword]
