// The queue for people: everything about money that no rule can finish by itself, each as a case with our record, what
// the gateway said last, and what each decision would do. decide-case.ts carries a decision out. Whoever is kept to
// some channels sees the cases of their orders; a message that belongs to no order is for those who may act everywhere.
import { Type, type Static, type TSchema } from 'typebox'
import { none, sql, type Actor, type Db, type Statement } from '../../platform/db.ts'
import { Id, route, Timestamp } from '../../platform/http.ts'
import { ofTheirs } from './get-payment.ts'

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** What people may decide, and what that does. */
const meanings = {
  ask_again: 'Asks the gateway once more; changes nothing by itself.',
  happened: 'It was done at the gateway: recorded as done, with your evidence.',
  did_not_happen: 'It was not done, and will not be: recorded as failed. What was held for it is free again.',
  give_back: 'Gives back what the payment holds: a void of what was only authorised, a refund of the rest.',
  try_again: 'Begins the same capture or void anew.',
  dismiss: 'Nothing is to be done here, or it was done elsewhere. A failed refund is made anew at its order.',
} as const
export const Decision = Type.Enum(Object.keys(meanings) as (keyof typeof meanings)[])
export type Decision = Static<typeof Decision>

export const CaseKind = Type.Enum(['attempt', 'operation', 'webhook'])
const row = {
  id: Id, kind: CaseKind, state: Type.String(), since: Timestamp,
  reason: nullable(Type.String({ description: 'What the gateway said last, or what is wrong' })),
  gateway: Type.String(), orderId: nullable(Id), paymentId: nullable(Id), attemptId: nullable(Id),
  operation: nullable(Type.Enum(['capture', 'refund', 'void'])),
  amountMinor: nullable(Type.Integer()), currency: nullable(Type.String()),
  capturedMinor: nullable(Type.Integer()), refundedMinor: nullable(Type.Integer()),
  key: nullable(Type.String({ description: 'Under which the gateway knows it from us' })),
  reference: nullable(Type.String({ description: 'Under which the gateway keeps the charge' })),
  checks: Type.Integer({ description: 'How often we asked, or tried to match the message' }),
  nextCheckAt: nullable(Timestamp),
  message: nullable(Type.Object({
    eventId: Type.String(), about: Type.String(), account: nullable(Type.String()),
    amountMinor: nullable(Type.Integer()), currency: nullable(Type.String()),
  }, { description: 'What a webhook says; none of it is believed' })),
}
const Row = Type.Object(row)
export type Case = Static<typeof Row>
const ShownCase = Type.Object({
  ...row, decisions: Type.Array(Type.Object({ decision: Decision, meaning: Type.String() })),
})

/** What can be decided about a case. */
export function decisionsOf({ kind, state, operation, paymentId }: Case): Decision[] {
  if (kind === 'attempt') return ['ask_again', 'happened', 'did_not_happen']
  if (kind === 'operation') {
    if (state !== 'failed') return ['ask_again', 'happened', 'did_not_happen']
    // The order has its units back, and only whoever refunds it can say for which of them the next one is.
    return operation === 'refund' ? ['dismiss'] : ['try_again', 'dismiss']
  }
  return paymentId ? ['ask_again', 'give_back', 'dismiss'] : ['ask_again', 'dismiss']
}

/** A bank debit is known after five bank days, and a holiday: after so long somebody should ask. */
const PENDING_DAYS = 14

const UUID = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'

// An id for a message, which has none: the same as long as it is there.
const webhookId = sql`md5(event.gateway || ' ' || event_id)::uuid`

/**
 * Unclear beyond the first looks, or under way for weeks; failed, and neither tried again nor dismissed; a message that
 * contradicts our record, or that belongs to nobody. `of`: one case alone, however young.
 */
