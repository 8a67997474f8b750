// The media library: its assets are listed, read, removed, and served under addresses that never change their content.
import { Type, type Static } from 'typebox'
import { none, sql, type Conn, type Tx } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id, Page, PageQuery, route } from '../../platform/http.ts'
import { InvalidCursor, NotFound } from '../../platform/problem.ts'
import { Asset, AssetInUse, AssetNotFound, fileUrl, StoredFile } from './media.ts'
import { mediaStorage } from './storage.ts'

const Row = Type.Object({
  id: Type.String(), key: Type.String(), filename: Type.String(), animated: Type.Boolean(), createdAt: Type.String(),
  files: Type.Array(StoredFile), used: Type.Boolean(),
})
const columns = sql`id, key, filename, animated, created_at as "createdAt", files,
  (select true from media.asset_use where asset_id = asset.id limit 1) is not null as used`

function assetOf({ key, files, ...row }: Static<typeof Row>): Asset {
  const sizes = files.map(({ name, ...size }) => ({ url: fileUrl(key, name), ...size }))
  const { url, width, height } = sizes.at(-1)!
  return { ...row, url, width, height, sizes }
}

/** Throws AssetNotFound. */
export async function getAsset(conn: Conn, assetId: string): Promise<Asset> {
  const row = await conn.maybe(Row, sql`select ${columns} from media.asset where id = ${assetId}`)
  if (!row) throw AssetNotFound({})
  return assetOf(row)
}

/** Takes an asset out of the library; its files follow soon after. Throws AssetNotFound, AssetInUse. */
async function removeAsset(tx: Tx, assetId: string): Promise<void> {
  const removed = await tx.run(sql`
    with removed as (delete from media.asset where id = ${assetId} returning key)
    insert into media.unclaimed (key, due_at) select key, now() from removed`)
  if (removed === 0) throw AssetNotFound({})
}

const params = Type.Object({ assetId: Id })
const tags = ['Media']

const listAssets = route({
  method: 'GET', path: '/admin/media', access: { permission: 'media:read' }, tags,
  summary: 'List the media library, newest first',
  query: Type.Object(PageQuery), response: { 200: Page(Asset) }, problems: [InvalidCursor],
  async run({ db, query: { limit = 20, cursor } }) {
    const rows = await db.many(Row, sql`
      select ${columns} from media.asset ${cursor ? sql`where id < ${decodeCursor(cursor, [Id])[0]}` : none}
      order by id desc limit ${limit + 1}`)
    const page = rows.slice(0, limit)
    return { items: page.map(assetOf), nextCursor: rows.length > limit ? encodeCursor([page.at(-1)!.id]) : null }
  },
})

const readAsset = route({
  method: 'GET', path: '/admin/media/:assetId', access: { permission: 'media:read' }, tags, summary: 'Read an asset',
  params, response: { 200: Asset }, problems: [AssetNotFound],
  run: ({ db, params: { assetId } }) => getAsset(db, assetId),
})

const deleteAsset = route({
  method: 'DELETE', path: '/admin/media/:assetId', access: { permission: 'media:write' }, tags,
  summary: 'Remove an asset that nothing shows',
  params, response: { 204: null }, problems: [AssetNotFound, AssetInUse],
  run: ({ db, context, params: { assetId } }) => db.transaction(context, (tx) => removeAsset(tx, assetId)),
})

export const libraryRoutes = [listAssets, readAsset, deleteAsset]

/** Serves a file. Its name is one of a few and its key one of ours, so neither can lead out of the storage. */
export const getFile = route({
  method: 'GET', path: '/media/:key/:name', operationId: 'getMediaFile', access: 'public', tags,
  summary: 'A file of an asset',
  params: Type.Object({
    key: Type.String({ pattern: '^[a-z2-7]{26}$' }), name: Type.String({ pattern: '^(\\d{1,4}|full)\\.webp$' }),
  }),
  response: { 200: Type.Unknown() }, problems: [NotFound],
  async run({ db, params: { key, name }, headers, reply }) {
    // Its content never changes, so its address is its ETag, and whoever has it is answered without reading it.
    const etag = `"${key}/${name}"`
    const known = headers['if-none-match']?.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
    const bytes = known ? Buffer.alloc(0) : await mediaStorage.of(db).read(key, name)
    if (!bytes) throw NotFound({})
    reply.status(known ? 304 : 200).header('etag', etag)
    reply.type('image/webp').header('cache-control', 'public, max-age=31536000, immutable')
    // Shop pages of other origins show it; opened by itself it may do nothing.
    reply.header('cross-origin-resource-policy', 'cross-origin')
    reply.header('content-security-policy', "default-src 'none'; sandbox")
    return bytes
  },
})
