// The database of a command: DATABASE_URL, or the embedded server of this clone, which is joined when a shop runs on
// it. It is brought up to the migrations of this version, as a start of the shop would.
import shopConfig from '../shop.config.ts'
import { prepareDatabase } from '../src/migrations.ts'
import { readConfig } from '../src/platform/config.ts'
import { Db } from '../src/platform/db.ts'
import { checkServerVersion, startPostgres } from '../src/platform/postgres.ts'
import { UsageError } from './usage.ts'

/** Runs `fn` on the shop's database and closes it. `migrated: false` takes it as it is: for a restore. */
export async function withDatabase<T>(fn: (db: Db) => Promise<T>, { migrated = true } = {}): Promise<T> {
  const { databaseUrl } = readConfig(process.env)
  const server = databaseUrl ? undefined : await startPostgres()
  const url = databaseUrl ?? server!.url
  const db = new Db({ url, max: 4, applicationName: 'kontor command' })
  try {
    await prepare(db, { url, isOurs: !databaseUrl, migrated }).catch((error: Error) => {
      throw new UsageError(`The database cannot be used: ${reasonOf(error)}`, { cause: error })
    })
    return await fn(db)
  } finally {
    await db.close()
    await server?.stop()
  }
}

async function prepare(
  db: Db, { url, isOurs, migrated }: { url: string; isOurs: boolean; migrated: boolean },
): Promise<void> {
  if (!isOurs) await checkServerVersion(url)
  if (!migrated) return
  await prepareDatabase(db, shopConfig.plugins)
}

// A host with several addresses refuses with one error for each and no words of its own.
function reasonOf(error: Error): string {
  return error instanceof AggregateError && !error.message ? String(error.errors[0]?.message) : error.message
}
