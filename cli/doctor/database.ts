// How PostgreSQL keeps the shop: indexes that are missing or idle, rows that are dead, statements that hold everything
// up, settings that lose orders. Figures are PostgreSQL's own since its statistics were last reset; doctor only reads.
import shopConfig from '../../shop.config.ts'
import { allMigrations } from '../../src/migrations.ts'
import { each, type Check, type Finding, type Row } from './check.ts'

// Schemas of the shop and its plugins; the rest is PostgreSQL's.
const OWN = `schemaname not like 'pg\\_%' and schemaname not in ('information_schema', 'extensions')`
// Below so many rows reading a table whole is as fast as an index, and dead rows are no burden.
const LARGE = 10_000

/** The indexes that migrations made and no later one dropped: by name, what makes it again. */
function ownIndexes(): Map<string, string> {
  const own = new Map<string, string>()
  for (const { text } of allMigrations(shopConfig.plugins)) {
    const created = text.matchAll(/^create (unique )?index (\w+) on (\w+)(\.[^;]+);/gm)
    for (const [, unique = '', name, schema, rest = ''] of created) {
      const where = `${schema}${rest.replaceAll(/\s+/g, ' ')}`
      own.set(`${schema}.${name}`, `create ${unique}index concurrently ${name} on ${where}`)
    }
    for (const [, name] of text.matchAll(/^drop index ([\w.]+);/gm)) own.delete(name!)
  }
  return own
}

// An idle index of the shop's own belongs to a feature that is not used yet. One that holds up a foreign key is used
// without being counted.
const UNUSED = `
  select s.schemaname || '.' || indexrelname as name, pg_size_pretty(pg_relation_size(s.indexrelid)) as size,
    s.relname as "table", coalesce((select stats_reset from pg_stat_database where datname = current_database()),
      pg_postmaster_start_time())::date::text as since
  from pg_stat_user_indexes s join pg_index i using (indexrelid) join pg_class c on c.oid = s.relid
  where idx_scan = 0 and not indisunique and reltuples >= ${LARGE} and ${OWN}
    and not exists (
    select from pg_constraint where contype = 'f' and conrelid = s.relid and indkey[0] = any (conkey))
  order by pg_relation_size(s.indexrelid) desc`

const unused = ({ name, size, table, since }: Row): Finding => ({
  broken: false, what: `${name} (${size}) was not used since ${since}`, rows: [{ name }],
  next: `If everything has run since then: drop index concurrently ${name}. It costs each write of ${table}.`,
})

