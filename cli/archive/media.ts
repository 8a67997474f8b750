// The pictures of a backup: the files of every asset that the database knew at its moment, each an entry of its own,
// one at a time in memory. One checksum vouches for all of them, names included, so the manifest stays small.
import { createHash, type Hash } from 'node:crypto'
import { join } from 'node:path'
import type { Client } from 'pg'
import { configuredStorage, type Storage } from '../../src/modules/media/storage.ts'
import { readConfig } from '../../src/platform/config.ts'
import type { Manifest } from './manifest.ts'
import { DamagedArchive, entry } from './tar.ts'

const NAME = /^media\/([a-z2-7]{26})\/((?:\d{1,4}|full)\.webp)$/
const PAGE = 200

export const isMedia = (name: string): boolean => name.startsWith('media/')

/** Where this installation keeps pictures. A bucket is not saved: it is larger than a file, and has its own copies. */
export function shopStorage(): { storage: Storage; isBucket: boolean } {
  const config = readConfig(process.env)
  return {
    storage: configuredStorage(config, join(import.meta.dirname, '../../.kontor')), isBucket: config.s3 !== undefined,
  }
}

/**
 * The files as entries, by the snapshot that `client` holds. One that is not there (its asset was removed a moment ago,
 * or it is lost) is counted as missing. Without `storage` there are none.
 */
export async function* mediaParts(
  client: Client, storage: Storage | undefined, time: Date,
): AsyncGenerator<Buffer, Manifest['media']> {
  const sum = createHash('sha256')
  const saved = { included: storage !== undefined, files: 0, missing: 0, bytes: 0 }
  for (let after = '00000000-0000-0000-0000-000000000000'; storage;) {
    const { rows } = await client.query<{ id: string; key: string; files: { name: string }[] }>(
      'select id, key, files from media.asset where id > $1 order by id limit $2', [after, PAGE])
    if (rows.length === 0) break
    after = rows.at(-1)!.id
    for (const { key, files } of rows) {
      for (const { name } of files) {
        const data = await storage.read(key, name)
        if (!data) {
          saved.missing++
          continue
        }
        saved.files++
        saved.bytes += data.length
        addMedia(sum, `media/${key}/${name}`, data)
        yield entry(`media/${key}/${name}`, data, time)
      }
    }
  }
  return { ...saved, sha256: sum.digest('hex') }
}

export function addMedia(sum: Hash, name: string, data: Buffer): void {
  sum.update(`${name}\n${data.length}\n`).update(data)
}

/** Puts one back. A file never changes under its name, so one that is there already is the same. */
export async function restoreMedia(storage: Storage, name: string, data: Buffer): Promise<void> {
  const [, key, file] = NAME.exec(name) ?? []
  if (!key || !file) throw new DamagedArchive(`The entry ${name} of the backup is no picture.`)
  await storage.write(key, file, data)
}
