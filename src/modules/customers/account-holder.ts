// The customer behind an account: made with it, and the same one when their mail address becomes another. What a guest
// bought with the new address is then theirs as well, so that nobody is two customers.
import { Type } from 'typebox'
import { sql, type Tx } from '../../platform/db.ts'
import { claimOrders } from '../orders/person.ts'
import { ensureCustomer } from './people.ts'

type Holder = { email: string; subject: string; name: string | null }

/** The customer of an address, by the name that they give themselves. Asked twice, or at once, it is one. */
export async function ensureHolder(tx: Tx, holder: Holder): Promise<string> {
  const id = await ensureCustomer(tx, holder)
  if (holder.name !== null) await tx.run(sql`update customers.customer set name = ${holder.name} where id = ${id}`)
  return id
}

type Move = { customerId: string; from: string; to: string; subject: string }

/**
 * Gives a customer another address. What they ordered with the old one stays theirs, whoever has that mailbox tomorrow,
 * and a guest who was known by the new one becomes them.
 */
export async function moveHolder(tx: Tx, { customerId, from, to, subject }: Move): Promise<void> {
  await claimOrders(tx, customerId, from)
  // There is always a guest to become, so that one who orders at this moment waits and finds the customer.
  await ensureCustomer(tx, { email: to, subject })
  const guest = await tx.maybe(Type.Object({ id: Type.String() }), sql`
    select id from customers.customer where email = ${to} and id <> ${customerId} for update`)
  if (guest) await absorb(tx, customerId, guest.id)
  await tx.run(sql`update customers.customer set email = ${to}, subject = ${subject}, updated_at = now()
    where id = ${customerId}`)
}

/** Addresses go along while there is room for them; what is known of the customer already stays. */
async function absorb(tx: Tx, customerId: string, guestId: string): Promise<void> {
  await tx.run(sql`
    update customers.customer as own set name = coalesce(own.name, guest.name),
      phone = coalesce(own.phone, guest.phone), note = coalesce(own.note, guest.note),
      tags = (select coalesce(array_agg(tag), '{}') from (
        select distinct tag from unnest(own.tags || guest.tags) as tag order by tag limit 50) as tags)
    from customers.customer as guest where own.id = ${customerId} and guest.id = ${guestId}`)
  await tx.run(sql`
    insert into customers.purchase_total as total (customer_id, currency, orders, spent_minor, last_at)
    select ${customerId}, currency, orders, spent_minor, last_at from customers.purchase_total
    where customer_id = ${guestId}
    on conflict (customer_id, currency) do update set orders = total.orders + excluded.orders,
      spent_minor = total.spent_minor + excluded.spent_minor, last_at = greatest(total.last_at, excluded.last_at)`)
  await tx.run(sql`update customers.purchase set customer_id = ${customerId} where customer_id = ${guestId}`)
  await tx.run(sql`
    insert into customers.membership (group_id, customer_id)
    select group_id, ${customerId} from customers.membership where customer_id = ${guestId} on conflict do nothing`)
  await tx.run(sql`
    update customers.address set customer_id = ${customerId}, position = room.position, default_shipping = false,
      default_billing = false
    from (
      select free as position, row_number() over (order by free) as nth from generate_series(1, 20) as free
      where free not in (select position from customers.address where customer_id = ${customerId})
    ) as room join (
      select id, row_number() over (order by position) as nth from customers.address where customer_id = ${guestId}
    ) as theirs using (nth)
    where address.id = theirs.id`)
  await tx.run(sql`delete from customers.customer where id = ${guestId}`)
}
