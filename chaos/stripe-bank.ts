// Stripe in the place of the simulated bank: the shop runs its own adapter and Stripe's own SDK, over HTTP, against a
// server that speaks Stripe's wire format and lives in the fault run's process, which no fault kills.
import { oneOf, type Random } from '../bench/random.ts'
import {
  startStripeServer, TEST_KEY, TEST_WEBHOOK_SECRET, type StripeServer,
} from '../plugins/stripe/test-server/server.ts'
import type { Bank } from './bank.ts'
import type { Habits } from './customers.ts'

/** Faults of a charge; a page of Stripe instead of its form in the shop's page. */
export const PAGE = 'page'

export async function openStripe(): Promise<Bank & { server: StripeServer }> {
  const server = await startStripeServer({ whileMs: 300 })
  return {
    code: 'stripe', url: server.url, server, stop: () => server.stop(),
    preload: `${import.meta.dirname}/stripe-shop.ts`, env: {
      STRIPE_SECRET_KEY: TEST_KEY, STRIPE_WEBHOOK_SECRET: TEST_WEBHOOK_SECRET, STRIPE_API_URL: server.url,
    },
  }
}

const press = async (url: string, fields: Record<string, string>): Promise<string | null> => {
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })
  await answer.text()
  return answer.headers.get('location')
}

/** Shoppers who pay on the page, try a card that is declined, turn back, or close the tab on either way. */
export function shoppersOfStripe(random: Random): Pick<Habits, 'data' | 'visit'> {
  return {
    data: (fault) => fault === PAGE ? {} : { paymentMethod: `pm_fault,${fault}` },
    async visit(url) {
      const what = oneOf(['pay', 'pay', 'pay', 'declined', 'back', 'away'], random)
      if (what === 'away') return
      if (what === 'declined') await press(url, { answer: 'yes', card: 'pm_card_chargeDeclined' })
      const link = await press(url, { answer: what === 'back' ? 'no' : 'yes' })
      if (link && random() < 0.7) await (await fetch(link)).text()
    },
  }
}
