// A segment's rule, and the condition in SQL that it means. Values are parameters, and each kind of condition is a
// fragment written here: a rule can ask for nothing else.
import { Type, type Static, type TProperties } from 'typebox'
import { joined, sql, type Statement } from '../../platform/db.ts'
import { Id } from '../../platform/http.ts'
import { Code, Tag } from './customers.ts'

const not = { not: Type.Optional(Type.Boolean({ description: 'Those for whom it does not hold' })) }
const about = <P extends TProperties>(field: string, properties: P) =>
  Type.Object({ field: Type.Literal(field), ...properties, ...not })
const range = {
  from: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  to: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
}
const Currency = Type.String({ pattern: '^[A-Z]{3}$' })

const Group = about('group', { groupId: Id })
const Tagged = about('tag', { tag: Tag })
const Country = about('country', { countries: Type.Array(Type.String({ pattern: '^[A-Z]{2}$' }), {
  minItems: 1, maxItems: 250,
}) })
const Orders = about('orders', range)
const Spent = about('spent', { currency: Currency, ...range })
const LastOrder = about('lastOrderDays', range)
const Created = about('createdDays', range)
const Consent = about('consent', { purpose: Code })

export const SegmentRule = Type.Object({
  match: Type.Enum(['all', 'any']),
  conditions: Type.Array(
    Type.Union([Group, Tagged, Country, Orders, Spent, LastOrder, Created, Consent]), { minItems: 1, maxItems: 20 }),
})
export type SegmentRule = Static<typeof SegmentRule>
type Condition = SegmentRule['conditions'][number]
type Range = { from?: number; to?: number }

const between = (value: Statement, { from = 0, to = Number.MAX_SAFE_INTEGER }: Range): Statement =>
  sql`(${value}) between ${from}::bigint and ${to}::bigint`

const fragments: Record<string, (condition: any) => Statement> = {
  group: ({ groupId }: Static<typeof Group>) => sql`exists (
    select from customers.membership where customer_id = customer.id and group_id = ${groupId})`,
  tag: ({ tag }: Static<typeof Tagged>) => sql`tags @> ${[tag]}`,
  country: ({ countries }: Static<typeof Country>) => sql`exists (
    select from customers.address where customer_id = customer.id and address ->> 'country' = any(${countries}))`,
  orders: (range: Range) => between(sql`
    select coalesce(sum(orders), 0) from customers.purchase_total where customer_id = customer.id`, range),
  spent: ({ currency, ...range }: Static<typeof Spent>) => between(sql`
    select coalesce(sum(spent_minor), 0) from customers.purchase_total
    where customer_id = customer.id and currency = ${currency}`, range),
  lastOrderDays: (range: Range) => between(sql`
    select extract(day from now() - max(last_at)) from customers.purchase_total
    where customer_id = customer.id and orders > 0`, range),
  createdDays: (range: Range) => between(sql`extract(day from now() - created_at)`, range),
  consent: ({ purpose }: Static<typeof Consent>) => sql`(
    select granted from customers.consent where subject = customer.subject and purpose = ${purpose}
    order by at desc, id desc limit 1)`,
}

function meaning(condition: Condition): Statement {
  const holds = sql`coalesce(${fragments[condition.field]!(condition)}, false)`
  return condition.not ? sql`not ${holds}` : holds
}

/** The condition on customers.customer that a rule means. */
export function whereOf({ match, conditions }: SegmentRule): Statement {
  return sql`(${joined(conditions.map(meaning), match === 'all' ? sql` and ` : sql` or `)})`
}
