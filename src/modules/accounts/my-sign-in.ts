// How customers sign in, changed by themselves: the password, the e-mail address (by a link to the new one; the old one
// is told), and the proof that it is them, which routes marked `sensitive` ask for.
import { Type } from 'typebox'
import { signedCustomer, sql, type Context, type Db } from '../../platform/db.ts'
import { route } from '../../platform/http.ts'
import { hashToken, newId, newToken } from '../../platform/id.ts'
import { moveHolder } from '../customers/account-holder.ts'
import { EmailUnproven } from '../customers/customers.ts'
import { subjectOf } from '../customers/people.ts'
import { forgetActors } from '../identity/authenticate.ts'
import { isPassword } from '../identity/hash-password.ts'
import {
  Email, normalEmail, PasskeyRefused, Password, PasswordRefused, SignInRefused, Token, TokenRefused,
} from '../identity/identity.ts'
import { limitRate } from '../identity/limit-rate.ts'
import { readSigned, SignedChallenge } from '../identity/passkeys.ts'
import { DisposableMail, refuseDisposable } from '../identity/refuse-disposable.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'
import { AccountEmailTaken } from './accounts.ts'
import { customerPasskeys } from './passkeys.ts'
import { endSessions, handOver, keptAs, proveSession } from './session.ts'
import { forgetLinks, newHash, PASSWORD_CHANGED } from './use-link.ts'

const EMAIL_CHANGE_MINUTES = 60
const Own = Type.Object({ email: Type.String(), passwordHash: Type.Union([Type.String(), Type.Null()]) })

/** The own account, after the password was right. Throws SignInRefused, TooManyRequests. */
async function withPassword(db: Db, context: Context, password: string) {
  const { id } = signedCustomer(context)
  // Somebody at an unlocked screen has a session, and must not try passwords with it.
  await limitRate(db, [{ name: 'account-proof', subject: id, acts: 10, seconds: 3_600 }])
  const own = await db.maybe(Own, sql`
    select email, password_hash as "passwordHash" from accounts.account where customer_id = ${id}`)
  if (!await isPassword(password, own?.passwordHash) || !own) throw SignInRefused({}, 'The password is wrong.')
  return own
}

/** Ends all other sessions; answers the new token of this one. Throws SignInRefused, PasswordRefused. */
async function changePassword(db: Db, context: Context, body: { currentPassword: string; newPassword: string }) {
  const { id, sessionId } = signedCustomer(context)
  const { email, passwordHash } = await withPassword(db, context, body.currentPassword)
  const renewed = await newHash(db, body.newPassword, [email])
  return db.transaction(context, async (tx) => {
    const changed = await tx.run(sql`
      update accounts.account set password_hash = ${renewed}
      where customer_id = ${id} and password_hash = ${passwordHash}`)
    if (changed === 0) throw SignInRefused({}, 'The password was changed in the meantime.')
    await Promise.all([
      endSessions(tx, id, sessionId), forgetLinks(tx, { email, customerId: id }),
      enqueueMessage(tx, 'account-changed', email, { what: PASSWORD_CHANGED }),
    ])
    return proveSession(tx, sessionId)
  })
}

type Proof = { password?: string; passkey?: SignedChallenge }

/** Answers the new token of the session. Throws SignInRefused, PasskeyRefused, TooManyRequests, TokenRefused. */
async function proveMyself(db: Db, context: Context, { password = '', passkey }: Proof): Promise<string> {
  const { id, sessionId } = signedCustomer(context)
  const signed = passkey && await readSigned(db, customerPasskeys, passkey)
  if (signed && signed.holderId !== id) throw PasskeyRefused({})
  if (!signed) await withPassword(db, context, password)
  return db.transaction(context, async (tx) => {
    await signed?.use(tx)
    return proveSession(tx, sessionId)
  })
}

/**
 * Sends a link to the new address. A newer one replaces the older. Whether somebody has it, the link tells. Throws
 * EmailUnproven: the present address and what was ordered with it must be theirs before they take it along.
 */
async function requestEmailChange(db: Db, context: Context, to: string): Promise<void> {
  const { id, owns } = signedCustomer(context)
  if (!owns) throw EmailUnproven({})
  const email = normalEmail(to)
  refuseDisposable(db, email)
  await limitRate(db, [{ name: 'account-email-change', subject: id, acts: 5, seconds: 3_600 }])
  const token = newToken()
  await db.transaction(context, async (tx) => {
    await tx.run(sql`delete from accounts.link where customer_id = ${id}`)
    await tx.commit([
      tx.run(sql`insert into accounts.link (id, purpose, email, customer_id, token_hash, expires_at)
        values (${newId()}, 'email-change', ${email}, ${id}, ${hashToken(token)},
          now() + make_interval(mins => ${EMAIL_CHANGE_MINUTES}))`),
      enqueueMessage(tx, 'account-email-change', email, { token, minutes: EMAIL_CHANGE_MINUTES }),
    ])
  })
}

