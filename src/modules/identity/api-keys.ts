// Keys of programs. A secret key (sk_) acts for a server with the permissions it was given, and is shown once. A
// publishable key (pk_) stands in shop pages for everybody to see and only says which channel is meant.
import { Type } from 'typebox'
import { json, resultId, sql, type Conn, type Tx } from '../../platform/db.ts'
import { Id, route, Timestamp } from '../../platform/http.ts'
import { newToken, hashToken } from '../../platform/id.ts'
import { InvalidValue } from '../../platform/problem.ts'
import { forgetActors } from './authenticate.ts'
import {
  KeyNotFound, KeyReplaced, Name, Permissions, PermissionUnknown, PublishableKey, requireKnown, requireWithin,
  SecretKey,
} from './identity.ts'
import {
  EVERYWHERE, limitColumns, Limits, limitsOf, Reach, reachColumns, requireEverywhere, requireLimitsWithin,
  requireNetworks,
} from './reach.ts'

// "sk_" and six characters: enough to tell keys apart, and 220 secret bits remain.
const PREFIX_LENGTH = 9

const secretColumns = sql`id, name, prefix, permissions, created_at as "createdAt", expires_at as "expiresAt",
  last_used_at as "lastUsedAt", revoked_at as "revokedAt", replaced_by as "replacedBy",
  addresses::text[] as addresses, ${reachColumns(sql`secret_key`)} as reach, ${limitColumns(sql`secret_key`)} as limits`
const publishableColumns = sql`id, key, channel_id as "channelId", name, created_at as "createdAt",
  revoked_at as "revokedAt"`

type NewSecretKey = {
  name: string; permissions: readonly string[]; expiresAt?: string | undefined; reach?: Reach; limits?: Limits
  addresses?: readonly string[] | null
}

/**
 * Makes a secret key and answers it; nobody can read it again. Throws Forbidden for permissions that the maker lacks
 * and limits that are wider than theirs, InvalidValue for a network that is none and for an end that is over.
 */
export async function createSecretKey(tx: Tx, id: string, wanted: NewSecretKey): Promise<string> {
  const { actor } = tx.context
  const { name, permissions, expiresAt, reach = EVERYWHERE, limits = limitsOf(actor), addresses = null } = wanted
  requireWithin(actor, permissions)
  requireEverywhere(actor)
  requireLimitsWithin(actor, limits)
  if (addresses) requireNetworks(addresses)
  if (expiresAt && Date.parse(expiresAt) <= Date.now()) {
    throw InvalidValue({ fields: [{ path: 'body/expiresAt', message: 'is over: a key ends later' }] })
  }
  const key = newToken('sk_')
  await tx.run(sql`
    insert into identity.secret_key (id, token_hash, prefix, name, permissions, created_by, expires_at, channel_ids,
      location_ids, company_ids, refund_limits, discount_limit_ppm, addresses)
    values (${id}, ${hashToken(key)}, ${key.slice(0, PREFIX_LENGTH)}, ${name}, ${[...permissions]},
      ${'id' in actor ? actor.id : null}, ${expiresAt ?? null}, ${reach.channelIds}::uuid[],
      ${reach.locationIds}::uuid[], ${reach.companyIds}::uuid[], ${limits.refund && json(limits.refund)}::jsonb,
      ${limits.discountPpm}, ${addresses && [...addresses]}::text[]::inet[])`)
  return key
}

/**
 * Makes a key that may do the same as another and answers it; the other works until the overlap is over. Throws
 * KeyNotFound, KeyReplaced (of many at once, one succeeds), and Forbidden for a key that may do more than whoever asks.
 */
async function rotateSecretKey(tx: Tx, id: string, keyId: string, overlapSeconds: number): Promise<string> {
  const old = await tx.maybe(SecretKey, sql`
    select ${secretColumns} from identity.secret_key where id = ${keyId} for update`)
  if (!old) throw KeyNotFound({ keyId })
  const key = await createSecretKey(tx, id, { ...old, expiresAt: undefined })
  // The new one lives as long as the old one was meant to.
  const replaced = await tx.run(sql`
    with successor as (
      update identity.secret_key as fresh set expires_at = now() + (old.expires_at - old.created_at)
      from identity.secret_key as old where fresh.id = ${id} and old.id = ${keyId}
    )
    update identity.secret_key set replaced_by = ${id},
      expires_at = least(expires_at, now() + make_interval(secs => ${overlapSeconds}))
    where id = ${keyId} and replaced_by is null and revoked_at is null and coalesce(expires_at, 'infinity') > now()`)
  if (replaced === 0) throw KeyReplaced({}, 'Rotate the key that took its place, or make a new one.')
  return key
}

/** Makes a publishable key for a channel and answers it. */
export async function createPublishableKey(
  tx: Tx, id: string, { name, channelId }: { name: string; channelId: string }
): Promise<string> {
  const key = newToken('pk_')
  await tx.run(sql`
    insert into identity.publishable_key (id, key, channel_id, name) values (${id}, ${key}, ${channelId}, ${name})`)
  return key
}

/** All secret keys, revoked ones last. */
export async function listSecretKeys(conn: Conn) {
  return conn.many(SecretKey, sql`
    select ${secretColumns} from identity.secret_key order by revoked_at is not null, id limit 1000`)
}

/** Ends a secret key. Throws KeyNotFound, and Forbidden for a key that may do more than whoever asks. */
export async function revokeSecretKey(tx: Tx, keyId: string): Promise<void> {
  const key = await tx.maybe(SecretKey, sql`
    update identity.secret_key set revoked_at = coalesce(revoked_at, now())
    where id = ${keyId} returning ${secretColumns}`)
  if (!key) throw KeyNotFound({ keyId })
  requireWithin(tx.context.actor, key.permissions)
}

