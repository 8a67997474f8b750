// Passwords that were in a breach, asked for by k-anonymity: the list gets five of the forty signs of a password's
// SHA-1, answers all that begin so, and learns neither the password nor whose it is. Off unless configured
// (BREACHED_PASSWORDS): whoever runs the shop decides whether it talks to another company. When the list does not
// answer, the password passes: a list that is down must not keep people from a new one.
import { createHash } from 'node:crypto'
import type { Db } from '../../platform/db.ts'
import { counter } from '../../platform/metrics.ts'
import { provided } from '../../platform/provide.ts'
import { PasswordRefused } from './identity.ts'

export type BreachedPasswords = { includes(password: string): Promise<boolean> }

// People wait for the answer.
const TIMEOUT_MS = 2_000
const PREFIX_LENGTH = 5

const unanswered = counter('breached_password_failures_total', 'Passwords that the list of breached ones did not judge')

/** A list with the range interface of Pwned Passwords, as https://api.pwnedpasswords.com/range/. */
export const breachedAt = (url: string): BreachedPasswords => ({
  async includes(password) {
    const hash = createHash('sha1').update(password).digest('hex').toUpperCase()
    const [prefix, suffix] = [hash.slice(0, PREFIX_LENGTH), hash.slice(PREFIX_LENGTH)]
    // With padding, the size of the answer does not tell which prefix was asked for; padding is counted 0 times.
    const answer = await fetch(new URL(prefix, url.replace(/\/?$/, '/')), {
      headers: { 'add-padding': 'true' }, signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error',
    })
    if (!answer.ok) throw new Error(`The list of breached passwords answered ${answer.status}`)
    const lines = (await answer.text()).split(/\r?\n/).map((line) => line.split(':'))
    return lines.some(([one, times]) => one === suffix && Number(times) > 0)
  },
})

export const breachedPasswords = provided<BreachedPasswords>(
  'breached passwords', { includes: () => Promise.resolve(false) })

/** Throws PasswordRefused for a password that is on the list. */
export async function refuseBreached(db: Db, password: string): Promise<void> {
  const breached = await breachedPasswords.of(db).includes(password.normalize('NFKC')).catch(() => {
    unanswered.inc()
    return false
  })
  if (breached) throw PasswordRefused({ reason: 'breached' }, 'It was in a breach of another site: others know it.')
}
