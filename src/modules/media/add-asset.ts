// Takes a picture into the media library. The same bytes twice are one asset, so an upload may be repeated without
// harm.
import type {} from '@fastify/multipart'
import { createHash, randomBytes } from 'node:crypto'
import { Type } from 'typebox'
import { json, sql, type Context, type Db } from '../../platform/db.ts'
import { route } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { InvalidRequest } from '../../platform/problem.ts'
import { getAsset } from './assets.ts'
import { encodeImage } from './encode-image.ts'
import { Asset, ImageRefused, MAX_BYTES } from './media.ts'
import { mediaStorage } from './storage.ts'

/**
 * Adds a picture, or answers the asset that has these very bytes. Throws ImageRefused, Busy. The files are written
 * before the row, and their key is noted before the files: whatever dies in between is swept.
 */
export async function addAsset(
  db: Db, context: Context, { bytes, filename }: { bytes: Buffer; filename: string }
): Promise<Asset> {
  const contentHash = createHash('sha256').update(bytes).digest()
  const known = await touch(db, contentHash)
  if (known) return getAsset(db, known.id)
  const { animated, files } = await encodeImage(bytes)
  const key = newKey()
  const storage = mediaStorage.of(db)
  await db.run(sql`insert into media.unclaimed (key, due_at) values (${key}, now() + interval '1 hour')`)
  await Promise.all(files.map(({ name, data }) => storage.write(key, name, data)))
  return db.transaction(context, async (tx) => {
    // Whoever uploaded the same bytes at the same time and was first has the asset; our files are swept.
    const { id, ours } = await tx.one(Type.Object({ id: Type.String(), ours: Type.Boolean() }), sql`
      insert into media.asset (id, key, content_hash, filename, animated, files)
      values (${newId()}, ${key}, ${contentHash}, ${plainName(filename)}, ${animated},
        ${json(files.map(({ data, ...file }) => file))}::jsonb)
      on conflict (content_hash) do update set touched_at = now() returning id, key = ${key} as ours`)
    if (ours) await tx.run(sql`delete from media.unclaimed where key = ${key}`)
    return getAsset(tx, id)
  })
}

// Touching it keeps it from being swept as an orphan while its new user has not attached it yet.
function touch(db: Db, contentHash: Buffer): Promise<{ id: string } | undefined> {
  return db.maybe(Type.Object({ id: Type.String() }), sql`
    update media.asset set touched_at = now() where content_hash = ${contentHash} returning id`)
}

// 26 letters and digits are 130 random bits, in lower case for file systems that know no other.
function newKey(): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
  return Array.from(randomBytes(26), (byte) => alphabet[byte & 31]).join('')
}

// Only shown to people, never a path.
function plainName(filename: string): string {
  return filename.replace(/[\p{Cc}\p{Cf}\\/]/gu, '').trim().slice(0, 200) || 'picture'
}

export const postAsset = route({
  method: 'POST', path: '/admin/media', operationId: 'uploadMedia', access: { permission: 'media:write' },
  tags: ['Media'],
  summary: 'Upload a picture',
  description: 'As multipart/form-data with one file: JPEG, PNG, WebP, AVIF or GIF, up to 20 MB and 50 megapixels. ' +
    'The same bytes again are the same asset.',
  multipart: true, bodyLimit: MAX_BYTES + 65_536, response: { 201: Asset }, problems: [ImageRefused], replay: 'none',
  async run({ db, context, request }) {
    if (!request.isMultipart()) throw NoFile()
    const read = async (): Promise<{ bytes: Buffer; filename: string } | undefined> => {
      const parts = request.files({ limits: { fileSize: MAX_BYTES } })
      const { value: part } = await parts.next()
      if (!part) return undefined
      const file = { bytes: await part.toBuffer(), filename: part.filename ?? '' }
      await parts.next()   // a second file is past the limit and throws: it would be left out in silence
      return file
    }
    // Whatever the parser cannot read (no boundary, another one, no end, two files) is the sender's mistake.
    const file = await read().catch((error: { code?: string }) => {
      throw error.code === 'FST_REQ_FILE_TOO_LARGE' ? ImageRefused({ reason: 'too-many-bytes' }) : NoFile()
    })
    if (!file) throw NoFile()
    return addAsset(db, context, file)
  },
})

const NoFile = (): Error => InvalidRequest(
  { fields: [{ path: 'body', message: 'must be multipart/form-data with one file, and end as it says' }] })
