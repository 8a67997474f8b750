// Signing in with OpenID Connect (identity/openid.ts), with Google for example. An account is made, or found, by an
// address that the provider calls verified, and by nothing else; from then on by the provider's id of the person,
// whatever address they have there.
import type { IDToken } from 'openid-client'
import { Type } from 'typebox'
import { signedCustomer, sql, type Conn, type Context, type Db, type Tx } from '../../platform/db.ts'
import { route, Timestamp } from '../../platform/http.ts'
import { Forbidden } from '../../platform/problem.ts'
import { subjectOf } from '../customers/people.ts'
import { forgetActors } from '../identity/authenticate.ts'
import {
  Begun, beginVisit, nameSaid, ofProvider, providerAt, ProviderNotFound, readReturn, returned, SignOnRefused,
  SignOnUnavailable, verifiedEmail, type Returned, type Visit,
} from '../identity/openid.ts'
import { DisposableMail, refuseDisposable } from '../identity/refuse-disposable.ts'
import { customerSignOns, type OpenIdProvider } from '../identity/sign-on-providers.ts'
import { deviceOf, type Device } from '../identity/sign-in.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'
import { keep, pagesOf, SignedIn } from './accounts.ts'
import { createAccount } from './create-account.ts'
import { Owner, prove } from './prove.ts'
import { endSessions, getAccount, handOver, openSession, refuseForeignKeeping } from './session.ts'

/** Throws ProviderNotFound. */
const visitTo = (db: Db, code: string): Visit => ({
  provider: providerAt(customerSignOns.of(db), code), whose: 'customer', returnTo: `${pagesOf(db)}/account/signed-on`,
})

/**
 * Signs in whoever came back; makes their account where there is none. Throws ProviderNotFound, SignOnRefused,
 * SignOnUnavailable, DisposableMail. An attempt counts once.
 */
async function finishSignOn(db: Db, context: Context, { code, ...back }: Returned & { code: string }, device: Device) {
  const visit = visitTo(db, code)
  const claims = await readReturn(db, visit, back)
  const linked = await linkedTo(db, code, claims.sub)
  const newcomer = linked ? undefined : await readNewcomer(db, claims)
  const signed = await db.transaction(context, async (tx) => {
    const account = newcomer ? await link(tx, visit.provider, claims.sub, newcomer)
      : await linkedTo(tx, code, claims.sub)
    const token = account && await openSession(tx, account, device)
    return token && { token, customerId: account.id }
  })
  forgetActors(db)
  if (!signed) throw SignOnRefused({})
  return signed
}

function linkedTo(conn: Conn, code: string, sub: string) {
  return conn.maybe(Owner, sql`
    select customer_id as id, password_hash as "passwordHash"
    from accounts.sign_on_account join accounts.account using (customer_id)
    where provider = ${code} and subject = ${sub}`)
}

type Newcomer = { email: string; subject: string; name: string | null }

/** Throws SignOnRefused, DisposableMail. */
async function readNewcomer(db: Db, claims: IDToken): Promise<Newcomer> {
  const email = verifiedEmail(claims)
  refuseDisposable(db, email)
  return { email, subject: await subjectOf(db, email), name: nameSaid(claims) ?? null }
}

/** The account of a verified address, made if need be, and who they are at the provider from now on. */
async function link(tx: Tx, { code, title }: OpenIdProvider, sub: string, newcomer: Newcomer) {
  const known = await prove(tx, newcomer.email)
  if (!known) await createAccount(tx, { ...newcomer, passwordHash: null, emailProven: true })
  const account = known ?? await prove(tx, newcomer.email)
  if (!account) throw SignOnRefused({})
  const linked = await tx.run(sql`
    insert into accounts.sign_on_account (provider, subject, customer_id)
    values (${code}, ${sub}, ${account.id}) on conflict do nothing`)
  // Somebody else there has had this address before, unless it was linked a moment ago.
  if ((await linkedTo(tx, code, sub))?.id !== account.id) throw SignOnRefused({})
  if (known && linked === 1) {
    await enqueueMessage(tx, 'account-changed', newcomer.email, { what: `${title} can sign in to your account now.` })
  }
  return account
}

const access = 'customer' as const
const [signingIn, tags] = [['Signing in'], ['Own account']]

const getProviders = route({
  method: 'GET', path: '/store/account/sign-on', operationId: 'listSignOnProviders', access: 'shopper',
  tags: signingIn, summary: 'Which providers customers can sign in with',
  response: { 200: Type.Object({ items: Type.Array(Type.Object({ code: Type.String(), title: Type.String() })) }) },
  run: async ({ db }) => ({ items: customerSignOns.of(db).map(({ code, title }) => ({ code, title })) }),
})

const postSignOn = route({
  method: 'POST', path: '/store/account/sign-on/:provider', operationId: 'beginSignOn', access: 'shopper',
  tags: signingIn, params: ofProvider, summary: 'Begin to sign in with a provider',
  description: 'Keep `browser` and send the browser to `url`.',
  response: { 200: Begun }, problems: [ProviderNotFound, SignOnUnavailable], replay: 'none',
  run: ({ db, params: { provider }, request }) => beginVisit(db, visitTo(db, provider), request.ip),
})

const putSignOn = route({
  method: 'PUT', path: '/store/account/sign-on/:provider', operationId: 'finishSignOn', access: 'shopper',
  tags: signingIn, params: ofProvider, summary: 'Sign in with what the provider answered',
  description: 'The page is `/account/signed-on` of the storefront. Whoever has no account gets one.',
  body: Type.Object({ ...returned, ...keep }), response: { 200: SignedIn },
  problems: [ProviderNotFound, SignOnUnavailable, SignOnRefused, DisposableMail, Forbidden],
  async run({ db, context, params: { provider }, body, request, reply }) {
    refuseForeignKeeping(body, request)
    const { browser, query } = body
    const { token, customerId } = await finishSignOn(
      db, context, { browser, query, code: provider }, deviceOf(request))
    return { account: await getAccount(db, customerId), token: handOver(token, body, { request, reply }) }
  },
})

const Linked = Type.Object({ provider: Type.String(), linkedAt: Timestamp })

const listLinked = route({
  method: 'GET', path: '/store/account/linked', operationId: 'listMySignOns', access, tags,
  summary: 'List the providers that sign in to the own account',
  response: { 200: Type.Object({ items: Type.Array(Linked) }) },
  run: async ({ db, context }) => ({ items: await db.many(Linked, sql`
    select provider, created_at as "linkedAt" from accounts.sign_on_account
    where customer_id = ${signedCustomer(context).id} order by provider limit 100`) }),
})

const deleteLinked = route({
  method: 'DELETE', path: '/store/account/linked/:provider', operationId: 'removeMySignOn', access, sensitive: true,
  tags, params: ofProvider, summary: 'Let a provider sign in no longer',
  description: 'Ends every other session. Signing in there with the same verified address links it anew.',
  response: { 204: null }, problems: [ProviderNotFound],
  async run({ db, context, params: { provider } }) {
    const { id, email, sessionId } = signedCustomer(context)
    await db.transaction(context, async (tx) => {
      const removed = await tx.run(sql`
        delete from accounts.sign_on_account where customer_id = ${id} and provider = ${provider}`)
      if (removed === 0) throw ProviderNotFound({})
      await Promise.all([
        endSessions(tx, id, sessionId),
        enqueueMessage(tx, 'account-changed', email, {
          what: `${provider} does not sign in to your account any more.`,
        }),
      ])
    })
    forgetActors(db)
  },
})

export const signOnRoutes = [getProviders, postSignOn, putSignOn, listLinked, deleteLinked]