const Change = Type.Object({ customerId: Type.String(), from: Type.String(), to: Type.String() })

/**
 * Throws TokenRefused, AccountEmailTaken; of many at once, one succeeds. It wants the session of the account: who opens
 * a link that somebody else asked for would give them their mailbox, and what was ordered with it.
 */
async function confirmEmailChange(db: Db, context: Context, token: string): Promise<void> {
  const live = sql`link.token_hash = ${hashToken(token)} and link.customer_id = ${signedCustomer(context).id}
    and purpose = 'email-change' and link.expires_at > now()`
  const asked = await db.maybe(Type.Object({ email: Type.String() }), sql`
    select email from accounts.link where ${live}`)
  if (!asked) throw TokenRefused({})
  const subject = await subjectOf(db, asked.email)
  await db.transaction(context, async (tx) => {
    // The account is locked before its links, as by an erasure.
    const change = await tx.maybe(Change, sql`
      select customer_id as "customerId", account.email as "from", link.email as "to"
      from accounts.account join accounts.link using (customer_id) where ${live} for update of account`)
    if (!change || await tx.run(sql`delete from accounts.link where ${live}`) === 0) throw TokenRefused({})
    const { customerId, from, to } = change
    await tx.run(sql`
      update accounts.account set email = ${to}, email_proven_at = now() where customer_id = ${customerId}`)
    await tx.run(sql`
      insert into accounts.former_email (id, customer_id, email) values (${newId()}, ${customerId}, ${from})
      on conflict (customer_id, email) do update set until = now()`)
    await forgetLinks(tx, { email: from, customerId })
    await moveHolder(tx, { customerId, from, to, subject })
    await enqueueMessage(tx, 'account-changed', from, {
      what: 'Your account has another e-mail address now: this one does not sign in any more.',
    })
  })
  forgetActors(db)
}

const access = 'customer' as const
const tags = ['Own account']

const putPassword = route({
  method: 'PUT', path: '/store/account/password', operationId: 'changePassword', access, tags,
  summary: 'Change the own password',
  description: 'Ends every other session; this one goes on with another token. Whoever has no password sets one by a ' +
    'link (`requestAccountLink`).',
  body: Type.Object({ currentPassword: Password, newPassword: Password }),
  response: { 200: Renewed() }, problems: [SignInRefused, PasswordRefused, TokenRefused],
  async run({ db, context, body, request, reply }) {
    const token = await changePassword(db, context, body)
    forgetActors(db)
    return { token: handOver(token, keptAs(request), { request, reply }) }
  },
})

function Renewed() {
  return Type.Object({ token: Type.Union([Type.String(), Type.Null()], {
    description: 'The session from now on, where it is sent as a bearer token',
  }) })
}

const putProof = route({
  method: 'PUT', path: '/store/account/proof', operationId: 'proveMyself', access, tags,
  summary: 'Show again that it is you',
  description: 'For what answers `recent-proof-required`; it holds for a quarter of an hour, as a sign-in does. The ' +
    'session goes on with another token. Whoever has neither signs in again by a link.',
  body: Type.Partial(
    Type.Object({ password: Password, passkey: SignedChallenge }), { minProperties: 1, maxProperties: 1 }),
  response: { 200: Renewed() }, problems: [SignInRefused, PasskeyRefused, TokenRefused],
  async run({ db, context, body, request, reply }) {
    const token = await proveMyself(db, context, body)
    forgetActors(db)
    return { token: handOver(token, keptAs(request), { request, reply }) }
  },
})

const postEmail = route({
  method: 'POST', path: '/store/account/email', operationId: 'requestEmailChange', access, sensitive: true, tags,
  summary: 'Change the own e-mail address', description: 'Nothing changes before the link in the new mailbox is used.',
  body: Type.Object({ email: Email }), response: { 202: null },
  problems: [DisposableMail, EmailUnproven], replay: 'none',
  run: ({ db, context, body }) => requestEmailChange(db, context, body.email),
})

const putEmail = route({
  method: 'PUT', path: '/store/account/email', operationId: 'confirmEmailChange', access, tags,
  summary: 'Confirm a new e-mail address with the token of a link',
  description: 'Signed in to the account that asked. What was ordered as a guest with the new address is theirs as ' +
    'well from now on.',
  body: Type.Object({ token: Token }), response: { 204: null }, problems: [TokenRefused, AccountEmailTaken],
  run: ({ db, context, body }) => confirmEmailChange(db, context, body.token),
})

export const mySignInRoutes = [putPassword, putProof, postEmail, putEmail]
