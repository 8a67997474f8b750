// Goods come back and can be sold again. What cannot be sold is received with a damage adjustment, or not at all.

import type { Tx } from '../../platform/db.ts'
import { changeStock } from './change-stock.ts'
import type { Placed } from './inventory.ts'

/**
 * Each call adds: the caller's own row of the return, in the same transaction, makes asking twice safe. `reference` is
 * the order or the return.
 */
export function returnStock(tx: Tx, reference: string, lines: Placed[]): Promise<void> {
  const changes = lines.map(({ quantity, ...place }) => ({ ...place, cause: 'return' as const, change: quantity }))
  return changeStock(tx, changes, reference)
}
