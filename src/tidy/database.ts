// Whether `schema.sql`, which people read, says the same as the migrations, which made the database. Both are run on an
// empty database each, and PostgreSQL is asked what it holds: comparing texts would fail on the order of columns and
// pass on what a later migration undid.
import pg from 'pg'

// One line for each thing that a reader of schema.sql relies on. The order of columns is left out: `alter table … add
// column` appends.
const DESCRIBE = `
  with own as (
    select oid, nspname from pg_namespace
    where nspname !~ '^pg_' and nspname not in ('information_schema', 'extensions', 'public')
  ), relation as (
    select class.*, own.nspname from pg_class class join own on own.oid = class.relnamespace
    where not (nspname = 'platform' and relname like 'migration%')
  )
  select format('schema %s', nspname) from own
  union all select format('extension %s in %s', extname, extnamespace::regnamespace) from pg_extension
    where extname <> 'plpgsql'
  union all select format('%s %s.%s %s', relkind, nspname, relname, array(select unnest(reloptions) order by 1))
    from relation where relkind in ('r', 'p', 'v', 'm', 'S')
  union all select format('view %s.%s %s', nspname, relname, pg_get_viewdef(oid)) from relation
    where relkind in ('v', 'm')
  union all select format('index %s', pg_get_indexdef(oid)) from relation where relkind in ('i', 'I')
  union all select format('column %s.%s.%s %s%s%s%s%s', nspname, relname, attname, format_type(atttypid, atttypmod),
      case when attnotnull then ' not null' end, ' default ' || pg_get_expr(adbin, adrelid),
      ' identity ' || nullif(attidentity::text, ''), ' generated ' || nullif(attgenerated::text, ''))
    from relation join pg_attribute on attrelid = relation.oid and attnum > 0 and not attisdropped
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where relkind in ('r', 'p', 'm')
  union all select format('constraint %s on %s %s', conname, conrelid::regclass,
      pg_get_constraintdef(pg_constraint.oid))
    from pg_constraint join relation on relation.oid = conrelid
  union all select format('trigger %s', pg_get_triggerdef(pg_trigger.oid))
    from pg_trigger join relation on relation.oid = tgrelid where not tgisinternal
  union all select format('function %s', pg_get_functiondef(pg_proc.oid))
    from pg_proc join own on own.oid = pronamespace where prokind <> 'a'
  union all select format('type %s %s %s', typname, typtype,
      array(select enumlabel from pg_enum where enumtypid = pg_type.oid order by enumsortorder))
    from pg_type join own on own.oid = typnamespace where typtype in ('e', 'd', 'r')
  order by 1`

/** Runs the texts on a new database of the server, describes what came of it, and drops it again. */
export async function describeBuilt(
  server: string, texts: readonly { name: string; text: string }[],
): Promise<string[]> {
  const name = `kontor_tidy_${process.pid}_${Math.random().toString(36).slice(2)}`
  const built = new URL(server)
  built.pathname = `/${name}`
  return withClient(server, async (admin) => {
    await admin.query(`create database ${name}`)
    try {
      return await withClient(built.href, async (client) => {
        await client.query('create schema platform')
        for (const { name: file, text } of texts) {
          await client.query(`begin; ${text}\n; commit`)
            .catch((error: Error) => { throw new Error(`${file}: ${error.message}`) })
        }
        const { rows } = await client.query({ text: DESCRIBE, rowMode: 'array' })
        return rows.flat() as string[]
      })
    } finally {
      await admin.query(`drop database ${name} with (force)`)
    }
  })
}

async function withClient<T>(url: string, fn: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=' })
  await client.connect()
  try {
    return await fn(client)
  } finally {
    await client.end()
  }
}

/** What only one of the two lists has, as lines of a diff. */
export function difference(migrated: readonly string[], written: readonly string[]): string[] {
  const inMigrations = new Set(migrated)
  const inSchema = new Set(written)
  return [
    ...migrated.filter((line) => !inSchema.has(line)).map((line) => `only in migrations: ${line}`),
    ...written.filter((line) => !inMigrations.has(line)).map((line) => `only in schema.sql: ${line}`),
  ]
}
