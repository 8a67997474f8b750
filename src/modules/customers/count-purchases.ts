// After each order its customer is there and what they bought is counted. Each order is counted once, by a row of its
// own, so that it may be told twice, late or out of order, and costs the same after a million orders of one address.
import { Type, type Static } from 'typebox'
import { sql, systemContext, type Conn, type Db, type Tx } from '../../platform/db.ts'
import { lockOrder } from '../orders/apply-payment.ts'
import { findOrder } from '../orders/get-order.ts'
import { ERASED_EMAIL } from '../orders/person.ts'
import { ensureCustomer, subjectOf } from './people.ts'

const Purchase = Type.Object({
  email: Type.String(), currency: Type.String(), totalMinor: Type.Integer(), placedAt: Type.String(),
})
type Purchase = Static<typeof Purchase>
const Known = Type.Object({ id: Type.Union([Type.String(), Type.Null()]) })

/** The order, if it is placed. */
const purchaseOf = (conn: Conn, orderId: string): Promise<Purchase | undefined> => conn.maybe(Purchase, sql`
  select email, currency, total_minor as "totalMinor", placed_at as "placedAt" from orders.purchase
  where id = ${orderId}`)

/** Counts the order if it is placed, and takes it out of the count if it is not any more. */
export async function countPurchases(db: Db, orderId: string): Promise<void> {
  const before = await purchaseOf(db, orderId)
  const subject = before ? await subjectOf(db, before.email) : ''
  await db.transaction(systemContext(), async (tx) => {
    // The lock of the order comes first: an erasure comes wholly before this and leaves nobody, or after it and removes
    // them.
    const [, bought, known] = await Promise.all([
      lockOrder(tx, orderId), purchaseOf(tx, orderId),
      // Whoever was signed in, whatever address they gave; else whose address it is.
      tx.maybe(Known, sql`
        select coalesce((select id from customers.customer where id = purchase.customer_id),
          (select id from customers.customer where email = purchase.email)) as id
        from orders.purchase where purchase.id = ${orderId}`),
    ])
    if (!bought || bought.email !== before?.email || bought.email === ERASED_EMAIL) return uncount(tx, orderId)
    await tx.commit([count(tx, orderId, known?.id ?? await nameCustomer(tx, orderId, bought.email, subject), bought)])
  })
}

/** The first order gives a customer their name. */
async function nameCustomer(tx: Tx, orderId: string, email: string, subject: string): Promise<string> {
  const order = await findOrder(tx, orderId)
  return ensureCustomer(tx, { email, subject, name: order?.shippingAddress?.name ?? null })
}

function count(tx: Tx, orderId: string, customerId: string, bought: Purchase): Promise<number> {
  const { currency, totalMinor, placedAt } = bought
  return tx.run(sql`
    with counted as (
      insert into customers.purchase (order_id, customer_id, currency, total_minor, placed_at)
      values (${orderId}, ${customerId}, ${currency}, ${totalMinor}, ${placedAt}::timestamptz)
      on conflict (order_id) do nothing returning *
    )
    insert into customers.purchase_total as total (customer_id, currency, orders, spent_minor, last_at)
    select customer_id, currency, 1, total_minor, placed_at from counted
    on conflict (customer_id, currency) do update set orders = total.orders + 1,
      spent_minor = total.spent_minor + excluded.spent_minor, last_at = greatest(total.last_at, excluded.last_at)`)
}

/** The moment of the last order is that of the last one that is left. */
async function uncount(tx: Tx, orderId: string): Promise<void> {
  await tx.run(sql`
    with gone as (delete from customers.purchase where order_id = ${orderId} returning *)
    update customers.purchase_total as total set orders = orders - 1, spent_minor = spent_minor - gone.total_minor,
      last_at = coalesce((select max(placed_at) from customers.purchase as other where order_id <> gone.order_id
        and other.customer_id = gone.customer_id and other.currency = gone.currency), last_at)
    from gone where total.customer_id = gone.customer_id and total.currency = gone.currency`)
}
