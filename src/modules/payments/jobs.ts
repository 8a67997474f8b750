// What payments do by themselves: work the inbox, and find out what nobody told us.
import { on, sweep } from '../../platform/events.ts'
import { WebhookReceived } from './payments.ts'
import { workWaitingWebhooks, workWebhook } from './receive-webhook.ts'
import { recoverPayments } from './settle-payment.ts'

export const handlers = [on(WebhookReceived, 'payments.work-webhook', (db, message) => workWebhook(db, message))]

export const sweeps = [
  sweep('payments.recover', { everySeconds: 2 }, recoverPayments),
  sweep('payments.waiting-webhooks', { everySeconds: 5 }, workWaitingWebhooks),
]
