// The words of accounts: what a customer sees of theirs, and what can be wrong. What is the same for staff (passwords,
// tokens, refusals) has the words of identity. No I/O.
import { Type } from 'typebox'
import { mapConstraint, type Db } from '../../platform/db.ts'
import { event } from '../../platform/events.ts'
import { Id, Timestamp } from '../../platform/http.ts'
import { problem } from '../../platform/problem.ts'
import { Token } from '../identity/identity.ts'
import { mailSettings } from '../notifications/mail.ts'

const nullable = <T extends Parameters<typeof Type.Array>[0]>(schema: T) => Type.Union([schema, Type.Null()])

export const Account = Type.Object({
  customerId: Id, email: Type.String(), createdAt: Timestamp,
  emailProven: Type.Boolean({ description: 'The mailbox is theirs; without it, orders of guests are not shown' }),
  hasPassword: Type.Boolean({ description: 'Without one they sign in by links' }),
})

/** How a sign-in is kept, and what answers it. */
export const keep = {
  keep: Type.Optional(Type.Enum(['cookie', 'token'], {
    description: 'cookie, unless told: for pages of this server, which no script can read. token: for apps, servers ' +
      'and pages of other sites; send it as Authorization: Bearer session_…',
  })),
}
export const SignedIn = Type.Object({
  account: Account, token: nullable(Type.String({ description: 'The session, where `keep` is token' })),
})
export const Browser = Type.Optional(Token)

/** The storefront, which has pages for accounts; see `storefronts` in plugin.ts. */
export function pagesOf(db: Db): string {
  const { storefrontUrl, shopUrl } = mailSettings.of(db)
  return storefrontUrl ?? shopUrl
}

/** Links that are asked for without a session. */
export const LinkPurpose = Type.Enum(['registration', 'sign-in', 'password-reset'])

export const AccountEmailTaken = problem('account-email-taken', 409, 'There is an account with this e-mail address')

mapConstraint('account_email_unique', () => AccountEmailTaken({}))

/** A link was asked for; the row says the rest, and whether there is an account the answer did not show. */
export const LinkRequested = event('accounts.link-requested', Type.Object({ linkId: Id }))
