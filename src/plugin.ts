// Plugins: an object whose `setup` receives exactly what it may touch. A plugin cannot reach into a module, alter rows
// in flight or answer under somebody else's address; it adds gateways, routes under its own prefix, handlers of events,
// sweeps, and tables in a schema of its own.
import type { Gateway } from './modules/payments/gateway.ts'
import type { PaymentMethod } from './modules/payments/gateway.ts'
import type { OpenIdProvider, SignOn } from './modules/identity/sign-on-providers.ts'
import type { Db } from './platform/db.ts'
import type { EventSubscription, Sweep } from './platform/events.ts'
import type { Route } from './platform/http.ts'
import type { Log } from './platform/log.ts'

export type {
  Absent, ChargeOutcome, ChargeRequest, Gateway, GatewayProperties, KnownCharge, OperationKind, OperationOutcome,
  OperationRequest, PaymentMethod, PaymentRoute, PaymentTerms, WebhookFacts,
} from './modules/payments/gateway.ts'
export { NotSent } from './modules/payments/gateway.ts'
export { on, sweep } from './platform/events.ts'
export { route } from './platform/http.ts'
export { problem } from './platform/problem.ts'
export { sql } from './platform/db.ts'

export type Kit = {
  db: Db
  log: Log
  /** A folder of the plugin's own for files that may be lost. */
  dataDir: string
  addGateway(gateway: Gateway): void
  /** A route whose path begins with `/plugins/<name>/`. */
  addRoute(route: Route): void
  addHandler(handler: EventSubscription): void
  addSweep(sweep: Sweep): void
  /**
   * Called in the worker with the tags of answers that are out of date, within a second: to purge them from a CDN,
   * where they are the surrogate keys.
   */
  onInvalidated(fn: (tags: readonly string[]) => void): void
  /** Called with the shop's own address once it listens. */
  onListening(fn: (url: string) => Promise<void> | void): void
  onStop(fn: () => Promise<void> | void): void
}

export type Plugin = {
  /** Lower case, and the name of its schema and prefix. */
  name: string
  /** The folder of its migrations; they create and change only the schema of its name. */
  migrations?: string
  setup(kit: Kit): Promise<void> | void
}

export type RoleName = 'store' | 'admin' | 'worker' | 'collector'

/** What shop.config.ts exports: the merchant's decisions that are code. */
export type ShopConfig = {
  roles: readonly RoleName[]
  plugins: readonly Plugin[]
  paymentMethods: readonly PaymentMethod[]
  /**
   * Origins of storefronts (`https://shop.example`) to which a shopper may be sent back after a page of a gateway. The
   * first has the pages to which mails about an account lead: /account/register, sign-in, set-password, confirm-email.
   */
  storefronts?: readonly string[]
  /** Where staff may sign on with OpenID Connect. */
  signOn?: readonly SignOn[]
  /** Where customers may sign in with OpenID Connect; the provider sends them back to /account/signed-on. */
  customerSignOn?: readonly OpenIdProvider[]
  /** Everybody of the staff needs a second factor; unless told, those whose role says so. */
  requireSecondFactor?: boolean
}

/** The configuration with its types checked; throws where it contradicts itself. */
export function defineShop(config: ShopConfig): ShopConfig {
  const twice = (names: readonly string[]): string | undefined => names.find(
    (name, index) => names.indexOf(name) !== index
  )
  const plugin = twice(config.plugins.map(({ name }) => name)) ?? config.plugins.find(
    ({ name }) => !/^[a-z][a-z0-9-]{0,39}$/.test(name)
  )?.name
  if (plugin !== undefined) throw new Error(
    `shop.config.ts: the plugin name "${plugin}" is taken or not lower case with dashes`
  )
  const method = twice(config.paymentMethods.map(({ code }) => code))
  if (method) throw new Error(`shop.config.ts: the payment method "${method}" is there twice`)
  refuseWrongTerms(config)
  const page = config.storefronts?.find((one) => !URL.canParse(one) || new URL(one).origin !== one)
  if (page !== undefined) throw new Error(
    `shop.config.ts: the storefront "${page}" is no origin: give scheme and host alone, as https://shop.example`
  )
  return config
}

/** What a merchant mistypes would offer a method nowhere, or to nobody, without a word. */
function refuseWrongTerms({ paymentMethods }: ShopConfig): void {
  for (const { code, gateway, ...terms } of paymentMethods) {
    const routes = typeof gateway === 'string' ? [] : gateway
    const wrong = (what: string): never => {
      throw new Error(`shop.config.ts: the payment method "${code}" ${what}`)
    }
    if (typeof gateway !== 'string' && routes.length === 0) wrong('is served by nobody: name a gateway')
    for (const { shares } of routes) {
      const weights = Object.values(shares)
      if (!weights.every((share) => share >= 0 && share < Infinity) || !weights.some((share) => share > 0)) {
        wrong(`has the shares ${JSON.stringify(shares)}: give numbers, one of them above 0`)
      }
    }
    for (const { countries = [], currencies = [], amounts = {} } of [terms, ...routes]) {
      const country = countries.find((one) => !/^[A-Z]{2}$/.test(one))
      if (country !== undefined) wrong(`names the country "${country}": give two capital letters, as DE`)
      const currency = [...currencies, ...Object.keys(amounts)].find((one) => !/^[A-Z]{3}$/.test(one))
      if (currency !== undefined) wrong(`names the currency "${currency}": give three capital letters, as EUR`)
      for (const { fromMinor = 0, toMinor = Infinity } of Object.values(amounts)) {
        if (!(fromMinor >= 0 && fromMinor <= toMinor)) wrong(`has amounts from ${fromMinor} to ${toMinor}`)
      }
    }
  }
}
