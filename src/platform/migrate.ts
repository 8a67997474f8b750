// Migrations: plain SQL files of each module, forward only, in the order of the module graph. One process migrates at a
// time (advisory lock); when nothing is new this costs one query. The previous version keeps working on the new schema:
// expand first, contract a release later.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from 'pg'
import type { Db } from './db.ts'

export type Migration = { module: string; name: string; text: string; hash: string }

/** The migrations in these folders, in the order in which they run: folder by folder, each by file name. */
export function readMigrations(folders: readonly { module: string; folder: string }[]): Migration[] {
  return folders.flatMap(({ module, folder }) => namesIn(folder).map((name) => {
    const text = readFileSync(join(folder, name), 'utf8')
    return { module, name, text, hash: createHash('sha256').update(text).digest('hex') }
  }))
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^\d{4}-[\w-]+\.sql$/.test(name)).sort()
  } catch {
    return []
  }
}

// Any number that nobody else uses for an advisory lock in this database.
const LOCK = 4_815_162_342

/**
 * Brings the database up to these migrations; answers how many ran. Asked twice, or by two processes at once, each runs
 * once.
 */
export async function migrate(
  db: Db, migrations: readonly Migration[], onProgress: (name: string) => void = () => {},
): Promise<number> {
  const client = await db.dedicated()
  try {
    if ((await pending(client, migrations)).length === 0) return 0
    await client.query(`select pg_advisory_lock(${LOCK})`)
    await client.query(`create schema if not exists platform`)
    await client.query(`create table if not exists platform.migration
      (module text, name text, hash text not null, at timestamptz not null default now(), primary key (module, name))`)
    const missing = await pending(client, migrations)
    for (const migration of missing) {
      onProgress(`${migration.module}/${migration.name}`)
      await apply(client, migration)
    }
    return missing.length
  } finally {
    await client.end()
  }
}

async function pending(client: Client, migrations: readonly Migration[]): Promise<Migration[]> {
  const { rows: [there] } = await client.query(`select to_regclass('platform.migration') is not null as yes`)
  if (!there.yes) return [...migrations]
  const { rows } = await client.query(`select module, name, hash from platform.migration`)
  const done = new Map(rows.map((row) => [`${row.module}/${row.name}`, row.hash as string]))
  for (const { module, name, hash } of migrations) {
    const ran = done.get(`${module}/${name}`)
    if (ran && ran !== hash) {
      throw new Error(
        `The migration ${module}/${name} was changed after it ran on this database. Migrations are forward only: ` +
        'put the file back as it was and write a new one.')
    }
  }
  return migrations.filter(({ module, name }) => !done.has(`${module}/${name}`))
}

async function apply(client: Client, { module, name, text, hash }: Migration): Promise<void> {
  try {
    await client.query('begin')
    await client.query(text)
    await client.query('insert into platform.migration (module, name, hash) values ($1, $2, $3)', [module, name, hash])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw new Error(
      `The migration ${module}/${name} failed and was rolled back: ${(error as Error).message}`, { cause: error }
    )
  }
}
