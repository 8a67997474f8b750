// Single sign-on with OpenID Connect: the authorization code flow with state, nonce and PKCE. What belongs to an
// attempt is derived from its state, and the attempt counts once, in the browser that began it. An account is linked by
// an address that the provider says is proven, and by nothing else; from then on by its id of the person.
import type { Configuration, IDToken } from 'openid-client'
import { Type, type Static } from 'typebox'
import { sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { derivedToken } from '../../platform/derived-token.ts'
import { route } from '../../platform/http.ts'
import { hashToken, newId, newToken } from '../../platform/id.ts'
import { Forbidden, problem } from '../../platform/problem.ts'
import { mailSettings } from '../notifications/mail.ts'
import { forgetActors } from './authenticate.ts'
import { LastOwner, normalEmail, OwnerEverywhere, RoleNotFound, Staff, Token } from './identity.ts'
import { addressPrefix, limitRate } from './limit-rate.ts'
import { refuseForeignOrigin } from './session-cookie.ts'
import { deviceOf, FactorWanted, openSession, welcome, type Device, type Signed } from './sign-in.ts'
import { mayOnlySignOn, signOns, type SignOn } from './sign-on-providers.ts'
import { endSessions } from './staff.ts'

// Loaded at the first sign-on: most shops have no provider, and need no memory for one.
const openIdClient = () => import('openid-client')

const VALID_SECONDS = 600
const TIMEOUT_SECONDS = 10

const ProviderNotFound = problem('sign-on-provider-not-found', 404, 'No such provider')
const SignOnUnavailable = problem('sign-on-unavailable', 502, 'The provider does not answer')
/** One answer for a state that is unknown, used or of another browser, and for somebody who may not come in. */
const SignOnRefused = problem('sign-on-refused', 401, 'The sign-on was refused')

const known = new WeakMap<SignOn, Promise<Configuration>>()

/** The provider's own description, read once. Throws SignOnUnavailable. */
async function configurationOf(provider: SignOn): Promise<Configuration> {
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

function providerOf(db: Db, code: string): SignOn {
  const provider = signOns.of(db).find((one) => one.code === code)
  if (!provider) throw ProviderNotFound({})
  return provider
}

const returnTo = (db: Db): string => `${mailSettings.of(db).shopUrl}/dashboard/signed-on`

/** Where to send the browser, and what it keeps. */
async function beginSignOn(db: Db, provider: SignOn): Promise<{ url: string; browser: string }> {
  const configuration = await configurationOf(provider)
  const [state, browser] = [newToken(), newToken()]
  const { nonce, verifier } = await secretsOf(db, state)
  await db.run(sql`
    insert into identity.sign_on_attempt (state_hash, provider, browser_hash, expires_at)
    values (${hashToken(state)}, ${provider.code}, ${hashToken(browser)},
      now() + make_interval(secs => ${VALID_SECONDS}))`)
  const openid = await openIdClient()
  const url = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: returnTo(db), scope: provider.scope ?? 'openid email profile', state, nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })
  return { url: url.href, browser }
}

async function secretsOf(db: Db, state: string): Promise<{ nonce: string; verifier: string }> {
  const derive = (what: string): Promise<string> => derivedToken(db, '', `sign-on ${what} ${state}`)
  return { nonce: await derive('nonce'), verifier: await derive('verifier') }
}

type Returned = { query: string; browser: string }

