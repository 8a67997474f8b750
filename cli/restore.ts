// kontor restore: a backup into an empty database. First every byte is held against its checksum; then the tables are
// made by the migrations that the backup names, filled in one transaction, and brought up to this version. It goes in
// whole or not at all; pictures are put back before the commit, so that no row is there without its files.
import { createHash, type Hash } from 'node:crypto'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { parseArgs } from 'node:util'
import { createGunzip } from 'node:zlib'
import type { Client } from 'pg'
import { from } from 'pg-copy-streams'
import { Value } from 'typebox/value'
import shopConfig from '../shop.config.ts'
import { allMigrations, prepareDatabase } from '../src/migrations.ts'
import type { Storage } from '../src/modules/media/storage.ts'
import type { Db } from '../src/platform/db.ts'
import { migrate, type Migration } from '../src/platform/migrate.ts'
import { addMedia, isMedia, restoreMedia, shopStorage } from './archive/media.ts'
import { key, Manifest, nameOf, quoted, readTables, type SavedTable, type TableShape } from './archive/manifest.ts'
import { DamagedArchive, entries } from './archive/tar.ts'
import { contentOf } from './backup.ts'
import { withDatabase } from './open-database.ts'
import { interruptible, ProgressLine, UsageError, whileGoing, type Command } from './usage.ts'

export const restore: Command = {
  summary: 'Load a backup into an empty database',
  help: `kontor restore FILE            into DATABASE_URL, or the embedded server of a clone that was never started
kontor restore FILE --verify   only hold the file against its checksums

A database that holds a shop is refused: make a new one and point DATABASE_URL to it. Pictures in the file go where this
shop keeps them (.kontor/media, MEDIA_DIR, or the bucket of S3_…).
Exit status: 0 restored (or sound), 2 refused, 130 stopped; then the database is as empty as it was.`,

  async run(args) {
    const { values, positionals: [file, ...rest] } = parseArgs({
      args, allowPositionals: true, options: { verify: { type: 'boolean' } },
    })
    if (!file || rest.length > 0) throw new UsageError('Name one file: kontor restore FILE')
    if (!existsSync(file)) throw new UsageError(`There is no file ${file}`)
    if (statSync(file).isDirectory()) throw new UsageError(`${file} is a folder: name the backup in it.`)
    const manifest = await verifyBackup(file)
    if (values.verify) {
      process.stdout.write(`${file} is sound: ${describe(manifest)}\n`)
      return 0
    }
    return withDatabase(async (db) => {
      const line = new ProgressLine()
      const onProgress = (share: number, table: string): void => line.show(share, table)
      await interruptible('Stopped. The database is as it was: empty.', (goOn) =>
        restoreBackup(db, file, manifest, { storage: shopStorage().storage, onProgress, goOn }))
        .finally(() => line.end())
      process.stdout.write(`Restored ${describe(manifest)}\n`)
      if (!manifest.media.included) process.stdout.write(
        'Its pictures lay in a bucket: point S3_… to it, or to a copy of it.\n')
      return 0
    }, { migrated: false })
  },
}

const describe = (manifest: Manifest): string => `${contentOf(manifest)}, as of ${manifest.takenAt}`

async function* read(file: string): AsyncGenerator<{ name: string; data: Buffer }> {
  const bytes = createReadStream(file)
  if (!/\.(gz|tgz)$/.test(file)) return yield* entries(bytes)
  const unzipped = createGunzip()
  const ended = pipeline(bytes, unzipped).catch(() => {})     // what is wrong reaches the reader through `unzipped`
  try {
    yield* entries(unzipped)
  } catch (error) {
    if (error instanceof DamagedArchive) throw error
    throw new DamagedArchive(`The backup is damaged: ${(error as Error).message}.`)
  } finally {
    bytes.destroy()
    await ended
  }
}

/** Reads the whole file, compares it with its manifest and answers that. Throws a UsageError for a damaged one. */
export async function verifyBackup(file: string): Promise<Manifest> {
  const sums = new Map<string, Hash>()
  const media = createHash('sha256')
  let manifest: Manifest | undefined
  try {
    for await (const { name, data } of read(file)) {
      if (name === 'manifest.json') manifest = parseManifest(data)
      if (isMedia(name)) addMedia(media, name, data)
      const table = name.slice(0, name.indexOf('/'))
      const sum = sums.get(table) ?? createHash('sha256')
      sums.set(table, sum.update(data))
    }
  } catch (error) {
    if (error instanceof DamagedArchive) throw new UsageError(`${file}: ${error.message}`)
    throw error
  }
  if (!manifest) throw new UsageError(`${file}: The backup has no manifest: it was not written to its end.`)
  const wrong = manifest.tables.find((table) =>
    (sums.get(key(table)) ?? createHash('sha256')).digest('hex') !== table.sha256)
  if (wrong) throw new UsageError(
    `${file}: The rows of ${key(wrong)} are not those that were saved. Nothing was restored.`)
  if (media.digest('hex') !== manifest.media.sha256) throw new UsageError(
    `${file}: The pictures are not those that were saved. Nothing was restored.`)
  return manifest
}

