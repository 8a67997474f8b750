// Carries out what a person decides about a case. The gateway is asked first, and what it says counts; the decision,
// who made it and why is committed with what it changes. A case is decided once: asked twice, the second answer is the
// first decision, and another decision is refused. A case of a channel that somebody is not kept to is not there.
import { Type, type Static } from 'typebox'
import { LimitExceeded } from '../../platform/authority.ts'
import { resultId, sql, systemContext, type Context, type Db, type Tx } from '../../platform/db.ts'
import { Id, OneLine, route } from '../../platform/http.ts'
import { problem } from '../../platform/problem.ts'
import { Decided, Decision, decisionsOf, findCase, readDecisions, type Case } from './cases.ts'
import { paymentSetup } from './gateway.ts'
import { findPayment } from './get-payment.ts'
import { applyOperation, beginOperation, runOperations } from './operations.ts'
import { AmountNotAvailable, NotPossible, paymentListener, PaymentNotFound } from './payments.ts'
import { applyOutcome } from './record-charge.ts'
import { workWebhook } from './receive-webhook.ts'
import { settlePayment } from './settle-payment.ts'

export const CaseNotFound = problem('payment-case-not-found', 404, 'There is nothing to decide about this')
export const CaseDecided = problem('payment-case-decided', 409, 'Somebody else has decided this otherwise')
export const EvidenceMissing = problem('evidence-missing', 422, 'Say what you saw at the gateway')

const Body = Type.Object({
  decision: Decision,
  evidence: Type.Optional(Type.String({
    minLength: 1, maxLength: 1_000, pattern: '\\S', description: 'What convinced you; needed to say what happened',
  })),
  reference: Type.Optional(OneLine(200, { description: 'Of the charge, at the gateway' })),
})
type Body = Static<typeof Body>

/**
 * Decides a case; answers the decision. Throws CaseNotFound when there is nothing (any more) to decide about it,
 * CaseDecided, EvidenceMissing, NotPossible for a decision that does not fit or that the gateway's own answer overtook,
 * and what `beginOperation` throws.
 */
export async function decideCase(db: Db, context: Context, caseId: string, body: Body): Promise<Decided> {
  const { decision, evidence } = body
  if ((decision === 'happened' || decision === 'did_not_happen') && evidence === undefined) {
    throw EvidenceMissing({}, 'Look it up there, and write what you found.')
  }
  const found = await findCase(db, context.actor, caseId)
  if (!found) return decidedBefore(db, context, caseId, decision)
  if (!decisionsOf(found).includes(decision)) {
    throw NotPossible({}, `Decide one of these: ${decisionsOf(found).join(', ')}.`)
  }
  if (decision === 'ask_again' || found.kind !== 'webhook') await askGateway(db, found)
  const id = resultId(context)
  const decided = await db.transaction(context, async (tx) => {
    if (found.orderId) await paymentListener.of(db).lock(tx, found.orderId)     // the order first, as everywhere
    if (await note(tx, id, found, body) === 0) return false
    await carryOut(tx, db, found, body)
    return true
  })
  if (!decided) return decidedBefore(db, context, caseId, decision)
  if (found.orderId) await runOperations(db, systemContext(context.requestId), found.orderId)
  return (await readDecisions(db, context.actor, sql`id = ${id}`))[0]!
}

async function decidedBefore(db: Db, { actor }: Context, caseId: string, decision: Decision): Promise<Decided> {
  const [last] = await readDecisions(db, actor, sql`case_id = ${caseId} and decision <> 'ask_again'`)
  if (!last) throw CaseNotFound({}, 'It was finished by itself, or there is no such case.')
  if (last.decision !== decision) throw CaseDecided({}, `It was decided: ${last.decision}.`)
  return last
}

async function askGateway(db: Db, { kind, orderId, gateway, message }: Case): Promise<void> {
  if (orderId && kind !== 'webhook') return settlePayment(db, systemContext(), orderId)
  if (!message) return
  const { eventId } = message
  await db.run(sql`update payments.webhook_event set state = 'received', tries = 0, next_try_at = now(), reason = null
    where gateway = ${gateway} and event_id = ${eventId} and state in ('parked', 'quarantined')`)
  await workWebhook(db, { gateway, eventId })
}

