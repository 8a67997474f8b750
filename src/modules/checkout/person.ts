// Carts of a person, by the mail address in them.
import { Type } from 'typebox'
import { sql, type Conn, type Tx } from '../../platform/db.ts'
import { isAbout, type Person } from '../notifications/person.ts'

const PersonalCart = Type.Object({
  id: Type.String(), email: Type.String(), lines: Type.Array(Type.Unknown()), shippingAddress: Type.Unknown(),
  billingAddress: Type.Unknown(), createdAt: Type.String(),
})

const theirs = (person: Person) =>
  sql`((customer_id is null and ${isAbout(person, sql`email`, sql`created_at`)}) or customer_id = ${person.customerId})`

export function cartsOfPerson(conn: Conn, person: Person) {
  return conn.many(PersonalCart, sql`
    select id, email, lines, shipping_address as "shippingAddress", billing_address as "billingAddress",
      created_at as "createdAt"
    from checkout.cart where ${theirs(person)} order by id`)
}

/** Removes the carts of a person, and those that became one of these orders. */
export function eraseCarts(tx: Tx, person: Person, orderIds: readonly string[]): Promise<number> {
  return tx.run(sql`
    delete from checkout.cart where ${theirs(person)} or order_id = any(${[...orderIds]}::uuid[])`)
}