function parseManifest(data: Buffer): Manifest {
  const manifest: unknown = JSON.parse(data.toString())
  if (!Value.Check(Manifest, manifest)) throw new DamagedArchive(
    'Its manifest is not that of a backup of this version: restore it with the version that wrote it.')
  return manifest
}

type Options = { storage?: Storage; onProgress?: (share: number, table: string) => void; goOn?: () => void }

/**
 * Loads a verified backup, its pictures into `storage`. Throws a UsageError when the database is not empty or the
 * backup is of a newer version. Whatever goes wrong, the database is empty again, so that it can be tried once more.
 */
export async function restoreBackup(db: Db, file: string, manifest: Manifest, options: Options = {}): Promise<void> {
  const all = allMigrations(shopConfig.plugins)
  const then = migrationsOf(manifest, all)
  const client = await db.dedicated()
  try {
    await refuseFull(client)
    const before = await readSchemas(client)
    try {
      await migrate(db, then)
      await client.query('begin')
      await fill(client, file, manifest, options)
      await client.query('commit')
      await prepareDatabase(db, shopConfig.plugins)
    } catch (error) {
      await clear(client, before).catch(() => {})
      throw error
    }
    await client.query('analyze')
  } finally {
    await client.end()
  }
}

/** The migrations that had made the saved tables, as this version knows them. */
function migrationsOf({ migrations }: Manifest, all: Migration[]): Migration[] {
  const known = new Map(all.map((migration) => [`${migration.module}/${migration.name}`, migration]))
  const strange = migrations.find(({ module, name, hash }) => known.get(`${module}/${name}`)?.hash !== hash)
  if (strange) {
    throw new UsageError(`The backup was made by another version: its migration ${strange.module}/${strange.name} is ` +
      'not one of this version, or was changed. Restore it with the version that wrote it, or a newer one.')
  }
  const wanted = new Set(migrations.map(({ module, name }) => `${module}/${name}`))
  return all.filter(({ module, name }) => wanted.has(`${module}/${name}`))
}

async function refuseFull(client: Client): Promise<void> {
  const { rows: [first] } = await client.query(`
    select n.nspname as schema, c.relname as name
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
      and n.nspname not like 'pg\\_%'
    order by 1, 2 limit 1`)
  if (first) throw new UsageError(
    `The database is not empty (it has the table ${key(first)}): a backup is only restored into an empty one.`)
}

/** Newest first. */
async function readSchemas(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    'select nspname as name from pg_catalog.pg_namespace order by oid desc')
  return rows.map(({ name }) => name)
}

/** Takes away what a restore began: the schemas that were not there `before`, each before those that it stands on. */
async function clear(client: Client, before: readonly string[]): Promise<void> {
  await client.query('rollback')
  const begun = (await readSchemas(client)).filter((name) => !before.includes(name) && !name.startsWith('pg_'))
  for (const name of begun) await client.query(`drop schema ${quoted(name)} cascade`)
}

async function fill(
  client: Client, file: string, manifest: Manifest, { storage, onProgress = () => {}, goOn = () => {} }: Options,
): Promise<void> {
  const shapes = new Map((await readTables(client)).map((table) => [key(table), table]))
  for (const table of manifest.tables) refuseStrange(table, shapes.get(key(table)))
  const guarded = [...shapes.values()].filter(({ triggers }) => triggers)
  for (const table of guarded) await client.query(`alter table ${nameOf(table)} disable trigger user`)
  // Migrations put a few rows into new tables (the roles of the staff): the saved ones take their place.
  await client.query(`truncate ${[...shapes.values()].map(nameOf).join(', ')}`)

  const archive = whileGoing(read(file), goOn)
  let next = await archive.next()
  for (const [index, table] of manifest.tables.entries()) {
    onProgress(index / manifest.tables.length, key(table))
    const copy = client.query(from(`copy ${nameOf(table)} (${table.columns.map(quoted).join(', ')}) from stdin`))
    const isPart = (name: string): boolean => name.startsWith(`${key(table)}/`)
    await pipeline(Readable.from((async function* () {
      for (; !next.done && isPart(next.value.name); next = await archive.next()) yield next.value.data
    })()), copy)
    if (copy.rowCount !== table.rows) throw new Error(`${key(table)} took ${copy.rowCount} of ${table.rows} rows`)
  }
  onProgress(0.99, 'pictures')
  for (; storage && !next.done && isMedia(next.value.name); next = await archive.next()) {
    await restoreMedia(storage, next.value.name, next.value.data)
  }
  await archive.return(undefined)
  for (const sequence of manifest.sequences) {
    await client.query(
      'select setval($1::regclass, $2::bigint, $3)', [nameOf(sequence), sequence.value, sequence.called]
    )
  }
  for (const table of guarded) await client.query(`alter table ${nameOf(table)} enable trigger user`)
  onProgress(1, 'sequences')
}

function refuseStrange(table: SavedTable, shape: TableShape | undefined): void {
  const missing = table.columns.find((column) => !shape?.columns.includes(column))
  if (shape && !missing) return
  const what = missing ? `a column ${key(table)}.${missing}` : `a table ${key(table)}`
  throw new UsageError(`The backup has ${what}, which this version does not know.`)
}
