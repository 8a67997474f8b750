// The audit log: every write of staff and keys with what it changed, nothing of a person in it, and a chain that shows
// each kind of tampering by itself.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { findBroken } from './invariants.ts'
import { sql, type Db } from './platform/db.ts'
import type { Cleanup } from './platform/testing.ts'
import { newId } from './platform/id.ts'
import { forgetOrigins, sealAudit } from './platform/seal-audit.ts'
import { testShop } from './testing.ts'

async function open(t: Cleanup) {
  const shop = await testShop(t)
  const [app, { secret }] = [await shop.app(), await shop.keys()]
  const ask = async (method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', url: string, payload?: object) => {
    const answer = await app.inject({
      method, url, remoteAddress: '203.0.113.9', headers: { authorization: `Bearer ${secret}` },
      ...payload ? { payload } : {},
    })
    return { status: answer.statusCode, text: answer.body, headers: answer.headers,
      body: answer.headers['content-type']?.includes('json;') ? answer.json() : undefined }
  }
  const location = async (code = `l${newId().slice(-12)}`): Promise<string> =>
    (await ask('POST', '/admin/inventory/locations', { code, name: code })).body.id
  const log = async (query = '') => (await ask('GET', `/admin/audit-log?limit=100${query}`)).body.items
  return { shop, db: shop.db, ask, location, log }
}

const seal = (db: Db): Promise<unknown> => sealAudit.run(db)

test('a write is told with what it changed, its actor, address and request', async (t) => {
  const { shop, ask, log } = await open(t)
  const { status, headers } = await ask('PATCH', `/admin/inventory/locations/${shop.locations[0]}`, { name: 'Quay' })
  assert.equal(status, 200)
  const [entry] = await log()
  assert.deepEqual(
    [entry.actorKind, entry.route, entry.target, entry.address, entry.requestId, entry.changes, entry.seal], [
      'key', 'PATCH /admin/inventory/locations/:locationId', { locationId: shop.locations[0] }, '203.0.113.9',
      headers['x-request-id'], [{
        table: 'inventory.location', key: shop.locations[0], before: { name: 'hamburg' }, after: { name: 'Quay' },
      }], null])
})

test('where a write came from is forgotten after a year, and the chain holds', async (t) => {
  const { db, location, log } = await open(t)
  await location()
  await seal(db)
  const client = await db.dedicated()
  await client.query(`update platform.audit_origin set entry_id = '00000000-0000-7000-8000-000000000000'`)
  await client.end()
  await forgetOrigins.run(db)
  assert.deepEqual([(await log())[0].address, await findBroken(db, { module: 'platform' })], [null, []])
})

test('what was refused leaves no entry, and what a shopper does leaves none', async (t) => {
  const { shop, ask, log, db } = await open(t)
  assert.equal((await ask('PATCH', `/admin/inventory/locations/${newId()}`, { name: 'Quay' })).status, 404)
  await shop.complete(await shop.cart([{ variantId: await shop.variant(), quantity: 1 }]))
  assert.deepEqual(await log(), [])
  assert.equal((await db.many(Type.Object({ id: Type.Integer() }), sql`
    select id from platform.audit_change`)).length, 0)
})

test('of a person only is told that a field changed', async (t) => {
  const { ask, log } = await open(t)
  const { body } = await ask('POST', '/admin/staff', { email: 'Zyx@example.com', name: 'Zyxelgrim', role: 'manager' })
  const [entry] = await log(`&thing=${body.id}`)
  const change = entry.changes.find(({ table }: { table: string }) => table === 'identity.staff')
  assert.deepEqual([change.before, change.after.email, change.after.name, change.after.role_code],
    [null, '(hidden)', '(hidden)', 'manager'])
  assert.doesNotMatch(JSON.stringify(await log()), /zyx/i)
})

test('the log is searched, paged and exported', async (t) => {
  const { ask, location, log, db } = await open(t)
  const ids = [await location(), await location('one-more'), await location()]
  await ask('DELETE', `/admin/secret-keys/${newId()}`)
  assert.deepEqual((await log(`&thing=${ids[1]}`)).map((one: any) => one.changes[0].key), [ids[1]])
  assert.equal((await log('&table=inventory.location')).length, 3)
  assert.equal((await log('&table=catalog.product')).length, 0)
  const { requestId, actorId, at } = (await log())[1]
  assert.equal((await log(`&requestId=${requestId}`)).length, 1)
  const route = encodeURIComponent('POST /admin/inventory/locations')
  assert.equal((await log(`&actorId=${actorId}&route=${route}`)).length, 3)
  assert.equal((await log(`&from=${at}`)).length, 2)
  assert.equal((await log(`&before=${at}`)).length, 1)
  const first = (await ask('GET', '/admin/audit-log?limit=2')).body
  const second = (await ask('GET', `/admin/audit-log?limit=2&cursor=${first.nextCursor}`)).body
  assert.deepEqual([...first.items, ...second.items].map(({ changes }: any) => changes[0].key), ids.reverse())
  assert.equal(second.nextCursor, null)
  await seal(db)
  const lines = (await ask('GET', '/admin/audit-log/export')).text.trim().split('\n')
  assert.deepEqual(lines.map((line) => JSON.parse(line)).map(({ seal: { number } }) => number), [3, 2, 1])
  const csv = await ask('GET', '/admin/audit-log/export?format=csv&thing=' + ids[1])
  assert.match(String(csv.headers['content-type']), /text\/csv/)
  assert.equal(csv.text.trim().split('\r\n').length, 2)
})

