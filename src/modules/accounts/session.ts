// The session of a customer: opened, found again for each request, given another token. It is a row with the hash of
// 256 random bits; a browser keeps the token in a cookie that no script reads, an app sends it as a bearer token.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { SignedCustomer } from '../../platform/context.ts'
import { sql, type Conn, type Db, type Tx } from '../../platform/db.ts'
import { hashToken, newId, newToken } from '../../platform/id.ts'
import { Unauthenticated } from '../../platform/problem.ts'
import { TokenRefused } from '../identity/identity.ts'
import {
  CUSTOMER_SESSION_SECONDS, customerToken, refuseForeignOrigin, sessionCookie,
} from '../identity/session-cookie.ts'
import type { Device } from '../identity/sign-in.ts'
import { Account } from './accounts.ts'

export const LIVE_SESSION = sql`session.expires_at > now() and session.last_seen_at > now() - interval '30 days'`

const Found = Type.Object({
  id: Type.String(), sessionId: Type.String(), email: Type.String(), owns: Type.Boolean(), proven: Type.Boolean(),
})

/** Whose session this is; notes its use, at most once a minute. */
export function findSession(db: Db, tokenHash: Buffer): Promise<SignedCustomer | undefined> {
  return db.maybe(Found, sql`
    with used as (
      update accounts.session set last_seen_at = now()
      where token_hash = ${tokenHash} and ${LIVE_SESSION} and last_seen_at < now() - interval '1 minute'
    )
    select account.customer_id as id, session.id as "sessionId", email, email_proven_at is not null as owns,
      session.proven_at > now() - interval '15 minutes' as proven
    from accounts.session join accounts.account using (customer_id)
    where session.token_hash = ${tokenHash} and ${LIVE_SESSION}`)
}

/**
 * Opens a session, unless the account or its password changed since it was read; answers its token. The share lock
 * makes a change of password, which ends all sessions, come wholly before this one or wholly after it.
 */
export async function openSession(
  tx: Tx, account: { id: string; passwordHash: string | null }, { address, userAgent }: Device,
): Promise<string | undefined> {
  const token = newToken()
  const opened = await tx.run(sql`
    with allowed as (
      select customer_id from accounts.account
      where customer_id = ${account.id} and password_hash is not distinct from ${account.passwordHash} for share
    )
    insert into accounts.session (id, token_hash, customer_id, expires_at, address, user_agent)
    select ${newId()}, ${hashToken(token)}, customer_id, now() + make_interval(secs => ${CUSTOMER_SESSION_SECONDS}),
      ${address}, ${userAgent.slice(0, 300)} from allowed`)
  return opened === 1 ? token : undefined
}

/** Notes that it is them, and gives the session another token. Throws TokenRefused when it has ended. */
export async function proveSession(tx: Tx, sessionId: string): Promise<string> {
  const token = newToken()
  const proven = await tx.run(sql`
    update accounts.session set token_hash = ${hashToken(token)}, proven_at = now(), last_seen_at = now()
    where id = ${sessionId} and ${LIVE_SESSION}`)
  if (proven === 0) throw TokenRefused({}, 'This session has ended: sign in again.')
  return token
}

/** Ends the sessions of a customer, but for one; answers how many. Asked again it ends none. */
export function endSessions(tx: Tx, customerId: string, butFor: string | null = null): Promise<number> {
  return tx.run(sql`
    delete from accounts.session where customer_id = ${customerId} and id is distinct from ${butFor}::uuid`)
}

/** Throws Unauthenticated where the account was deleted a moment ago. */
export async function getAccount(conn: Conn, customerId: string) {
  const account = await conn.maybe(Account, sql`
    select customer_id as "customerId", email, created_at as "createdAt", email_proven_at is not null as "emailProven",
      password_hash is not null as "hasPassword" from accounts.account where customer_id = ${customerId}`)
  if (!account) throw Unauthenticated({}, 'This account is not there any more.')
  return account
}

export type Keeping = { keep?: 'cookie' | 'token' | undefined }
type Answering = { request: FastifyRequest; reply: FastifyReply }

/** A session in a cookie is begun by a page of this server alone: no other page signs somebody in as somebody else. */
export function refuseForeignKeeping({ keep }: Keeping, { headers }: FastifyRequest): void {
  if (keep !== 'token') refuseForeignOrigin(headers)
}

/** Hands the token over as was asked: to the browser, or in the answer; which of them a session has does not change. */
export function handOver(token: string, { keep }: Keeping, { request, reply }: Answering): string | null {
  reply.header('cache-control', 'private, no-store')
  if (keep === 'token') return `session_${token}`
  reply.header('set-cookie', sessionCookie(request, token, 'customer'))
  return null
}

/** How a request itself carries its session. */
export const keptAs = ({ headers }: FastifyRequest): Keeping =>
  ({ keep: customerToken(headers) === undefined ? 'cookie' : 'token' })
