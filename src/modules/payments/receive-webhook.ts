// Webhooks: verified on the raw bytes, kept once, answered at once, worked later. What a webhook says is never believed
// by itself: it is a reason to ask the gateway. One that beats our own write waits; one that contradicts our record is
// kept for people.
import { Type, type Static, type TSchema } from 'typebox'
import { none, sql, systemContext, type Db } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { failpoint } from '../../platform/failpoint.ts'
import { route } from '../../platform/http.ts'
import { problem } from '../../platform/problem.ts'
import { paymentSetup } from './gateway.ts'
import { AttemptState, PaymentAlert, WebhookReceived } from './payments.ts'
import { settlePayment, wasChargedAfterAll } from './settle-payment.ts'

export const WebhookRefused = problem('webhook-refused', 400, 'This is not a genuine message of the gateway')
export const GatewayUnknown = problem('gateway-unknown', 404, 'No such gateway')

export const receiveWebhook = route({
  method: 'POST', path: '/webhooks/:gateway', access: 'webhook', tags: ['Payments'], rawBody: true,
  summary: 'Receive a message of a payment gateway',
  description: 'Signed by the gateway; a repeated message is answered alike and done once.',
  params: Type.Object({ gateway: Type.String({ pattern: '^[a-z0-9-]{1,40}$' }) }),
  response: { 200: Type.Object({ received: Type.Boolean() }) }, problems: [WebhookRefused, GatewayUnknown],
  async run({ db, context, params, rawBody, headers }) {
    const gateway = paymentSetup.of(db).gateways.get(params.gateway)
    if (!gateway) throw GatewayUnknown({})
    const facts = gateway.readWebhook(rawBody, headers)
    if (!facts) throw WebhookRefused({}, 'The signature or the timestamp does not fit. Check the webhook secret.')
    if (facts === 'irrelevant') return { received: true }
    const { eventId, about, key, reference, account, amountMinor, currency, note } = facts
    // One trip. A repeated message is told to the worker again, who finds it done.
    await db.transaction(context, (tx) => tx.commit([
      tx.run(sql`insert into payments.webhook_event
        (gateway, event_id, about, key, reference, account, amount_minor, currency, note)
        values (${gateway.code}, ${eventId}, ${about}, ${key}, ${reference}, ${account}, ${amountMinor}, ${currency},
          ${note ?? null})
        on conflict do nothing`),
      publish(tx, WebhookReceived, { gateway: gateway.code, eventId }),
    ]))
    failpoint('webhook.stored')
    return { received: true }
  },
})

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const MessageKey = Type.Object({ gateway: Type.String(), eventId: Type.String() })
type MessageKey = Static<typeof MessageKey>
const Message = Type.Object({
  ...MessageKey.properties, about: Type.Enum(['charge', 'operation', 'dispute']),
  key: nullable(Type.String()), reference: Type.String(), account: nullable(Type.String()),
  amountMinor: nullable(Type.Integer()), currency: nullable(Type.String()), tries: Type.Integer(),
  note: nullable(Type.String()),
})
type Message = Static<typeof Message>
const Ours = Type.Object({
  attemptId: Type.String(), gateway: Type.String(), reference: nullable(Type.String()), state: AttemptState,
  orderId: Type.String(), paymentId: Type.String(), amountMinor: Type.Integer(), currency: Type.String(),
})
type Ours = Static<typeof Ours>

