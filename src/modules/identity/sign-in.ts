// Staff sign in and out. A wrong address, a wrong password and an account that is switched off get one answer after
// one hash, so neither the words nor the time tell which it was; the limits refuse before anything is hashed.
import { Type } from 'typebox'
import { sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { route } from '../../platform/http.ts'
import { newId, newToken, hashToken } from '../../platform/id.ts'
import { counter } from '../../platform/metrics.ts'
import { Forbidden } from '../../platform/problem.ts'
import { forgetActors } from './authenticate.ts'
import { ChallengeRequired } from './challenge.ts'
import { isPassword } from './hash-password.ts'
import { Email, normalEmail, Password, SignInRefused, Staff } from './identity.ts'
import { forgiveSignIn, limitSignIn } from './limit-sign-in.ts'
import { refuseForeignOrigin, sessionCookie, SESSION_SECONDS } from './session-cookie.ts'
import { getStaff } from './staff.ts'

export type Device = { address: string; userAgent: string }
type Signed = { token: string; staffId: string }

const signIns = counter('sign_ins_total', 'Sign-ins of staff by outcome', ['outcome'])
const Account = Type.Object({
  id: Type.String(), passwordHash: Type.Union([Type.String(), Type.Null()]), active: Type.Boolean(),
})

/**
 * Throws SignInRefused, TooManyRequests, ChallengeRequired, Busy. The token is shown to nobody but the browser that
 * signed in.
 */
export async function signIn(
  db: Db, context: Context, input: { email: string; password: string; challenge?: string | undefined },
  device: Device,
): Promise<Signed> {
  const email = normalEmail(input.email)
  const attempt = { email, address: device.address, answer: input.challenge }
  const { isKnown } = await limitSignIn(db, attempt)
  const account = await db.maybe(Account, sql`
    select id, password_hash as "passwordHash", active from identity.staff where email = ${email}`)
  const right = await isPassword(input.password, account?.passwordHash, { isKnown })
  const open = right && account?.active
  const signed = open ? await db.transaction(context, (tx) => openSession(tx, account, device)) : undefined
  signIns.inc({ outcome: signed ? 'accepted' : 'refused' })
  if (!signed) throw SignInRefused({})
  await forgiveSignIn(db, attempt)
  return signed
}

/**
 * Opens a session, unless the account or its password changed since it was read. The share lock makes a change of
 * password, which ends all sessions, come wholly before this one or wholly after it.
 */
export async function openSession(
  tx: Tx, account: { id: string; passwordHash: string | null }, device: Device
): Promise<Signed | undefined> {
  const token = newToken()
  const opened = await tx.run(sql`
    with allowed as (
      select id from identity.staff where id = ${account.id} and active and password_hash = ${account.passwordHash}
      for share
    )
    insert into identity.session (id, token_hash, staff_id, expires_at, address, user_agent)
    select ${newId()}, ${hashToken(token)}, id, now() + make_interval(secs => ${SESSION_SECONDS}), ${device.address},
      ${device.userAgent.slice(0, 300)}
    from allowed`)
  return opened === 1 ? { token, staffId: account.id } : undefined
}

/** Where a request comes from, for the list of sessions. */
export function deviceOf(request: { ip: string; headers: Record<string, unknown> }): Device {
  return { address: request.ip.slice(0, 45), userAgent: String(request.headers['user-agent'] ?? '') }
}

const tags = ['Signing in']

export const postSession = route({
  method: 'POST', path: '/admin/session', operationId: 'signIn', access: 'public', tags, summary: 'Sign in',
  description: 'Sets the session cookie. It ends after a week, 8 idle hours, by signing out, or with a new password.',
  body: Type.Object({ email: Email, password: Password }),
  response: { 200: Staff }, problems: [SignInRefused, Forbidden, ChallengeRequired], replay: 'none',
  async run({ db, context, body, headers, request, reply }) {
    refuseForeignOrigin(request.headers)
    const { token, staffId } = await signIn(
      db, context, { ...body, challenge: headers['x-challenge'] }, deviceOf(request))
    reply.header('cache-control', 'private, no-store').header('set-cookie', sessionCookie(request, token))
    return getStaff(db, staffId)
  },
})

export const deleteSession = route({
  method: 'DELETE', path: '/admin/session', operationId: 'signOut', access: 'staff', tags, summary: 'Sign out',
  response: { 204: null },
  async run({ db, context, request, reply }) {
    const { actor } = context
    if (actor.kind !== 'staff') return
    await db.transaction(context, (tx) => tx.run(sql`delete from identity.session where id = ${actor.sessionId}`))
    forgetActors(db)
    reply.header('set-cookie', sessionCookie(request, undefined))
  },
})
