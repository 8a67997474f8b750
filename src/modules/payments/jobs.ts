// What payments do by themselves: work the inbox, find out what nobody told us, and forget what was worked long ago.
import { sql } from '../../platform/db.ts'
import { on, sweep } from '../../platform/events.ts'
import { WebhookReceived } from './payments.ts'
import { probeGateways } from './probe-gateways.ts'
import { workWaitingWebhooks, workWebhook } from './receive-webhook.ts'
import { recoverPayments } from './settle-payment.ts'

export const handlers = [on(WebhookReceived, 'payments.work-webhook', (db, message) => workWebhook(db, message))]

export const sweeps = [
  sweep('payments.recover', { everySeconds: 2 }, recoverPayments),
  sweep('payments.waiting-webhooks', { everySeconds: 5 }, workWaitingWebhooks),
  sweep('payments.probe-gateways', { everySeconds: 5 }, probeGateways),
  // Gateways repeat a message for days; what is kept for people stays.
  sweep('payments.forget-webhooks', { everySeconds: 3_600 }, (db) => db.run(sql`
    delete from payments.webhook_event where ctid = any(array(select ctid from payments.webhook_event
      where state = 'done' and received_at < now() - interval '30 days' limit 10000))`)),
]
