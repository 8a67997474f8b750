// Captures, refunds and voids by staff. The amount is reserved before the gateway is called; an unclear answer is
// worked on by recovery, and the payment that is answered shows how it stands. An Idempotency-Key makes a repeat one
// operation. A payment of another channel is as if it were not there, before anything is locked or asked.
import { Type, type Static } from 'typebox'
import { LimitExceeded } from '../../platform/authority.ts'
import { resultId, systemContext, type Context, type Db } from '../../platform/db.ts'
import { Id, OneLine, route } from '../../platform/http.ts'
import { paymentSetup } from './gateway.ts'
import { findPayment } from './get-payment.ts'
import { beginOperation, runOperations, type OperationOrder } from './operations.ts'
import {
  AmountNotAvailable, NotPossible, Payment, paymentListener, PaymentNotFound, RefundCause,
} from './payments.ts'
import { recordCharge } from './record-charge.ts'
import { settlePayment } from './settle-payment.ts'

const params = Type.Object({ paymentId: Id })
const amount = { amountMinor: Type.Optional(
  Type.Integer({ minimum: 1, maximum: 2e15, description: 'In minor units; all that is left unless told' })
) }
const note = { note: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })) }

/** Begins and carries out an operation; answers how the payment stands. Throws what `beginOperation` throws. */
export async function operate(
  db: Db, context: Context, paymentId: string, order: Omit<OperationOrder, 'id' | 'paymentId'>,
): Promise<Payment> {
  const { orderId } = await findPayment(db, context.actor, paymentId)
  const id = resultId(context)
  await db.transaction(context, async (tx) => {
    await paymentListener.of(db).lock(tx, orderId)          // the order before its payment, as everywhere
    await beginOperation(tx, paymentSetup.of(db), { ...order, paymentId, id })
  })
  await runOperations(db, systemContext(context.requestId), orderId)
  return findPayment(db, context.actor, paymentId)
}

const shared = {
  method: 'POST', access: { permission: 'payments:write', within: 'channels' }, priority: 'pay', tags: ['Payments'],
  params, response: { 200: Payment },
} as const
type Asked = { db: Db; context: Context; params: { paymentId: string } }
const replay = ({ db, context, params }: Asked): Promise<Payment> =>
  findPayment(db, context.actor, params.paymentId)
const problems = [PaymentNotFound, NotPossible, AmountNotAvailable]

export const capturePayment = route({
  ...shared, path: '/admin/payments/:paymentId/capture', summary: 'Capture an authorised payment, whole or in part',
  body: Type.Object({ ...amount, ...note }), problems,
  replay,
  run: ({ db, context, params, body }) => operate(db, context, params.paymentId, { kind: 'capture', ...body }),
})

export const refundPayment = route({
  ...shared, path: '/admin/payments/:paymentId/refund', summary: 'Refund a captured payment, whole or in part',
  body: Type.Object({ ...amount, ...note, cause: Type.Optional(RefundCause) }),
  problems: [...problems, LimitExceeded],
  replay,
  run: ({ db, context, params, body }) => operate(db, context, params.paymentId, { kind: 'refund', ...body }),
})

export const voidPayment = route({
  ...shared, path: '/admin/payments/:paymentId/void', summary: 'Give back an authorisation that was not captured',
  body: Type.Object(note), problems,
  replay,
  run: ({ db, context, params, body }) => operate(db, context, params.paymentId, { kind: 'void', ...body }),
})

export const recordReceipt = route({
  ...shared, path: '/admin/payments/:paymentId/receipt', summary: 'Record that a transfer or cash has arrived',
  description: 'For pending payments that staff look after: pay on delivery, bank transfer. Asked twice, the second ' +
    'time changes nothing.',
  body: Type.Object({}), problems,
  replay,
  async run({ db, context, params }) {
    const payment = await findPayment(db, context.actor, params.paymentId)
    const attempt = payment.attempts.find(({ state }) => state === 'pending' || state === 'captured')
    if (!attempt || !paymentSetup.of(db).gateways.get(attempt.gateway)?.properties.byHand) {
      throw NotPossible({}, 'Only a pending payment that no gateway looks after can be received.')
    }
    const { orderId, amountMinor, currency } = payment
    await recordCharge(db, context, { orderId, attemptId: attempt.id }, {
      kind: 'captured', reference: attempt.reference ?? attempt.id, amountMinor, capturedMinor: amountMinor, currency,
    })
    return findPayment(db, context.actor, params.paymentId)
  },
})

const Decision = Type.Object({
  outcome: Type.Enum(['captured', 'authorized', 'declined']),
  reference: Type.Optional(OneLine(200, { description: 'Of the charge, at the gateway' })),
})

/**
 * Decides a payment whose outcome no rule can find out: it is unknown, or pending and will not be paid. The gateway is
 * asked first, and what it says counts: then, and for a payment that is decided, it throws NotPossible. Asked twice,
 * the second time finds it decided.
 */
export async function decidePayment(
  db: Db, context: Context, paymentId: string, { outcome, reference }: Static<typeof Decision>,
): Promise<Payment> {
  const { orderId } = await findPayment(db, context.actor, paymentId)
  await settlePayment(db, systemContext(context.requestId), orderId)
  const { attempts, amountMinor, currency } = await findPayment(db, context.actor, paymentId)
  const attempt = attempts.find(({ state }) => state === 'unknown' || state === 'pending')
  if (!attempt) {
    const last = attempts.at(-1)
    throw NotPossible({}, last ? `Its outcome is known: ${last.state}.` : 'Nobody has tried to pay it yet.')
  }
  const charge = { reference: reference ?? attempt.reference ?? attempt.id, amountMinor, currency }
  await recordCharge(db, context, { orderId, attemptId: attempt.id }, outcome === 'declined'
    ? { kind: 'declined', reason: 'the shop found that it was not paid' }
    : outcome === 'captured' ? { kind: 'captured', ...charge, capturedMinor: amountMinor }
      : { kind: 'authorized', ...charge })
  return findPayment(db, context.actor, paymentId)
}

export const decidePaymentRoute = route({
  ...shared, path: '/admin/payments/:paymentId/decide', summary: 'Decide a payment whose outcome is unknown',
  description: 'For what no rule finds out: compare with the gateway, then say what became of it. The gateway is ' +
    'asked once more before, and its answer counts.',
  body: Decision, problems: [PaymentNotFound, NotPossible],
  replay,
  run: ({ db, context, params, body }) => decidePayment(db, context, params.paymentId, body),
})
