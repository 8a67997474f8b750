// What a mailed link is good for: an account is registered, somebody signs in, a new password is set. Using a link
// deletes its row, so of many at once one succeeds; whatever is wrong with a token, the answer is one. Each of them
// shows that the mailbox is theirs.
import { timingSafeEqual } from 'node:crypto'
import { Type } from 'typebox'
import { sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { OneLine, route } from '../../platform/http.ts'
import { hashToken } from '../../platform/id.ts'
import { Forbidden } from '../../platform/problem.ts'
import { subjectOf } from '../customers/people.ts'
import { forgetActors } from '../identity/authenticate.ts'
import { checkPassword } from '../identity/check-password.ts'
import { hashPassword } from '../identity/hash-password.ts'
import { Password, PasswordRefused, Token, TokenRefused } from '../identity/identity.ts'
import { refuseBreached } from '../identity/refuse-breached.ts'
import { deviceOf, type Device } from '../identity/sign-in.ts'
import { ConfirmSignIn } from '../identity/sign-in-link.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'
import { Browser, keep, SignedIn } from './accounts.ts'
import { createAccount } from './create-account.ts'
import { prove } from './prove.ts'
import { endSessions, getAccount, handOver, openSession, refuseForeignKeeping } from './session.ts'

type Purpose = 'registration' | 'sign-in' | 'password-reset'
const Link = Type.Object({ email: Type.String(), browserHash: Type.Unsafe<Buffer>(Type.Any()) })

/** The link of a token, which stays as it is. Throws TokenRefused. */
async function readLink(db: Db, token: string, purpose: Purpose) {
  const link = await db.maybe(Link, sql`
    select email, browser_hash as "browserHash" from accounts.link
    where token_hash = ${hashToken(token)} and purpose = ${purpose} and expires_at > now()`)
  if (!link) throw TokenRefused({})
  return link
}

/** Uses a link up. Throws TokenRefused. */
async function useLink(tx: Tx, token: string, purpose: Purpose): Promise<void> {
  const used = await tx.run(sql`
    delete from accounts.link where token_hash = ${hashToken(token)} and purpose = ${purpose} and expires_at > now()`)
  if (used === 0) throw TokenRefused({})
}

type Registration = { token: string; password?: string | undefined; name?: string | undefined }

/** Makes the account of a proven address and signs in. Throws TokenRefused, PasswordRefused, Busy. */
async function register(db: Db, context: Context, { token, password, name }: Registration, device: Device) {
  const { email } = await readLink(db, token, 'registration')
  const passwordHash = password === undefined ? null : await newHash(db, password, [email, name ?? ''])
  const subject = await subjectOf(db, email)
  return db.transaction(context, async (tx) => {
    await useLink(tx, token, 'registration')
    const customerId = await createAccount(
      tx, { email, subject, name: name ?? null, passwordHash, emailProven: true })
    if (!customerId) throw TokenRefused({})          // by another link, a moment before
    return opened(tx, { id: customerId, passwordHash }, device)
  })
}

/** A password that may be used, hashed; before any transaction, so that no row lock waits for it. */
export async function newHash(db: Db, password: string, personal: readonly string[]): Promise<string> {
  checkPassword(password, personal)
  await refuseBreached(db, password)
  return hashPassword(password)
}

async function opened(tx: Tx, account: { id: string; passwordHash: string | null }, device: Device) {
  const token = await openSession(tx, account, device)
  if (!token) throw TokenRefused({})
  return { token, customerId: account.id }
}

/** The account of a mailbox that is theirs. Throws TokenRefused where there is none any more. */
async function proven(tx: Tx, email: string) {
  const account = await prove(tx, email)
  if (!account) throw TokenRefused({})
  return account
}

type Use = { token: string; browser?: string | undefined; confirmed?: boolean | undefined }

/** Throws TokenRefused, and ConfirmSignIn, which does not use the link up. */
async function signInByLink(db: Db, context: Context, { token, browser, confirmed }: Use, device: Device) {
  const { email, browserHash } = await readLink(db, token, 'sign-in')
  const same = browser !== undefined && timingSafeEqual(hashToken(browser), browserHash)
  if (!same && !confirmed) throw ConfirmSignIn({}, 'Show who wants to sign in, and ask again with `confirmed`.')
  return db.transaction(context, async (tx) => {
    const account = await proven(tx, email)
    await useLink(tx, token, 'sign-in')
    return opened(tx, account, device)
  })
}

/** Sets the password and ends every session. Throws TokenRefused, PasswordRefused, Busy. */
async function setPassword(db: Db, context: Context, { token, password }: { token: string; password: string }) {
  const { email } = await readLink(db, token, 'password-reset')
  const passwordHash = await newHash(db, password, [email])
  await db.transaction(context, async (tx) => {
    const { id } = await proven(tx, email)
    await useLink(tx, token, 'password-reset')
    await tx.run(sql`update accounts.account set password_hash = ${passwordHash} where customer_id = ${id}`)
    await tx.commit([
      endSessions(tx, id), forgetLinks(tx, { email, customerId: id }),
      enqueueMessage(tx, 'account-changed', email, { what: PASSWORD_CHANGED }),
    ])
  })
  forgetActors(db)
}

export const PASSWORD_CHANGED = 'Your password was changed, and every other session was ended.'

/** Links that are on their way open nothing any more. */
export async function forgetLinks(tx: Tx, { email, customerId }: { email: string; customerId: string }): Promise<void> {
  await tx.run(sql`delete from accounts.link where email = ${email} or customer_id = ${customerId}`)
}

const tags = ['Signing in']

const postAccount = route({
  method: 'POST', path: '/store/account', operationId: 'registerAccount', access: 'shopper', tags,
  summary: 'Register with the token of a link',
  description: 'Ask for the link with `requestAccountLink`. What was ordered as a guest with this address is theirs ' +
    'to see from now on.',
  body: Type.Object({
    token: Token, password: Type.Optional(Password), ...keep,
    name: Type.Optional(OneLine(200)),
  }),
  response: { 201: SignedIn }, problems: [TokenRefused, PasswordRefused, Forbidden], replay: 'none',
  async run({ db, context, body, request, reply }) {
    refuseForeignKeeping(body, request)
    const { token, customerId } = await register(db, context, body, deviceOf(request))
    return { account: await getAccount(db, customerId), token: handOver(token, body, { request, reply }) }
  },
})

const putSession = route({
  method: 'PUT', path: '/store/account/session', operationId: 'signInByLink', access: 'shopper', tags,
  summary: 'Sign in with the token of a link',
  body: Type.Object({
    token: Token, browser: Browser, ...keep,
    confirmed: Type.Optional(Type.Boolean({ description: 'A person in another browser said that it was them' })),
  }),
  response: { 200: SignedIn }, problems: [TokenRefused, ConfirmSignIn, Forbidden],
  async run({ db, context, body, request, reply }) {
    refuseForeignKeeping(body, request)
    const { token, customerId } = await signInByLink(db, context, body, deviceOf(request))
    forgetActors(db)                              // another session of theirs learns that the mailbox is proven
    return { account: await getAccount(db, customerId), token: handOver(token, body, { request, reply }) }
  },
})

const putPasswordReset = route({
  method: 'PUT', path: '/store/account/password-reset', operationId: 'setPasswordByLink', access: 'shopper', tags,
  summary: 'Set a password with the token of a link', description: 'Ends every session; sign in afterwards.',
  body: Type.Object({ token: Token, password: Password }), response: { 204: null },
  problems: [TokenRefused, PasswordRefused],
  run: ({ db, context, body }) => setPassword(db, context, body),
})

export const useLinkRoutes = [postAccount, putSession, putPasswordReset]
