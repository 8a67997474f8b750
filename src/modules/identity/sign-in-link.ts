// Signing in by a link in a mail, instead of a password. The answer is the same for known and unknown addresses, the
// mail is made behind it. A link works once and for ten minutes; opened in another browser than the one that
// asked, somebody has to confirm that it was them. A second factor is wanted all the same.
import { timingSafeEqual } from 'node:crypto'
import { Type, type Static } from 'typebox'
import { sql, systemContext, type Context, type Db } from '../../platform/db.ts'
import { firstTime, publish } from '../../platform/events.ts'
import { route } from '../../platform/http.ts'
import { hashToken, newToken } from '../../platform/id.ts'
import { Forbidden, problem } from '../../platform/problem.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'
import { Email, normalEmail, SignInLinkRequested, Staff, Token, TokenRefused } from './identity.ts'
import { addressPrefix, limitRate } from './limit-rate.ts'
import { refuseForeignOrigin } from './session-cookie.ts'
import { deviceOf, FactorWanted, openSession, welcome, type Device, type Signed } from './sign-in.ts'

const VALID_MINUTES = 10
export const ConfirmSignIn = problem('confirm-sign-in', 409, 'Another browser asked for this link: was it you?')

const Found = Type.Object({ staffId: Type.Union([Type.String(), Type.Null()]) })

/** Asks for a link; answers what the browser keeps. Throws TooManyRequests, known address or not. */
async function requestLink(db: Db, context: Context, email: string, address: string): Promise<string> {
  await limitRate(db, [
    { name: 'link-address', subject: addressPrefix(address), acts: 20, seconds: 3_600 },
    { name: 'link-account', subject: normalEmail(email), acts: 5, seconds: 3_600 },
  ])
  const browser = newToken()
  await db.transaction(context, async (tx) => {
    const { staffId } = await tx.one(Found, sql`
      select (select id from identity.staff where email = ${normalEmail(email)} and active) as "staffId"`)
    await tx.commit([publish(tx, SignInLinkRequested, { staffId, browser: hashToken(browser).toString('base64url') })])
  })
  return browser
}

const Person = Type.Object({ id: Type.String(), email: Type.String(), name: Type.String() })
type Asked = { staffId: string | null; browser: string }

/** Sends the link that was asked for; it replaces an older one. */
export async function sendSignInLink(db: Db, { staffId, browser }: Asked, eventId: string): Promise<void> {
  if (!staffId) return
  await db.transaction(systemContext(eventId), async (tx) => {
    const person = await tx.maybe(Person, sql`
      select id, email, name from identity.staff where id = ${staffId} and active`)
    if (!person || !await firstTime(tx, 'identity.send-sign-in-link', eventId)) return
    const token = newToken()
    await Promise.all([
      tx.run(sql`delete from identity.one_time_token where staff_id = ${staffId} and purpose = 'sign-in'`),
      tx.run(sql`insert into identity.one_time_token (token_hash, purpose, staff_id, expires_at, browser_hash)
        values (${hashToken(token)}, 'sign-in', ${staffId}, now() + make_interval(mins => ${VALID_MINUTES}),
          ${Buffer.from(browser, 'base64url')})`),
      enqueueMessage(tx, 'sign-in-link', person.email, { name: person.name, token, minutes: VALID_MINUTES }),
    ])
  })
}

const Link = Type.Object({
  id: Type.String(), passwordHash: Type.Union([Type.String(), Type.Null()]),
  browserHash: Type.Unsafe<Buffer>(Type.Any()),
})
const Body = Type.Object({
  token: Token, browser: Type.Optional(Token),
  confirmed: Type.Optional(Type.Boolean({ description: 'A person in another browser said that it was them' })),
})

/** Throws TokenRefused, and ConfirmSignIn, which does not use the link up; of many at once, one succeeds. */
async function signInByLink(
  db: Db, context: Context, { token, browser, confirmed }: Static<typeof Body>, device: Device
): Promise<Signed> {
  const tokenHash = hashToken(token)
  const link = await db.maybe(Link, sql`
    select staff.id, staff.password_hash as "passwordHash", token.browser_hash as "browserHash"
    from identity.one_time_token as token join identity.staff on staff.id = token.staff_id
    where token.token_hash = ${tokenHash} and token.purpose = 'sign-in' and token.expires_at > now() and staff.active`)
  if (!link) throw TokenRefused({})
  const same = browser !== undefined && timingSafeEqual(hashToken(browser), link.browserHash)
  if (!same && !confirmed) throw ConfirmSignIn({}, 'Show who wants to sign in, and ask again with `confirmed`.')
  return db.transaction(context, async (tx) => {
    const used = await tx.run(sql`
      delete from identity.one_time_token
      where token_hash = ${tokenHash} and purpose = 'sign-in' and expires_at > now()`)
    const signed = used === 1 ? await openSession(tx, link, device) : undefined
    if (!signed) throw TokenRefused({})
    return signed
  })
}

const tags = ['Signing in']

const postLink = route({
  method: 'POST', path: '/admin/session/link', operationId: 'requestSignInLink', access: 'public', tags,
  summary: 'Ask for a link by mail to sign in with', description: 'The same for known and unknown addresses.',
  body: Type.Object({ email: Email }), replay: 'none', response: { 202: Type.Object({
    browser: Type.String({ description: 'Keep it in this browser, and send it with the link' }),
  }) },
  run: async ({ db, context, body, request }) => (
    { browser: await requestLink(db, context, body.email, request.ip) }),
})

const putLink = route({
  method: 'PUT', path: '/admin/session/link', operationId: 'signInByLink', access: 'public', tags,
  summary: 'Sign in with the token of a link', description: 'Sets the session cookie, or wants a second factor (202).',
  body: Body, response: { 200: Staff, 202: FactorWanted }, problems: [TokenRefused, ConfirmSignIn, Forbidden],
  async run({ db, context, body, request, reply }) {
    refuseForeignOrigin(request.headers)
    return welcome(db, await signInByLink(db, context, body, deviceOf(request)), { request, reply })
  },
})

export const linkRoutes = [postLink, putLink]
