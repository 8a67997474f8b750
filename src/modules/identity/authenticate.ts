// Who asks, decided on the matched route: default deny, one place for all routes. A publishable key names a channel,
// and beside it a session says which customer it is; a secret key or a staff session carries permissions. Actors come
// from here alone, never from a body.
import { Type, type Static } from 'typebox'
import { requireFactor } from '../../platform/authority.ts'
import { sql, type Actor, type Db, type Statement } from '../../platform/db.ts'
import type { SignedCustomer } from '../../platform/context.ts'
import type { Access, Authenticate, RequestFacts } from '../../platform/http.ts'
import { Forbidden, Unauthenticated } from '../../platform/problem.ts'
import { hashToken } from '../../platform/id.ts'
import { allows, customerSessions, permissionsOf, secondFactorForAll, staysWithin } from './identity.ts'
import { Recall } from './internal/recall.ts'
import { addressPrefix } from './limit-rate.ts'
import { RequestMeter } from './limit-requests.ts'
import { authorityOf, limitColumns, Limits, networks, Reach, reachColumns } from './reach.ts'
import { customerToken, LIVE_SESSION, refuseForeignOrigin, sessionToken } from './session-cookie.ts'

type Shopper = Extract<Actor, { kind: 'shopper' }>
type Privileged = Extract<Actor, { kind: 'staff' | 'key' }>
type Staff = Extract<Actor, { kind: 'staff' }>
/** What is remembered of a key or a session: who it is, from where it may come, whom they see the shop as. */
type Credential = { actor: Privileged; from?: { has(address: string): boolean }; seenAs?: Staff }
type Known = { shoppers: Recall<Shopper>; customers: Recall<SignedCustomer>; privileged: Recall<Credential> }

const known = new WeakMap<Db, Known>()

function knownTo(db: Db): Known {
  let all = known.get(db.root)
  if (!all) {
    all = {
      shoppers: new Recall((key) => findShopper(db, key)), privileged: new Recall((key) => findPrivileged(db, key)),
      customers: new Recall((hash) => customerSessions.of(db)(db, Buffer.from(hash, 'base64'))),
    }
    known.set(db.root, all)
  }
  return all
}

/**
 * After a change of sessions, keys, staff or roles is committed: this process feels it at once, the others within a
 * second.
 */
export function forgetActors(db: Db): void {
  known.get(db.root)?.shoppers.clear()
  known.get(db.root)?.customers.clear()
  known.get(db.root)?.privileged.clear()
}

type AuthenticateOptions = {
  publicUrl?: string | undefined
  /** Within a minute; 0: no limit. Of a secret key, and of everybody at an address together. */
  requestsPerKey?: number
  requestsPerAddress?: number
}

/**
 * The gate of http.ts. Throws Unauthenticated (nobody we know) or Forbidden (somebody who may not).
 * `publicUrl`: the address under which browsers reach this server, where a proxy in front of it changes the host.
 */
export function createAuthenticate(db: Db, options: AuthenticateOptions = {}): Authenticate {
  const { publicUrl, requestsPerKey = 0, requestsPerAddress = 0 } = options
  const all = knownTo(db)
  const meter = new RequestMeter(db)
  const counted = new WeakSet<object>()
  return (request, access) => {
    if (requestsPerAddress > 0 && !counted.has(request)) {
      counted.add(request)             // a request may be asked twice: from memory first (http.ts)
      meter.take(addressPrefix(request.ip), requestsPerAddress)
    }
    if (access === 'shopper' || access === 'customer') return shopperOf(all, request, access, publicUrl)
    if (access === 'public' || access === 'webhook') return { kind: 'anonymous' }
    return privilegedOf(all.privileged, request, publicUrl).then((actor) => {
      if (actor.kind === 'key') meter.take(actor.id, requestsPerKey)
      return requireAccess(actor, access)
    })
  }
}

/** Calls on at once where nothing has to be waited for: most shoppers are remembered. */
const after = <A, B>(value: A | Promise<A>, fn: (value: A) => B | Promise<B>): B | Promise<B> =>
  (value instanceof Promise ? value.then(fn) : fn(value))

