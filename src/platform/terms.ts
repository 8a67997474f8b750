// Whether what a price rests on is still what somebody read and kept. Exact, unlike the feed of invalidations: whatever
// was committed before the question began is told, however the transactions overlapped. Marks are left by triggers
// (platform.note_terms).
import { Type } from 'typebox'
import { sql, type Conn, type Statement } from './db.ts'

/**
 * What a reading was true of: the transactions that it saw (pg_current_snapshot() as text), and the moment when time
 * alone changes it.
 */
export type Validity = { snapshot: string; until: string | null }

/** How long a reading may be kept; marks of changes are kept for twice as long (retention.ts). */
export const KEPT_FOR_MS = 30 * 60_000

const Changed = Type.Object({ changed: Type.Boolean() })

/** One small statement. */
export async function termsChanged(conn: Conn, validity: Validity): Promise<boolean> {
  return (await conn.one(Changed, sql`select ${haveChanged(validity)} as changed`)).changed
}

/** The same as a condition of another statement. What was never read has not changed. */
export function haveChanged(validity: Validity | undefined): Statement {
  const { snapshot = null, until = null } = validity ?? {}
  return sql`(coalesce(${until}::timestamptz <= now(), false) or exists (
    select from platform.terms_change
    where transaction_id >= pg_snapshot_xmin(${snapshot}::pg_snapshot)
      and not pg_visible_in_snapshot(transaction_id, ${snapshot}::pg_snapshot)))`
}
