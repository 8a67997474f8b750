// The merchant's file: which roles run here, which plugins, how customers may pay. Secrets and addresses are
// environment variables instead.
import { manual } from './plugins/manual/manual.ts'
import { simulator } from './plugins/simulator/plugin.ts'
import { defineShop } from './src/plugin.ts'

export default defineShop({
  roles: ['store', 'admin', 'worker', 'collector'],
  plugins: [
    { name: 'manual', setup: (kit) => kit.addGateway(manual) },
    // Takes no money: remove it, and the method `card` below, before you sell.
    simulator(),
  ],
  paymentMethods: [
    { code: 'card', gateway: 'simulator', title: 'Card (simulated)', capture: 'automatic' },
    { code: 'card-later', gateway: 'simulator', title: 'Card, charged at dispatch (simulated)', capture: 'manual' },
    {
      code: 'transfer', gateway: 'manual', title: 'Bank transfer', capture: 'manual',
      instructions: 'Transfer the total to DE02 1203 0000 0000 2020 51 (a sample account), with the reference.',
    },
    {
      code: 'on-delivery', gateway: 'manual', title: 'Pay on delivery', capture: 'manual',
      countries: ['DE', 'FR', 'AT'],
    },
  ],
})