async function carryOut(
  tx: Tx, db: Db, { kind, ...found }: Case, { decision, reference, evidence }: Body,
): Promise<void> {
  switch (decision) {
    case 'ask_again': return
    case 'happened': case 'did_not_happen': {
      const happened = decision === 'happened'
      await (kind === 'attempt' ? decideAttempt(tx, db, found.id, happened ? { reference } : undefined)
        : decideOperation(tx, found, happened, evidence!))
      return
    }
    case 'try_again':
      await beginOperation(tx, paymentSetup.of(db), {
        paymentId: found.paymentId!, kind: found.operation!, amountMinor: found.amountMinor!, note: evidence,
      })
      return
    case 'give_back':
      await beginOperation(tx, paymentSetup.of(db), {
        paymentId: found.paymentId!, kind: found.capturedMinor! > 0 ? 'refund' : 'void', note: evidence,
      })
      return closeMessage(tx, found)
    case 'dismiss': return closeMessage(tx, found)
    default: throw new Error(`no such decision: ${decision satisfies never}`)
  }
}

const Charge = Type.Object({
  capture: Type.Boolean(), reference: Type.Union([Type.String(), Type.Null()]),
  amountMinor: Type.Integer(), currency: Type.String(),
})

/** `made`: the charge was made, under that reference if it is known. */
async function decideAttempt(
  tx: Tx, db: Db, attemptId: string, made: { reference: string | undefined } | undefined,
): Promise<void> {
  const { capture, reference, amountMinor, currency } = await tx.one(Charge, sql`
    select capture, reference, amount_minor as "amountMinor", currency
    from payments.attempt join payments.payment on payment.id = payment_id where attempt.id = ${attemptId}`)
  const charge = { reference: made?.reference ?? reference ?? attemptId, amountMinor, currency }
  const { result } = await applyOutcome(tx, db, attemptId, made
    ? capture ? { kind: 'captured', ...charge, capturedMinor: amountMinor } : { kind: 'authorized', ...charge }
    : { kind: 'declined', reason: 'the shop found that it was not charged' })
  const wanted = made ? capture ? 'captured' : 'authorized' : 'declined'
  if (result.kind !== wanted) throw NotPossible({}, `Meanwhile the gateway has said: ${result.kind}.`)
}

async function decideOperation(
  tx: Tx, { id, reference }: Pick<Case, 'id' | 'reference'>, happened: boolean, evidence: string,
): Promise<void> {
  const recorded = await applyOperation(tx, id, happened ? { kind: 'done', reference: reference ?? id }
    : { kind: 'failed', reason: `the shop found that it was not done: ${evidence}`.slice(0, 500) })
  if (!recorded) throw NotPossible({}, 'Meanwhile the gateway has said what became of it.')
}

async function closeMessage(tx: Tx, { message, gateway }: Pick<Case, 'message' | 'gateway'>): Promise<void> {
  if (!message) return
  await tx.run(sql`update payments.webhook_event set state = 'done', next_try_at = null
    where gateway = ${gateway} and event_id = ${message.eventId}`)
}

/** How many were written: none when the case is decided already. */
function note(tx: Tx, id: string, { id: caseId, kind, reason, orderId }: Case, body: Body): Promise<number> {
  const { actor } = tx.context
  return tx.run(sql`insert into payments.decision
    (id, case_id, kind, decision, evidence, about, order_id, actor_kind, actor_id)
    values (${id}, ${caseId}, ${kind}, ${body.decision}, ${body.evidence ?? null}, ${reason}, ${orderId},
      ${actor.kind}, ${'id' in actor ? actor.id : null})
    on conflict (case_id) where decision <> 'ask_again' do nothing`)
}

export const decideCaseRoute = route({
  method: 'POST', path: '/admin/payment-cases/:caseId/decisions', operationId: 'decidePaymentCase',
  access: { permission: 'payments:write', within: 'channels' }, priority: 'pay', tags: ['Payments'],
  summary: 'Decide about money that is unclear',
  description: 'The gateway is asked first, and its answer counts. A case is decided once; asked twice, the second ' +
    'answer is the first decision.',
  params: Type.Object({ caseId: Id }), body: Body, response: { 200: Decided },
  problems: [
    CaseNotFound, CaseDecided, EvidenceMissing, NotPossible, AmountNotAvailable, LimitExceeded, PaymentNotFound,
  ],
  replay: async ({ db, context, params, body, resultId: id }) =>
    (await readDecisions(db, context.actor, sql`id = ${id}`))[0]
      ?? decidedBefore(db, context, params.caseId, body.decision),
  run: ({ db, context, params, body }) => decideCase(db, context, params.caseId, body),
})
