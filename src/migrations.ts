// All migrations in the order in which they run: the platform first, then the modules in graph order, then those of
// plugins.
import { graph } from './modules/graph.ts'
import { readMigrations, type Migration } from './platform/migrate.ts'

export function allMigrations(plugins: readonly { name: string; migrations?: string }[] = []): Migration[] {
  const folder = (path: string): string => `${import.meta.dirname}/${path}/migrations`
  return readMigrations([
    { module: 'platform', folder: folder('platform') },
    ...Object.keys(graph).map((module) => ({ module, folder: folder(`modules/${module}`) })),
    ...plugins.flatMap(({ name, migrations }) => (migrations ? [{ module: name, folder: migrations }] : [])),
  ])
}
