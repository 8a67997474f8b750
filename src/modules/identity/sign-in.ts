// Staff sign in and out, in two steps where somebody has a second factor. A wrong address, a wrong password and an
// account that is switched off get one answer after one hash, so neither the words nor the time tell which it was; the
// limits refuse before anything is hashed.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { route } from '../../platform/http.ts'
import { newId, newToken, hashToken } from '../../platform/id.ts'
import { counter } from '../../platform/metrics.ts'
import { Forbidden } from '../../platform/problem.ts'
import { forgetActors } from './authenticate.ts'
import { ChallengeRequired } from './challenge.ts'
import { Email, normalEmail, Password, SignInRefused, Staff, Token, TokenRefused } from './identity.ts'
import { Code, CodeRefused, Factor, factorsOf, withCode } from './second-factor.ts'
import { forgiveSignIn } from './limit-sign-in.ts'
import { signInByPassword } from './password-sign-in.ts'
import { mayOnlySignOn } from './sign-on-providers.ts'
import { HALF_SESSION_SECONDS, refuseForeignOrigin, sessionCookie, SESSION_SECONDS } from './session-cookie.ts'
import { getStaff } from './staff.ts'

export type Device = { address: string; userAgent: string }
/** `factors`: what is still wanted; until then the token is only good for finishSignIn. */
export type Signed = { token: string; staffId: string; factors: Factor[] }

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
  const signed = await signInByPassword(db, { ...attempt, password: input.password }, {
    find: () => db.maybe(Account, sql`
      select id, password_hash as "passwordHash", active from identity.staff where email = ${email}`),
    open: async (account) => (account.active
      ? db.transaction(context, (tx) => openSession(tx, account, device)) : undefined),
    renew: ({ id, passwordHash }, renewed) => db.run(sql`
      update identity.staff set password_hash = ${renewed} where id = ${id} and password_hash = ${passwordHash}`),
  })
  signIns.inc({ outcome: signed ? 'accepted' : 'refused' })
  if (!signed) throw SignInRefused({})
  if (signed.factors.length === 0) await forgiveSignIn(db, attempt)
  return signed
}

const Opened = Type.Object({ factors: Type.Array(Factor) })

/**
 * Opens a session, unless the account or its password changed since it was read. Whoever has a second factor gets one
 * that waits for it, however they came here, unless the way was `strong` (two factors in one, as a passkey). The share
 * lock makes a change of password, which ends all sessions, come wholly before this one or wholly after it.
 */
export async function openSession(
  tx: Tx, account: { id: string; passwordHash: string | null }, device: Device,
  { strong = false, signedOn = false } = {}
): Promise<Signed | undefined> {
  const token = newToken()
  const ownersOnly = !signedOn && mayOnlySignOn(tx)
  const opened = await tx.maybe(Opened, sql`
    with allowed as (
      select id from identity.staff where id = ${account.id} and active
        and password_hash is not distinct from ${account.passwordHash} and (role_code = 'owner' or not ${ownersOnly})
      for share
    ), wanted as (
      select id, ${strong ? sql`'{}'::text[]` : factorsOf(sql`allowed.id`)} as factors from allowed
    ), opened as (
      insert into identity.session (id, token_hash, staff_id, expires_at, proven_at, address, user_agent)
      select ${newId()}, ${hashToken(token)}, id,
        now() + case when factors = '{}' then make_interval(secs => ${SESSION_SECONDS})
          else make_interval(secs => ${HALF_SESSION_SECONDS}) end,
        case when factors = '{}' then now() end, ${device.address}, ${device.userAgent.slice(0, 300)}
      from wanted returning staff_id
    )
    select factors from opened join wanted on wanted.id = opened.staff_id`)
  return opened && { token, staffId: account.id, ...opened }
}

const Half = Type.Object({ id: Type.String(), staffId: Type.String(), email: Type.String() })

/**
 * The second step, with a code. The session gets another token. Throws TokenRefused, CodeRefused, TooManyRequests; of
 * many at once, one succeeds.
 */
export async function finishSignIn(
  db: Db, context: Context, input: { token: string; code: string }, device: Device
): Promise<Signed> {
  const half = await db.maybe(Half, sql`
    select session.id, staff.id as "staffId", staff.email
    from identity.session join identity.staff on staff.id = session.staff_id and staff.active
    where token_hash = ${hashToken(input.token)} and proven_at is null and expires_at > now()`)
  if (!half) throw TokenRefused({})
  const token = await withCode(db, half.staffId, input.code, (use) => db.transaction(context, async (tx) => {
    await use(tx)
    return proveSession(tx, half.id, { half: true })
  }))
  await forgiveSignIn(db, { email: half.email, address: device.address })
  return { token, staffId: half.staffId, factors: [] }
}

/** Notes that a session is proven to be theirs, and gives it another token. Throws TokenRefused when it has ended. */
export async function proveSession(tx: Tx, sessionId: string, { half }: { half: boolean }): Promise<string> {
  const token = newToken()
  const proven = await tx.run(sql`
    update identity.session set token_hash = ${hashToken(token)}, proven_at = now(), last_seen_at = now(),
      expires_at = case when proven_at is not null then expires_at
        else now() + make_interval(secs => ${SESSION_SECONDS}) end
    where id = ${sessionId} and (proven_at is null) = ${half} and expires_at > now()`)
  if (proven === 0) throw TokenRefused({})
  return token
}

/** Where a request comes from, for the list of sessions. */
export function deviceOf(request: { ip: string; headers: Record<string, unknown> }): Device {
  return { address: request.ip.slice(0, 45), userAgent: String(request.headers['user-agent'] ?? '') }
}

const tags = ['Signing in']
type Answering = { request: FastifyRequest; reply: FastifyReply }
export const FactorWanted = Type.Object({
  token: Type.String({ description: 'For finishSignIn, for ten minutes' }),
  factors: Type.Array(Factor, { description: 'Any of them will do' }),
})

/** Gives the browser its session, or says what is still wanted. */
export async function welcome(db: Db, { token, staffId, factors }: Signed, { request, reply }: Answering) {
  reply.header('cache-control', 'private, no-store')
  if (factors.length > 0) {
    reply.status(202)
    return { token, factors }
  }
  reply.header('set-cookie', sessionCookie(request, token))
  return getStaff(db, staffId)
}

export const postSession = route({
  method: 'POST', path: '/admin/session', operationId: 'signIn', access: 'public', tags, summary: 'Sign in',
  description: 'Sets the session cookie. It ends after a week, 8 idle hours, by signing out, or with a new password. ' +
    'Whoever has a second factor is answered 202 with a token, and is not signed in until `finishSignIn`.',
  body: Type.Object({ email: Email, password: Password }),
  response: { 200: Staff, 202: FactorWanted }, problems: [SignInRefused, Forbidden, ChallengeRequired], replay: 'none',
  async run({ db, context, body, headers, request, reply }) {
    refuseForeignOrigin(request.headers)
    const signed = await signIn(db, context, { ...body, challenge: headers['x-challenge'] }, deviceOf(request))
    return welcome(db, signed, { request, reply })
  },
})

export const putSession = route({
  method: 'PUT', path: '/admin/session', operationId: 'finishSignIn', access: 'public', tags,
  summary: 'Sign in: the second step', description: 'Sets the session cookie. A code counts once.',
  body: Type.Object({ token: Token, code: Code }), response: { 200: Staff },
  problems: [TokenRefused, CodeRefused, Forbidden],
  async run({ db, context, body, request, reply }) {
    refuseForeignOrigin(request.headers)
    return welcome(db, await finishSignIn(db, context, body, deviceOf(request)), { request, reply })
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
