// What a person meets who calls the command line with nothing, with help, or with a mistake: a sentence and a status,
// never a stack.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Type } from 'typebox'
import { seedDemo } from '../demo/seed.ts'
import { sql, type Db } from '../src/platform/db.ts'
import { testDatabase, withDatabase } from '../src/platform/testing.ts'

function kontor(...args: string[]): Ended {
  return kontorOn({}, ...args)
}

type Ended = { status: number | null; out: string; error: string }

function kontorOn(env: Record<string, string>, ...args: string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'kontor.ts'), ...args], {
    encoding: 'utf8', env: { ...process.env, ...env },
  })
  return { status, out: stdout, error: stderr }
}

async function environmentOf(db: Db): Promise<{ DATABASE_URL: string }> {
  const { name } = await db.one(Type.Object({ name: Type.String() }), sql`select current_database() as name`)
  return { DATABASE_URL: withDatabase(process.env['TEST_DATABASE_URL']!, name) }
}

test('help for all and for each', () => {
  const { status, out } = kontor('--help')
  assert.equal(status, 0)
  const names = [...out.matchAll(/^ {2}(\w+) +\S/gm)].map(([, name]) => name!)
  assert.ok(names.includes('import') && names.includes('backup'), out)
  assert.deepEqual(kontor().out, out)
  for (const args of [['import', '--help'], ['help', 'restore']]) {
    assert.match(kontor(...args).out, /^kontor (import|restore) /m)
  }
})

test('mistakes', () => {
  const cases: [string[], RegExp][] = [
    [['imprt'], /^There is no command "imprt"/], [['import'], /^Say what the file is/],
    [['import', 'shopify'], /^Name one file/], [['import', 'shopify', 'no-such.csv'], /^There is no file no-such.csv/],
    [['import', '--quick'], /^Unknown option '--quick'/], [['import', 'shopify', '.'], /is not a file/],
    [['export', 'xml'], /^Say what to write/], [['restore', 'no-such.tar'], /^There is no file/],
    [['restore', '.'], /^\. is a folder/],
  ]
  for (const [args, message] of cases) {
    const { status, error } = kontor(...args)
    assert.equal(status, 2, args.join(' '))
    assert.match(error, message)
    assert.doesNotMatch(error, /\n {4}at /)
  }
})

test('a database that cannot be opened is one sentence', () => {
  // Port 1 is never a database's.
  const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' }
  for (const args of [['user', 'password', 'a@example.com'], ['key', 'create', '--secret', 'X'], ['backup', 'x.tar']]) {
    const { status, error } = kontorOn(env, ...args)
    assert.equal(status, 2)
    assert.match(error, /^The database cannot be used: .*127\.0\.0\.1:1/)
    assert.equal(error.trim().split('\n').length, 1, error)
  }
})

test('a database that cannot be migrated is one sentence', async (t) => {
  const db = await testDatabase(t)
  await db.run(sql`update platform.migration set hash = 'another' where module = 'media'`)
  const env = await environmentOf(db)
  const { status, error } = kontorOn(env, 'user', 'password', 'a@example.com')
  assert.equal(status, 2)
  assert.match(error, /^The database cannot be used: The migration media\/0001-/)
  assert.equal(error.trim().split('\n').length, 1, error)
})

test('an import counts products to the end, and names what did not change', async (t) => {
  const db = await testDatabase(t)
  await seedDemo(db)
  const env = await environmentOf(db)
  const folder = mkdtempSync(join(tmpdir(), 'kontor-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const rates = join(folder, 'rates.csv')
  writeFileSync(rates, 'Country Code,State Code,Rate %,Tax Name,Tax Class\nCH,*,8.1,MWST,\n')
  assert.match(kontorOn(env, 'import', 'woocommerce', rates).out, /^1 tax rate written\./)
  const again = kontorOn(env, 'import', 'woocommerce', rates)
  assert.match(again.out, /^1 tax rate unchanged\./)
  assert.match(again.error, /100 % /)
  const file = join(folder, 'rt.csv')
  for (const location of [[], ['--location', 'luebeck']]) {
    assert.equal(kontorOn(env, 'export', 'shopify', file, ...location).status, 0)
    const { out, error } = kontorOn(env, 'import', 'shopify', file, ...location)
    assert.match(out, /^62 products unchanged/)
    assert.doesNotMatch(out, /stock/)
    assert.match(error, /100 % {2}62 products\n$/)
  }
  // What lies in Hamburg is set to what lay in Lübeck.
  assert.match(kontorOn(env, 'import', 'shopify', file).out, /products updated.*stock levels changed/)
  const saved = kontorOn(env, 'backup', join(folder, 'shop.tar'))
  assert.match(saved.out, / tables, [0-9,]+ rows, 0 files of pictures, /)
})

test('UTF-16 is named, with its mark or without', async (t) => {
  const db = await testDatabase(t)
  await seedDemo(db)
  const env = await environmentOf(db)
  const folder = mkdtempSync(join(tmpdir(), 'kontor-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'head.csv')
  writeFileSync(file, '\ufeffHandle,Title\r\n', 'utf16le')
  const marked = kontorOn(env, 'import', 'shopify', file)
  assert.equal(marked.status, 0)
  assert.match(marked.error + marked.out, /UTF-16.*no rows/is)
  writeFileSync(file, 'Handle,Title\r\n', 'utf16le')
  const bare = kontorOn(env, 'import', 'shopify', file)
  assert.equal(bare.status, 2)
  assert.match(bare.error, /UTF-16/)
})
