// Events: how a module tells what happened without knowing who listens. `publish` writes one row in the transaction of
// the change (the outbox), so an event is there exactly when its change is. The worker in jobs.ts delivers it to every
// handler at least once.
import type { Static, TObject } from 'typebox'
import { json, sql, type Db, type Tx } from './db.ts'
import { newId } from './id.ts'

export type EventType<Payload extends TObject = TObject> = { type: string; payload: Payload }

/**
 * Declares an event beside its publisher: `export const OrderPlaced = event('order.placed', Type.Object({ orderId: Id
 * }))`.
 */
export function event<Payload extends TObject>(type: string, payload: Payload): EventType<Payload> {
  return { type, payload }
}

/**
 * Publishes an event with the transaction: one statement, no NOTIFY (a pending NOTIFY would serialise all commits). It
 * is delivered after `delaySeconds` by the database's clock. May be one of the promises of `tx.commit`.
 */
export async function publish<Payload extends TObject>(
  tx: Tx, type: EventType<Payload>, payload: Static<Payload>, options: { delaySeconds?: number } = {},
): Promise<void> {
  tx.wakesOthers = true
  await tx.run(sql`insert into platform.event (id, type, payload, available_at)
    values (
      ${newId()}, ${type.type}, ${json(payload)}::jsonb, now() + make_interval(secs => ${options.delaySeconds ?? 0})
    )`)
}

export type Delivery = { eventId: string; attempt: number }
export type EventSubscription = {
  event: string
  name: string
  run: (db: Db, payload: any, delivery: Delivery) => Promise<void>
}

/**
 * Subscribes under a name that never changes (unfinished jobs carry it). The function may run more than once for one
 * event: make it idempotent, or begin its transaction with `firstTime`.
 */
export function on<Payload extends TObject>(
  type: EventType<Payload>, name: string, run: (db: Db, payload: Static<Payload>, delivery: Delivery) => Promise<void>,
): EventSubscription {
  return { event: type.type, name, run }
}

/**
 * Ends the job in the handler's own transaction: true for the one that commits this, false for whoever runs it again.
 * What comes after that commit is not repeated when it fails.
 */
export async function firstTime(tx: Tx, handler: string, eventId: string): Promise<boolean> {
  return await tx.run(sql`delete from platform.job where event_id = ${eventId} and handler = ${handler}`) === 1
}

export type Sweep = { name: string; everySeconds: number; run: (db: Db) => Promise<unknown> }

/**
 * Work that looks for itself at what is due. Several workers may run it at once: it takes rows `for update skip
 * locked`, a bounded batch each time.
 */
export function sweep(name: string, options: { everySeconds: number }, run: (db: Db) => Promise<unknown>): Sweep {
  return { name, everySeconds: options.everySeconds, run }
}