function shopperOf(
  { shoppers, customers }: Known, request: RequestFacts, access: 'shopper' | 'customer', publicUrl?: string,
): Shopper | Promise<Shopper> {
  const { headers } = request
  const key = headers['x-publishable-key']
  if (typeof key !== 'string' || !/^pk_[\w-]{43}$/.test(key)) {
    throw Unauthenticated({}, 'Send the publishable key of a channel (pk_…) in the header x-publishable-key.')
  }
  return after(shoppers.get(key), (found) => {
    if (!found) throw Unauthenticated({}, 'This publishable key is unknown or revoked.')
    return after(customerOf(customers, request, publicUrl), (customer) => {
      if (customer) return { ...withToken(found, headers), customer }
      if (access === 'customer') {
        throw Unauthenticated({}, 'Sign in with POST /store/account/session, then send its cookie or its token.')
      }
      return withToken(found, headers)
    })
  })
}

/**
 * The customer whose session came along. A browser sends a cookie that has ended like any other, so that is a guest; a
 * token that is sent on purpose and opens nothing is refused.
 */
function customerOf(
  customers: Recall<SignedCustomer>, request: RequestFacts, publicUrl?: string,
): SignedCustomer | undefined | Promise<SignedCustomer | undefined> {
  const { method, headers } = request
  const token = customerToken(headers)
  const cookie = token === undefined ? sessionToken(headers, 'customer') : undefined
  const secret = token ?? cookie
  if (secret === undefined) return undefined
  return after(customers.get(hashToken(secret).toString('base64')), (customer) => {
    if (token !== undefined && !customer) throw Unauthenticated({}, 'This session has ended: sign in again.')
    const reads = method === 'GET' || method === 'HEAD'
    if (cookie !== undefined && customer && !reads) refuseForeignOrigin(headers, { publicUrl, mustTell: true })
    return customer
  })
}

/** The bearer token of a request, hashed as it is stored. */
function bearerHash(headers: RequestFacts['headers']): Buffer | undefined {
  const header = headers['authorization']
  const match = typeof header === 'string' ? /^Bearer ([\w-]{20,200})$/.exec(header) : null
  return match ? hashToken(match[1]!) : undefined
}

function withToken(found: Shopper, headers: RequestFacts['headers']): Shopper {
  const tokenHash = bearerHash(headers)
  return tokenHash ? { ...found, tokenHash } : found
}

async function privilegedOf(
  privileged: Recall<Credential>, request: RequestFacts, publicUrl?: string
): Promise<Privileged> {
  const { authorization } = request.headers
  if (authorization !== undefined) {
    const secret = typeof authorization === 'string' ? /^Bearer (sk_[\w-]{43})$/i.exec(authorization)?.[1] : undefined
    const key = secret && await privileged.get(`key:${hashToken(secret).toString('base64')}`)
    if (!key || (key.from && !key.from.has(request.ip))) {
      throw Unauthenticated({}, 'This secret key is unknown, expired, revoked, or not for use from your address ' +
        '(Authorization: Bearer sk_…).')
    }
    return key.actor
  }
  const token = sessionToken(request.headers)
  const staff = token && await privileged.get(`session:${hashToken(token).toString('base64')}`)
  if (!staff) throw Unauthenticated({}, 'Sign in with POST /admin/session, or send Authorization: Bearer sk_…')
  // The browser sends the cookie whoever made it write, so a write must come from our own pages.
  const reads = request.method === 'GET' || request.method === 'HEAD'
  if (!reads) refuseForeignOrigin(request.headers, { publicUrl, mustTell: true })
  const seenAs = request.headers['x-view-as']
  return seenAs === undefined ? staff.actor : eyesOf(staff, seenAs, reads)
}

/** The colleague as whom this request sees the shop: who began it with PUT /admin/view-as, for reading only. */
function eyesOf({ seenAs }: Credential, staffId: unknown, reads: boolean): Staff {
  if (!seenAs || seenAs.id !== staffId) {
    throw Forbidden({}, 'Begin with PUT /admin/view-as; it ends after half an hour.')
  }
  if (!reads) throw Forbidden({}, 'Whoever sees the shop as somebody else changes nothing: leave out x-view-as.')
  return seenAs
}

function requireAccess(actor: Privileged, access: 'staff' | Exclude<Access, string>): Privileged {
  if (access === 'staff') {
    if (actor.kind === 'staff') return actor
    throw Forbidden({}, 'This is for people who signed in, not for keys.')
  }
  requireFactor(actor)
  const { permission } = access
  if (!allows(actor.permissions, permission)) {
    throw Forbidden({ permission }, `This needs the permission ${permission}.`)
  }
  if (actor.within && !staysWithin(actor.within, access)) {
    throw Forbidden({ permission }, 'This reaches beyond the channels or locations that you are kept to.')
  }
  return actor
}

const ShopperRow = Type.Object({ keyId: Type.String(), channelId: Type.String() })