/** What the provider says of somebody who came back. Throws SignOnRefused, SignOnUnavailable. */
async function readReturn(db: Db, provider: SignOn, { query, browser }: Returned): Promise<IDToken> {
  const url = new URL(`${returnTo(db)}?${query.replace(/^\?/, '')}`)
  const state = url.searchParams.get('state') ?? ''
  const used = await db.run(sql`
    delete from identity.sign_on_attempt where state_hash = ${hashToken(state)} and provider = ${provider.code}
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

const Account = Type.Object({
  id: Type.String(), passwordHash: Type.Union([Type.String(), Type.Null()]), role: Type.String(),
})
const account = sql`staff.id, staff.password_hash as "passwordHash", staff.role_code as role`

/** Whose account it is, linked or added if need be, with the role that the provider says. Throws SignOnRefused. */
async function accountOf(tx: Tx, provider: SignOn, claims: IDToken): Promise<Static<typeof Account>> {
  const role = roleOf(provider, claims)
  if (provider.roles && !role) throw SignOnRefused({}, 'Nothing that the provider says of you gives a role here.')
  const linked = await tx.maybe(Account, sql`
    select ${account} from identity.sign_on_account as own join identity.staff on staff.id = own.staff_id
    where own.provider = ${provider.code} and own.subject = ${claims.sub} and staff.active for update of staff`)
  const found = linked ?? await linkAccount(tx, provider, claims, role)
  if (!role || role === found.role) return found
  await tx.run(sql`update identity.staff set role_code = ${role} where id = ${found.id}`)
  await endSessions(tx, found.id)
  return { ...found, role }
}

async function linkAccount(
  tx: Tx, { code }: SignOn, claims: IDToken, role: string | undefined
): Promise<Static<typeof Account>> {
  const { email, email_verified: proven, name } = claims
  if (typeof email !== 'string' || proven !== true) throw SignOnRefused({})
  if (role) {
    await tx.run(sql`
      insert into identity.staff (id, email, name, role_code)
      values (${newId()}, ${normalEmail(email)}, ${String(name ?? email).slice(0, 200)}, ${role})
      on conflict (email) do nothing`)
  }
  const found = await tx.maybe(Account, sql`
    select ${account} from identity.staff where email = ${normalEmail(email)} and active for update`)
  const linked = found && await tx.run(sql`
    insert into identity.sign_on_account (provider, subject, staff_id) values (${code}, ${claims.sub}, ${found.id})
    on conflict do nothing`)
  if (!linked) throw SignOnRefused({})
  return found
}

function roleOf({ roles }: SignOn, claims: IDToken): string | undefined {
  const said = roles && claims[roles.claim]
  const values = Array.isArray(said) ? said : [said]
  return roles?.map.find(([value]) => values.includes(value))?.[1]
}

async function finishSignOn(
  db: Db, context: Context, returned: Returned & { provider: SignOn }, device: Device
): Promise<Signed> {
  const claims = await readReturn(db, returned.provider, returned)
  const signed = await db.transaction(context, async (tx) => {
    const found = await accountOf(tx, returned.provider, claims)
    return openSession(tx, found, device, { signedOn: true })
  })
  forgetActors(db)
  if (!signed) throw SignOnRefused({})
  return signed
}

const tags = ['Signing in']
const params = Type.Object({ provider: Type.String({ maxLength: 40 }) })

const getProviders = route({
  method: 'GET', path: '/admin/sign-on', operationId: 'listSignOnProviders', access: 'public', tags,
  summary: 'Where staff can sign on', response: { 200: Type.Object({
    items: Type.Array(Type.Object({ code: Type.String(), title: Type.String() })),
    required: Type.Boolean({ description: 'Whether nobody but an owner signs in otherwise' }),
  }) },
  run: async ({ db }) => (
    { items: signOns.of(db).map(({ code, title }) => ({ code, title })), required: mayOnlySignOn(db) }),
})

const postSignOn = route({
  method: 'POST', path: '/admin/sign-on/:provider', operationId: 'beginSignOn', access: 'public', tags, params,
  summary: 'Begin to sign on with a provider', description: 'Keep `browser` and send the browser to `url`.',
  response: { 200: Type.Object({ url: Type.String(), browser: Type.String() }) },
  problems: [ProviderNotFound, SignOnUnavailable], replay: 'none',
  async run({ db, params: { provider }, request }) {
    await limitRate(db, [{ name: 'sign-on', subject: addressPrefix(request.ip), acts: 100, seconds: 300 }])
    return beginSignOn(db, providerOf(db, provider))
  },
})

const putSignOn = route({
  method: 'PUT', path: '/admin/sign-on/:provider', operationId: 'finishSignOn', access: 'public', tags, params,
  summary: 'Sign on with what the provider answered',
  description: 'Sets the session cookie, or wants a second factor (202). The page is `/dashboard/signed-on`.',
  body: Type.Object({ browser: Token, query: Type.String({
    maxLength: 4_000, description: '`location.search` of the page to which the provider sent the browser',
  }) }),
  response: { 200: Staff, 202: FactorWanted },
  problems: [ProviderNotFound, SignOnUnavailable, SignOnRefused, Forbidden, LastOwner, OwnerEverywhere, RoleNotFound],
  async run({ db, context, params: { provider }, body, request, reply }) {
    refuseForeignOrigin(request.headers)
    const signed = await finishSignOn(
      db, context, { ...body, provider: providerOf(db, provider) }, deviceOf(request))
    return welcome(db, signed, { request, reply })
  },
})

export const signOnRoutes = [getProviders, postSignOn, putSignOn]
