// Loaded before a shop: it reads stripe-shop.config.ts instead of the merchant's shop.config.ts.
import { registerHooks } from 'node:module'

registerHooks({
  resolve: (specifier, context, next) => next(
    specifier === '../shop.config.ts' ? new URL('stripe-shop.config.ts', import.meta.url).href : specifier, context),
})