async function findShopper(db: Db, key: string): Promise<Shopper | undefined> {
  const row = await db.maybe(ShopperRow, sql`
    select id as "keyId", channel_id as "channelId" from identity.publishable_key
    where key = ${key} and revoked_at is null`)
  return row && { kind: 'shopper', ...row }
}

function findPrivileged(db: Db, name: string): Promise<Credential | undefined> {
  const [kind, hash] = name.split(':') as [string, string]
  return (kind === 'key' ? findKey : findSession)(db, Buffer.from(hash, 'base64'))
}

// Both look-ups note the use, at most once a minute: a write for each request would cost more than the request.

const KeyRow = Type.Object({
  id: Type.String(), permissions: Type.Array(Type.String()), reach: Reach, limits: Limits,
  addresses: Type.Union([Type.Array(Type.String()), Type.Null()]),
})

async function findKey(db: Db, tokenHash: Buffer): Promise<Credential | undefined> {
  const row = await db.maybe(KeyRow, sql`
    with used as (
      update identity.secret_key set last_used_at = now()
      where token_hash = ${tokenHash} and revoked_at is null
        and coalesce(last_used_at, '-infinity') < now() - interval '1 minute'
    )
    select id, permissions, addresses::text[] as addresses, ${reachColumns(sql`secret_key`)} as reach,
      ${limitColumns(sql`secret_key`)} as limits
    from identity.secret_key
    where token_hash = ${tokenHash} and revoked_at is null and coalesce(expires_at, 'infinity') > now()`)
  if (!row) return undefined
  const { id, permissions, reach, limits, addresses } = row
  return {
    actor: { kind: 'key', id, permissions, ...authorityOf(reach, limits) },
    ...addresses && { from: networks(addresses) },
  }
}

const Person = Type.Object({
  id: Type.String(), code: Type.String(), permissions: Type.Union([Type.Array(Type.String()), Type.Null()]),
  reach: Reach, limits: Limits,
})
const SessionRow = Type.Object({
  sessionId: Type.String(), proven: Type.Boolean(), mustEnrol: Type.Boolean(), own: Person,
  seen: Type.Union([Person, Type.Null()]),
})

const person = (staff: Statement, role: Statement): Statement => sql`jsonb_build_object(
  'id', ${staff}.id, 'code', ${role}.code, 'permissions', ${role}.permissions, 'reach', ${reachColumns(staff)},
  'limits', ${limitColumns(role)})`

async function findSession(db: Db, tokenHash: Buffer): Promise<Credential | undefined> {
  const row = await db.maybe(SessionRow, sql`
    with used as (
      update identity.session set last_seen_at = now()
      where token_hash = ${tokenHash} and ${LIVE_SESSION} and last_seen_at < now() - interval '1 minute'
    )
    select session.id as "sessionId", session.proven_at > now() - interval '15 minutes' as proven,
      (role.second_factor or ${secondFactorForAll.of(db)}) and not exists (
          select from identity.totp where totp.staff_id = staff.id and confirmed_at is not null
        ) and not exists (select from identity.passkey where passkey.staff_id = staff.id) as "mustEnrol",
      ${person(sql`staff`, sql`role`)} as own,
      case when seen.id is not null then ${person(sql`seen`, sql`seen_role`)} end as seen
    from identity.session
    join identity.staff on staff.id = session.staff_id join identity.role on role.code = staff.role_code
    left join identity.viewing on viewing.session_id = session.id and viewing.until > now()
    left join identity.staff as seen on seen.id = viewing.staff_id and seen.active
    left join identity.role as seen_role on seen_role.code = seen.role_code
    where session.token_hash = ${tokenHash} and ${LIVE_SESSION} and staff.active`)
  if (!row) return undefined
  const { sessionId, proven, mustEnrol, own, seen } = row
  const of = ({ reach, limits, ...rest }: Static<typeof Person>): Staff => ({
    kind: 'staff', id: rest.id, sessionId, permissions: permissionsOf(rest), ...authorityOf(reach, limits),
  })
  return {
    actor: { ...of(own), proven, mustEnrol },
    ...seen && { seenAs: { ...narrowed(of(seen), of(own)), viewedBy: own.id, mustEnrol } },
  }
}

/** Who sees the shop as a colleague does not see more than with their own eyes, whatever becomes of either role. */
function narrowed(seen: Staff, own: Staff): Staff {
  if (own.within) return { ...seen, permissions: [] }
  if (allows(own.permissions, '*')) return seen
  return { ...seen, permissions: own.permissions.filter((permission) => allows(seen.permissions, permission)) }
}
