// The shop of a fault run that is paid through Stripe; stripe-bank.ts puts it in the place of the merchant's file.
import { manual } from '../plugins/manual/manual.ts'
import { stripe } from '../plugins/stripe/plugin.ts'
import { defineShop } from '../src/plugin.ts'

export default defineShop({
  roles: ['store', 'admin', 'worker', 'collector'],
  plugins: [{ name: 'manual', setup: (kit) => kit.addGateway(manual) }, stripe()],
  paymentMethods: [
    { code: 'card', gateway: 'stripe', title: 'Card', capture: 'automatic' },
    { code: 'card-later', gateway: 'stripe', title: 'Card, charged at dispatch', capture: 'manual' },
  ],
})
