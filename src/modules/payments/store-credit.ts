// The credit of customers: one balance in each currency, which staff grant or take, and to which orders are refunded.
// What it pays for is decided in stored-value.ts. Whoever calls this has made sure that the customer is there.
import { Type, type Static } from 'typebox'
import { requireNoRefundLimit } from '../../platform/authority.ts'
import { sql, type Conn, type Context, type Db, type Tx } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { Currency, isCurrency } from '../../platform/money.ts'
import { problem } from '../../platform/problem.ts'
import { change, entriesOf, StoredValueEntry } from './gift-cards.ts'

export const StoreCreditRefused = problem('store-credit-refused', 422, 'The credit cannot be changed like this')

export const StoreCredit = Type.Object({
  currency: Currency, balanceMinor: Type.Integer(),
  entries: Type.Array(StoredValueEntry, { description: 'The newest hundred' }),
})
export const Grant = Type.Object({
  currency: Currency,
  amountMinor: Type.Integer({
    minimum: -1e12, maximum: 1e12, description: 'In minor units; below zero takes away, never more than is there',
  }),
  note: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
})

/** The credit of a customer, by currency. */
export function storeCreditOf(conn: Conn, customerId: string): Promise<Static<typeof StoreCredit>[]> {
  return conn.many(StoreCredit, sql`
    select currency, balance_minor as "balanceMinor", ${entriesOf} as entries
    from payments.stored_value where customer_id = ${customerId} order by currency`)
}

const Found = Type.Object({ id: Type.String() })

/** The id of the credit of a customer in a currency, made when it is not there; asked at once, it is one. */
export async function openStoreCredit(tx: Tx, customerId: string, currency: string): Promise<string> {
  await tx.run(sql`insert into payments.stored_value (id, kind, currency, balance_minor, customer_id)
    values (${newId()}, 'store_credit', ${currency}, 0, ${customerId})
    on conflict (customer_id, currency) where customer_id is not null do nothing`)
  const { id } = await tx.one(Found, sql`
    select id from payments.stored_value where customer_id = ${customerId} and currency = ${currency}`)
  return id
}

/**
 * Grants credit, or takes some away. Each call is an entry; a repeat under one Idempotency-Key is the same one. Throws
 * StoreCreditRefused for nothing and for what is no currency, StoredValueSpent when more is taken than is there,
 * LimitExceeded for whoever has a limit of refunds.
 */
export async function grantStoreCredit(
  db: Db, context: Context, customerId: string, { currency, amountMinor, note }: Static<typeof Grant>,
): Promise<void> {
  requireNoRefundLimit(context.actor)
  if (!isCurrency(currency)) throw StoreCreditRefused({}, `${currency} is no currency.`)
  if (amountMinor === 0) throw StoreCreditRefused({}, 'Say how much.')
  await db.transaction(context, async (tx) => {
    const id = await openStoreCredit(tx, customerId, currency)
    await change(tx, { id, kind: 'store_credit', currency, amountMinor, because: 'adjusted', note: note ?? null })
  })
}

/** Takes a person off their credit. What is left of it stays in the books, and nobody can spend it. */
export async function eraseStoreCredit(tx: Tx, customerId: string): Promise<number> {
  const [entries, values] = await Promise.all([
    tx.run(sql`update payments.stored_value_entry set note = null where note is not null and stored_value_id in (
      select id from payments.stored_value where customer_id = ${customerId})`),
    tx.run(sql`update payments.stored_value set customer_id = null, active = false where customer_id = ${customerId}`),
  ])
  return entries + values
}
