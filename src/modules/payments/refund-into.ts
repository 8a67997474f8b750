// A refund to a gift card or to store credit: done as soon as it is written, since nobody has to be asked. The other
// refunds wait for a gateway (operations.ts).
import { Type } from 'typebox'
import { sql, type Tx } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { newId } from '../../platform/id.ts'
import { post } from './ledger.ts'
import type { Amounts, OperationOrder } from './operations.ts'
import { PaymentRefunded } from './payments.ts'

const Kind = Type.Object({ kind: Type.Enum(['gift_card', 'store_credit']) })

/**
 * Moves an amount of a payment to a stored value, under the payment's row lock; what is left was checked before. A card
 * that was stopped or has expired gets it back all the same: it is owed, and staff can start the card again.
 */
export async function refundInto(
  tx: Tx, storedValueId: string, payment: Amounts, refund: OperationOrder & { id: string; amountMinor: number },
): Promise<void> {
  const { paymentId, orderId, attemptId, currency, closed } = payment
  const { id, amountMinor, note = null, cause = null } = refund
  const { kind } = await tx.one(Kind, sql`
    update payments.stored_value set balance_minor = balance_minor + ${amountMinor} where id = ${storedValueId}
    returning kind`)
  await Promise.all([
    tx.run(sql`insert into payments.stored_value_entry (id, stored_value_id, kind, amount_minor, order_id)
      values (${newId()}, ${storedValueId}, 'returned', ${amountMinor}, ${orderId})`),
    tx.run(sql`update payments.payment set refunded_minor = refunded_minor + ${amountMinor} where id = ${paymentId}`),
    tx.run(sql`insert into payments.operation (id, payment_id, attempt_id, kind, amount_minor, state, note, cause)
      values (${id}, ${paymentId}, ${attemptId}, 'refund', ${amountMinor}, 'done', ${note}, ${cause})`),
    post(tx, {
      source: { type: 'operation', id }, kind: 'refund', currency, orderId, paymentId,
      lines: { [closed ? 'receivable' : 'refund']: amountMinor, [kind]: -amountMinor },
    }),
    publish(tx, PaymentRefunded, { operationId: id, paymentId, orderId, amountMinor }),
  ])
}
