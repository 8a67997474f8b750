// What comes to payments from outside the shop: the gateways' messages, and the shoppers whom they send back.
import { readGiftCardBalance } from './gift-cards.ts'
import { receiveWebhook } from './receive-webhook.ts'
import { returnShopperRoute } from './return-shopper.ts'

export const storeRoutes = [receiveWebhook, returnShopperRoute, readGiftCardBalance]
