// What every use case rests on: a transaction commits whole or not at all, says its first cause, runs again after a
// deadlock, and costs the trips it says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { mapConstraint, measured, sql, joined, none, systemContext, type Db } from './db.ts'
import { problem } from './problem.ts'
import { testDatabase } from './testing.ts'

const N = Type.Object({ n: Type.Integer() })
const TooBig = problem('test-too-big', 409, 'Too big')
mapConstraint('counter_small', () => TooBig({}))

async function withCounters(t: Parameters<typeof testDatabase>[0]): Promise<Db> {
  const db = await testDatabase(t)
  await db.run(sql`create schema test`)
  await db.run(
    sql`create table test.counter (id int primary key, n int not null constraint counter_small check (n < 10))`
  )
  await db.run(sql`insert into test.counter values (1, 0), (2, 0)`)
  return db
}
const read = async (db: Db): Promise<number[]> => (
  await db.many(N, sql`select n from test.counter order by id`)
).map((row) => row.n)

test('values are parameters and fragments are text', async (t) => {
  const db = await withCounters(t)
  const wanted = [sql`id = ${1}`, sql`id = ${2}`]
  const rows = await db.many(N, sql`select n from test.counter where ${joined(wanted, sql` or `)} ${none} order by id`)
  assert.deepEqual(rows, [{ n: 0 }, { n: 0 }])
  assert.equal((
    await db.many(Type.Object({ x: Type.String() }), sql`select ${"'; drop table test.counter; --"}::text as x`)
  )[0]!.x, "'; drop table test.counter; --")
  assert.deepEqual(
    (await db.one(Type.Object({ a: Type.Array(Type.Integer()) }), sql`select ${[1, 2, 3]}::int[] as a`)).a, [1, 2, 3]
  )
})

test('the last statements and COMMIT share a trip; the whole costs two', async (t) => {
  const db = await withCounters(t)
  const cost = await measured(async (cost) => {
    await db.transaction(systemContext(), async (tx) => {
      await tx.one(N, sql`select n from test.counter where id = 1 for update`)
      await tx.commit([tx.run(
        sql`update test.counter set n = n + 1 where id = 1`
      ), tx.run(sql`update test.counter set n = n + 2 where id = 2`)])
    })
    return cost
  })
  assert.deepEqual(cost, { statements: 5, trips: 2 })
  assert.deepEqual(await read(db), [1, 2])
})

test('a failed statement in the commit trip undoes all, and its first cause is what the caller sees', async (t) => {
  const db = await withCounters(t)
  await assert.rejects(db.transaction(systemContext(), async (tx) => {
    await tx.commit([
      tx.run(sql`update test.counter set n = 5 where id = 1`), tx.run(
        sql`update test.counter set n = 99 where id = 2`
      ), tx.run(sql`select 1/0`),
    ])
  }), (error: any) => error.kind?.code === 'test-too-big')
  assert.deepEqual(await read(db), [0, 0])
})

test('a failure that nobody awaited still refuses the commit', async (t) => {
  const db = await withCounters(t)
  await assert.rejects(db.transaction(systemContext(), async (tx) => {
    void tx.run(sql`update test.counter set n = 99 where id = 1`).catch(() => {})
    await tx.run(sql`update test.counter set n = 1 where id = 2`).catch(() => {})
  }), (error: any) => error.kind?.code === 'test-too-big')
  assert.deepEqual(await read(db), [0, 0])
})

test('a throw rolls back; a statement after COMMIT, a nested transaction and db inside a transaction are refused',
  async (t) => {
  const db = await withCounters(t)
  await assert.rejects(db.transaction(systemContext(), async (tx) => {
    await tx.run(sql`update test.counter set n = 5`)
    throw new Error('changed my mind')
  }), /changed my mind/)
  await assert.rejects(db.transaction(systemContext(), async (tx) => {
    await tx.commit()
    await tx.run(sql`select 1`)
  }), /after COMMIT/)
  await assert.rejects(
    db.transaction(systemContext(), () => db.transaction(systemContext(), async () => {})), /inside a transaction/
  )
  await assert.rejects(db.transaction(systemContext(), () => db.run(sql`select 1`)), /use tx/)
  assert.deepEqual(await read(db), [0, 0])
})

test('two transactions that deadlock both succeed: the loser runs again', async (t) => {
  const db = await withCounters(t)
  let runs = 0
  const swap = (first: number, second: number) => db.transaction(systemContext(), async (tx) => {
    runs++
    await tx.run(sql`update test.counter set n = n + 1 where id = ${first}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await tx.run(sql`update test.counter set n = n + 1 where id = ${second}`)
  })
  await Promise.all([swap(1, 2), swap(2, 1)])
  assert.deepEqual(await read(db), [2, 2])
  assert.ok(runs > 2)
})

test('a backend killed before COMMIT costs the caller nothing: the function runs again', async (t) => {
  const db = await withCounters(t)
  let runs = 0
  await db.transaction(systemContext(), async (tx) => {
    const { n } = await tx.one(N, sql`select pg_backend_pid() as n`)
    await tx.run(sql`update test.counter set n = n + 1 where id = 1`)
    if (++runs === 1) await tx.run(sql`select pg_terminate_backend(${n})`)
  })
  assert.equal(runs, 2)
  assert.deepEqual(await read(db), [1, 0])
})

test('a connection that breaks after COMMIT was sent leaves it open what was done, and says so', async (t) => {
  const db = await withCounters(t)
  let runs = 0
  await assert.rejects(db.transaction(systemContext(), async (tx) => {
    runs++
    await tx.commit([
      tx.run(sql`update test.counter set n = n + 1 where id = 1`),
      tx.run(sql`select pg_terminate_backend(pg_backend_pid())`),
    ])
  }), (error: any) => error.kind?.code === 'outcome-unknown')
  assert.equal(runs, 1)
  assert.deepEqual(await read(db), [0, 0])
})

test('bigints beyond exact numbers are refused, timestamps are ISO 8601', async (t) => {
  const db = await withCounters(t)
  await assert.rejects(db.many(N, sql`select 9007199254740993::int8 as n`), /exact numbers/)
  const row = await db.one(
    Type.Object({ at: Type.String() }), sql`select timestamptz '2026-01-02 03:04:05.678+00' as at`
  )
  assert.equal(row.at, '2026-01-02T03:04:05.678Z')
})

test('who is refused after a part was committed is not told that nothing was done', async (t) => {
  const db = await withCounters(t)
  const other = await db.dedicated()
  t.after(() => other.end())
  await other.query('begin')
  await other.query('select from test.counter where id = 2 for update')
  const write = (id: number) => db.transaction(systemContext(), async (tx) => {
    await tx.run(sql`set local lock_timeout = '50ms'`)
    await tx.run(sql`update test.counter set n = n + 1 where id = ${id}`)
  })
  await assert.rejects(measured(() => write(2)), (error: any) => error.kind?.code === 'busy')
  await assert.rejects(measured(async () => {
    await write(1)
    await write(2)
  }), (error: any) => error.kind?.code === 'outcome-unknown')
  await other.query('rollback')
  assert.deepEqual(await read(db), [1, 0])
})
