// Gift cards and store credit pay an order in the very transaction that makes it: the balance is ours, so there is
// nobody to ask and nothing to wait for. What they do not cover is collected by a gateway afterwards; an order that
// lapses, ends or is refunded gives them back in one transaction too. See docs/decisions/stored-value.md.
import { Type, type Static } from 'typebox'
import { mapConstraint, sql, type Conn, type Tx } from '../../platform/db.ts'
import { hashToken, newId } from '../../platform/id.ts'
import { problem } from '../../platform/problem.ts'
import { post, type Account } from './ledger.ts'
import { giveBack } from './operations.ts'

export const StoredValueKind = Type.Enum(['gift_card', 'store_credit'])
export type StoredValueKind = Static<typeof StoredValueKind>

const ending = Type.Union([Type.String(), Type.Null()])
export const StoredValueNotUsable = problem('stored-value-not-usable', 422, 'This cannot be paid with', Type.Object({
  kind: StoredValueKind, ending,
  reason: Type.Enum(['unknown', 'inactive', 'expired', 'other_currency', 'empty', 'not_signed_in']),
}))
export const StoredValueSpent = problem(
  'stored-value-spent', 409, 'A gift card or the credit was used elsewhere at this moment')
mapConstraint('stored_value_not_negative', () =>
  StoredValueSpent({}, 'Nothing was ordered. Ask for its balance and try again.'))

/** The account of the ledger that holds what we owe for it, and the way to pay as people see it. */
export const accountOf = (kind: StoredValueKind): Account => kind
const methodOf = (kind: StoredValueKind): string => kind.replace('_', '-')

/** What finds a gift card: its code however it was typed. */
export const hashOfCode = (code: string): Buffer => hashToken(`gift ${code.toUpperCase().replaceAll(/[^0-9A-Z]/g, '')}`)

const Usable = Type.Object({
  id: Type.String(), kind: StoredValueKind, currency: Type.String(), balanceMinor: Type.Integer(), ending,
  active: Type.Boolean(), expired: Type.Boolean(), hash: Type.Union([Type.String(), Type.Null()]),
})
export type Usable = Static<typeof Usable>

export type StoredValueChoice = {
  giftCards?: string[] | undefined; storeCredit?: boolean | undefined
  currency: string
  /** Of the session; nobody else's credit can be meant. */
  customerId: string | null
}

/**
 * What a shopper wants to use, gift cards first: one statement, none where nothing is asked for. Nothing is locked:
 * `spend` fails when it is gone by then. Throws StoredValueNotUsable, naming the card by its end.
 */
export async function findStoredValue(conn: Conn, choice: StoredValueChoice): Promise<Usable[]> {
  const { giftCards = [], storeCredit = false, currency, customerId } = choice
  if (giftCards.length === 0 && !storeCredit) return []
  if (storeCredit && customerId === null) {
    throw StoredValueNotUsable({ kind: 'store_credit', ending: null, reason: 'not_signed_in' }, 'Sign in to use it.')
  }
  const hashes = new Map(giftCards.map((code) => [hashOfCode(code).toString('hex'), code]))
  const found = await conn.many(Usable, sql`
    select id, kind, currency, balance_minor as "balanceMinor", ending, active, encode(code_hash, 'hex') as hash,
      coalesce(expires_at <= now(), false) as expired
    from payments.stored_value
    where code_hash = any(${[...hashes.keys()].map((hex) => Buffer.from(hex, 'hex'))}::bytea[])
      or (customer_id = ${storeCredit ? customerId : null}::uuid and currency = ${currency})
    order by kind, expires_at nulls last, id`)
  for (const [hash, code] of hashes) requireUsable(found.find((one) => one.hash === hash), code, currency)
  return found.filter(({ active, balanceMinor }) => active && balanceMinor > 0)
}

/** Throws StoredValueNotUsable for a gift card that pays nothing in this currency. */
export function requireUsable(card: Usable | undefined, code: string, currency?: string): asserts card is Usable {
  const reason = !card ? 'unknown' : !card.active ? 'inactive' : card.expired ? 'expired'
    : currency !== undefined && card.currency !== currency ? 'other_currency'
    : currency !== undefined && card.balanceMinor === 0 ? 'empty' : undefined
  if (!reason) return
  throw StoredValueNotUsable({ kind: 'gift_card', ending: card?.ending ?? code.slice(-4), reason },
    reason === 'unknown' ? 'Look at the code again.' : 'Take it out, and pay with something else.')
}

