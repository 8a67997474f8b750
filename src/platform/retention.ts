// What the platform does by itself for its tables, and for PostgreSQL's idea of all of them. Kept are keys as long as a
// client may repeat itself, events and jobs that were given up as long as somebody may ask what happened.
import { sql, type Conn } from './db.ts'
import type { Sweep } from './events.ts'
import { firstIdOfLast } from './id.ts'

/** Keeps plans fit for a shop that grows faster than PostgreSQL looks: see platform.analyze_grown. */
export const freshPlans: Sweep = {
  name: 'platform.fresh-plans', everySeconds: 5,
  run: (db) => db.run(sql`select platform.analyze_grown()`),
}

export const retention: Sweep = {
  name: 'platform.retention', everySeconds: 60,
  async run(db) {
    await db.run(sql`delete from platform.idempotency_key where ctid = any(array(
      select ctid from platform.idempotency_key where created_at < now() - interval '2 days'
      order by created_at limit 10000))`)
    await db.run(sql`delete from platform.job where ctid = any(array(
      select ctid from platform.job where given_up_at < now() - interval '30 days' limit 10000))`)
    await db.run(sql`delete from platform.event where ctid = any(array(
      select ctid from platform.event
      where id < ${firstIdOfLast(13)} and created_at < now() - interval '14 days' and relayed_at is not null
        and not exists (select from platform.job where job.event_id = event.id)
      order by id limit 10000))`)
    await db.run(sql`delete from platform.terms_change where at < now() - interval '1 hour'`)
    await db.run(sql`delete from platform.invalidation where ctid = any(array(
      select ctid from platform.invalidation where at < now() - interval '1 hour' limit 10000))`)
  },
}

/** Errors of jobs may quote what they worked on: those that name this are emptied. */
export function forgetErrorsAbout(conn: Conn, words: string): Promise<number> {
  return conn.run(sql`update platform.job set last_error = null where strpos(lower(last_error), lower(${words})) > 0`)
}
