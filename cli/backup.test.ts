// A backup is worth what its restore gives back: the same rows, of one moment although the shop went on writing, and
// nothing at all when a byte is wrong or the database is not empty.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { loadHistory } from '../demo/history.ts'
import { seedDemo } from '../demo/seed.ts'
import { findBroken } from '../src/invariants.ts'
import { setStock } from '../src/modules/inventory/set-stock.ts'
import { Db, sql, systemContext } from '../src/platform/db.ts'
import { newId } from '../src/platform/id.ts'
import { inReverse, testDatabase, withDatabase, type Cleanup } from '../src/platform/testing.ts'
import { Type } from 'typebox'
import sharp from 'sharp'
import { addAsset } from '../src/modules/media/add-asset.ts'
import { getAsset } from '../src/modules/media/assets.ts'
import { diskStorage, mediaStorage } from '../src/modules/media/storage.ts'
import { nameOf, readTables } from './archive/manifest.ts'
import { writeBackup } from './backup.ts'
import { restoreBackup, verifyBackup } from './restore.ts'

function folder(t: Cleanup): string {
  const path = mkdtempSync(join(tmpdir(), 'kontor-backup-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A database without anything in it. */
async function emptyDatabase(t: Cleanup): Promise<Db> {
  const server = new pg.Client({ connectionString: process.env['TEST_DATABASE_URL'] })
  await server.connect()
  const name = `kontor_test_${newId().replaceAll('-', '')}`
  await server.query(`create database ${name} template template0`)
  const db = new Db({ url: withDatabase(process.env['TEST_DATABASE_URL']!, name), max: 4 })
  t.after(async () => {
    await db.close()
    await server.query(`drop database ${name} with (force)`)
    await server.end()
  })
  return db
}

/** What every table holds, as one sum each. */
async function contents(db: Db): Promise<Record<string, string>> {
  const client = await db.dedicated()
  try {
    const sums: Record<string, string> = {}
    for (const table of await readTables(client)) {
      const { rows } = await client.query(`select t::text as row from ${nameOf(table)} t order by 1`)
      sums[nameOf(table)] = createHash('sha256').update(rows.map(({ row }) => row).join('\n')).digest('hex')
    }
    return sums
  } finally {
    await client.end()
  }
}

test('what a backup saved, a restore gives back', async (runner) => {
  const t = inReverse(runner)
  const db = await testDatabase(t)
  await seedDemo(db)
  await loadHistory(db, { today: new Date('2026-06-15T09:00:00Z'), pictures: [] })
  for (const name of ['shop.tar', 'shop.tar.gz']) {
    const file = join(folder(t), name)
    await writeBackup(db, file)
    const copy = await emptyDatabase(t)
    await restoreBackup(copy, file, await verifyBackup(file))
    assert.deepEqual(await contents(copy), await contents(db))
    const Number = Type.Object({ number: Type.Integer() })
    const next = sql`select nextval('orders.number') as number`
    assert.equal(
      (await copy.one(Number, next)).number, (await db.one(Number, next)).number, 'sequences go on where they were')
    await assert.rejects(copy.run(sql`delete from inventory.movement`), /append-only/, 'triggers guard again')
    await assert.rejects(async () => restoreBackup(copy, file, await verifyBackup(file)), /not empty/)
  }
})

test('a backup taken while stock moves shows one moment', async (t) => {
  const db = await testDatabase(t)
  await seedDemo(db)
  const stock = await db.many(Type.Object({ variantId: Type.String(), locationId: Type.String() }), sql`
    select variant_id as "variantId", location_id as "locationId" from inventory.stock order by 1, 2 limit 60`)
  let writing = true
  const writers = [1, 2, 3].map(async (writer) => {
    for (let count = 0; writing; count++) {
      const levels = stock.map((place, index) => ({ ...place, onHand: (count * 7 + index * writer) % 50 }))
      await db.transaction(systemContext(), (tx) => setStock(tx, levels))
    }
  })
  const files = Array.from({ length: 3 }, (_, index) => join(folder(t), `${index}.tar`))
  for (const file of files) await writeBackup(db, file)
  writing = false
  await Promise.all(writers)
  for (const file of files) {
    const copy = await emptyDatabase(t)
    await restoreBackup(copy, file, await verifyBackup(file))
    assert.deepEqual(await findBroken(copy), [])
  }
})

test('a damaged or broken off file is refused before anything is written', async (t) => {
  const db = await testDatabase(t)
  await seedDemo(db)
  const path = folder(t)
  const file = join(path, 'shop.tar')
  await writeBackup(db, file)
  const sound = readFileSync(file)
  const changed = Buffer.from(sound)
  const at = changed.indexOf('Enamel Mug')
  changed.write('Tin Bucket', at)
  const cases = {
    'changed.tar': changed, 'short.tar': sound.subarray(0, sound.length >> 1), 'empty.tar': Buffer.alloc(0),
    'other.tar': Buffer.from('not an archive at all'.repeat(100)), 'short.tar.gz': sound.subarray(0, 1_000),
  }
  for (const [name, bytes] of Object.entries(cases)) {
    writeFileSync(join(path, name), bytes)
    await assert.rejects(verifyBackup(join(path, name)), { name: 'Error' }, name)
  }
  assert.equal((await verifyBackup(file)).format, 'kontor backup 1')
})

test('pictures are saved with their rows and put back before them; a changed one is refused', async (t) => {
  const db = await testDatabase(t)
  const [from, to] = [diskStorage(folder(t)), diskStorage(folder(t))]
  mediaStorage.set(db, from)
  const assets = await Promise.all(['red', 'blue', 'green'].map(async (background) => {
    const bytes = await sharp({ create: { width: 700, height: 500, channels: 3, background } }).png().toBuffer()
    return addAsset(db, systemContext(), { bytes, filename: `${background}.png` })
  }))
  const files = assets.flatMap(({ sizes }) => sizes.map(({ url }) => url.split('/').slice(2) as [string, string]))
  await from.remove(...lost(files.at(-1)!))
  const file = join(folder(t), 'shop.tar')
  const { media } = await writeBackup(db, file, { storage: from })
  const there = files.filter(([key]) => key !== files.at(-1)![0])
  assert.deepEqual([media.files, media.missing], [there.length, files.length - there.length])

  const copy = await emptyDatabase(t)
  // A disk that takes no more: the database is empty again, and the next try goes through.
  const full = { ...to, write: () => Promise.reject(new Error('ENOSPC')) }
  await assert.rejects(restoreBackup(copy, file, await verifyBackup(file), { storage: full }), /ENOSPC/)
  await restoreBackup(copy, file, await verifyBackup(file), { storage: to })
  for (const [key, name] of there) assert.deepEqual(await to.read(key, name), await from.read(key, name))
  assert.equal((await getAsset(copy, assets[0]!.id)).url, assets[0]!.url)

  const bytes = readFileSync(file)
  bytes[bytes.indexOf('WEBP') + 40]! ^= 1
  writeFileSync(file, bytes)
  await assert.rejects(verifyBackup(file), /The pictures are not those that were saved/)
})

/** Its whole folder. */
const lost = ([key, name]: [string, string]): [string, string[]] => [key, [name]]
