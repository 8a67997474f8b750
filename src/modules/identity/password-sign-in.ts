// The steps of signing in with a password, for staff and for customers alike. Their order is what keeps them safe: the
// limits refuse before anything is hashed, and an account that is not there costs the hash of one that is.
import type { Db } from '../../platform/db.ts'
import { hashPassword, isPassword, isPresent } from './hash-password.ts'
import { limitSignIn, type SignInTry } from './limit-sign-in.ts'

type Found = { id: string; passwordHash: string | null }
type Steps<Account extends Found, Signed> = {
  find: () => Promise<Account | undefined>
  /** Opens a session, unless the account may not, or changed since it was found. */
  open: (account: Account) => Promise<Signed | undefined>
  /** Keeps a hash in place of the one that was found, unless that has changed. */
  renew: (account: Account, passwordHash: string) => Promise<unknown>
}

/**
 * What `open` answers, or undefined for a wrong address, a wrong password and an account that may not: after one hash,
 * whichever it was. A password that was hashed otherwise (by another shop, or with parameters of another time) is
 * hashed again. Throws TooManyRequests, ChallengeRequired, Busy.
 */
export async function signInByPassword<Account extends Found, Signed>(
  db: Db, { password, ...attempt }: SignInTry & { password: string }, { find, open, renew }: Steps<Account, Signed>,
): Promise<Signed | undefined> {
  const { isKnown } = await limitSignIn(db, attempt)
  const account = await find()
  const right = await isPassword(password, account?.passwordHash, { isKnown })
  const signed = right && account ? await open(account) : undefined
  if (!signed || !account) return undefined
  if (account.passwordHash !== null && !isPresent(account.passwordHash)) {
    await renew(account, await hashPassword(password))
  }
  return signed
}