test('an export of more entries than one look takes holds each once', async (t) => {
  const { ask, db } = await open(t)
  await db.run(sql`insert into platform.audit_log (id, actor_kind, route, target, request_id)
    select gen_random_uuid(), 'staff', 'POST /x', '{}', n::text from generate_series(1, 1203) as n`)
  const lines = (await ask('GET', '/admin/audit-log/export')).text.trim().split('\n')
  assert.equal(new Set(lines).size, 1203)
  await seal(db)
  assert.deepEqual(await findBroken(db, { module: 'platform' }), [])
})

test('nothing in the log is changed or removed', async (t) => {
  const { db, location } = await open(t)
  await location()
  await seal(db)
  for (const statement of [
    'update platform.audit_log set route = route', 'delete from platform.audit_log', 'truncate platform.audit_log',
    'update platform.audit_change set after = null', 'delete from platform.audit_change',
    'delete from platform.audit_seal', 'update platform.audit_seal set number = number',
  ]) {
    const client = await db.dedicated()
    await assert.rejects(client.query(statement), /is insert-only/, statement)
    await client.end()
  }
})

test('sealers at once make one chain, whatever is written meanwhile', async (t) => {
  const { db, location } = await open(t)
  await Promise.all(Array.from({ length: 12 }, async () => {
    await location()
    await seal(db)
  }))
  await Promise.all([seal(db), seal(db), seal(db)])
  assert.deepEqual(await findBroken(db, { module: 'platform' }), [])
  const { count, last } = await db.one(Type.Object({ count: Type.Integer(), last: Type.Integer() }), sql`
    select count(*)::int as count, max(number)::int as last from platform.audit_seal`)
  assert.deepEqual([count, last], [12, 12])
})

const I = 'I13 each sealed entry'
const tampering: [what: string, harm: string, noticed: string][] = [
  ['another actor', `update platform.audit_log set actor_id = gen_random_uuid() where id = (
    select entry_id from platform.audit_seal where number = 2)`, I],
  ['another value', `update platform.audit_change set after = '{"name": "x"}' where id = (
    select min(id) from platform.audit_change)`, I],
  ['a change taken away', `delete from platform.audit_change where id = (
    select min(id) from platform.audit_change)`, I],
  ['a change added', `insert into platform.audit_change (entry_id, table_name, row_key)
    select entry_id, 'x', 'x' from platform.audit_seal where number = 1`, I],
  ['an entry taken away', `delete from platform.audit_log where id = (
    select entry_id from platform.audit_seal where number = 2)`, I],
  ['an entry and its seal taken away', `with gone as (delete from platform.audit_seal where number = 2 returning *)
    delete from platform.audit_log where id in (select entry_id from gone)`, I],
  ['an entry in another place', 'update platform.audit_seal set number = 20 where number = 2', I],
  ['the end cut off', `with gone as (delete from platform.audit_seal where number = 3 returning *)
    delete from platform.audit_log where id in (select entry_id from gone)`, 'I13 the chain of the audit log ends'],
  ['another address', `update platform.audit_origin set address = '192.0.2.1'`, 'I13 the address'],
  ['an entry that is never sealed', `insert into platform.audit_log (id, at, actor_kind, route, target, request_id)
    values (gen_random_uuid(), now() - interval '2 minutes', 'staff', 'x', '{}', 'x')`, 'I13 no entry'],
]

for (const [what, harm, noticed] of tampering) {
  test(`tampering is noticed: ${what}`, async (t) => {
    const { db, location } = await open(t)
    for (let count = 0; count < 3; count++) await location()
    await seal(db)
    assert.deepEqual(await findBroken(db, { module: 'platform' }), [], 'it is sound before')
    const client = await db.dedicated()
    t.after(() => client.end())
    await client.query('set session_replication_role = replica')     // past every trigger
    await client.query(harm)
    const found = await findBroken(db, { module: 'platform' })
    assert.ok(found.some((one) => one.startsWith(noticed)), `it found ${found.join('\n')}`)
  })
}
