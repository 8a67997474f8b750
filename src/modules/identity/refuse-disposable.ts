// Mail addresses that last ten minutes. Which domains those are is the merchant's list (DISPOSABLE_MAIL names a file,
// one domain a line): lists change weekly, and a domain refused by mistake is a customer lost. None is built in.
import { readFileSync } from 'node:fs'
import type { Db } from '../../platform/db.ts'
import { problem } from '../../platform/problem.ts'
import { provided } from '../../platform/provide.ts'

export const DisposableMail = problem('disposable-mail', 422, 'Use a mail address that lasts: this one is thrown away')

/** The domains of the list, in small letters. */
export const disposableMail = provided<ReadonlySet<string>>('disposable mail', new Set())

/** The domains of a file: one a line, `#` begins a comment. Throws when it cannot be read. */
export function readDomains(file: string): ReadonlySet<string> {
  const lines = readFileSync(file, 'utf8').split('\n').map((line) => line.replace(/#.*/, '').trim().toLowerCase())
  return new Set(lines.filter(Boolean))
}

/** Throws DisposableMail for an address of a domain on the list, or below one. */
export function refuseDisposable(db: Db, email: string): void {
  const labels = email.slice(email.lastIndexOf('@') + 1).toLowerCase().replace(/\.$/, '').split('.')
  const listed = labels.some((_, index) => disposableMail.of(db).has(labels.slice(index).join('.')))
  if (listed) throw DisposableMail({})
}
