// A program of its own that the shop starts beside itself: it loads the demo's pictures and past into the database that
// DATABASE_URL names. Decoding pictures takes two hundred megabytes, which a process never gives back, so it is not the
// shop's. It ends with the shop; what it did not finish, the next start takes up.
import { join } from 'node:path'
import { configuredStorage, mediaStorage } from '../src/modules/media/storage.ts'
import { readConfig } from '../src/platform/config.ts'
import { Db } from '../src/platform/db.ts'
import { loadHistory } from './history.ts'

process.on('disconnect', () => process.exit(1))
const config = readConfig(process.env)
const db = new Db({ url: config.databaseUrl!, max: 4, applicationName: 'kontor demo' })
mediaStorage.set(db, configuredStorage(config, join(import.meta.dirname, '../.kontor')))
try {
  await loadHistory(db, { print: (line) => process.stdout.write(`${line}\n`) })
} catch (error) {
  process.stdout.write(`The demo history was not loaded: ${(error as Error).message}\n`)
  process.exitCode = 1
}
await db.close()
process.disconnect?.()