/** Ends a publishable key. Throws KeyNotFound. */
export async function revokePublishableKey(tx: Tx, keyId: string): Promise<void> {
  const revoked = await tx.run(sql`
    update identity.publishable_key set revoked_at = coalesce(revoked_at, now()) where id = ${keyId}`)
  if (revoked === 0) throw KeyNotFound({ keyId })
}

/** Publishable keys that work, the oldest first. */
export async function listPublishableKeys(conn: Conn) {
  return conn.many(PublishableKey, sql`
    select ${publishableColumns} from identity.publishable_key where revoked_at is null order by id limit 1000`)
}

const getSecretKey = (conn: Conn, id: string) => conn.one(SecretKey, sql`
  select ${secretColumns} from identity.secret_key where id = ${id}`)

const ShownKey = Type.Object({ ...SecretKey.properties, key: Type.String() })
const params = Type.Object({ keyId: Id })
const tags = ['API keys']
const read = { permission: 'identity:read' }
const write = { permission: 'identity:write' }

const getSecretKeys = route({
  method: 'GET', path: '/admin/secret-keys', access: read, tags, summary: 'List secret keys',
  response: { 200: Type.Object({ items: Type.Array(SecretKey) }) },
  run: async ({ db }) => ({ items: await listSecretKeys(db) }),
})

const postSecretKey = route({
  method: 'POST', path: '/admin/secret-keys', access: write, sensitive: true, tags, summary: 'Create a secret key',
  description: 'The key is in this answer and in no other. It can have no permission that its maker lacks.',
  body: Type.Object({
    name: Name, permissions: Permissions, expiresAt: Type.Optional(Timestamp), reach: Type.Optional(Reach),
    limits: Type.Optional(Limits), addresses: Type.Optional(Type.Array(Type.String({ maxLength: 50 }), {
      minItems: 1, maxItems: 50, description: 'Addresses and networks it may be used from, as 10.0.0.0/8',
    })),
  }),
  response: { 201: ShownKey }, problems: [InvalidValue, PermissionUnknown], replay: 'refuse',
  run: ({ db, context, body }) => db.transaction(context, async (tx) => {
    requireKnown(tx, body.permissions)
    const id = resultId(context)
    const key = await createSecretKey(tx, id, body)
    return { ...await getSecretKey(tx, id), key }
  }),
})

const postRotation = route({
  method: 'POST', path: '/admin/secret-keys/:keyId/rotate', operationId: 'rotateSecretKey', access: write,
  sensitive: true, tags, summary: 'Replace a secret key by a new one',
  description: 'The new key is in this answer and in no other; it may do what the old one may. The old one goes on ' +
    'working for as long as you say, so that every server can change over.',
  params, body: Type.Object({ overlapSeconds: Type.Optional(Type.Integer({
    minimum: 0, maximum: 30 * 86_400, default: 86_400, description: 'A day unless told, 30 days at most',
  })) }),
  response: { 201: ShownKey }, problems: [KeyNotFound, KeyReplaced, InvalidValue], replay: 'refuse',
  async run({ db, context, params: { keyId }, body: { overlapSeconds = 86_400 } }) {
    const shown = await db.transaction(context, async (tx) => {
      const id = resultId(context)
      const key = await rotateSecretKey(tx, id, keyId, overlapSeconds)
      return { ...await getSecretKey(tx, id), key }
    })
    forgetActors(db)
    return shown
  },
})

const deleteSecretKey = route({
  method: 'DELETE', path: '/admin/secret-keys/:keyId', access: write, tags, summary: 'Revoke a secret key',
  description: 'It stops working within a second. Revoking it again changes nothing.',
  params, response: { 204: null }, problems: [KeyNotFound],
  async run({ db, context, params: { keyId } }) {
    await db.transaction(context, (tx) => revokeSecretKey(tx, keyId))
    forgetActors(db)
  },
})

const getPublishableKeys = route({
  method: 'GET', path: '/admin/publishable-keys', access: read, tags, summary: 'List publishable keys',
  response: { 200: Type.Object({ items: Type.Array(PublishableKey) }) },
  run: async ({ db }) => ({
    items: await db.many(PublishableKey, sql`
      select ${publishableColumns} from identity.publishable_key order by revoked_at is not null, id limit 1000`),
  }),
})

const getPublishableKey = async (conn: Conn, id: string) => conn.one(PublishableKey, sql`
  select ${publishableColumns} from identity.publishable_key where id = ${id}`)

const postPublishableKey = route({
  method: 'POST', path: '/admin/publishable-keys', access: write, tags,
  summary: 'Create a publishable key for a channel',
  body: Type.Object({ name: Name, channelId: Id }), response: { 201: PublishableKey },
  replay: ({ db, resultId: id }) => getPublishableKey(db, id),
  run: ({ db, context, body }) => db.transaction(context, async (tx) => {
    const id = resultId(context)
    await createPublishableKey(tx, id, body)
    return getPublishableKey(tx, id)
  }),
})

const deletePublishableKey = route({
  method: 'DELETE', path: '/admin/publishable-keys/:keyId', access: write, tags, summary: 'Revoke a publishable key',
  description: 'Pages that send it are refused within a second. Revoking it again changes nothing.',
  params, response: { 204: null }, problems: [KeyNotFound],
  async run({ db, context, params: { keyId } }) {
    await db.transaction(context, (tx) => revokePublishableKey(tx, keyId))
    forgetActors(db)
  },
})

export const keyRoutes = [
  getSecretKeys, postSecretKey, postRotation, deleteSecretKey, getPublishableKeys, postPublishableKey,
  deletePublishableKey,
]
