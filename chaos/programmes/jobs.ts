// Events reach every handler, and each effect is there once, while workers are killed, handlers hang, fail after their
// effect, outlive their lease, or are poison, and three relays take from one outbox.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Type } from 'typebox'
import { randomFrom, type Random } from '../../bench/random.ts'
import { sql, systemContext, type Db } from '../../src/platform/db.ts'
import { publish } from '../../src/platform/events.ts'
import type { Programme } from '../programme.ts'
import { openDatabase, runScript } from '../stage.ts'
import { handlers, isPoison, LEASE_SECONDS, Wanted } from '../worker.ts'

const WORKERS = 3
const KILLS_A_ROUND = 10
const EVENTS_A_TURN = 12
// The longest way of an event: a lease that ends, a handler that hangs for its patience, pauses of 2 and 4 seconds.
const DONE_WITHIN_MS = 25_000

export const jobs: Programme = {
  name: 'jobs', about: 'kill -9 of workers; handlers that hang, fail, are late, or are poison', unit: 'kills',
  counts: { full: 500, quick: KILLS_A_ROUND },
  async open(sabotage = []) {
    const { postgres, db } = await openDatabase()
    await runScript(db, 'create table public.effect (handler text not null, number int not null)')
    await runScript(db, ...sabotage)
    const workers = await Promise.all(Array.from({ length: WORKERS }, () => startWorker(db.url)))
    let published = 0
    return {
      async round(seed) {
        const random = randomFrom(seed)
        const first = published
        for (let kill = 0; kill < KILLS_A_ROUND; kill++) {
          for (let count = 0; count < EVENTS_A_TURN; count++) await tell(db, ++published)
          await sleep(LEASE_SECONDS * 400 * random())
          await replaceOne(workers, db.url, random)
        }
        const late = await allDone(db)
        return {
          count: KILLS_A_ROUND, figures: { events: published - first },
          violations: [...late, ...await compare(db, published)],
        }
      },
      async close() {
        await Promise.all(workers.map(kill))
        await db.close()
        await postgres.stop()
      },
    }
  },
}

async function startWorker(url: string): Promise<ChildProcess> {
  const worker = fork(join(import.meta.dirname, '../worker.ts'), [url], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [],
  })
  await Promise.race([once(worker, 'message'), once(worker, 'exit').then(() => {
    throw new Error('A worker ended while it started; its last words stand above')
  })])
  return worker
}

async function kill(worker: ChildProcess): Promise<void> {
  const ended = once(worker, 'exit')
  worker.kill('SIGKILL')
  await ended
}

async function replaceOne(workers: ChildProcess[], url: string, random: Random): Promise<void> {
  const which = Math.floor(random() * workers.length)
  await kill(workers[which]!)
  workers[which] = await startWorker(url)
}

/** What is told and then undone reaches nobody. */
async function tell(db: Db, number: number): Promise<void> {
  await db.transaction(systemContext(), (tx) => publish(tx, Wanted, { number }))
  await db.transaction(systemContext(), async (tx) => {
    await publish(tx, Wanted, { number: -number })
    throw new Error('Undone')
  }).catch(() => {})
}

const Left = Type.Object({ handler: Type.String(), count: Type.Integer() })

async function allDone(db: Db): Promise<string[]> {
  for (const deadline = Date.now() + DONE_WITHIN_MS; ; await sleep(200)) {
    const left = await db.many(Left, sql`
      select 'the relay' as handler, count(*)::int from platform.event where relayed_at is null having count(*) > 0
      union all select handler, count(*)::int from platform.job
        where handler <> ${handlers.at(-1)!} or last_error is null group by handler`)
    if (left.length === 0) return []
    if (Date.now() > deadline) return left.map(({ handler, count }) => `I11 ${count} events still wait for ${handler}`)
  }
}

const Effect = Type.Object({ handler: Type.String(), number: Type.Integer(), times: Type.Integer() })

async function compare(db: Db, published: number): Promise<string[]> {
  const effects = await db.many(Effect, sql`
    select handler, number, count(*)::int as times from public.effect group by handler, number`)
  const times = new Map(effects.map((one) => [`${one.handler} ${one.number}`, one.times]))
  const broken = effects.filter(({ number }) => number < 0)
    .map(({ handler, number }) => `I7 ${handler} heard of ${-number}, which was undone`)
  for (const handler of handlers) {
    for (let number = 1; number <= published; number++) {
      const wanted = handler === handlers.at(-1) && isPoison(number) ? 0 : 1
      const found = times.get(`${handler} ${number}`) ?? 0
      if (found !== wanted) broken.push(`I7 ${handler} had its effect of event ${number} ${found} times, not ${wanted}`)
    }
  }
  return broken
}
