// Webhooks: verified on the raw bytes, kept once, answered at once, worked later. What a webhook says is never believed
// by itself: it is a reason to ask the gateway. One that beats our own write waits; one that contradicts our record is
// kept for people.
import { Type, type Static } from 'typebox'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { route } from '../../platform/http.ts'
import { problem } from '../../platform/problem.ts'
import { paymentSetup } from './gateway.ts'
import { PaymentAlert, WebhookReceived } from './payments.ts'
import { settlePayment } from './settle-payment.ts'

export const WebhookRefused = problem('webhook-refused', 400, 'This is not a genuine message of the gateway')
export const GatewayUnknown = problem('gateway-unknown', 404, 'No such gateway')

export const receiveWebhook = route({
  method: 'POST', path: '/webhooks/:gateway', access: 'webhook', tags: ['Payments'], rawBody: true,
  summary: 'Receive a message of a payment gateway', description: 'Signed by the gateway; a repeated message is answered alike and done once.',
  params: Type.Object({ gateway: Type.String({ pattern: '^[a-z0-9-]{1,40}$' }) }),
  response: { 200: Type.Object({ received: Type.Boolean() }) }, problems: [WebhookRefused, GatewayUnknown],
  async run({ db, context, params, rawBody, headers }) {
    const gateway = paymentSetup.of(db).gateways.get(params.gateway)
    if (!gateway) throw GatewayUnknown({})
    const facts = gateway.readWebhook(rawBody, headers)
    if (!facts) throw WebhookRefused({}, 'The signature or the timestamp does not fit. Check the webhook secret.')
    await db.transaction(context, async (tx) => {
      const fresh = await tx.run(sql`
        insert into payments.webhook_event (gateway, event_id, kind, reference, amount_minor, currency)
        values (
          ${gateway.code}, ${facts.eventId}, ${facts.kind}, ${facts.reference}, ${facts.amountMinor}, ${facts.currency}
        )
        on conflict do nothing`)
      if (fresh === 1) await publish(tx, WebhookReceived, { gateway: gateway.code, eventId: facts.eventId })
    })
    return { received: true }
  },
})

const Waiting = Type.Object({
  gateway: Type.String(), eventId: Type.String(), reference: Type.String(), tries: Type.Integer(),
  amountMinor: Type.Union([Type.Integer(), Type.Null()]), currency: Type.Union([Type.String(), Type.Null()]),
})
const Ours = Type.Object(
  { orderId: Type.String(), paymentId: Type.String(), amountMinor: Type.Integer(), currency: Type.String() }
)

// A reference that is unknown for a day belongs to nobody here.
const TRIES = 12

/** Works one message of the inbox. Asked twice, the second time finds it done. */
export async function workWebhook(db: Db, key: { gateway: string; eventId: string }): Promise<void> {
  const message = await db.maybe(Waiting, sql`
    select gateway, event_id as "eventId", reference, tries, amount_minor as "amountMinor",
      currency from payments.webhook_event
    where gateway = ${key.gateway} and event_id = ${key.eventId} and state in ('received', 'parked')`)
  if (!message) return
  const ours = await db.maybe(Ours, sql`
    select order_id as "orderId", payment.id as "paymentId", amount_minor as "amountMinor", currency
    from payments.attempt join payments.payment on payment.id = payment_id
    where gateway = ${message.gateway} and (reference = ${message.reference} or attempt.id::text = ${message.reference})
    order by attempt.created_at desc limit 1`)
  if (!ours) return message.tries < TRIES ? park(db, message)
    : quarantine(db, message, null, 'no payment of ours has this reference')
  if ((
    message.amountMinor !== null && message.amountMinor > ours.amountMinor
  ) || (message.currency !== null && message.currency !== ours.currency)) {
    return quarantine(
      db, message, ours,
      `it speaks of ${message.amountMinor} ${message.currency}, ours are ${ours.amountMinor} ${ours.currency}`
    )
  }
  await settlePayment(db, systemContext(), ours.orderId)
  await db.run(sql`update payments.webhook_event set state = 'done',
  next_try_at = null where gateway = ${message.gateway} and event_id = ${message.eventId}`)
}

async function park(db: Db, message: Static<typeof Waiting>): Promise<void> {
  await db.run(sql`update payments.webhook_event set state = 'parked', tries = tries + 1, next_try_at = now() + make_interval(secs => 5 * power(2, tries))
    where gateway = ${message.gateway} and event_id = ${message.eventId}`)
}

async function quarantine(
  db: Db, message: Static<typeof Waiting>, ours: Static<typeof Ours> | null, reason: string,
): Promise<void> {
  await db.transaction(systemContext(), async (tx) => {
    await tx.commit([
      tx.run(sql`update payments.webhook_event set state = 'quarantined', reason = ${reason}, next_try_at = null
        where gateway = ${message.gateway} and event_id = ${message.eventId}`),
      publish(tx, PaymentAlert, {
        paymentId: ours?.paymentId ?? null, orderId: ours?.orderId ?? null,
        reason: `a webhook of ${message.gateway} was quarantined: ${reason}`,
      }),
    ])
  })
}

/** Works the messages that wait, those included whose event was lost or failed. */
export async function workWaitingWebhooks(db: Db): Promise<number> {
  const due = await db.many(Type.Object({ gateway: Type.String(), eventId: Type.String() }), sql`
    update payments.webhook_event set next_try_at = now() + interval '1 minute' where ctid = any(array(
      select ctid from payments.webhook_event where next_try_at <= now() - interval '2 seconds' order by next_try_at limit 50 for update skip locked))
    returning gateway, event_id as "eventId"`)
  for (const key of due) await workWebhook(db, key)
  return due.length
}
