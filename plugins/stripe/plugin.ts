// Stripe as a plugin: `stripe()` in shop.config.ts, and the keys of the account in the environment (keys.ts). See
// docs/stripe.md for the endpoint of its webhooks, and for what of this has never met the real Stripe.
import type { Plugin } from '../../src/plugin.ts'
import { stripeGateway } from './gateway.ts'
import { readKeys } from './keys.ts'

/** `title`: what the page of Stripe calls the thing that is paid. */
export function stripe({ title }: { title?: string } = {}): Plugin {
  return {
    name: 'stripe',
    setup(kit) {
      const keys = readKeys(process.env)
      kit.addGateway(stripeGateway({ ...keys, ...(title === undefined ? {} : { title }) }))
      const production = process.env['NODE_ENV'] === 'production'
      if (production !== (keys.mode === 'live')) {
        kit.log.warn({}, production ? 'Stripe is in test mode: payments of this shop bring no money'
          : 'Stripe is in live mode: payments of this shop are real ones')
      }
    },
  }
}
