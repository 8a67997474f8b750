// The doctor finds what was planted, and nothing in a healthy shop with some thousand orders: a hint that is always
// there is read by nobody.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { grow } from '../bench/grow.ts'
import { sql, type Db } from '../src/platform/db.ts'
import { testDatabase } from '../src/platform/testing.ts'
import { testShop } from '../src/testing.ts'
import { examine, type Report } from './doctor.ts'
import { judgeSettings } from './doctor/server.ts'

// The tests' server is a throwaway: its settings are what the doctor warns of.
const SKIPPED = ['--skip', 'settings']

function kontor(db: Db, ...args: string[]): { status: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath, [join(import.meta.dirname, 'kontor.ts'), 'doctor', ...args],
    { encoding: 'utf8', env: { ...process.env, DATABASE_URL: db.url } })
  return { status, out: stdout, error: stderr }
}

async function plant(db: Db, ...statements: string[]): Promise<void> {
  const client = await db.dedicated()
  for (const statement of statements) await client.query(statement)
  await client.end()
}

const foundIn = (report: Report): string[] => report.flatMap(({ check, findings }) =>
  findings.map(({ broken, what }) => `${broken ? 'broken' : 'hint'} ${check}: ${what}`))

test('a healthy shop is told so, and each thing that was planted is found', async (t) => {
  const shop = await testShop(t)
  await grow(shop, { products: 500, orders: 11_000 })
  const healthy = kontor(shop.db, ...SKIPPED)
  assert.equal(healthy.status, 0, healthy.out + healthy.error)
  assert.match(healthy.out, /^Healthy, 0 hints, \d+ checks\.$/m)
  assert.doesNotMatch(healthy.out, /BROKEN|hint {4}/)

  await plant(shop.db,
    'create index line_planted on orders.line (sku)',
    'drop index payments.operation_of_attempt',
    'alter table orders.timeline_entry set (autovacuum_enabled = off)',
    `update orders.timeline_entry set data = '{"planted": true}'`)
  const hints = kontor(shop.db, ...SKIPPED, '--skip', 'indexes', '--json')
  assert.equal(hints.status, 0, 'hints alone are no failure')
  assert.equal(JSON.parse(hints.out).hints, 1)
  const found = foundIn(await examine(shop.db, ['indexes', 'dead-rows'])).join('\n')
  assert.match(found, /broken indexes: payments\.operation_of_attempt is gone/)
  assert.match(found, /hint indexes: orders\.line_planted \(.*\) was not used since/)
  assert.match(found, /hint dead-rows: orders\.timeline_entry has \d{5} dead rows beside/)

  await plant(shop.db,
    `update inventory.stock set on_hand = on_hand + 1 where (variant_id, location_id) = (
      select variant_id, location_id from inventory.stock limit 1)`,
    `update payments.attempt set next_check_at = now() - interval '6 minutes' where next_check_at is not null`,
    `update platform.event set relayed_at = null, available_at = now() - interval '2 minutes' where id = (
      select id from platform.event limit 1)`)
  const broken = kontor(shop.db, ...SKIPPED)
  assert.equal(broken.status, 1)
  assert.match(broken.out, /^BROKEN +inventory +I1 on hand is the sum of the movements\n +1 rows.*"variant_id"/m)
  assert.match(broken.out, /^BROKEN +payments +I11 no attempt/m)
  assert.match(broken.out, /^BROKEN +events +Events are delivered/m)
})

test('late work, failed jobs and open transactions are found', async (t) => {
  const db = await testDatabase(t)
  await plant(db,
    `insert into notifications.message (id, template, recipient, data, state, due_at) values
      (gen_random_uuid(), 'x', 'a@example.com', '{}', 'waiting', now() - interval '1 hour'),
      (gen_random_uuid(), 'x', 'b@example.com', '{}', 'parked', now())`,
    `insert into platform.job (event_id, handler, run_at, given_up_at) values
      (gen_random_uuid(), 'late', now() - interval '1 hour', null), (gen_random_uuid(), 'failed', now(), now())`)
  assert.deepEqual(foundIn(await examine(db, ['messages', 'jobs', 'orders', 'transactions'])), [
    'broken jobs: Jobs wait longer than ten minutes', 'hint jobs: Jobs failed for good',
    'broken messages: Messages wait ten minutes past their time', 'hint messages: Messages could not be sent',
  ])
})

test('settings that lose orders are broken, those that slow are hints', () => {
  const safe = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on', random_page_cost: '1.1' }
  assert.deepEqual(judgeSettings(new Map(Object.entries(safe))), [])
  const found = judgeSettings(new Map(Object.entries({ ...safe, fsync: 'off', random_page_cost: '4' })))
  assert.deepEqual(found.map(({ broken, what }) => [broken, what.split(':')[0]]),
    [[true, 'fsync = off'], [false, 'random_page_cost = 4']])
})

test('what it cannot look at is one sentence', async (t) => {
  const db = await testDatabase(t)
  assert.match(kontor(db, '--only', 'nonsense').error, /^There is no check "nonsense"\. There are: inventory, /)
  await db.run(sql`delete from platform.migration where module = 'media'`)
  const { status, error } = kontor(db)
  assert.equal(status, 2)
  assert.match(error, /^The migration media\/0001-start\.sql has not run/)
})
