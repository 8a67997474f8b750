// OpenID Connect, for staff and for customers: the authorization code flow with state, nonce and PKCE. What belongs to
// an attempt is derived from its state, and the attempt counts once, in the browser that began it. What a provider says
// of somebody is for the caller to use: an address where the provider calls it verified, and its id of the person.
import type { Configuration, IDToken } from 'openid-client'
import { Type } from 'typebox'
import { Check } from 'typebox/value'
import { sql, type Db } from '../../platform/db.ts'
import { derivedToken } from '../../platform/derived-token.ts'
import { hashToken, newToken } from '../../platform/id.ts'
import { problem } from '../../platform/problem.ts'
import { Email, normalEmail, Token } from './identity.ts'
import { addressPrefix, limitRate } from './limit-rate.ts'
import type { OpenIdProvider } from './sign-on-providers.ts'

// Loaded at the first sign-on: most shops have no provider, and need no memory for one.
const openIdClient = () => import('openid-client')

const VALID_SECONDS = 600
const TIMEOUT_SECONDS = 10

export const ProviderNotFound = problem('sign-on-provider-not-found', 404, 'No such provider')
export const SignOnUnavailable = problem('sign-on-unavailable', 502, 'The provider does not answer')
/** One answer for a state that is unknown, used or of another browser, and for somebody who may not come in. */
export const SignOnRefused = problem('sign-on-refused', 401, 'The sign-on was refused')

const known = new WeakMap<OpenIdProvider, Promise<Configuration>>()

/** The provider's own description, read once. Throws SignOnUnavailable. */
async function configurationOf(provider: OpenIdProvider): Promise<Configuration> {
  let reading = known.get(provider)
  if (!reading) {
    const { issuer, clientId, clientSecret } = provider
    const local = /^http:\/\/(?:localhost|127\.0\.0\.1)[:/]/.test(`${issuer}/`)
    reading = openIdClient().then((openid) => openid.discovery(new URL(issuer), clientId, clientSecret, undefined, {
      timeout: TIMEOUT_SECONDS,
      // The signature of the ID token is verified, too, although it comes straight from the provider.
      execute: [openid.enableNonRepudiationChecks, ...local ? [openid.allowInsecureRequests] : []],
    }))
    known.set(provider, reading)
    reading.catch(() => known.delete(provider))
  }
  return reading.catch((cause: unknown) => { throw Object.assign(SignOnUnavailable({}), { cause }) })
}

/** Who is sent to which provider, and the page on which they come back. */
export type Visit = { provider: OpenIdProvider; whose: 'staff' | 'customer'; returnTo: string }

// An attempt of a customer is none of staff, whatever their providers are called.
const nameOf = ({ provider, whose }: Visit): string => (whose === 'staff' ? provider.code : `customer ${provider.code}`)

/** The provider of a code. Throws ProviderNotFound. */
export function providerAt<P extends OpenIdProvider>(providers: readonly P[], code: string): P {
  const provider = providers.find((one) => one.code === code)
  if (!provider) throw ProviderNotFound({})
  return provider
}

/** Where to send the browser, and what it keeps. Throws SignOnUnavailable, TooManyRequests. */
export async function beginVisit(db: Db, visit: Visit, address: string): Promise<{ url: string; browser: string }> {
  const { provider, returnTo } = visit
  await limitRate(db, [{ name: 'sign-on', subject: addressPrefix(address), acts: 100, seconds: 300 }])
  const configuration = await configurationOf(provider)
  const [state, browser] = [newToken(), newToken()]
  const { nonce, verifier } = await secretsOf(db, state)
  await db.run(sql`
    insert into identity.sign_on_attempt (state_hash, provider, browser_hash, expires_at)
    values (${hashToken(state)}, ${nameOf(visit)}, ${hashToken(browser)},
      now() + make_interval(secs => ${VALID_SECONDS}))`)
  const openid = await openIdClient()
  const url = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: returnTo, scope: provider.scope ?? 'openid email profile', state, nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })
  return { url: url.href, browser }
}

async function secretsOf(db: Db, state: string): Promise<{ nonce: string; verifier: string }> {
  const derive = (what: string): Promise<string> => derivedToken(db, '', `sign-on ${what} ${state}`)
  return { nonce: await derive('nonce'), verifier: await derive('verifier') }
}

export type Returned = { query: string; browser: string }

/** What the provider says of somebody who came back. Throws SignOnRefused, SignOnUnavailable. */
export async function readReturn(db: Db, visit: Visit, { query, browser }: Returned): Promise<IDToken> {
  const { provider, returnTo } = visit
  const url = new URL(`${returnTo}?${query.replace(/^\?/, '')}`)
  const state = url.searchParams.get('state') ?? ''
  const used = await db.run(sql`
    delete from identity.sign_on_attempt where state_hash = ${hashToken(state)} and provider = ${nameOf(visit)}
      and browser_hash = ${hashToken(browser)} and expires_at > now()`)
  if (used === 0) throw SignOnRefused({})
  const configuration = await configurationOf(provider)
  const { nonce, verifier } = await secretsOf(db, state)
  const openid = await openIdClient()
  try {
    const tokens = await openid.authorizationCodeGrant(configuration, url, {
      expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true,
    })
    return tokens.claims()!
  } catch (cause) {
    throw Object.assign(SignOnRefused({}), { cause })
  }
}

/** The address that the provider calls verified. Throws SignOnRefused where there is none. */
export function verifiedEmail({ email, email_verified: verified }: IDToken): string {
  if (verified !== true || !Check(Email, email)) throw SignOnRefused({})
  return normalEmail(email)
}

/** What the provider calls them, in one line; undefined where it does not say. */
export function nameSaid({ name }: IDToken): string | undefined {
  if (typeof name !== 'string') return undefined
  return name.replace(/[\p{C}\s]+/gu, ' ').trim().slice(0, 200) || undefined
}

export const ofProvider = Type.Object({ provider: Type.String({ maxLength: 40 }) })
export const Begun = Type.Object({ url: Type.String(), browser: Type.String() })
export const returned = {
  browser: Token, query: Type.String({
    maxLength: 4_000, description: '`location.search` of the page to which the provider sent the browser',
  }),
}
