// The outbox: an event is delivered exactly when its change was committed, to every subscriber, also when handlers fail
// and relays race.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Type } from 'typebox'
import { sql, systemContext, type Db } from './db.ts'
import { event, firstTime, on, publish, sweep } from './events.ts'
import { newId } from './id.ts'
import { drainEvents, relayEvents, takeJobs, Worker, type WorkerOptions } from './jobs.ts'
import { createLog } from './log.ts'
import { freshPlans, retention } from './retention.ts'
import { testDatabase } from './testing.ts'

const Happened = event('test.happened', Type.Object({ n: Type.Integer() }))
const until = async (done: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> => {
  for (const end = Date.now() + ms; !await done();) {
    if (Date.now() > end) throw new Error('waited too long')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const log = createLog('silent')
const publishOne = (db: Db, n = 1): Promise<void> =>
  db.transaction(systemContext(), (tx) => publish(tx, Happened, { n }))

async function startWorker(
  t: TestContext, db: Db, run: (n: number, attempt: number) => Promise<void>, options: Partial<WorkerOptions> = {},
): Promise<Worker> {
  const handler = on(Happened, 'test.one', (_, { n }, { attempt }) => run(n, attempt))
  const worker = new Worker(db, { subscriptions: [handler], sweeps: [], log, ...options })
  await worker.start()
  t.after(() => worker.stop())
  return worker
}

const Row = Type.Object({ attempts: Type.Integer(), error: Type.Union([Type.String(), Type.Null()]),
  givenUp: Type.Boolean(), seconds: Type.Number() })
const jobsOf = (db: Db) => db.many(Row, sql`
  select attempts, last_error as error, given_up_at is not null as "givenUp",
    extract(epoch from run_at - now())::double precision as seconds from platform.job`)

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
    sweeps: [sweep('test.sweep', { everySeconds: 0.05 }, async () => void sweeps++)], log,
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
  const relays = await Promise.all([1, 2, 3].map(() => relayEvents(db, subscriptions)))
  assert.equal(relays.reduce((sum, { events }) => sum + events, 0), 50)
  assert.equal(relays.reduce((sum, { jobs }) => sum + jobs.length, 0), 50)
  assert.equal((await jobsOf(db)).length, 50)
})

test('a handler that begins with firstTime has one effect however often it is delivered', async (t) => {
  const db = await testDatabase(t)
  let effects = 0
  const handler = on(Happened, 'test.once', (db, _, { eventId }) => db.transaction(systemContext(), async (tx) => {
    if (await firstTime(tx, 'test.once', eventId)) effects++
  }))
  await publishOne(db)
  const { jobs: [job] } = await relayEvents(db, [handler])
  await Promise.all(Array.from({ length: 5 }, () => handler.run(db, { n: 1 }, { eventId: job!.eventId, attempt: 2 })))
  assert.equal(effects, 1)
  assert.deepEqual(await jobsOf(db), [])
})

test('a worker that died leaves its job to another when its lease ends', async (t) => {
  const db = await testDatabase(t)
  const handler = on(Happened, 'test.one', async () => {})
  await publishOne(db, 7)
  assert.equal((await relayEvents(db, [handler], 0.3)).jobs.length, 1)       // and then it is killed
  const done: number[][] = []
  await startWorker(t, db, async (n, attempt) => void done.push([n, attempt]))
  await until(() => done.length > 0)
  assert.deepEqual(done, [[7, 2]])
  await until(async () => (await jobsOf(db)).length === 0)
})

test('a job that takes longer than its lease is not run beside itself', async (t) => {
  const db = await testDatabase(t)
  const begun: number[] = []
  const slow = async (n: number): Promise<void> => {
    begun.push(n)
    await new Promise((resolve) => setTimeout(resolve, 1_500))
  }
  await startWorker(t, db, slow, { leaseSeconds: 0.6 })
  await startWorker(t, db, slow, { leaseSeconds: 0.6 })
  await publishOne(db)
  await until(async () => begun.length > 0 && (await jobsOf(db)).length === 0)
  assert.deepEqual(begun, [1])
})

test('a handler that hangs counts as failed and frees its place; what waits behind it runs', async (t) => {
  const db = await testDatabase(t)
  const done: number[] = []
  const run = (n: number): Promise<void> => (n === 1 ? new Promise(() => {}) : Promise.resolve(void done.push(n)))
  await startWorker(t, db, run, { concurrency: 1, patienceSeconds: 0.3 })
  await publishOne(db, 1)
  await publishOne(db, 2)
  await until(async () => done.length === 1 && (await jobsOf(db)).length === 1)
  const [row] = await jobsOf(db)
  assert.match(row!.error!, /not done within 0.3 seconds/)
})

test('poison is tried ever more rarely, then given up with its reason, and holds nobody up', async (t) => {
  const db = await testDatabase(t)
  const tried: number[] = []
  const run = async (n: number, attempt: number): Promise<void> => {
    if (n !== 1) return
    tried.push(attempt)
    throw new Error(`poison ${attempt}`)
  }
  await startWorker(t, db, run)
  for (let n = 1; n <= 20; n++) await publishOne(db, n)
  await until(async () => (await jobsOf(db)).length === 1 && (await jobsOf(db))[0]!.error !== null)
  assert.ok((await jobsOf(db))[0]!.seconds > 1, 'its next attempt waits')
  await db.run(sql`update platform.job set attempts = 24, run_at = now()`)
  await until(async () => (await jobsOf(db))[0]!.givenUp)
  const [row] = await jobsOf(db)
  assert.equal(row!.attempts, 25)
  assert.match(row!.error!, /poison 25/)
  assert.deepEqual(tried, [1, 25])
  await db.run(sql`update platform.job set run_at = now()`)
  assert.deepEqual(await takeJobs(db, ['test.one'], 10, 60), [], 'what was given up is not taken')
})

test('a worker that is stopped waits for what runs and gives back what waits', async (t) => {
  const db = await testDatabase(t)
  let finish = (): void => {}
  const run = (n: number): Promise<void> => (
    n === 1 ? new Promise((resolve) => { finish = resolve }) : Promise.resolve())
  const worker = await startWorker(t, db, run, { concurrency: 1 })
  await publishOne(db, 1)
  await until(async () => (await jobsOf(db)).length === 1)
  await publishOne(db, 2)
  await until(async () => (await jobsOf(db)).length === 2)
  const stopped = worker.stop()
  finish()
  await stopped
  const [left, ...more] = await jobsOf(db)
  assert.deepEqual([more.length, left!.attempts], [0, 0])
  assert.ok(left!.seconds <= 0, 'another worker may take it at once')
})

test('a worker whose hands are full goes on as soon as there is room', async (t) => {
  const db = await testDatabase(t)
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => { open = resolve })
  const done = new Set<number>()
  const worker = await startWorker(t, db, async (n) => { await opened; done.add(n) }, { concurrency: 20 })
  await db.run(sql`insert into platform.event (id, type, payload)
    select gen_random_uuid(), ${Happened.type}, jsonb_build_object('n', n) from generate_series(1, 2500) as n`)
  await worker.relay()
  await worker.relay()             // full: it takes nothing, and has not to stop for good
  assert.equal((await jobsOf(db)).length, 1_000)
  open()
  await until(async () => done.size === 2_500 && (await jobsOf(db)).length === 0)
})

