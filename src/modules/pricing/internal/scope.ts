// What a use of a promotion is counted under: see use_count in schema.sql.
import { createHash } from 'node:crypto'

export const ALL = 'all'

export function codeScope(code: string): string {
  return `code:${code}`
}

/** A hash, because pricing must recognise a customer again and has no business knowing who it is. */
export function customerScope(customerKey: string): string {
  return `customer:${createHash('sha256').update(customerKey).digest('hex')}`
}
