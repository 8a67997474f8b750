// Customers sign in with a password, and out. The steps are those of staff (identity/password-sign-in.ts): limits
// before anything is hashed, and one answer after one hash for a wrong address and a wrong password.
import { Type } from 'typebox'
import { signedCustomer, sql, type Context, type Db } from '../../platform/db.ts'
import { route } from '../../platform/http.ts'
import { counter } from '../../platform/metrics.ts'
import { Forbidden } from '../../platform/problem.ts'
import { forgetActors } from '../identity/authenticate.ts'
import { ChallengeRequired } from '../identity/challenge.ts'
import { Email, normalEmail, Password, SignInRefused } from '../identity/identity.ts'
import { forgiveSignIn } from '../identity/limit-sign-in.ts'
import { signInByPassword } from '../identity/password-sign-in.ts'
import { sessionCookie } from '../identity/session-cookie.ts'
import { deviceOf, type Device } from '../identity/sign-in.ts'
import { keep, SignedIn } from './accounts.ts'
import { getAccount, handOver, openSession, refuseForeignKeeping } from './session.ts'

const signIns = counter('customer_sign_ins_total', 'Sign-ins of customers by outcome', ['outcome'])
const Found = Type.Object({ id: Type.String(), passwordHash: Type.Union([Type.String(), Type.Null()]) })
type Credentials = { email: string; password: string; challenge?: string | undefined }

/** Answers the token of a session. Throws SignInRefused, TooManyRequests, ChallengeRequired, Busy. */
async function signIn(db: Db, context: Context, { email, password, challenge }: Credentials, device: Device) {
  const account = normalEmail(email)
  // Staff with the same address have buckets of their own: whoever guesses at one door does not close the other.
  const attempt = { email: `customer ${account}`, address: device.address, answer: challenge }
  const signed = await signInByPassword(db, { ...attempt, password }, {
    find: () => db.maybe(Found, sql`
      select customer_id as id, password_hash as "passwordHash" from accounts.account where email = ${account}`),
    open: (found) => db.transaction(context, async (tx) => {
      const token = await openSession(tx, found, device)
      return token && { token, customerId: found.id }
    }),
    renew: ({ id, passwordHash }, renewed) => db.run(sql`
      update accounts.account set password_hash = ${renewed}
      where customer_id = ${id} and password_hash = ${passwordHash}`),
  })
  signIns.inc({ outcome: signed ? 'accepted' : 'refused' })
  if (!signed) throw SignInRefused({})
  await forgiveSignIn(db, attempt)
  return signed
}

const tags = ['Signing in']

const postSession = route({
  method: 'POST', path: '/store/account/session', operationId: 'signIn', access: 'shopper', tags, summary: 'Sign in',
  description: 'The session ends after 90 days, 30 idle ones, by signing out, or with a new password.',
  body: Type.Object({ email: Email, password: Password, ...keep }), response: { 200: SignedIn }, replay: 'none',
  problems: [SignInRefused, Forbidden, ChallengeRequired],
  async run({ db, context, body, headers, request, reply }) {
    refuseForeignKeeping(body, request)
    const credentials = { ...body, challenge: headers['x-challenge'] }
    const { token, customerId } = await signIn(db, context, credentials, deviceOf(request))
    return { account: await getAccount(db, customerId), token: handOver(token, body, { request, reply }) }
  },
})

const deleteSession = route({
  method: 'DELETE', path: '/store/account/session', operationId: 'signOut', access: 'customer', tags,
  summary: 'Sign out', response: { 204: null },
  async run({ db, context, request, reply }) {
    const { sessionId } = signedCustomer(context)
    await db.transaction(context, (tx) => tx.run(sql`delete from accounts.session where id = ${sessionId}`))
    forgetActors(db)
    reply.header('set-cookie', sessionCookie(request, undefined, 'customer'))
  },
})

const getMine = route({
  method: 'GET', path: '/store/account', operationId: 'getMyAccount', access: 'customer',
  tags: ['Own account'], summary: 'Read the own account', response: { 200: SignedIn.properties.account },
  run: ({ db, context }) => getAccount(db, signedCustomer(context).id),
})

export const signInRoutes = [postSession, deleteSession, getMine]
