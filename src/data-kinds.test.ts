// Each column of each table says what data of people it holds, and the audit log keeps no value that it must not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { dataKinds, kinds, kindsOf } from './data-kinds.ts'
import { sql } from './platform/db.ts'
import { testDatabase } from './platform/testing.ts'
import { watchTables } from './watched-tables.ts'

test('each column has its kind, and each kind has its column', async (t) => {
  const db = await testDatabase(t)
  const rows = await db.many(Type.Object({ table: Type.String(), column: Type.String() }), sql`
    select n.nspname || '.' || c.relname as table, attname::text as column
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_attribute on attrelid = c.oid and attnum > 0 and not attisdropped
    where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
      and n.nspname not like 'pg\\_%'`)
  const there = new Set(rows.map(({ table, column }) => `${table}.${column}`))
  const told = Object.keys(dataKinds).flatMap((table) => [...kindsOf(table)!.keys()].map((name) => `${table}.${name}`))
  const missing = [...there].filter((name) => !told.includes(name))
  assert.deepEqual(missing, [], `say in src/data-kinds.ts which data of people these hold: ${missing.join(', ')}`)
  assert.deepEqual(told.filter((name) => !there.has(name)), [], 'src/data-kinds.ts names columns that are not there')
  const count = Object.values(dataKinds).flatMap((columns) => Object.values(columns).join(' ').split(' ')).length
  assert.equal(count, there.size, 'no column has two kinds')
  for (const kind of Object.values(dataKinds).flatMap(Object.keys)) assert.ok(kind in kinds, kind)
})

const Trigger = Type.Object({ table: Type.String(), text: Type.String() })

test('the audit log watches every table, and keeps no value of a person and no secret', async (t) => {
  const db = await testDatabase(t)
  const triggers = await db.many(Trigger, sql`
    select n.nspname || '.' || c.relname as table, pg_get_triggerdef(pg_trigger.oid) as text
    from pg_catalog.pg_trigger join pg_catalog.pg_class c on c.oid = tgrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace where tgname like 'audit\\_note\\_%'`)
  assert.ok(triggers.length >= 40, `${triggers.length} tables are watched`)
  for (const { table, text } of triggers) {
    const hidden = new Set(/note_change\('[^']*', '\{([^']*)\}'\)/.exec(text)![1]!.replaceAll('"', '').split(','))
    for (const [column, kind] of kindsOf(table)!) {
      assert.ok(['none', 'reference'].includes(kind) || hidden.has(column), `${table}.${column} is ${kind}`)
    }
  }
  assert.equal(await watchTables(db), 0, 'and there is nothing left to do')
})

test('a table that nobody told of is watched, and nothing of it is kept but its key', async (t) => {
  const db = await testDatabase(t)
  await db.run(sql`create schema plugin`)
  await db.run(sql`create table plugin.note (id integer primary key, words text)`)
  assert.deepEqual(await Promise.all([watchTables(db), watchTables(db)].map((one) => one.then(() => 'done'))),
    ['done', 'done'])
  await db.transaction({ requestId: 'r', actor: { kind: 'system' }, audit: { route: 'x', target: {}, address: '' } },
    (tx) => tx.run(sql`insert into plugin.note values (7, 'Zyxelgrim')`))
  assert.deepEqual(await db.many(Type.Object({ key: Type.String(), after: Type.Unknown() }), sql`
    select row_key as key, after from platform.audit_change`), [{ key: '7', after: { id: 7, words: '(hidden)' } }])
})
