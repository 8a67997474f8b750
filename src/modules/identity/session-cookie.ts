// The cookies of sessions, and the check that a browser's write comes from our own pages. The __Host- prefix makes the
// browser itself refuse a cookie set by a neighbouring subdomain; it needs https, so localhost, and only localhost,
// does without. Staff and customers have one each, so that a merchant can shop in the browser in which they work.
import { sql } from '../../platform/db.ts'
import type { RequestFacts } from '../../platform/http.ts'
import { Forbidden } from '../../platform/problem.ts'

type Headers = RequestFacts['headers']

/** A session of staff ends after a week, or after 8 hours in which nobody used it. */
export const SESSION_SECONDS = 7 * 24 * 3_600
/** One of a customer ends after a quarter of a year, or after a month in which nobody used it. */
export const CUSTOMER_SESSION_SECONDS = 90 * 24 * 3_600

const COOKIES = {
  staff: { name: 'kontor_session', seconds: SESSION_SECONDS },
  customer: { name: 'kontor_customer', seconds: CUSTOMER_SESSION_SECONDS },
}
type Whose = keyof typeof COOKIES
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
export function sessionToken(headers: Headers, whose: Whose = 'staff'): string | undefined {
  const { name: plain } = COOKIES[whose]
  const cookies = String(headers['cookie'] ?? '').split(';').map((pair) => pair.trim().split('='))
  const named = (name: string): string | undefined => cookies.find(([key]) => key === name)?.[1]
  const token = named(`__Host-${plain}`) ?? (isLocal(headers) ? named(plain) : undefined)
  return token && /^[\w-]{43}$/.test(token) ? token : undefined
}

/** The token of a customer's session where it is sent as Authorization: Bearer session_…, by apps and servers. */
export function customerToken(headers: Headers): string | undefined {
  const { authorization } = headers
  return typeof authorization === 'string' ? /^Bearer session_([\w-]{43})$/i.exec(authorization)?.[1] : undefined
}

/** The Set-Cookie header that keeps a token, or removes it when there is none. */
export function sessionCookie(
  request: { headers: Headers; protocol: string }, token: string | undefined, whose: Whose = 'staff',
): string {
  const plain = request.protocol === 'http' && isLocal(request.headers)
  const { name, seconds } = COOKIES[whose]
  const age = token ? seconds : 0
  const [prefix, secure] = plain ? ['', ''] : ['__Host-', '; Secure']
  return `${prefix}${name}=${token ?? ''}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${secure}`
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
