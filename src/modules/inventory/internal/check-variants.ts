// Stock of a variant that does not exist would be nobody's: what staff name is looked up first.

import type { Conn } from '../../../platform/db.ts'
import { VariantNotFound } from '../../catalog/catalog.ts'
import { getVariants } from '../../catalog/get-variants.ts'

/** Throws VariantNotFound, naming those that the catalogue does not know. At most 5,000 at a time. */
export async function checkVariants(conn: Conn, variantIds: readonly string[]): Promise<void> {
  const known = new Set((await getVariants(conn, variantIds)).map((variant) => variant.id))
  const unknown = variantIds.filter((variantId) => !known.has(variantId))
  if (unknown.length > 0) throw VariantNotFound({ variantIds: unknown })
}
