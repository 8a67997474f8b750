// What payments know of a person beside amounts: what a gateway's form returned, where it sent the shopper, and what
// people and gateways wrote. The amounts and the gateway's references stay: they are the books.
import { sql, type Tx } from '../../platform/db.ts'

/** Takes it out of the payments of these orders. Nothing of it is needed once a payment is decided. */
export async function eraseFromPayments(tx: Tx, orderIds: readonly string[]): Promise<number> {
  const theirs = sql`payment_id in (select id from payments.payment where order_id = any(${[...orderIds]}::uuid[]))`
  const [attempts] = await Promise.all([
    tx.run(sql`update payments.attempt set data = '{}', action_url = null, return_url = null, reason = null
      where ${theirs} and (data <> '{}' or action_url is not null or return_url is not null or reason is not null)`),
    tx.run(sql`update payments.operation set note = null, reason = null where ${theirs}
      and (note is not null or reason is not null)`),
    tx.run(sql`update payments.decision set evidence = null, about = null
      where order_id = any(${[...orderIds]}::uuid[]) and (evidence is not null or about is not null)`),
    tx.run(sql`update payments.webhook_event set reason = null, note = null
      where coalesce(reason, note) is not null and (gateway, reference) in (
      select gateway, reference from payments.attempt where ${theirs})`),
  ])
  return attempts
}