test('a job of a handler that this process does not know is left to one that does', async (t) => {
  const db = await testDatabase(t)
  await publishOne(db)
  await relayEvents(db, [on(Happened, 'test.elsewhere', async () => {})], 0)
  assert.deepEqual(await takeJobs(db, ['test.one'], 10, 60), [])
  assert.equal((await takeJobs(db, ['test.elsewhere'], 10, 60)).length, 1)
})

test('the worker outlives its connections', async (t) => {
  const db = await testDatabase(t)
  const done: number[] = []
  await startWorker(t, db, async (n) => void done.push(n))
  const killer = await db.dedicated()
  t.after(() => killer.end())
  const kill = () => killer.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`)
  for (let n = 1; n <= 20; n++) {
    await publishOne(db, n).catch(() => publishOne(db, n))
    if (n % 4 === 0) await kill()
  }
  await until(async () => new Set(done).size === 20 && (await drainEvents(db, [])) === 0)
})

test('retention forgets what is old and keeps what is not', async (t) => {
  const db = await testDatabase(t)
  const [old, unrelayed, working] = [1, 2, 3].map((n) => `01900000-0000-7000-8000-00000000000${n}`)
  await db.run(sql`insert into platform.event (id, type, payload, created_at, relayed_at) values
    (${old!}, 'old', '{}', now() - interval '20 days', now()),
    (${unrelayed!}, 'unrelayed', '{}', now() - interval '20 days', null),
    (${working!}, 'working', '{}', now() - interval '20 days', now()),
    (${newId()}, 'new', '{}', now(), now())`)
  await db.run(sql`insert into platform.job (event_id, handler, given_up_at) values
    (${working!}, 'test.one', null), (${working!}, 'test.gone', now() - interval '31 days')`)
  await retention.run(db)
  assert.equal((await jobsOf(db)).length, 1)
  const rows = await db.many(Type.Object({ type: Type.String() }), sql`select type from platform.event order by type`)
  assert.deepEqual(rows.map((row) => row.type), ['new', 'unrelayed', 'working'])
})

test('a statement that was planned for a few rows is planned anew when there are many', async (t) => {
  const db = await testDatabase(t, { max: 1 })
  const plan = async (): Promise<string> => {
    const client = await db.dedicated()
    try {
      await client.query('set random_page_cost = 1.1')
      const { rows } = await client.query(`explain select from platform.event where id = '${newId()}'`)
      return rows.map((row) => row['QUERY PLAN']).join()
    } finally {
      await client.end()
    }
  }
  await publishOne(db)
  await db.run(sql`analyze platform.event`)
  assert.match(await plan(), /Seq Scan/)
  await db.run(sql`insert into platform.event (id, type, payload)
    select gen_random_uuid(), 'test', '{}' from generate_series(1, 2000)`)
  const Rows = Type.Object({ rows: Type.Number() })
  const known = sql`select reltuples::double precision as rows from pg_class where oid = 'platform.event'::regclass`
  await until(async () => { await freshPlans.run(db); return (await db.one(Rows, known)).rows > 1_000 })
  assert.match(await plan(), /Index/)
})
