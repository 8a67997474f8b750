// Keys of programs. A secret key (sk_) acts for a server with the permissions it was given, and is shown once. A
// publishable key (pk_) stands in shop pages for everybody to see and only says which channel is meant.
import { Type } from 'typebox'
import { resultId, sql, type Conn, type Tx } from '../../platform/db.ts'
import { Id, route, Timestamp } from '../../platform/http.ts'
import { newToken, hashToken } from '../../platform/id.ts'
import { forgetActors } from './authenticate.ts'
import { KeyNotFound, Name, Permissions, PublishableKey, requireWithin, SecretKey } from './identity.ts'

// "sk_" and six characters: enough to tell keys apart, and 220 secret bits remain.
const PREFIX_LENGTH = 9

const secretColumns = sql`id, name, prefix, permissions, created_at as "createdAt", expires_at as "expiresAt",
  last_used_at as "lastUsedAt", revoked_at as "revokedAt"`
const publishableColumns = sql`id, key, channel_id as "channelId", name, created_at as "createdAt",
  revoked_at as "revokedAt"`

type NewSecretKey = { name: string; permissions: readonly string[]; expiresAt?: string | undefined }

/**
 * Makes a secret key and answers it; nobody can read it again. Throws Forbidden for permissions that the maker lacks.
 */
export async function createSecretKey(
  tx: Tx, id: string, { name, permissions, expiresAt }: NewSecretKey
): Promise<string> {
  const { actor } = tx.context
  requireWithin(actor, permissions)
  const key = newToken('sk_')
  await tx.run(sql`
    insert into identity.secret_key (id, token_hash, prefix, name, permissions, created_by, expires_at)
    values (${id}, ${hashToken(key)}, ${key.slice(0, PREFIX_LENGTH)}, ${name}, ${[...permissions]},
      ${'id' in actor ? actor.id : null}, ${expiresAt ?? null})`)
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
  method: 'POST', path: '/admin/secret-keys', access: write, tags, summary: 'Create a secret key',
  description: 'The key is in this answer and in no other. It can have no permission that its maker lacks.',
  body: Type.Object({ name: Name, permissions: Permissions, expiresAt: Type.Optional(Timestamp) }),
  response: { 201: Type.Object({ ...SecretKey.properties, key: Type.String() }) }, replay: 'refuse',
  run: ({ db, context, body }) => db.transaction(context, async (tx) => {
    const id = resultId(context)
    const key = await createSecretKey(tx, id, body)
    return { ...await tx.one(SecretKey, sql`select ${secretColumns} from identity.secret_key where id = ${id}`), key }
  }),
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
  getSecretKeys, postSecretKey, deleteSecretKey, getPublishableKeys, postPublishableKey, deletePublishableKey,
]
