// After each order its customer is there and what they bought is counted anew: from the orders themselves, so that it
// may run twice, late or out of order.
import { Type } from 'typebox'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { lockOrder } from '../orders/apply-payment.ts'
import { findOrder } from '../orders/get-order.ts'
import { ERASED_EMAIL } from '../orders/person.ts'
import { ensureCustomer, normalEmail, subjectOf } from './people.ts'

export async function countPurchases(db: Db, orderId: string): Promise<void> {
  const before = await findOrder(db, orderId)
  if (!before) return
  const email = normalEmail(before.email)
  const subject = await subjectOf(db, email)
  await db.transaction(systemContext(), async (tx) => {
    // The lock of the order: an erasure comes wholly before this and leaves nobody, or after it and removes them.
    await lockOrder(tx, orderId)
    const order = await findOrder(tx, orderId)
    if (!order || order.email !== before.email || order.email === ERASED_EMAIL) return
    const id = await ensureCustomer(tx, { email, subject, name: order.shippingAddress?.name ?? null })
    // Two who count at once wait here, so that the later one has seen every order.
    await tx.one(Type.Object({ id: Type.String() }), sql`
      select id from customers.customer where id = ${id} for update`)
    await tx.run(sql`delete from customers.purchase_total where customer_id = ${id}`)
    await tx.run(sql`
      insert into customers.purchase_total (customer_id, currency, orders, spent_minor, last_at)
      select ${id}, currency, count(*), sum(total_minor), max(placed_at) from orders.purchase
      where email = ${email} group by currency`)
  })
}
