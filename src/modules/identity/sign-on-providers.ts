// The OpenID Connect providers of a shop: a merchant's decision that is code (shop.config.ts).
import { provided } from '../../platform/provide.ts'

export type OpenIdProvider = {
  /** In addresses: small letters, digits, hyphens. */
  code: string
  title: string
  /** As the provider states it, https://… */
  issuer: string
  clientId: string
  clientSecret: string
  /** `openid email profile` unless told. */
  scope?: string
}

/** Where staff sign on. */
export type SignOn = OpenIdProvider & {
  /**
   * Which role somebody has by a claim, the first of these that fits, at each sign-in anew; whoever fits none does not
   * come in, and whoever fits one and is not known yet is added.
   */
  roles?: { claim: string; map: readonly (readonly [value: string, role: string])[] }
  /** Nobody but an owner signs in otherwise: owners get in when the provider is down. */
  required?: boolean
}

/** Where customers may sign in, beside their other ways. */
export const customerSignOns = provided<readonly OpenIdProvider[]>('sign-on of customers', [])

export const signOns = provided<readonly SignOn[]>('sign-on', [])

export const mayOnlySignOn = (db: { readonly root: object }): boolean => signOns.of(db).some(({ required }) => required)
