// The ledger: what happened to money, in double entry. An entry is posted in the transaction of what it books, so no
// crash can part the two; it is never changed, and the database refuses one that does not balance or comes twice.
import { json, sql, type Tx } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'

/** What the accounts hold. Debits are positive, credits negative: what we have or are owed is above zero. */
export const accounts = {
  receivable: 'What buyers owe for orders that are placed; below zero: what we owe those of orders that ended',
  unapplied: 'Money that arrived and belongs to no payment, or is more than one asked for: ours to give back',
  revenue: 'Goods sold, without tax',
  shipping: 'Delivery sold, without tax',
  discount: 'What promotions took off, as the buyer saw it',
  tax: 'Tax on sales, payable',
  refund: 'What was given back of orders that stay placed',
  fee: 'What gateways keep',
  dispute: 'What a bank took back and may return',
  gift_card: 'Gift cards that were sold and not redeemed yet',
  store_credit: 'Credit of customers that was granted and not spent yet',
  bank: 'What gateways paid out',
  write_off: 'What nobody will pay any more',
} as const

/** `clearing:<gateway>` is what lies at a gateway, or came by transfer or as cash under `manual`. */
export type Account = keyof typeof accounts | `clearing:${string}`

export type LedgerEntry = {
  /** What is booked. With the kind it is unique: the same thing is booked once. */
  source: { type: 'order' | 'payment' | 'attempt' | 'operation' | 'transfer' | 'staff' | 'stored_value'; id: string }
  kind: string
  currency: string
  orderId?: string | null
  paymentId?: string | null
  note?: string | null
  /** Minor units by account; accounts with nothing are left out. */
  lines: { readonly [account in Account]?: number }
}

/**
 * Posts an entry: one statement, may be one of the promises of `tx.commit`; none when there is nothing to book. Fails
 * as SQL when it was posted before (ledger_entry_once), and at the commit when it does not balance.
 */
export async function post(tx: Tx, entry: LedgerEntry): Promise<void> {
  const lines = Object.entries(entry.lines).filter(([, amountMinor]) => amountMinor !== 0)
  if (lines.length === 0) return
  const id = newId()
  const { source, kind, currency, orderId = null, paymentId = null, note = null } = entry
  await tx.run(sql`
    with entry as (
      insert into payments.ledger_entry (id, source_type, source_id, kind, currency, order_id, payment_id, note)
      values (${id}, ${source.type}, ${source.id}, ${kind}, ${currency}, ${orderId}, ${paymentId}, ${note})
    )
    insert into payments.ledger_line (entry_id, account, amount_minor)
    select ${id}::uuid, account, amount from jsonb_to_recordset(${json(lines.map(
      ([account, amount]) => ({ account, amount })))}::jsonb) as line (account text, amount bigint)`)
}

/**
 * Takes the sale of an order back: the same accounts the other way round. An order without a sale has nothing to take
 * back. Fails as SQL when it was taken back before.
 */
export async function reverseSale(tx: Tx, orderId: string): Promise<void> {
  const id = newId()
  await tx.run(sql`
    with sale as (
      select id, currency from payments.ledger_entry
      where source_type = 'order' and source_id = ${orderId} and kind = 'sale'
    ), reversal as (
      insert into payments.ledger_entry (id, source_type, source_id, kind, currency, order_id)
      select ${id}::uuid, 'order', ${orderId}::uuid, 'cancellation', currency, ${orderId}::uuid from sale
    )
    insert into payments.ledger_line (entry_id, account, amount_minor)
    select ${id}::uuid, account, -amount_minor from payments.ledger_line join sale on entry_id = sale.id`)
}

/**
 * Money that moved for a payment, seen from the gateway: a capture is positive, a refund negative. `owed` is where its
 * other side lies.
 */
export async function postMoney(tx: Tx, moved: {
  source: LedgerEntry['source']; kind: 'capture' | 'refund'; gateway: string; amountMinor: number
  feeMinor?: number | undefined
  payment: { id: string; orderId: string; currency: string }; owed: Account
}): Promise<void> {
  const { source, kind, gateway, amountMinor, feeMinor = 0, payment, owed } = moved
  await post(tx, {
    source, kind, currency: payment.currency, orderId: payment.orderId, paymentId: payment.id,
    lines: { [`clearing:${gateway}`]: amountMinor - feeMinor, fee: feeMinor, [owed]: -amountMinor },
  })
}

/**
 * The order of a payment ended: what was refunded while it was placed is no loss of a sale any more, since there is no
 * sale. Asked for a payment that is being closed, once.
 */
export async function postClosing(tx: Tx, paymentId: string): Promise<void> {
  const id = newId()
  await tx.run(sql`
    with refunded as (
      select order_id, currency, sum(amount_minor) as amount
      from payments.ledger_entry join payments.ledger_line on entry_id = id
      where payment_id = ${paymentId} and account = 'refund' group by order_id, currency having sum(amount_minor) <> 0
    ), closing as (
      insert into payments.ledger_entry (id, source_type, source_id, kind, currency, order_id, payment_id)
      select ${id}::uuid, 'payment', ${paymentId}::uuid, 'closing', currency, order_id, ${paymentId}::uuid from refunded
    )
    insert into payments.ledger_line (entry_id, account, amount_minor)
    select ${id}::uuid, account, amount * side
    from refunded, (values ('refund', -1), ('receivable', 1)) as line (account, side)`)
}
