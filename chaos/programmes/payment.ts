// The shop is killed between the steps of payments alone: after each record and each call of a charge, an operation and
// a webhook, with the simulated bank and with Stripe in turn, which answer badly as well.
import { failpoints } from '../../src/platform/failpoint.ts'
import type { Programme } from '../programme.ts'
import { openStage } from '../stage.ts'
import { openStripe, shoppersOfStripe } from '../stripe-bank.ts'
import { randomFrom } from '../../bench/random.ts'
import { killAt } from './failpoints.ts'

const steps = failpoints.filter((name) => /^(charge|operation|webhook)\./.test(name))
const faults = ['', '', 'decline', 'webhook_twice', 'charge_then_drop', 'charge_then_500', 'webhook_first']

export const payment: Programme = {
  name: 'payment', about: 'kill -9 between the steps of a payment', unit: 'kills', counts: { full: 1_000, quick: 20 },
  async open(sabotage) {
    const simulated = await openStage(6, sabotage)
    const bank = await openStripe()
    const stripe = await openStage(6, sabotage, async () => bank)
    bank.server.deliveries.url = `${stripe.url}/webhooks/stripe`
    return {
      round: (seed) => seed % 2 === 0 ? killAt(steps, simulated, seed >> 1, { faults })
        : killAt(steps, stripe, seed >> 1, { faults, ...shoppersOfStripe(randomFrom(seed)) }),
      async close() {
        await simulated.close()
        await stripe.close()
      },
    }
  },
}
