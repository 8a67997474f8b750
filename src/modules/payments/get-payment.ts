// Reads payments for staff: one order's, with every attempt and operation. Whoever is kept to some channels sees those
// of their orders, and any other as if it were not there.
import { Type } from 'typebox'
import { sql, type Actor, type Conn, type Db, type Statement } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { Payment, paymentListener, PaymentNotFound } from './payments.ts'

/** The payments of an order, newest last. */
export function paymentsOf(conn: Conn, orderId: string): Promise<Payment[]> {
  return readPayments(conn, sql`order_id = ${orderId}`)
}

/** One payment that the actor may see; throws PaymentNotFound for another as for one that is not there. */
export async function findPayment(db: Db, actor: Actor, paymentId: string): Promise<Payment> {
  const [payment] = await readPayments(db, sql`id = ${paymentId} and ${ofTheirs(db, actor)}`)
  if (!payment) throw PaymentNotFound({})
  return payment
}

/** The condition that keeps a statement to the money that the actor may see; `orderId` is its column. */
export function ofTheirs(db: Db, actor: Actor, orderId = sql`order_id`): Statement {
  const channels = 'within' in actor ? actor.within?.channels : undefined
  return channels ? paymentListener.of(db).ofChannels(channels, orderId) : sql`true`
}

function readPayments(conn: Conn, which: Statement): Promise<Payment[]> {
  return conn.many(Payment, sql`
    select id, order_id as "orderId", currency, amount_minor as "amountMinor", closed,
      authorized_minor as "authorizedMinor", capturing_minor as "capturingMinor", captured_minor as "capturedMinor",
      refunding_minor as "refundingMinor", refunded_minor as "refundedMinor",
      stored_value_id is not null as stored,
      (select coalesce(jsonb_agg(jsonb_build_object('id', attempt.id, 'method', method, 'gateway', gateway,
          'state', state, 'reference', reference, 'reason', reason, 'nextCheckAt', next_check_at,
          'createdAt', attempt.created_at) order by attempt.created_at, attempt.id), '[]')
        from payments.attempt where payment_id = payment.id) as attempts,
      (select coalesce(jsonb_agg(jsonb_build_object('id', operation.id, 'kind', kind,
          'amountMinor', operation.amount_minor, 'state', state, 'cause', cause, 'note', note, 'reason', reason,
          'createdAt', operation.created_at) order by operation.created_at, operation.id), '[]')
        from payments.operation where payment_id = payment.id) as operations
    from payments.payment where ${which} order by created_at, id`)
}

const access = { permission: 'payments:read', within: 'channels' } as const

export const getPayment = route({
  method: 'GET', path: '/admin/payments/:paymentId', access, tags: ['Payments'],
  summary: 'Read a payment with its attempts and operations', params: Type.Object({ paymentId: Id }),
  response: { 200: Payment }, problems: [PaymentNotFound],
  run: ({ db, context, params }) => findPayment(db, context.actor, params.paymentId),
})

export const listOrderPayments = route({
  method: 'GET', path: '/admin/orders/:orderId/payments', access, tags: ['Payments'],
  summary: 'List the payments of an order', params: Type.Object({ orderId: Id }),
  response: { 200: Type.Object({ items: Type.Array(Payment) }) },
  run: async ({ db, context: { actor }, params }) => ({
    items: await readPayments(db, sql`order_id = ${params.orderId} and ${ofTheirs(db, actor)}`),
  }),
})
