// Who asks, and what the platform writes about it in the transaction of the effect: the idempotency key, so that one
// key has one effect (the row and the effect are committed together or not at all), and the audit row of a staff or key
// write.
import { createHash, randomBytes } from 'node:crypto'
import type { Limits, Within } from './authority.ts'
import { json, sql, type Statement } from './sql.ts'
import { newId } from './id.ts'

/** How far somebody reaches; what is absent is no limit. */
type Authority = { within?: Within; limits?: Limits }

/** Somebody who shops and has signed in to their account. */
export type SignedCustomer = {
  id: string
  sessionId: string
  email: string
  /** They have shown that the mailbox is theirs: so is what was ordered with it. */
  owns: boolean
  /** Proved a few minutes ago that it is them; see `sensitive` in http.ts. */
  proven: boolean
}

/** Who acts. It comes from the session or key alone, never from a body. */
export type Actor =
  | { kind: 'anonymous' }
  | { kind: 'system' }
  | { kind: 'shopper'; channelId: string; keyId: string; tokenHash?: Buffer; customer?: SignedCustomer }
  | { kind: 'staff'; id: string; permissions: readonly string[]; sessionId: string; viewedBy?: string
    /** Proved a few minutes ago that it is them; see `sensitive` in http.ts. */
    proven?: boolean
    /** Has no second factor, and their role needs one: the own account is open, nothing else. */
    mustEnrol?: boolean } & Authority
  | { kind: 'key'; id: string; permissions: readonly string[] } & Authority

export type Idempotency = {
  principal: string
  route: string
  key: string
  bodyHash: Buffer
  /** The id that the created thing takes: known before the work, so the key row needs no trip of its own. */
  resultId: string
  written: boolean
}

export type Audit = { route: string; target: Record<string, unknown>; address: string }

export type Context = {
  requestId: string
  actor: Actor
  idempotency?: Idempotency
  audit?: Audit
}

/** Who acts when nobody asked: jobs, sweeps, the command line. */
export function systemContext(requestId = newId()): Context {
  return { requestId, actor: { kind: 'system' } }
}

/**
 * The id for the thing that this request creates. It is the id stored under the request's Idempotency-Key, when it has
 * one.
 */
export function resultId(context: Context): string {
  return context.idempotency && !context.idempotency.written ? context.idempotency.resultId : newId()
}

/** A stable name of the actor: the scope of its idempotency keys. */
export function principalOf(actor: Actor): string {
  switch (actor.kind) {
    case 'shopper': return actor.customer ? `customer:${actor.customer.id}`
      : `shopper:${actor.keyId}:${actor.tokenHash?.toString('base64url').slice(0, 16) ?? ''}`
    case 'staff': return `staff:${actor.id}`
    case 'key': return `key:${actor.id}`
    default: return actor.kind
  }
}

/** Thrown when the key row is there already: the request ran before, and http.ts renders its result instead. */
export class AlreadyRun extends Error {}

export function idempotencyRow(row: Idempotency): Statement {
  return sql`insert into platform.idempotency_key (principal, route, key, body_hash, result_id)
    values (${row.principal}, ${row.route}, ${row.key}, ${row.bodyHash}, ${row.resultId})`
}

/** The entry of this transaction; until its end the tables note in its name what changes (platform.note_change). */
export function auditRow(context: Context, audit: Audit): Statement {
  const { actor } = context
  const actorId = actor.kind === 'staff' || actor.kind === 'key' ? actor.id : null
  const salt = randomBytes(16)
  const mark = createHash('sha256').update(salt).update(audit.address).digest()
  return sql`
    with entry as (
      insert into platform.audit_log (id, actor_kind, actor_id, route, target, request_id, origin_mark)
      values (${newId()}, ${actor.kind}, ${actorId}, ${audit.route}, ${json(audit.target)}::jsonb, ${context.requestId},
        ${mark})
      returning id
    ), origin as (
      insert into platform.audit_origin (entry_id, address, salt) select id, ${audit.address}, ${salt} from entry
    )
    select set_config('kontor.audit_entry', id::text, true) from entry`
}

/** The customer who signed in; for routes with the access `customer`. */
export function signedCustomer({ actor }: Context): SignedCustomer {
  if (actor.kind !== 'shopper' || !actor.customer) throw new Error(`A route for customers was called by ${actor.kind}`)
  return actor.customer
}