const cases = (of?: string): Statement => {
  const late = of === undefined
  const one = (id: Statement): Statement => of === undefined ? none : sql`and ${id} = ${of}`
  const payment = sql`order_id as "orderId", payment.id as "paymentId", attempt.id as "attemptId"`
  const amounts = sql`currency, captured_minor as "capturedMinor", refunded_minor as "refundedMinor"`
  const since = (column: Statement): Statement => late ? sql`and ${column} < now() - interval '2 minutes'` : none
  return sql`
    select attempt.id, 'attempt' as kind, state, attempt.created_at as since, reason, gateway, ${payment},
      null as operation, amount_minor as "amountMinor", ${amounts}, attempt.id::text as key, reference, checks,
      next_check_at as "nextCheckAt", null::jsonb as message
    from payments.attempt join payments.payment on payment.id = payment_id
    where next_check_at is not null and ((state in ('sending', 'unknown') ${since(sql`attempt.created_at`)})
        or (state = 'pending' and attempt.created_at < now() - make_interval(days => ${PENDING_DAYS})))
      ${one(sql`attempt.id`)}
    union all
    select operation.id, 'operation', operation.state, operation.created_at, operation.reason, gateway, ${payment},
      operation.kind, operation.amount_minor, ${amounts}, operation.id::text, attempt.reference, operation.checks,
      operation.next_check_at, null
    from payments.operation join payments.payment on payment.id = operation.payment_id
    join payments.attempt on attempt.id = attempt_id
    where (operation.next_check_at is not null ${since(sql`operation.created_at`)}) ${one(sql`operation.id`)}
    union all
    select operation.id, 'operation', operation.state, operation.created_at, operation.reason, gateway, ${payment},
      operation.kind, operation.amount_minor, ${amounts}, operation.id::text, attempt.reference, operation.checks,
      null, null
    from payments.operation join payments.payment on payment.id = operation.payment_id
    join payments.attempt on attempt.id = attempt_id
    where operation.state = 'failed' ${one(sql`operation.id`)}
      and not exists (select from payments.operation later where later.payment_id = operation.payment_id
        and later.kind = operation.kind and later.created_at > operation.created_at)
      and not exists (select from payments.decision where case_id = operation.id and decision <> 'ask_again')
    union all
    select ${webhookId}, 'webhook', event.state, received_at, event.reason, event.gateway, ${payment},
      null, payment.amount_minor, payment.currency, captured_minor, refunded_minor, event.key, event.reference, tries,
      next_try_at, jsonb_build_object('eventId', event_id, 'about', about, 'account', account,
        'amountMinor', event.amount_minor, 'currency', event.currency)
    from payments.webhook_event event
    left join lateral (
      select id, payment_id from payments.attempt
      where attempt.gateway = event.gateway and (attempt.reference = event.reference
        or attempt.id = case when event.key ~ ${UUID} then event.key::uuid end)
      order by created_at desc limit 1
    ) attempt on true
    left join payments.payment on payment.id = attempt.payment_id
    where (event.state = 'quarantined' or (event.state = 'parked' ${since(sql`received_at`)}))
      ${one(webhookId)}`
}

/** The case with this id, however young; undefined when the actor sees none, or there is nothing to decide about it. */
export async function findCase(db: Db, actor: Actor, caseId: string): Promise<Case | undefined> {
  return (await db.many(Row, sql`
    select * from (${cases(caseId)}) as one where ${ofTheirs(db, actor, sql`"orderId"`)}`))[0]
}

const access = { permission: 'payments:read', within: 'channels' } as const

export const listPaymentCases = route({
  method: 'GET', path: '/admin/payment-cases', access, tags: ['Payments'],
  summary: 'List what is unclear about money',
  description: 'Unclear for more than two minutes, failed and not tried again since, or contradicted by a gateway; ' +
    'each with what can be decided. Newest first, 200 at most. A message that nobody could match belongs to no ' +
    'channel, and is shown to those who may act in all of them.',
  response: { 200: Type.Object({ items: Type.Array(ShownCase) }) },
  async run({ db, context: { actor } }) {
    const rows = await db.many(Row, sql`
      select * from (${cases()}) as one where ${ofTheirs(db, actor, sql`"orderId"`)} order by since desc limit 200`)
    return { items: rows.map((one) => ({
      ...one, decisions: decisionsOf(one).map((decision) => ({ decision, meaning: meanings[decision] })),
    })) }
  },
})

export const Decided = Type.Object({
  id: Id, caseId: Id, kind: CaseKind, decision: Decision, evidence: nullable(Type.String()),
  about: nullable(Type.String({ description: 'What the case said at that time' })), orderId: nullable(Id),
  actorKind: Type.String(), actorId: nullable(Id), at: Timestamp,
})
export type Decided = Static<typeof Decided>

/** The decisions that the actor may see, newest first; throws nothing. */
export function readDecisions(db: Db, actor: Actor, which: Statement): Promise<Decided[]> {
  return db.many(Decided, sql`
    select id, case_id as "caseId", kind, decision, evidence, about, order_id as "orderId", actor_kind as "actorKind",
      actor_id as "actorId", at
    from payments.decision where ${which} and ${ofTheirs(db, actor)} order by at desc, id desc limit 200`)
}

export const listDecisions = route({
  method: 'GET', path: '/admin/payment-decisions', access, tags: ['Payments'],
  summary: 'List what people decided about money', description: 'Newest first, 200 at most.',
  query: Type.Object({ orderId: Type.Optional(Id) }),
  response: { 200: Type.Object({ items: Type.Array(Decided) }) },
  run: async ({ db, context: { actor }, query: { orderId } }) => ({
    items: await readDecisions(db, actor, orderId === undefined ? sql`true` : sql`order_id = ${orderId}`),
  }),
})
