// The own sessions: which there are, on which device and from where, ending one or all others, and the proof that it is
// really them, which routes marked `sensitive` ask for. A session that was proven gets another token, so whoever copied
// the old one loses it at that moment.
import { Type } from 'typebox'
import { sql, type Context, type Db } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { problem } from '../../platform/problem.ts'
import { forgetActors } from './authenticate.ts'
import { isPassword } from './hash-password.ts'
import { PasskeyRefused, Password, Session, SessionNotFound, SignInRefused, TokenRefused } from './identity.ts'
import { limitRate } from './limit-rate.ts'
import { signedIn } from './me.ts'
import { readSigned, SignedChallenge } from './passkeys.ts'
import { Code, CodeRefused, Factor, factorsOf, withCode } from './second-factor.ts'
import { LIVE_SESSION, sessionCookie } from './session-cookie.ts'
import { SessionRow, shownSession } from './show-session.ts'
import { proveSession } from './sign-in.ts'
import { staffPasskeys } from './staff-passkeys.ts'
import { endSessions } from './staff.ts'

const Own = Type.Object({
  passwordHash: Type.Union([Type.String(), Type.Null()]), factors: Type.Array(Factor),
})
const FactorRequired = problem('factor-required', 409, 'A password alone does not prove that it is you',
  Type.Object({ factors: Type.Array(Factor) }))

type Proof = { password?: string; code?: string; passkey?: SignedChallenge }

/**
 * Proves that it is them, by the second factor where there is one; answers the new token of the session. Throws
 * FactorRequired, SignInRefused, CodeRefused, PasskeyRefused, TooManyRequests, and TokenRefused when the session ended
 * meanwhile.
 */
async function prove(db: Db, context: Context, { password, code, passkey }: Proof): Promise<string> {
  const { id, sessionId } = signedIn(context)
  const { passwordHash, factors } = await db.one(Own, sql`
    select password_hash as "passwordHash", ${factorsOf(sql`staff.id`)} as factors
    from identity.staff where id = ${id}`)
  const proven = (work: (tx: Parameters<typeof proveSession>[0]) => Promise<void> = async () => {}) =>
    db.transaction(context, async (tx) => {
      await work(tx)
      return proveSession(tx, sessionId, { half: false })
    })
  if (passkey) {
    const { holderId, use } = await readSigned(db, staffPasskeys, passkey)
    if (holderId !== id) throw PasskeyRefused({})
    return proven(use)
  }
  if (code !== undefined) return withCode(db, id, code, proven)
  if (factors.length > 0) throw FactorRequired({ factors }, 'Send a code, or prove it with a passkey.')
  await limitRate(db, [{ name: 'proof', subject: id, acts: 10, seconds: 3_600 }])
  if (!await isPassword(password ?? '', passwordHash)) throw SignInRefused({}, 'The password is wrong.')
  return proven()
}

const tags = ['Own account']

const listSessions = route({
  method: 'GET', path: '/admin/me/sessions', operationId: 'listMySessions', access: 'staff', tags,
  summary: 'List the own sessions',
  response: { 200: Type.Object({ items: Type.Array(Session) }) },
  async run({ db, context }) {
    const { id, sessionId } = signedIn(context)
    const rows = await db.many(SessionRow, sql`
      select id, created_at as "createdAt", last_seen_at as "lastSeenAt", expires_at as "expiresAt", address,
        user_agent as "userAgent", id = ${sessionId} as current
      from identity.session where staff_id = ${id} and ${LIVE_SESSION} order by last_seen_at desc limit 100`)
    return { items: rows.map(shownSession) }
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

const deleteOtherSessions = route({
  method: 'DELETE', path: '/admin/me/sessions', operationId: 'endMyOtherSessions', access: 'staff', tags,
  summary: 'End all own sessions but this one', description: 'Asked again it ends none.',
  response: { 200: Type.Object({ ended: Type.Integer() }) },
  async run({ db, context }) {
    const { id, sessionId } = signedIn(context)
    const ended = await db.transaction(context, (tx) => endSessions(tx, id, sessionId))
    forgetActors(db)
    return { ended }
  },
})

const putProof = route({
  method: 'PUT', path: '/admin/me/proof', operationId: 'proveMyself', access: 'staff', tags,
  summary: 'Show again that it is you',
  description: 'For what answers `recent-proof-required`; it holds for a quarter of an hour, as a sign-in does. ' +
    'Whoever has a second factor shows that one. Sets another session cookie.',
  body: Type.Partial(
    Type.Object({ password: Password, code: Code, passkey: SignedChallenge }), { minProperties: 1, maxProperties: 1 }),
  response: { 204: null }, problems: [SignInRefused, CodeRefused, PasskeyRefused, FactorRequired, TokenRefused],
  async run({ db, context, body, request, reply }) {
    reply.header('set-cookie', sessionCookie(request, await prove(db, context, body)))
    forgetActors(db)
  },
})

export const sessionRoutes = [listSessions, deleteMySession, deleteOtherSessions, putProof]
