// The audit log learns what a write changed from the tables themselves, by a trigger on each: a use case cannot forget
// it, and a new table is watched without a word. It costs a shopper a look at a setting (under 0.3 µs a row). The
// triggers are made after the migrations, since what they may keep follows from src/data-kinds.ts.
import { createHash } from 'node:crypto'
import { kindsOf } from './data-kinds.ts'
import type { Db } from './platform/db.ts'

/** Tables that say nothing new: derived from others, queues, and what holds secrets alone. */
const UNWATCHED = new Set([
  'browse.offered_product', 'browse.offer', 'catalog.product_search', 'catalog.search_word', 'customers.purchase',
  'customers.purchase_total', 'inventory.stock_change', 'inventory.reservation', 'media.unclaimed',
  'identity.rate_limit', 'identity.request_count', 'identity.known_origin', 'identity.one_time_token',
  'identity.recovery_code', 'identity.passkey_challenge', 'identity.sign_on_attempt',
  'accounts.session', 'accounts.link', 'accounts.passkey_challenge', 'payments.circuit',
])

type Table = { name: string; quoted: string; key: string[]; columns: string[]; triggers: string[] }

const TABLES = `
  select n.nspname || '.' || c.relname as name, format('%I.%I', n.nspname, c.relname) as quoted,
    coalesce((select array_agg(attname::text order by array_position(conkey, attnum)) from pg_catalog.pg_constraint
      join pg_catalog.pg_attribute on attrelid = conrelid and attnum = any(conkey)
      where conrelid = c.oid and contype = 'p'), '{}') as key,
    (select array_agg(attname::text order by attnum) from pg_catalog.pg_attribute
      where attrelid = c.oid and attnum > 0 and not attisdropped) as columns,
    coalesce((select array_agg(tgname::text) from pg_catalog.pg_trigger
      where tgrelid = c.oid and tgname like 'audit\\_note\\_%'), '{}') as triggers
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition
    and n.nspname not in ('pg_catalog', 'information_schema', 'platform', 'extensions', 'public')
    and n.nspname not like 'pg\\_%'`

/** Puts the audit triggers in order; answers how many it made. Asked twice, or at once, it makes each once. */
export async function watchTables(db: Db): Promise<number> {
  const client = await db.dedicated()
  try {
    const { rows } = await client.query<Table>(TABLES)
    const wanted = rows.filter(({ name }) => !UNWATCHED.has(name)).map((table) => ({ table, made: triggerOf(table) }))
      .filter(({ table, made }) => table.triggers.join() !== made.name)
    for (const { table, made } of wanted) {
      await client.query(`begin; set local lock_timeout = '5s';
        ${table.triggers.map((old) => `drop trigger if exists ${old} on ${table.quoted};`).join('\n')}
        ${made.text}; commit`)
    }
    return wanted.length
  } finally {
    await client.end()
  }
}

/** Its name follows from what it does, so that a change of the register makes another. */
function triggerOf({ quoted, key, name: table, columns }: Table): { name: string; text: string } {
  const known = kindsOf(table)
  const isKept = (column: string): boolean => ['none', 'reference'].includes(known?.get(column) ?? '')
  const hidden = columns.filter((column) => !key.includes(column) && !isKept(column))
  const literal = (names: string[]): string => `'{${names.map((one) => `"${one}"`).join(',')}}'`
  const what = `${literal(key)}, ${literal(hidden)}`
  const name = `audit_note_${createHash('sha256').update(what).digest('hex').slice(0, 8)}`
  return { name, text: `create or replace trigger ${name} after insert or update or delete on ${quoted}
    for each row when (current_setting('kontor.audit_entry', true) <> '')
    execute function platform.note_change(${what})` }
}
