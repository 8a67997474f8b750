// The proxy does what it says, and nothing else: above all, what is cut off was committed.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import pg from 'pg'
import { randomFrom } from '../bench/random.ts'
import { Db, sql, systemContext } from '../src/platform/db.ts'
import { testDatabase } from '../src/platform/testing.ts'
import { FaultProxy, type Faults } from './fault-proxy.ts'

async function linked(t: TestContext) {
  const db = await testDatabase(t)
  const direct = await db.dedicated()
  t.after(() => direct.end())
  await direct.query('create table public.noted (n int)')
  const url = new URL(db.url)
  const proxy = new FaultProxy({ host: url.hostname, port: Number(url.port) }, randomFrom(1))
  url.port = String(await proxy.start())
  t.after(() => proxy.stop())
  const open = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url.href })
    client.on('error', () => {})
    await client.connect()
    t.after(() => client.end().catch(() => {}))
    return client
  }
  const noted = async (): Promise<number[]> => (await direct.query('select n from public.noted order by n')).rows
    .map(({ n }) => n)
  return { url: url.href, proxy, open, noted }
}

test('a COMMIT whose answer is cut off is committed, and its client does not know', async (t) => {
  const { proxy, open, noted } = await linked(t)
  const client = await open()
  await client.query('begin')
  await client.query('insert into public.noted values (1)')
  proxy.faults = { cutCommits: 1 }
  await assert.rejects(client.query('commit'))
  proxy.faults = {}
  assert.deepEqual([await noted(), proxy.cuts], [[1], 1])
  await assert.rejects(client.query('select 1'), 'its connection is gone')

  const other = await open()
  await other.query('begin')
  await other.query('insert into public.noted values (2)')
  await other.query('commit')
  assert.deepEqual([await noted(), proxy.cuts], [[1, 2], 1], 'without the fault nothing is cut')
})

for (const [what, faults] of [
  ['crumbs', { sliceBytes: 3 }], ['a slow link', { delayMs: 5, jitterMs: 5 }],
] satisfies [string, Faults][]) {
  test(`what goes through ${what} arrives whole and in order`, async (t) => {
    const { proxy, open } = await linked(t)
    proxy.faults = faults
    const client = await open()
    const { rows } = await client.query(`select string_agg(n::text, ',') as all from generate_series(1, 500) as n`)
    assert.equal(rows[0].all, Array.from({ length: 500 }, (_, index) => index + 1).join(','))
  })
}

test('a silent link answers nobody and tells nobody; a reset breaks what there is', async (t) => {
  const { proxy, open } = await linked(t)
  const client = await open()
  proxy.faults = { silent: true }
  const waiting = client.query('select 1').then(() => 'answered', () => 'broken')
  assert.equal(await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 300, 'nothing'))]), 'nothing')
  proxy.faults = {}
  assert.equal(await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 300, 'nothing'))]), 'nothing')
  proxy.reset()
  assert.equal(await waiting, 'broken')
  assert.equal((await (await open()).query('select 7 as n')).rows[0].n, 7)
})

// Without that the whole pool waits for ever, and with it every job: found by the programme `link`.
test('a shop gives up a connection that fell silent, and goes on with others', async (t) => {
  const { url, proxy, noted } = await linked(t)
  const db = new Db({ url, max: 2, silentMs: 300 })
  t.after(() => db.close())
  let attempts = 0
  await db.transaction(systemContext(), async (tx) => {
    await tx.run(sql`select 1`)
    if (++attempts === 1) proxy.faults = { silent: true }
    setTimeout(() => { proxy.faults = {} }, 100)
    await tx.run(sql`insert into public.noted values (${attempts})`)
  })
  assert.deepEqual(await noted(), [2], 'what was begun was done anew, on another connection')
})
