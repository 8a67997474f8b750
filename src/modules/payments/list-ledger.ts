// The ledger as staff read it: the balance of every account, and the entries behind it. A trial balance is one
// statement over the entries of its period; nobody keeps a running balance, because every payment would queue before
// that row.
import { Type, type Static, type TSchema } from 'typebox'
import { joined, sql, type Conn, type Statement } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id, Page, PageQuery, route, Timestamp } from '../../platform/http.ts'
import { Currency } from '../../platform/money.ts'
import { InvalidCursor } from '../../platform/problem.ts'
import { accounts } from './ledger.ts'

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const period = {
  from: Type.Optional(Timestamp), before: Type.Optional(Timestamp),
}
export const Period = Type.Object(period)
export const AccountCode = Type.String({
  pattern: `^(${Object.keys(accounts).join('|')}|clearing:[a-z0-9-]{1,40})$`,
  description: ['`clearing:<gateway>`: What lies at a gateway; `clearing:manual` came by transfer or as cash',
    ...Object.entries(accounts).map(([code, meaning]) => `\`${code}\`: ${meaning}`)].join('. '),
})

/** The entries of a period: from its begin, before its end. */
export function within({ from, before }: Static<typeof Period>): Statement {
  return joined([
    sql`true`, ...from ? [sql`at >= ${from}`] : [], ...before ? [sql`at < ${before}`] : [],
  ], sql` and `)
}

const Balance = Type.Object({
  account: AccountCode, currency: Currency,
  debitMinor: Type.Integer(), creditMinor: Type.Integer(),
  balanceMinor: Type.Integer({ description: 'Debits less credits' }),
})

/** What each account holds in each currency, of the entries of a period. */
export function balancesOf(conn: Conn, asked: Static<typeof Period>): Promise<Static<typeof Balance>[]> {
  return conn.many(Balance, sql`
    select account, currency, coalesce(sum(amount_minor) filter (where amount_minor > 0), 0)::bigint as "debitMinor",
      coalesce(-sum(amount_minor) filter (where amount_minor < 0), 0)::bigint as "creditMinor",
      sum(amount_minor)::bigint as "balanceMinor"
    from payments.ledger_entry join payments.ledger_line on entry_id = id
    where ${within(asked)} group by account, currency order by currency, account`)
}

export const listBalances = route({
  method: 'GET', path: '/admin/ledger/balances', access: { permission: 'payments:read' }, tags: ['Ledger'],
  summary: 'The trial balance',
  description: 'Of all entries, or of those of a period. The debits of a currency are its credits.',
  query: Period, response: { 200: Type.Object({
    items: Type.Array(Balance),
    totals: Type.Array(Type.Object({
      currency: Currency, debitMinor: Type.Integer(), creditMinor: Type.Integer(),
    })),
  }) },
  async run({ db, query }) {
    const items = await balancesOf(db, query)
    const total = (rows: typeof items, side: 'debitMinor' | 'creditMinor') =>
      rows.reduce((all, row) => all + row[side], 0)
    const totals = [...Map.groupBy(items, ({ currency }) => currency)].map(([currency, rows]) => (
      { currency, debitMinor: total(rows, 'debitMinor'), creditMinor: total(rows, 'creditMinor') }))
    return { items, totals }
  },
})

export const LedgerEntry = Type.Object({
  id: Id, at: Timestamp, kind: Type.String(), sourceType: Type.String(), sourceId: Id, currency: Currency,
  orderId: nullable(Id), paymentId: nullable(Id),
  note: nullable(Type.String({ description: 'What was written with it, or the number of its order' })),
  lines: Type.Array(Type.Object({
    account: AccountCode, amountMinor: Type.Integer({ description: 'Debits above zero, credits below' }),
  })),
})
export type LedgerEntry = Static<typeof LedgerEntry>

export const columns = sql`entry.id, at, kind, source_type as "sourceType", source_id as "sourceId", currency,
  order_id as "orderId", payment_id as "paymentId", coalesce(note, (
    select sale.note from payments.ledger_entry sale
    where sale.source_type = 'order' and sale.source_id = entry.order_id and sale.kind = 'sale')) as note, (
    select jsonb_agg(jsonb_build_object('account', account, 'amountMinor', amount_minor)
      order by amount_minor desc, account)
    from payments.ledger_line where entry_id = entry.id) as lines`

export const listEntries = route({
  method: 'GET', path: '/admin/ledger/entries', access: { permission: 'payments:read' }, tags: ['Ledger'],
  summary: 'List the entries of the ledger, newest first',
  query: Type.Object({
    ...PageQuery, ...period, orderId: Type.Optional(Id), paymentId: Type.Optional(Id),
    account: Type.Optional(AccountCode),
  }),
  response: { 200: Page(LedgerEntry) }, problems: [InvalidCursor],
  async run({ db, query }) {
    const limit = query.limit ?? 20
    const wanted = [within(query)]
    if (query.orderId) wanted.push(sql`order_id = ${query.orderId}`)
    if (query.paymentId) wanted.push(sql`payment_id = ${query.paymentId}`)
    if (query.account) {
      wanted.push(sql`exists (
        select from payments.ledger_line where entry_id = entry.id and account = ${query.account})`)
    }
    if (query.cursor) {
      const [at, id] = decodeCursor(query.cursor, [Timestamp, Id])
      wanted.push(sql`(at, entry.id) < (${at}::timestamptz, ${id}::uuid)`)
    }
    const rows = await db.many(LedgerEntry, sql`
      select ${columns} from payments.ledger_entry entry where ${joined(wanted, sql` and `)}
      order by at desc, entry.id desc limit ${limit + 1}`)
    const items = rows.slice(0, limit)
    const last = items.at(-1)
    return { items, nextCursor: rows.length > limit && last ? encodeCursor([last.at, last.id]) : null }
  },
})
