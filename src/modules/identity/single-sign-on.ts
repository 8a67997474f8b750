// Single sign-on of staff with OpenID Connect (openid.ts): an account is linked by an address that the provider says is
// proven, and by nothing else; from then on by its id of the person. Its groups may say the role.
import type { IDToken } from 'openid-client'
import { Type, type Static } from 'typebox'
import { sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { route } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { Forbidden } from '../../platform/problem.ts'
import { mailSettings } from '../notifications/mail.ts'
import { forgetActors } from './authenticate.ts'
import { LastOwner, OwnerEverywhere, RoleNotFound, Staff } from './identity.ts'
import {
  Begun, beginVisit, nameSaid, ofProvider, providerAt, ProviderNotFound, readReturn, returned, SignOnRefused,
  SignOnUnavailable, verifiedEmail, type Returned, type Visit,
} from './openid.ts'
import { refuseForeignOrigin } from './session-cookie.ts'
import { deviceOf, FactorWanted, openSession, welcome, type Device, type Signed } from './sign-in.ts'
import { mayOnlySignOn, signOns, type SignOn } from './sign-on-providers.ts'
import { endSessions } from './staff.ts'

const visitTo = (db: Db, provider: SignOn): Visit => (
  { provider, whose: 'staff', returnTo: `${mailSettings.of(db).shopUrl}/dashboard/signed-on` })

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
  const email = verifiedEmail(claims)
  if (role) {
    await tx.run(sql`
      insert into identity.staff (id, email, name, role_code)
      values (${newId()}, ${email}, ${nameSaid(claims) ?? email.slice(0, 200)}, ${role})
      on conflict (email) do nothing`)
  }
  const found = await tx.maybe(Account, sql`
    select ${account} from identity.staff where email = ${email} and active for update`)
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
  db: Db, context: Context, { provider, ...returned }: Returned & { provider: SignOn }, device: Device
): Promise<Signed> {
  const claims = await readReturn(db, visitTo(db, provider), returned)
  const signed = await db.transaction(context, async (tx) => {
    const found = await accountOf(tx, provider, claims)
    return openSession(tx, found, device, { signedOn: true })
  })
  forgetActors(db)
  if (!signed) throw SignOnRefused({})
  return signed
}

const tags = ['Signing in']

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
  method: 'POST', path: '/admin/sign-on/:provider', operationId: 'beginSignOn', access: 'public', tags,
  params: ofProvider, summary: 'Begin to sign on with a provider',
  description: 'Keep `browser` and send the browser to `url`.',
  response: { 200: Begun }, problems: [ProviderNotFound, SignOnUnavailable], replay: 'none',
  run: ({ db, params: { provider }, request }) =>
    beginVisit(db, visitTo(db, providerAt(signOns.of(db), provider)), request.ip),
})

const putSignOn = route({
  method: 'PUT', path: '/admin/sign-on/:provider', operationId: 'finishSignOn', access: 'public', tags,
  params: ofProvider, summary: 'Sign on with what the provider answered',
  description: 'Sets the session cookie, or wants a second factor (202). The page is `/dashboard/signed-on`.',
  body: Type.Object(returned), response: { 200: Staff, 202: FactorWanted },
  problems: [ProviderNotFound, SignOnUnavailable, SignOnRefused, Forbidden, LastOwner, OwnerEverywhere, RoleNotFound],
  async run({ db, context, params: { provider }, body, request, reply }) {
    refuseForeignOrigin(request.headers)
    const signed = await finishSignOn(
      db, context, { ...body, provider: providerAt(signOns.of(db), provider) }, deviceOf(request))
    return welcome(db, signed, { request, reply })
  },
})

export const signOnRoutes = [getProviders, postSignOn, putSignOn]
