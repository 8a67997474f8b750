// A worker process of the programme `jobs`: the platform's own worker, with a few handlers that go wrong on purpose.
// Each notes what it did in public.effect, which forbids nothing: what happened twice stands there twice.
import { Type } from 'typebox'
import { setTimeout as sleep } from 'node:timers/promises'
import { Db, sql, systemContext } from '../src/platform/db.ts'
import { event, firstTime, on } from '../src/platform/events.ts'
import { Worker } from '../src/platform/jobs.ts'
import { createLog } from '../src/platform/log.ts'

export const Wanted = event('chaos.wanted', Type.Object({ number: Type.Integer() }))
export const handlers = ['chaos.plain', 'chaos.slow', 'chaos.hanging', 'chaos.failing', 'chaos.poison'] as const
export const LEASE_SECONDS = 1
export const PATIENCE_SECONDS = 3

/** Every so many events are poison: their handler never succeeds. */
export const isPoison = (number: number): boolean => number % 7 === 0
const hangs = (number: number): boolean => number % 11 === 0
const fails = (number: number): boolean => number % 5 === 0

export async function run(url: string): Promise<void> {
  const db = new Db({ url, max: 8, applicationName: 'kontor chaos worker' })
  const effect = (handler: string, number: number, eventId: string): Promise<void> =>
    db.transaction(systemContext(), async (tx) => {
      if (!await firstTime(tx, handler, eventId)) return
      await tx.run(sql`insert into public.effect (handler, number) values (${handler}, ${number})`)
    })
  const [plain, slow, hanging, failing, poison] = handlers
  const subscriptions = [
    on(Wanted, plain, (_, { number }, { eventId }) => effect(plain, number, eventId)),
    on(Wanted, slow, async (_, { number }, { eventId }) => {
      await sleep(number % 3 === 0 ? LEASE_SECONDS * 1_500 : 20)           // now and then longer than its lease
      await effect(slow, number, eventId)
    }),
    on(Wanted, hanging, async (_, { number }, { eventId, attempt }) => {
      if (hangs(number) && attempt === 1) await new Promise(() => {})
      await effect(hanging, number, eventId)
    }),
    on(Wanted, failing, async (_, { number }, { eventId, attempt }) => {
      await effect(failing, number, eventId)
      if (fails(number) && attempt === 1) throw new Error('It fails after its effect')
    }),
    on(Wanted, poison, async (_, { number }, { eventId }) => {
      if (isPoison(number)) throw new Error('It always fails')
      await effect(poison, number, eventId)
    }),
  ]
  const worker = new Worker(db, {
    subscriptions, sweeps: [], log: createLog('silent'), concurrency: 16, leaseSeconds: LEASE_SECONDS,
    patienceSeconds: PATIENCE_SECONDS,
  })
  await worker.start()
  process.send?.('ready')
}

if (process.argv[1] === import.meta.filename) await run(process.argv[2]!)
