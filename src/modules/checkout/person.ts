// Carts of a person, by the mail address in them.
import { Type } from 'typebox'
import { sql, type Conn, type Tx } from '../../platform/db.ts'

const PersonalCart = Type.Object({
  id: Type.String(), email: Type.String(), lines: Type.Array(Type.Unknown()), shippingAddress: Type.Unknown(),
  billingAddress: Type.Unknown(), createdAt: Type.String(),
})

export function cartsOfPerson(conn: Conn, email: string) {
  return conn.many(PersonalCart, sql`
    select id, email, lines, shipping_address as "shippingAddress", billing_address as "billingAddress",
      created_at as "createdAt"
    from checkout.cart where lower(email) = ${email} order by id`)
}

/** Removes the carts with this address, and those that became one of these orders. */
export function eraseCarts(tx: Tx, email: string, orderIds: readonly string[]): Promise<number> {
  return tx.run(sql`
    delete from checkout.cart where lower(email) = ${email} or order_id = any(${[...orderIds]}::uuid[])`)
}
