// kontor backup: the whole database as it was at one moment, while the shop goes on selling: every table by COPY in one
// repeatable-read transaction, and the files of its pictures, into one archive with a manifest and checksums. It needs
// no program of PostgreSQL.
import { createHash } from 'node:crypto'
import { createWriteStream, existsSync, rmSync, statSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { createGzip } from 'node:zlib'
import type { Client } from 'pg'
import { to } from 'pg-copy-streams'
import type { Storage } from '../src/modules/media/storage.ts'
import type { Db } from '../src/platform/db.ts'
import { mediaParts, shopStorage } from './archive/media.ts'
import {
  key, nameOf, quoted, readSequences, readTables, type Manifest, type SavedTable, type TableShape,
} from './archive/manifest.ts'
import { end, entry, MAX_ENTRY_BYTES } from './archive/tar.ts'
import { withDatabase } from './open-database.ts'
import { interruptible, ProgressLine, UsageError, whileGoing, type Command } from './usage.ts'

export const backup: Command = {
  summary: 'Save the database and its pictures to one file',
  help: `kontor backup FILE     shop.tar, or shop.tar.gz to have it compressed
kontor backup FOLDER   a file in it that is named after the time

The shop may run meanwhile: the backup shows one moment. Uploaded pictures are part of it where they lie in a folder
(.kontor/media, or MEDIA_DIR). A bucket (S3_…) is not: save it beside the file. The file holds personal data and
password hashes: keep it carefully.
Exit status: 0 saved, 2 not saved, 130 stopped; then no file is left.`,

  async run(args) {
    const { positionals: [target, ...rest] } = parseArgs({ args, allowPositionals: true })
    if (!target || rest.length > 0) throw new UsageError('Name one file or folder: kontor backup FILE')
    const file = fileFor(target)
    return withDatabase(async (db) => {
      const line = new ProgressLine()
      const { storage, isBucket } = shopStorage()
      const onProgress = (share: number, name: string): void => line.show(share, name)
      const manifest = await interruptible('Stopped. Nothing was saved.', (goOn) =>
        writeBackup(db, file, { onProgress, goOn, ...(!isBucket && { storage }) })).finally(() => line.end())
      process.stdout.write(`${file}: ${contentOf(manifest)}, ${megabytes(statSync(file).size)}\n`)
      if (isBucket) process.stdout.write('The pictures lie in a bucket and are not in it: save the bucket beside it.\n')
      const { missing } = manifest.media
      if (missing > 0) process.stdout.write(`note  ${missing} files of pictures were not there and are not in it.\n`)
      return 0
    }, { migrated: false })
  },
}

/** What a backup holds, in words. */
export function contentOf({ tables, media }: Manifest): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const pictures = media.included ? `${media.files.toLocaleString('en')} files of pictures` : 'no pictures'
  return `${tables.length} tables, ${rows.toLocaleString('en')} rows, ${pictures}`
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

function fileFor(target: string): string {
  const isFolder = statSync(target, { throwIfNoEntry: false })?.isDirectory() ?? false
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '')
  const file = isFolder ? join(target, `kontor-${stamp}.tar.gz`) : target
  if (existsSync(file)) throw new UsageError(`${file} is there already: name another file. A backup replaces nothing.`)
  return file
}

type Options = { storage?: Storage; onProgress?: (share: number, table: string) => void; goOn?: () => void }

/**
 * Writes a backup of this moment, without pictures unless told where they lie. The file appears when it is whole.
 * Throws when the database holds no shop.
 */
export async function writeBackup(db: Db, file: string, options: Options = {}): Promise<Manifest> {
  const client = await db.dedicated()
  const draft = `${file}.part`
  try {
    await client.query('begin transaction isolation level repeatable read, read only')
    const manifest = await readManifest(client)
    const tables = await readTables(client)
    const archive = whileGoing(parts(client, tables, manifest, options), options.goOn ?? (() => {}))
    const out = createWriteStream(draft, { flags: 'wx', mode: 0o600 })
    if (/\.(gz|tgz)$/.test(file)) await pipeline(archive, createGzip({ level: 6 }), out)
    else await pipeline(archive, out)
    renameSync(draft, file)
    return manifest
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  } finally {
    await client.end()
  }
}

/** What is known before the tables are read. Sequences are read after the snapshot was taken: never behind its rows. */
async function readManifest(client: Client): Promise<Manifest> {
  const { rows: [about] } = await client.query(`select to_regclass('platform.migration') is not null as shop,
    to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "takenAt",
    current_setting('server_version') as server`)
  if (!about.shop) throw new UsageError('There is no shop in this database, so there is nothing to save.')
  const { rows: migrations } = await client.query(
    'select module, name, hash from platform.migration order by at, module, name'
  )
  const { takenAt, server } = about
  return {
    format: 'kontor backup 1', takenAt, server, migrations, tables: [], sequences: await readSequences(client),
    media: { included: false, files: 0, missing: 0, bytes: 0, sha256: '' },
  }
}

/** The archive piece by piece: the parts of each table, the pictures, then the manifest that vouches for them. */
async function* parts(
  client: Client, tables: TableShape[], manifest: Manifest, { storage, onProgress = () => {} }: Options,
): AsyncGenerator<Buffer> {
  const time = new Date(manifest.takenAt)
  for (const [index, table] of tables.entries()) {
    onProgress(index / tables.length, key(table))
    manifest.tables.push(yield* tableParts(client, table, time))
  }
  onProgress(0.99, 'pictures')
  manifest.media = yield* mediaParts(client, storage, time)
  yield entry('manifest.json', Buffer.from(JSON.stringify(manifest, null, 2)), time)
  yield end
  onProgress(1, 'manifest')
}

async function* tableParts(client: Client, table: TableShape, time: Date): AsyncGenerator<Buffer, SavedTable> {
  const { schema, name, columns } = table
  const rows = client.query(to(`copy ${nameOf(table)} (${columns.map(quoted).join(', ')}) to stdout`))
  const hash = createHash('sha256')
  let held: Buffer[] = []
  let size = 0
  let bytes = 0
  let number = 0
  const part = (): Buffer => {
    const data = Buffer.concat(held)
    held = []
    size = 0
    return entry(`${key(table)}/${String(number++).padStart(6, '0')}.copy`, data, time)
  }
  for await (const chunk of rows as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
    held.push(chunk)
    if ((size += chunk.length) >= MAX_ENTRY_BYTES) yield part()
  }
  if (size > 0) yield part()
  return { schema, name, columns, rows: rows.rowCount, bytes, sha256: hash.digest('hex') }
}