/** Works one message of the inbox. Asked twice, the second time finds it done. */
export async function workWebhook(db: Db, { gateway, eventId }: MessageKey): Promise<void> {
  const message = await db.maybe(Message, sql`
    select gateway, event_id as "eventId", about, key, reference, account, amount_minor as "amountMinor", currency,
      tries, note
    from payments.webhook_event
    where gateway = ${gateway} and event_id = ${eventId} and state in ('received', 'parked')`)
  if (!message) return
  const ours = await findOurs(db, message)
  if (!ours) return waitForOurs(db, message)
  const wrong = contradiction(db, message, ours)
  if (wrong) return quarantine(db, message, ours, wrong)
  await settlePayment(db, systemContext(), ours.orderId)
  failpoint('webhook.settled')
  const note = message.note ?? (message.about === 'dispute' ? 'the charge is disputed: answer at the gateway' : null)
  if (note) return quarantine(db, message, ours, note)
  if (['declined', 'voided', 'expired'].includes(ours.state) && await wasChargedAfterAll(db, ours)) {
    return quarantine(db, message, ours, `the gateway took money for what is ${ours.state} here: give it back there`)
  }
  await db.run(sql`update payments.webhook_event set state = 'done', next_try_at = null
    where gateway = ${gateway} and event_id = ${eventId}`)
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function findOurs(db: Db, { gateway, key, reference }: Message): Promise<Ours | undefined> {
  const byKey = key !== null && UUID.test(key) ? sql`or attempt.id = ${key}` : none
  return db.maybe(Ours, sql`
    select attempt.id as "attemptId", gateway, reference, state, order_id as "orderId", payment.id as "paymentId",
      amount_minor as "amountMinor", currency
    from payments.attempt join payments.payment on payment.id = payment_id
    where (gateway = ${gateway} and reference = ${reference} ${byKey}) and gateway = ${gateway}
    order by attempt.created_at desc limit 1`)
}

function contradiction(db: Db, { account, amountMinor, currency }: Message, ours: Ours): string | undefined {
  const own = paymentSetup.of(db).gateways.get(ours.gateway)?.account ?? null
  if (account !== null && own !== null && account !== own) return `it belongs to the account ${account}, ours is ${own}`
  if ((amountMinor ?? ours.amountMinor) === ours.amountMinor && (currency ?? ours.currency) === ours.currency) return
  return `it speaks of ${amountMinor} ${currency}, ours are ${ours.amountMinor} ${ours.currency}`
}

// Fifteen waits, each twice as long as the one before: a reference that is unknown for two days belongs to nobody here,
// and what has failed for two days fails tomorrow as well.
const TRIES = 15
const LATER = sql`tries = tries + 1, next_try_at = now() + make_interval(secs => 5 * power(2, tries))`

async function waitForOurs(db: Db, message: Message): Promise<void> {
  if (message.tries >= TRIES) return quarantine(db, message, null, 'no payment of ours has this reference')
  await db.run(sql`update payments.webhook_event set state = 'parked', ${LATER}
    where gateway = ${message.gateway} and event_id = ${message.eventId} and tries = ${message.tries}`)
}

/** A message whose work throws waits ever longer, and is kept for people in the end: nothing is tried for ever. */
async function postpone(db: Db, key: MessageKey): Promise<void> {
  const waiting = await db.maybe(Type.Object({ tries: Type.Integer() }), sql`
    update payments.webhook_event set ${LATER}
    where gateway = ${key.gateway} and event_id = ${key.eventId} and state in ('received', 'parked') returning tries`)
  if (waiting && waiting.tries > TRIES) await quarantine(db, key, null, 'its work fails each time, the log says how')
}

/** Keeps a message for people, who are told once. */
async function quarantine(db: Db, { gateway, eventId }: MessageKey, ours: Ours | null, reason: string): Promise<void> {
  await db.transaction(systemContext(), async (tx) => {
    const first = await tx.run(sql`update payments.webhook_event set state = 'quarantined', reason = ${reason},
        next_try_at = null
      where gateway = ${gateway} and event_id = ${eventId} and state <> 'quarantined'`)
    if (first === 0) return
    await tx.commit([publish(tx, PaymentAlert, {
      paymentId: ours?.paymentId ?? null, orderId: ours?.orderId ?? null, reason: `a webhook of ${gateway}: ${reason}`,
    })])
  })
}

/** Works the messages that wait, those included whose event was lost or failed. */
export async function workWaitingWebhooks(db: Db): Promise<number> {
  const due = await db.many(MessageKey, sql`
    update payments.webhook_event set next_try_at = now() + interval '1 minute' where ctid = any(array(
      select ctid from payments.webhook_event where next_try_at <= now() - interval '2 seconds'
      order by next_try_at limit 50 for update skip locked))
    returning gateway, event_id as "eventId"`)
  const worked = await Promise.allSettled(due.map((key) => workWebhook(db, key).catch(async (error: unknown) => {
    await postpone(db, key)
    throw error
  })))
  const failed = worked.find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
  return due.length
}
