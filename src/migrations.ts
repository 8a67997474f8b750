// All migrations in the order in which they run: the platform first, then the modules in graph order, then those of
// plugins.
import { graph } from './modules/graph.ts'
import type { Db } from './platform/db.ts'
import { migrate, readMigrations, type Migration } from './platform/migrate.ts'
import { watchTables } from './watched-tables.ts'

export function allMigrations(plugins: readonly { name: string; migrations?: string }[] = []): Migration[] {
  const folder = (path: string): string => `${import.meta.dirname}/${path}/migrations`
  return readMigrations([
    { module: 'platform', folder: folder('platform') },
    ...Object.keys(graph).map((module) => ({ module, folder: folder(`modules/${module}`) })),
    ...plugins.flatMap(({ name, migrations }) => (migrations ? [{ module: name, folder: migrations }] : [])),
  ])
}

type Plugins = Parameters<typeof allMigrations>[0]

/** Brings a database up to this version: its tables, then the triggers by which the audit log learns of changes. */
export async function prepareDatabase(
  db: Db, plugins: Plugins = [], onProgress?: (name: string) => void,
): Promise<void> {
  await migrate(db, allMigrations(plugins), onProgress)
  await watchTables(db)
}
