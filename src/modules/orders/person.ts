// Orders of a person: told to them as a whole, and made nobody's when they ask for it. The law wants what was sold, at
// which price and tax and to which country to be kept, so that stays; who it was goes.
import { Type } from 'typebox'
import { sql, type Conn, type Statement, type Tx } from '../../platform/db.ts'
import type { Person } from '../notifications/person.ts'
import { findOrder } from './get-order.ts'
import type { Order } from './orders.ts'

/** In place of an address that was erased; `.invalid` is nobody's. */
export const ERASED_EMAIL = 'erased@erased.invalid'

const Found = Type.Object({ id: Type.String(), email: Type.String(), open: Type.Boolean() })

/**
 * A person's orders: those of their account and those of a guest with their address; the addresses that stand in them;
 * and whether any of them still waits for its payment.
 */
export async function ordersOfPerson(
  conn: Conn, { emails: [email], customerId }: Person,
): Promise<{ ids: string[]; emails: string[]; open: boolean }> {
  const rows = await conn.many(Found, sql`
    select id, lower(email) as email, state = 'awaiting_payment' as open from orders.order
    where (lower(email) = ${email} and customer_id is null) or customer_id = ${customerId} order by id`)
  const emails = [...new Set(rows.map((order) => order.email))]
  return { ids: rows.map(({ id }) => id), emails, open: rows.some(({ open }) => open) }
}

/** The orders as they were sold. */
export async function readOrders(conn: Conn, ids: readonly string[]): Promise<Order[]> {
  const orders: Order[] = []
  for (const id of ids) {
    const order = await findOrder(conn, id)
    if (order) orders.push(order)
  }
  return orders
}

// What tax follows from: the country, its region and the postal code.
const place = (column: Statement): Statement => sql`case when ${column} is not null then jsonb_strip_nulls(
  jsonb_build_object('name', 'Erased', 'line1', 'Erased', 'city', 'Erased', 'country', ${column} -> 'country',
    'region', ${column} -> 'region', 'postalCode', ${column} -> 'postalCode')) end`

/** Takes the person out of these orders, and the token that reads them. Asked twice it changes nothing more. */
export function eraseFromOrders(tx: Tx, ids: readonly string[]): Promise<number> {
  return tx.run(sql`
    update orders.order set email = ${ERASED_EMAIL}, shipping_address = ${place(sql`shipping_address`)},
      billing_address = ${place(sql`billing_address`)}, customer_id = null,
      token_hash = sha256(uuid_send(gen_random_uuid()))
    where id = any(${[...ids]}::uuid[]) and email <> ${ERASED_EMAIL}`)
}

/** The oldest orders that still name somebody although nobody has to keep that any more. */
export async function outlivedOrders(tx: Tx, before: string, limit: number): Promise<string[]> {
  const rows = await tx.many(Type.Object({ id: Type.String() }), sql`
    select id from orders.order where id < ${before}::uuid and email <> ${ERASED_EMAIL} and state <> 'awaiting_payment'
    order by id limit ${limit} for update skip locked`)
  return rows.map(({ id }) => id)
}

/** Makes orders of a guest a customer's, before their address becomes another. Asked twice it changes nothing more. */
export async function claimOrders(tx: Tx, customerId: string, email: string): Promise<void> {
  await tx.run(sql`
    update orders.order set customer_id = ${customerId} where lower(email) = ${email} and customer_id is null`)
}
