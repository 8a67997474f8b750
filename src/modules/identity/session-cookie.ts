// The cookie of a staff session, and the check that a browser's write comes from our own pages. The __Host- prefix
// makes the browser itself refuse a cookie set by a neighbouring subdomain; it needs https, so localhost, and only
// localhost, does without.
import { sql } from '../../platform/db.ts'
import type { RequestFacts } from '../../platform/http.ts'
import { Forbidden } from '../../platform/problem.ts'

type Headers = RequestFacts['headers']

const SECURE = '__Host-kontor_session'
const PLAIN = 'kontor_session'

/** A session ends after a week, or after 8 hours in which nobody used it. */
export const SESSION_SECONDS = 7 * 24 * 3_600
export const LIVE_SESSION = sql`session.expires_at > now() and session.last_seen_at > now() - interval '8 hours'
  and session.proven_at is not null`
/** How long a sign-in may wait for its second factor. */
export const HALF_SESSION_SECONDS = 600

function isLocal(headers: Headers): boolean {
  return /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(String(headers['host'] ?? ''))
}

/**
 * The session token that a request carries. The plain name counts on localhost only: elsewhere a neighbour may have
 * set it.
 */
export function sessionToken(headers: Headers): string | undefined {
  const cookies = String(headers['cookie'] ?? '').split(';').map((pair) => pair.trim().split('='))
  const named = (name: string): string | undefined => cookies.find(([key]) => key === name)?.[1]
  const token = named(SECURE) ?? (isLocal(headers) ? named(PLAIN) : undefined)
  return token && /^[\w-]{43}$/.test(token) ? token : undefined
}

/** The Set-Cookie header that keeps a token, or removes it when there is none. */
export function sessionCookie(request: { headers: Headers; protocol: string }, token: string | undefined): string {
  const plain = request.protocol === 'http' && isLocal(request.headers)
  const age = token ? SESSION_SECONDS : 0
  const name = plain ? PLAIN : SECURE
  return `${name}=${token ?? ''}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${plain ? '' : '; Secure'}`
}

/**
 * Throws Forbidden for a request that a foreign page made. Browsers tell by Sec-Fetch-Site, older ones by Origin, and
 * no page can change either. With `mustTell`, a request that has neither is refused as well: a browser's write has
 * one of them.
 */
export function refuseForeignOrigin(
  headers: Headers, options: { publicUrl?: string | undefined; mustTell?: boolean } = {}
): void {
  const site = headers['sec-fetch-site']
  const { origin } = headers
  if (site === 'same-origin' || site === 'none') return
  if (site === undefined && typeof origin === 'string' && URL.canParse(origin)) {
    const hosts = [headers['host'], options.publicUrl && new URL(options.publicUrl).host]
    if (hosts.includes(new URL(origin).host)) return
  }
  if (site === undefined && origin === undefined && !options.mustTell) return
  throw Forbidden({}, 'A write with a session cookie must come from a page of this server. Programs use a secret key.')
}
