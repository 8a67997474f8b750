// Links by mail: to register, to sign in, to set a new password. Whoever asks gets one answer after the same work,
// known address or not: the request writes one row, and only the job behind it looks for an account. Nobody chooses a
// password before the mailbox is proven, so an account cannot be prepared for somebody else's address.
import { Type, type Static } from 'typebox'
import { sql, systemContext, type Context, type Db, type Tx } from '../../platform/db.ts'
import { firstTime, publish } from '../../platform/events.ts'
import { route } from '../../platform/http.ts'
import { hashToken, newId, newToken } from '../../platform/id.ts'
import { ChallengeRequired } from '../identity/challenge.ts'
import { Email, normalEmail } from '../identity/identity.ts'
import { addressPrefix, limitRate } from '../identity/limit-rate.ts'
import { limitOrChallenge } from '../identity/limit-sign-in.ts'
import { DisposableMail, refuseDisposable } from '../identity/refuse-disposable.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'
import { LinkPurpose, LinkRequested } from './accounts.ts'

const VALID_MINUTES = { registration: 24 * 60, 'sign-in': 10, 'password-reset': 60 }
type Purpose = keyof typeof VALID_MINUTES
const TEMPLATE = {
  registration: 'account-registration', 'sign-in': 'account-sign-in', 'password-reset': 'account-password-reset',
} as const

// A shop of thousands registers no more than this in a minute; beyond it each mail costs a proof of work.
const EVERYBODY = { name: 'account-link-all', subject: '', acts: 120, seconds: 60 }

type Asked = { email: string; purpose: Purpose; challenge?: string | undefined }

/** Asks for a link; answers what the browser keeps. Throws DisposableMail, TooManyRequests, ChallengeRequired. */
async function requestLink(db: Db, context: Context, asked: Asked, address: string): Promise<string> {
  const email = normalEmail(asked.email)
  if (asked.purpose === 'registration') refuseDisposable(db, email)
  await limitRate(db, [
    { name: 'account-link-address', subject: addressPrefix(address), acts: 20, seconds: 3_600 },
    { name: 'account-link', subject: email, acts: 5, seconds: 3_600 },
  ])
  await limitOrChallenge(db, EVERYBODY, asked.challenge)
  const [linkId, browser] = [newId(), newToken()]
  await db.transaction(context, (tx) => tx.commit([
    tx.run(sql`insert into accounts.link (id, purpose, email, browser_hash, expires_at)
      values (${linkId}, ${asked.purpose}, ${email}, ${hashToken(browser)}, now() + interval '1 hour')`),
    publish(tx, LinkRequested, { linkId }),
  ]))
  return browser
}

const Link = Type.Object({ purpose: LinkPurpose, email: Type.String(), known: Type.Boolean() })

/** Makes the secret and the mail of a link that was asked for. The newest replaces those before it. */
export async function sendLink(db: Db, linkId: string, eventId: string): Promise<void> {
  await db.transaction(systemContext(eventId), async (tx) => {
    const link = await tx.maybe(Link, sql`
      select purpose, email, exists (select from accounts.account where account.email = link.email) as known
      from accounts.link where id = ${linkId} and token_hash is null and expires_at > now() for update`)
    if (!link || !await firstTime(tx, 'accounts.send-link', eventId)) return
    // Ids ascend, so only older ones are locked: two that are sent at once wait for each other in one order.
    await tx.run(sql`
      delete from accounts.link where email = ${link.email} and purpose = ${link.purpose} and id < ${linkId}`)
    await mail(tx, linkId, link)
  })
}

async function mail(tx: Tx, linkId: string, { purpose, email, known }: Static<typeof Link>): Promise<void> {
  const wanted = (purpose === 'registration') !== known
  if (!wanted) {
    await tx.run(sql`delete from accounts.link where id = ${linkId}`)
    if (known) await enqueueMessage(tx, 'account-known', email, {})
    return
  }
  const [token, minutes] = [newToken(), VALID_MINUTES[purpose]]
  await tx.run(sql`update accounts.link set token_hash = ${hashToken(token)},
    expires_at = now() + make_interval(mins => ${minutes}) where id = ${linkId}`)
  await enqueueMessage(tx, TEMPLATE[purpose], email, { token, minutes })
}

const postLink = route({
  method: 'POST', path: '/store/account/links', operationId: 'requestAccountLink', access: 'shopper',
  tags: ['Signing in'], summary: 'Ask for a link by mail: to register, to sign in, or to set a new password',
  description: 'The same for known and unknown addresses. Then `registerAccount`, `signInByLink` or ' +
    '`setPasswordByLink`, with the token behind # in the link.',
  body: Type.Object({ email: Email, purpose: LinkPurpose }), replay: 'none',
  response: { 202: Type.Object({
    browser: Type.String({ description: 'Keep it in this browser, and send it with the link to sign in' }),
  }) },
  problems: [DisposableMail, ChallengeRequired],
  run: async ({ db, context, body, headers, request }) => ({
    browser: await requestLink(db, context, { ...body, challenge: headers['x-challenge'] }, request.ip),
  }),
})

export const linkRoutes = [postLink]
