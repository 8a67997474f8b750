// After each order its customer is there and what they bought is counted anew: from the orders themselves, so that it
// may run twice, late or out of order.
import { Type } from 'typebox'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { findOrder } from '../orders/get-order.ts'
import { ensureCustomer, normalEmail, subjectOf } from './people.ts'

export async function countPurchases(db: Db, orderId: string): Promise<void> {
  const order = await findOrder(db, orderId)
  if (!order || order.email.endsWith('@erased.invalid')) return
  const email = normalEmail(order.email)
  const input = { email, subject: await subjectOf(db, email), name: order.shippingAddress?.name ?? null }
  await db.transaction(systemContext(), async (tx) => {
    const id = await ensureCustomer(tx, input)
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
