// What a use of a promotion is counted under: see use_count in schema.sql.
import { createHash } from 'node:crypto'

/** A hash, because pricing must recognise a customer again and has no business knowing who it is. */
export function customerScope(customerKey: string): string {
  return `customer:${createHash('sha256').update(customerKey).digest('hex')}`
}
