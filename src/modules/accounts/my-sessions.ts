// The own sessions: which there are, on which device and from where, and ending one or all others.
import { Type } from 'typebox'
import { signedCustomer, sql } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { forgetActors } from '../identity/authenticate.ts'
import { Session, SessionNotFound } from '../identity/identity.ts'
import { SessionRow, shownSession } from '../identity/show-session.ts'
import { endSessions, LIVE_SESSION } from './session.ts'

const access = 'customer' as const
const tags = ['Own account']

const listSessions = route({
  method: 'GET', path: '/store/account/sessions', operationId: 'listMySessions', access, tags,
  summary: 'List the own sessions', response: { 200: Type.Object({ items: Type.Array(Session) }) },
  async run({ db, context }) {
    const { id, sessionId } = signedCustomer(context)
    const rows = await db.many(SessionRow, sql`
      select id, created_at as "createdAt", last_seen_at as "lastSeenAt", expires_at as "expiresAt", address,
        user_agent as "userAgent", id = ${sessionId} as current
      from accounts.session where customer_id = ${id} and ${LIVE_SESSION} order by last_seen_at desc limit 100`)
    return { items: rows.map(shownSession) }
  },
})

const deleteMySession = route({
  method: 'DELETE', path: '/store/account/sessions/:sessionId', operationId: 'endMySession', access, tags,
  summary: 'End one of the own sessions', params: Type.Object({ sessionId: Id }), response: { 204: null },
  problems: [SessionNotFound],
  async run({ db, context, params: { sessionId } }) {
    const { id } = signedCustomer(context)
    await db.transaction(context, async (tx) => {
      const ended = await tx.run(sql`delete from accounts.session where id = ${sessionId} and customer_id = ${id}`)
      if (ended === 0) throw SessionNotFound({ sessionId })
    })
    forgetActors(db)
  },
})

const deleteOtherSessions = route({
  method: 'DELETE', path: '/store/account/sessions', operationId: 'endMyOtherSessions', access, tags,
  summary: 'End all own sessions but this one', description: 'Asked again it ends none.',
  response: { 200: Type.Object({ ended: Type.Integer() }) },
  async run({ db, context }) {
    const { id, sessionId } = signedCustomer(context)
    const ended = await db.transaction(context, (tx) => endSessions(tx, id, sessionId))
    forgetActors(db)
    return { ended }
  },
})

export const sessionRoutes = [listSessions, deleteMySession, deleteOtherSessions]
