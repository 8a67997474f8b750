// The timeline: what happened to an order, by whom. Written in the transaction of the act.
import { json, sql, type Actor, type Tx } from '../../platform/db.ts'

/** Notes an act on an order: one statement, may be one of the promises of `tx.commit`. */
export async function note(tx: Tx, orderId: string, kind: string, data: Record<string, unknown> = {}): Promise<void> {
  await tx.run(sql`insert into orders.timeline_entry (order_id, kind, actor, data)
    values (${orderId}, ${kind}, ${nameOf(tx.context.actor)}, ${json(data)}::jsonb)`)
}

function nameOf(actor: Actor): string {
  return actor.kind === 'staff' || actor.kind === 'key' ? `${actor.kind}:${actor.id}` : actor.kind === 'shopper'
    ? 'shopper' : 'system'
}
