// The secrets of a Stripe account, read from the environment when the shop starts. A shop that cannot take or hear of
// money does not start, and says which variable is wrong and where its value is found; the values themselves are never
// shown.

export type StripeKeys = {
  secretKey: string
  webhookSecret: string
  /** What Stripe's form in a page needs; only for storefronts that have one. */
  publishableKey: string | undefined
  mode: Mode
  /** Another address of the API, for tests. */
  apiUrl: string | undefined
}
export type Mode = 'test' | 'live'

/** Whether money moves with this key; undefined for what is no key of Stripe. */
export function modeOf(key: string, kinds: readonly string[] = ['sk', 'rk']): Mode | undefined {
  const [, kind, mode] = /^([a-z]{2})_(test|live)_\w+$/.exec(key) ?? []
  return kind !== undefined && kinds.includes(kind) ? mode as Mode : undefined
}

/** Reads the keys; throws one Error that names everything that is missing or does not fit together. */
export function readKeys(environment: Record<string, string | undefined>): StripeKeys {
  const errors: string[] = []
  const text = (name: string): string | undefined => environment[name]?.trim() || undefined
  const secretKey = text('STRIPE_SECRET_KEY') ?? ''
  const webhookSecret = text('STRIPE_WEBHOOK_SECRET') ?? ''
  const [publishableKey, apiUrl] = [text('STRIPE_PUBLISHABLE_KEY'), text('STRIPE_API_URL')]
  const mode = modeOf(secretKey)
  if (!mode) {
    errors.push(`STRIPE_SECRET_KEY is ${secretKey ? 'no secret key' : 'missing'}: give the key that begins with ` +
      'sk_test_, sk_live_, rk_test_ or rk_live_ (Stripe Dashboard, Developers, API keys)')
  }
  if (!webhookSecret.startsWith('whsec_')) {
    errors.push(`STRIPE_WEBHOOK_SECRET is ${webhookSecret ? 'no signing secret' : 'missing'}: give the one that ` +
      'begins with whsec_ (Stripe Dashboard, Webhooks, the endpoint PUBLIC_URL/webhooks/stripe)')
  }
  errors.push(...disagreements({ mode, publishableKey, apiUrl, production: environment['NODE_ENV'] === 'production' }))
  if (errors.length > 0) throw new Error(['The Stripe plugin cannot start:', ...errors].join('\n  - '))
  return { secretKey, webhookSecret, publishableKey, mode: mode!, apiUrl }
}

function disagreements({ mode, publishableKey, apiUrl, production }: {
  mode: Mode | undefined; publishableKey: string | undefined; apiUrl: string | undefined; production: boolean
}): string[] {
  const errors: string[] = []
  const shown = publishableKey === undefined ? mode : modeOf(publishableKey, ['pk'])
  if (!shown && publishableKey !== undefined) {
    errors.push('STRIPE_PUBLISHABLE_KEY is no publishable key: give the one that begins with pk_test_ or pk_live_')
  } else if (mode && shown !== mode) {
    errors.push(`STRIPE_PUBLISHABLE_KEY is a ${shown} key and STRIPE_SECRET_KEY a ${mode} key: take both from the ` +
      'same mode, or every payment fails')
  }
  if (apiUrl !== undefined && !URL.canParse(apiUrl)) errors.push('STRIPE_API_URL is not an address: leave it out')
  if (apiUrl !== undefined && production) {
    errors.push('STRIPE_API_URL is set in production, where the secret key would go to that address: leave it out')
  }
  return errors
}
