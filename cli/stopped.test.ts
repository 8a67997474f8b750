// A command that is stopped, whose database goes away or whose reader has enough: it says how things stand, leaves
// nothing half-done behind, and the same command goes on from there.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Type } from 'typebox'
import { seedDemo } from '../demo/seed.ts'
import { sql, type Db } from '../src/platform/db.ts'
import { testDatabase, withDatabase, type Cleanup } from '../src/platform/testing.ts'

async function start(t: Cleanup) {
  const db = await testDatabase(t)
  await seedDemo(db)
  const { name } = await db.one(Type.Object({ name: Type.String() }), sql`select current_database() as name`)
  const folder = mkdtempSync(join(tmpdir(), 'kontor-stopped-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'many.csv')
  const rows = Array.from({ length: 1_500 }, (_, index) => `m${index},M ${index},M${index},1\n`)
  writeFileSync(file, `Handle,Title,Variant SKU,Variant Price\n${rows.join('')}`)
  const env = { ...process.env, DATABASE_URL: withDatabase(process.env['TEST_DATABASE_URL']!, name) }
  return { db, folder, file, env }
}

/** Runs the command and calls `meanwhile` when it first shows that it works. */
async function run(
  env: NodeJS.ProcessEnv, args: string[], meanwhile: (pid: number) => unknown = () => {},
): Promise<{ status: number | null; out: string; error: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'kontor.ts'), ...args], { env })
  let [out, error] = ['', '']
  child.stdout.on('data', (data) => { out += data })
  child.stderr.on('data', (data) => {
    if (error === '') void meanwhile(child.pid!)
    error += data
  })
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { status, out, error }
}

const imported = async (db: Db): Promise<number> => (await db.one(Type.Object({ count: Type.Integer() }), sql`
  select count(*)::integer as count from catalog.product where handle ~ '^m[0-9]+$'`)).count

test('an import that is stopped keeps what is in, and goes on', async (t) => {
  const { db, file, env } = await start(t)
  const stopped = await run(env, ['import', 'shopify', file], (pid) => process.kill(pid, 'SIGINT'))
  assert.equal(stopped.status, 130)
  assert.match(stopped.error, /Stopped\. What was imported until now is in; run the same command again to go on\.\n$/)
  const before = await imported(db)
  assert.ok(before < 1_500 && before % 100 === 0, `${before} whole batches`)
  const { status, out } = await run(env, ['import', 'shopify', file])
  assert.equal(status, 0)
  assert.match(out, before === 0 ? /^1,500 products created/ : new RegExp(`${before} products? unchanged`))
  assert.equal(await imported(db), 1_500)
})

test('connections that break are replaced, and no product is taken for a wrong one', async (t) => {
  const { db, file, env } = await start(t)
  const { status, out } = await run(env, ['import', 'shopify', file], () => db.run(sql`
    select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'kontor command'`))
  assert.equal(status, 0)
  assert.doesNotMatch(out, /not imported/)
  assert.equal(await imported(db), 1_500)
})

test('a backup or export that fails leaves no file, and the one that was there', async (t) => {
  const { db, folder, env } = await start(t)
  const [backup, sheet] = [join(folder, 'shop.tar'), join(folder, 'shop.csv')]
  // A table that nobody may read keeps it from being through before it hears of us.
  const holder = await db.dedicated()
  await holder.query('begin; lock table shipping.method in access exclusive mode')
  const stopped = await run(env, ['backup', backup], (pid) => process.kill(pid, 'SIGINT'))
  await holder.end()
  assert.deepEqual([stopped.status, existsSync(backup), existsSync(`${backup}.part`)], [130, false, false])
  assert.match(stopped.error, /Stopped\. Nothing was saved\.\n$/)
  writeFileSync(sheet, 'of yesterday')
  await db.run(sql`alter table catalog.product_image rename to image_elsewhere`)
  assert.equal((await run(env, ['export', 'shopify', sheet])).status, 2)
  assert.deepEqual([readFileSync(sheet, 'utf8'), existsSync(`${sheet}.part`)], ['of yesterday', false])
})

test('a file that cannot be written is one sentence; a reader that has enough is no failure of ours', async (t) => {
  const { folder, env } = await start(t)
  for (const args of [['export', 'shopify', join(folder, 'no', 'x.csv')], ['backup', join(folder, 'no', 'x.tar')],
    ['export', 'shopify', folder], ['restore', folder]]) {
    const { status, error } = await run(env, args)
    assert.equal(status, 2, args.join(' '))
    assert.match(error, /^[^\n]+\n$/)
  }
  const child = spawn(process.execPath, [join(import.meta.dirname, 'kontor.ts'), 'export', 'jsonl'], { env })
  child.stdout.destroy()
  let error = ''
  child.stderr.on('data', (data) => { error += data })
  assert.deepEqual([await new Promise((resolve) => child.on('close', resolve)), error], [141, ''])
})
