// The books of the past: what was sold and paid in the ledger, and who bought it among the customers, as a shop would
// have written them at the time. From the orders that were loaded, in their transaction.
import type { Client } from 'pg'
import { subjectOf } from '../src/modules/customers/people.ts'
import type { Db } from '../src/platform/db.ts'
import { newId } from '../src/platform/id.ts'
import type { PastOrder } from './past.ts'

const SALES = `
  select payments.book_opening_sale(
    id, 'order ' || number, currency, placed_at, total_minor, discount_minor,
    subtotal_minor - case when prices_include_tax
      then tax_minor - coalesce((delivery ->> 'taxMinor')::bigint, 0) else 0 end,
    shipping_minor - case when prices_include_tax then coalesce((delivery ->> 'taxMinor')::bigint, 0) else 0 end,
    tax_minor)
  from orders."order" where id = any($1::uuid[]) and state = 'placed' and total_minor + discount_minor > 0`

const RECEIPTS = `
  with paid as (
    select attempt.id, order_id, payment_id, currency, captured_minor, attempt.created_at
    from payments.payment join payments.attempt on attempt.payment_id = payment.id
    where order_id = any($1::uuid[]) and captured_minor > 0
  ), entry as (
    insert into payments.ledger_entry (id, source_type, source_id, kind, currency, order_id, payment_id, at)
    select gen_random_uuid(), 'attempt', id, 'capture', currency, order_id, payment_id, created_at from paid
    returning id, payment_id
  )
  insert into payments.ledger_line (entry_id, account, amount_minor)
  select entry.id, account, amount from entry join paid using (payment_id),
    lateral (values ('clearing:manual', captured_minor), ('receivable', -captured_minor)) as line (account, amount)`

const CUSTOMERS = `
  insert into customers.customer (id, email, subject, name)
  select id, email, subject, name from jsonb_to_recordset($1::jsonb)
    as person (id uuid, email text, subject text, name text)
  on conflict (email) do nothing`

const PURCHASES = `
  with counted as (
    insert into customers.purchase (order_id, customer_id, currency, total_minor, placed_at)
    select bought.id, customer.id, currency, total_minor, placed_at
    from orders.purchase as bought join customers.customer using (email) where bought.id = any($1::uuid[])
    on conflict (order_id) do nothing returning *
  )
  insert into customers.purchase_total as total (customer_id, currency, orders, spent_minor, last_at)
  select customer_id, currency, count(*), sum(total_minor), max(placed_at) from counted group by customer_id, currency
  on conflict (customer_id, currency) do update set orders = total.orders + excluded.orders,
    spent_minor = total.spent_minor + excluded.spent_minor, last_at = greatest(total.last_at, excluded.last_at)`

/** `client` is in the transaction that loaded the orders. */
export async function bookPast(db: Db, client: Client, orders: readonly PastOrder[]): Promise<void> {
  const ids = orders.map(({ id }) => id)
  const buyers = new Map(orders.map(({ person }) => [person.email.toLowerCase(), person.address.name]))
  const people = await Promise.all([...buyers].map(async ([email, name]) => (
    { id: newId(), email, name, subject: await subjectOf(db, email) })))
  await client.query(SALES, [ids])
  await client.query(RECEIPTS, [ids])
  await client.query(CUSTOMERS, [JSON.stringify(people)])
  await client.query(PURCHASES, [ids])
}