export type Use = Usable & { amountMinor: number }

/** How much of each is used for a total, in their order, and what is left to pay. */
export function shareOut(usable: readonly Usable[], totalMinor: number): { uses: Use[]; dueMinor: number } {
  let dueMinor = totalMinor
  const uses = usable.map((one) => {
    const amountMinor = Math.min(one.balanceMinor, dueMinor)
    dueMinor -= amountMinor
    return { ...one, amountMinor }
  })
  return { uses: uses.filter(({ amountMinor }) => amountMinor > 0), dueMinor }
}

/**
 * Spends them for a new order: a payment of its own for each, paid at once. Two statements each, for the commit trip.
 * Fails as SQL (StoredValueSpent) when one has not that much any more or was stopped meanwhile; then nothing is
 * ordered. Rows are locked in the order of their ids, after stock and coupons, as everywhere.
 */
export async function spend(tx: Tx, orderId: string, uses: readonly Use[]): Promise<void> {
  const inOrder = [...uses].sort((a, b) => (a.id < b.id ? -1 : 1))
  await Promise.all(inOrder.flatMap(({ id, kind, currency, amountMinor, ending: reference }) => {
    const paymentId = newId()
    const attemptId = newId()
    return [
      tx.run(sql`
        with spent as (
          update payments.stored_value
          set balance_minor = case when active and coalesce(expires_at > now(), true)
            then balance_minor - ${amountMinor} else -1 end
          where id = ${id} returning id
        ), entry as (
          insert into payments.stored_value_entry (id, stored_value_id, kind, amount_minor, order_id)
          select ${newId()}::uuid, id, 'spent', -${amountMinor}::bigint, ${orderId}::uuid from spent
        ), payment as (
          insert into payments.payment (id, order_id, currency, amount_minor, authorized_minor, captured_minor,
            stored_value_id)
          select ${paymentId}::uuid, ${orderId}::uuid, ${currency}, ${amountMinor}::bigint, ${amountMinor}::bigint,
            ${amountMinor}::bigint, id from spent
        )
        insert into payments.attempt (id, payment_id, method, gateway, state, capture, reference)
        values (${attemptId}, ${paymentId}, ${methodOf(kind)}, 'stored-value', 'captured', true, ${reference})`),
      post(tx, {
        source: { type: 'attempt', id: attemptId }, kind: 'capture', currency, orderId, paymentId,
        lines: { [accountOf(kind)]: amountMinor, receivable: -amountMinor },
      }),
    ]
  }))
}

/**
 * Gives back what gift cards and credit paid for an order that ended, in that transaction. Asked twice, once. After
 * stock and coupons were released, since that is the order of locks.
 */
export async function returnStoredValue(tx: Tx, orderId: string): Promise<void> {
  const payments = await tx.many(Type.Object({ id: Type.String() }), sql`
    update payments.payment set closed = true where order_id = ${orderId} and stored_value_id is not null returning id`)
  for (const { id } of payments) await giveBack(tx, id, 'the order has ended')
}

const Covered = Type.Object({ coveredMinor: Type.Integer() })

/** How much of an order gift cards and credit pay, and have not got back. */
export async function coveredByStoredValue(tx: Tx, orderId: string): Promise<number> {
  const { coveredMinor } = await tx.one(Covered, sql`
    select coalesce(sum(captured_minor - refunded_minor), 0)::bigint as "coveredMinor" from payments.payment
    where order_id = ${orderId} and stored_value_id is not null`)
  return coveredMinor
}

export const UsedValue = Type.Object({
  kind: StoredValueKind, ending, amountMinor: Type.Integer(),
  returnedMinor: Type.Integer({ description: 'Of it, what went back: the order ended or was refunded' }),
})

/** What gift cards and credit paid of an order, as its shopper may see it. */
export function usedForOrder(conn: Conn, orderId: string): Promise<Static<typeof UsedValue>[]> {
  return conn.many(UsedValue, sql`
    select kind, ending, amount_minor as "amountMinor", refunded_minor as "returnedMinor"
    from payments.payment join payments.stored_value on stored_value.id = stored_value_id
    where order_id = ${orderId} order by payment.id`)
}
