// The outbox: an event is delivered exactly when its change was committed, to every subscriber, also when handlers fail
// and relays race.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { sql, systemContext } from './db.ts'
import { event, firstTime, on, publish, sweep } from './events.ts'
import { newId } from './id.ts'
import { drainEvents, relayEvents, retention, Worker } from './jobs.ts'
import { createLog } from './log.ts'
import { testDatabase } from './testing.ts'

const Happened = event('test.happened', Type.Object({ n: Type.Integer() }))
const until = async (done: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> => {
  for (const end = Date.now() + ms; !await done();) {
    if (Date.now() > end) throw new Error('waited too long')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('committed events reach every subscriber through the worker, a failing one again; rolled back events nobody',
  async (t) => {
  const db = await testDatabase(t)
  const first: number[] = []
  const second: number[] = []
  let failures = 0
  let sweeps = 0
  const worker = new Worker(db, {
    subscriptions: [
      on(Happened, 'test.first', async (_, { n }) => void first.push(n)),
      on(Happened, 'test.second', async (_, { n }) => {
        if (failures++ === 0) throw new Error('not now')
        second.push(n)
      }),
    ],
    sweeps: [sweep('test.sweep', { everySeconds: 0.05 }, async () => void sweeps++)], log: createLog('silent'),
  })
  await worker.start()
  t.after(() => worker.stop())
  await assert.rejects(db.transaction(systemContext(), async (tx) => {
    await publish(tx, Happened, { n: 99 })
    throw new Error('rolled back')
  }))
  await db.transaction(systemContext(), (tx) => publish(tx, Happened, { n: 1 }))
  await until(() => first.length === 1 && second.length === 1 && sweeps > 2)
  assert.deepEqual([first, second], [[1], [1]])
})

test('two relays at once add each job once; an event waits for its time', async (t) => {
  const db = await testDatabase(t)
  const subscriptions = [on(Happened, 'test.one', async () => {})]
  await db.transaction(systemContext(), async (tx) => {
    for (let n = 0; n < 50; n++) await publish(tx, Happened, { n })
    await publish(tx, Happened, { n: 51 }, { delaySeconds: 60 })
  })
  const counts = await Promise.all(
    [relayEvents(db, subscriptions), relayEvents(db, subscriptions), relayEvents(db, subscriptions)]
  )
  assert.equal(counts.reduce((sum, n) => sum + n), 50)
  const { jobs } = await db.one(
    Type.Object({ jobs: Type.Integer() }), sql`select count(*) as jobs from graphile_worker.jobs`
  )
  assert.equal(jobs, 50)
})

test('a handler that begins with firstTime has one effect however often it is delivered', async (t) => {
  const db = await testDatabase(t)
  let effects = 0
  const handler = on(Happened, 'test.once', (db, _, { eventId }) => db.transaction(systemContext(), async (tx) => {
    if (await firstTime(tx, 'test.once', eventId)) effects++
  }))
  await db.transaction(systemContext(), (tx) => publish(tx, Happened, { n: 1 }))
  assert.equal(await drainEvents(db, [handler]), 1)
  const { id } = await db.one(Type.Object({ id: Type.String() }), sql`select id from platform.event`)
  await Promise.all(Array.from({ length: 5 }, () => handler.run(db, { n: 1 }, { eventId: id, attempt: 2 })))
  assert.equal(effects, 1)
})

test('retention forgets what is old and keeps what is not', async (t) => {
  const db = await testDatabase(t)
  await db.run(sql`insert into platform.event (id, type, payload, created_at, relayed_at) values
    ('01900000-0000-7000-8000-000000000001', 'old', '{}', now() - interval '20 days', now()),
    ('01900000-0000-7000-8000-000000000002', 'unrelayed', '{}', now() - interval '20 days', null),
    (${newId()}, 'new', '{}', now(), now())`)
  await db.run(sql`select graphile_worker.add_job('test.gone', max_attempts => 1)`)
  await db.run(sql`update graphile_worker._private_jobs set attempts = 1, updated_at = now() - interval '31 days'`)
  await retention.run(db)
  const Count = Type.Object({ jobs: Type.Integer() })
  const { jobs } = await db.one(Count, sql`select count(*) as jobs from graphile_worker.jobs`)
  assert.equal(jobs, 0)
  const rows = await db.many(Type.Object({ type: Type.String() }), sql`select type from platform.event order by type`)
  assert.deepEqual(rows.map((row) => row.type), ['new', 'unrelayed'])
})
