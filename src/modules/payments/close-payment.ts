// The end of an order seen from its payment: no attempt may begin any more, and what was paid goes back.
import { Type } from 'typebox'
import { sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { paymentSetup } from './gateway.ts'
import { postClosing } from './ledger.ts'
import { giveBack } from './operations.ts'
import { dropPending } from './record-charge.ts'
import { settlePayment } from './settle-payment.ts'

const Undecided = Type.Object({ undecided: Type.Boolean() })

/** Whether a gateway may still say yes to a payment of this order; a shopper has an hour at the bank's page. */
export async function isUndecided(tx: Tx, orderId: string): Promise<boolean> {
  const { undecided } = await tx.one(Undecided, sql`
    select exists (
      select from payments.attempt join payments.payment on payment.id = payment_id
      where order_id = ${orderId} and stored_value_id is null and (
        state in ('sending', 'unknown', 'authorized', 'captured')
        or (state in ('requires_action', 'pending') and attempt.created_at > now() - interval '1 hour'))
    ) as undecided`)
  return undecided
}

/**
 * Closes the payments of an order that lapses, in that transaction. 'undecided' while a gateway may still say yes: then
 * nothing is closed. Asked twice it answers the same.
 */
export async function closePayment(tx: Tx, orderId: string): Promise<'closed' | 'undecided'> {
  await tx.run(sql`select from payments.payment where order_id = ${orderId} order by id for update`)
  if (await isUndecided(tx, orderId)) return 'undecided'
  await tx.run(sql`update payments.payment set closed = true where order_id = ${orderId}`)
  return 'closed'
}

async function close(tx: Tx, paymentId: string): Promise<void> {
  await tx.run(sql`update payments.payment set closed = true where id = ${paymentId}`)
}

/**
 * Gives back what was paid for a cancelled order. A charge that waits for the shopper or their bank is ended; one that
 * is still undecided is given back when it succeeds, since the order refuses it. Asked twice, once.
 */
export async function returnPayment(db: Db, context: Context, orderId: string): Promise<void> {
  await db.transaction(context, async (tx) => {
    const payments = await tx.many(Type.Object({ id: Type.String(), closed: Type.Boolean() }), sql`
      select id, closed from payments.payment where order_id = ${orderId} order by id for update`)
    const byHand = [...paymentSetup.of(db).gateways.values()].filter(({ properties }) => properties.byHand)
    for (const { id, closed } of payments) {
      if (!closed) await Promise.all([close(tx, id), postClosing(tx, id)])
      await giveBack(tx, id, 'the order was cancelled')
      await dropPending(tx, id, byHand.map(({ code }) => code), 'the order was cancelled')
    }
  })
  await settlePayment(db, context, orderId)
}
