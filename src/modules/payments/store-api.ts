// What comes to payments from outside the shop: the gateways' messages.
import { receiveWebhook } from './receive-webhook.ts'

export const storeRoutes = [receiveWebhook]