export const databaseChecks: Check[] = [
  {
    name: 'indexes', holds: 'The indexes of the shop are there, and those of others are used',
    async find(client) {
      const { rows } = await client.query<{ name: string; valid: boolean }>(`
        select indrelid::regclass::text as "table", relnamespace::regnamespace || '.' || relname as name,
          indisvalid as valid from pg_index join pg_class on oid = indexrelid`)
      const there = new Map(rows.map(({ name, valid }) => [name, valid]))
      const own = ownIndexes()
      const lost = [...own].filter(([name]) => !there.get(name)).map(([name, definition]): Finding => ({
        broken: true, what: `${name} is ${there.has(name) ? 'invalid: it was not built to its end' : 'gone'}`,
        next: `${there.has(name) ? `drop index concurrently ${name}, then ` : ''}${definition}.`,
      }))
      const idle = await each(client, UNUSED, unused)
      return [...lost, ...idle.filter(({ rows: [row] = [] }) => !own.has(String(row?.['name'])))]
    },
  },
  {
    name: 'foreign-keys', holds: 'Foreign keys to rows that are deleted have an index',
    find: (client) => each(client, `
      select f.conname as name, f.conrelid::regclass::text as "table", (
        select string_agg(quote_ident(attname), ', ' order by array_position(f.conkey, attnum)) from pg_attribute
        where attrelid = f.conrelid and attnum = any (f.conkey)) as columns
      from pg_constraint f join pg_class c on c.oid = f.conrelid join pg_stat_user_tables s on s.relid = f.confrelid
      where f.contype = 'f' and reltuples >= ${LARGE} and n_tup_del > 0 and ${OWN}
        and not exists (select from pg_index i where i.indrelid = f.conrelid and i.indkey[0] = any (f.conkey)
          and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) like '%IS NOT NULL%'))`,
    ({ name, table, columns }) => ({
      broken: false, what: `${name}: ${table} has no index on ${columns}`,
      next: `create index concurrently on ${table} (${columns}): each delete reads the table whole until then.`,
    })),
  },
  {
    name: 'whole-reads', holds: 'Large tables are read by index',
    find: (client) => each(client, `
      select format('%I.%I', schemaname, relname) as name, seq_scan as scans, n_live_tup as live
      from pg_stat_user_tables
      where n_live_tup >= ${LARGE} and seq_scan > 100 and seq_scan > idx_scan / 20 and ${OWN}
        and seq_tup_read > seq_scan * n_live_tup / 2 order by seq_tup_read desc`,
    ({ name, scans, live }) => ({
      broken: false, what: `${name} (${live} rows) was read whole ${scans} times`,
      next: 'An index was dropped, or a query of yours wants one: pg_stat_statements names it.',
    })),
  },
  {
    name: 'dead-rows', holds: 'Dead rows are swept up',
    find: (client) => each(client, `
      select format('%I.%I', s.schemaname, s.relname) as name, n_dead_tup as dead, n_live_tup as live, coalesce(
        to_char(greatest(last_autovacuum, last_vacuum), 'YYYY-MM-DD HH24:MI'), 'never') as swept, due
      from pg_stat_user_tables s join pg_class c on c.oid = relid
      cross join lateral (
        select coalesce(max(option_value::float8) filter (where option_name = 'autovacuum_vacuum_threshold'),
            current_setting('autovacuum_vacuum_threshold')::float8)
          + coalesce(max(option_value::float8) filter (where option_name = 'autovacuum_vacuum_scale_factor'),
            current_setting('autovacuum_vacuum_scale_factor')::float8) * greatest(reltuples, 0) as due
        from pg_options_to_table(c.reloptions)) as plan
      where n_dead_tup > ${LARGE} and n_dead_tup > 2 * due and ${OWN} order by n_dead_tup desc`,
    ({ name, dead, live, swept, due }) => ({
      broken: false,
      what: `${name} has ${dead} dead rows beside ${live}, swept last: ${swept}, due at ${Math.round(due)}`,
      next: `vacuum (analyze) ${name}. If it comes again: look for long transactions, give autovacuum more workers.`,
    })),
  },
  {
    // A B-tree page is filled to nine tenths; 16 bytes an entry are its head. Only gross cases are told.
    name: 'bloat', holds: 'Indexes have the size of what they hold',
    find: (client) => each(client, `
      select name, pg_size_pretty(actual) as actual, pg_size_pretty(expected) as expected from (
        select format('%I.%I', s.schemaname, s.indexrelname) as name, pg_relation_size(s.indexrelid) as actual,
          (c.reltuples * (16 + sum(coalesce(p.avg_width, 16))) / 0.9)::bigint as expected
        from pg_stat_user_indexes s join pg_class c on c.oid = s.indexrelid
        join pg_am on pg_am.oid = c.relam and amname = 'btree' join pg_attribute a on a.attrelid = c.oid
        left join pg_stats p on p.schemaname = s.schemaname and p.tablename = s.relname and p.attname = a.attname
        where c.reltuples >= 0 and ${OWN.replaceAll('schemaname', 's.schemaname')}
        group by s.schemaname, s.indexrelname, s.indexrelid, c.reltuples
      ) as sizes where actual > 2.5 * expected + 10000000 order by actual desc`,
    ({ name, actual, expected }) => ({
      broken: false, what: `${name} takes ${actual}, its entries would need ${expected}`,
      next: `reindex index concurrently ${name}, in a quiet hour.`,
    })),
  },
]
