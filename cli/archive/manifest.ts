// The table of contents of a backup, its last entry: what was saved, by which version, how many rows, with which
// checksum. And how a database is asked for its tables: whatever migrations made, no list to forget one from.
import { Type, type Static } from 'typebox'
import type { Client } from 'pg'

const Table = Type.Object({
  schema: Type.String(), name: Type.String(), columns: Type.Array(Type.String()), rows: Type.Integer(),
  bytes: Type.Integer(), sha256: Type.String(),
})
export const Manifest = Type.Object({
  format: Type.Literal('kontor backup 1'),
  takenAt: Type.String(),
  server: Type.String(),
  migrations: Type.Array(Type.Object({ module: Type.String(), name: Type.String(), hash: Type.String() })),
  /** Parents before children. */
  tables: Type.Array(Table),
  sequences: Type.Array(
    Type.Object({ schema: Type.String(), name: Type.String(), value: Type.String(), called: Type.Boolean() })
  ),
  /** The files of pictures. `included` false: they lay in a bucket. */
  media: Type.Object({
    included: Type.Boolean(), files: Type.Integer(), missing: Type.Integer(), bytes: Type.Integer(),
    sha256: Type.String(),
  }),
})
export type Manifest = Static<typeof Manifest>
export type SavedTable = Static<typeof Table>

export type TableShape = { schema: string; name: string; columns: string[]; triggers: boolean; references: string[] }

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
export const nameOf = ({ schema, name }: { schema: string; name: string }): string =>
  `${quoted(schema)}.${quoted(name)}`
export const key = ({ schema, name }: { schema: string; name: string }): string => `${schema}.${name}`

/** The records of migrations say what a database is, not what is in it: a restore makes them anew. */
const RECORDS = ['platform.migration']

/** All tables with the columns that can be written, parents before children. */
export async function readTables(client: Client): Promise<TableShape[]> {
  const { rows } = await client.query<TableShape>(`
    select n.nspname as schema, c.relname as name,
      (select array_agg(attname::text order by attnum) from pg_catalog.pg_attribute
        where attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = '') as columns,
      exists (select from pg_catalog.pg_trigger where tgrelid = c.oid and not tgisinternal) as triggers,
      coalesce((select array_agg(distinct rn.nspname || '.' || r.relname) from pg_catalog.pg_constraint f
        join pg_catalog.pg_class r on r.oid = f.confrelid join pg_catalog.pg_namespace rn on rn.oid = r.relnamespace
        where f.conrelid = c.oid and f.contype = 'f' and f.confrelid <> c.oid), '{}') as references
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_%'
      and not exists (select from pg_catalog.pg_depend where objid = c.oid and deptype = 'e')
    order by 1, 2`)
  return parentsFirst(rows.filter((table) => !RECORDS.includes(key(table))))
}

function parentsFirst(tables: TableShape[]): TableShape[] {
  const ordered: TableShape[] = []
  const done = new Set<string>()
  let waiting = tables
  while (waiting.length > 0) {
    const ready = waiting.filter(({ references }) => references.every((parent) => done.has(parent)))
    if (ready.length === 0) throw new Error(`Foreign keys run in a circle: ${waiting.map(key).join(', ')}`)
    for (const table of ready) done.add(key(table))
    ordered.push(...ready)
    waiting = waiting.filter((table) => !done.has(key(table)))
  }
  return ordered
}

export async function readSequences(client: Client): Promise<Manifest['sequences']> {
  const { rows } = await client.query<{ schema: string; name: string }>(`
    select schemaname as schema, sequencename as name from pg_catalog.pg_sequences
    where schemaname not in ('pg_catalog', 'information_schema') order by 1, 2`)
  const sequences: Manifest['sequences'] = []
  for (const { schema, name } of rows) {
    const { rows: [at] } = await client.query(
      `select last_value::text as value, is_called as called from ${nameOf({ schema, name })}`
    )
    sequences.push({ schema, name, value: at.value, called: at.called })
  }
  return sequences
}
