// Staff count, receive, write off and correct stock, many in one call, all or nothing.

import { Type, type Static } from 'typebox'
import { route, Id } from '../../platform/http.ts'
import { reaches } from '../../platform/authority.ts'
import type { Actor, Tx } from '../../platform/db.ts'
import { InvalidValue } from '../../platform/problem.ts'
import { VariantNotFound } from '../catalog/catalog.ts'
import { changeStock, type StockChange } from './change-stock.ts'
import { checkVariants } from './internal/check-variants.ts'
import {
  AdjustReason, LocationNotFound, MAX_QUANTITY, Reference, Stock, StockOutOfRange, StockListedTwice,
} from './inventory.ts'
import { readStock } from './list-stock.ts'

export const Adjustment = Type.Object({
  variantId: Id,
  locationId: Id,
  reason: AdjustReason,
  quantity: Type.Integer({ minimum: -MAX_QUANTITY, maximum: MAX_QUANTITY }),
})

/**
 * Throws InvalidValue, StockOutOfRange, StockListedTwice, LocationNotFound. A count below what is promised turns the
 * newest promises short. A count asked twice changes nothing; receipts, damages and corrections add up each time, so
 * send them with an Idempotency-Key.
 */
export function adjustStock(tx: Tx, adjustments: Static<typeof Adjustment>[], reference?: string): Promise<void> {
  refuseNegative(adjustments)
  return changeStock(tx, adjustments.map(({ variantId, locationId, reason, quantity }): StockChange => {
    const place = { variantId, locationId, cause: reason }
    if (reason === 'count') return { ...place, count: quantity }
    return { ...place, change: reason === 'damage' ? -quantity : quantity }
  }), reference)
}

/** A location that somebody is not to touch is not there for them. Throws LocationNotFound. */
export function refuseForeign(actor: Actor, locationIds: readonly string[]): void {
  const foreign = locationIds.filter((id) => !reaches(actor, 'locations', id))
  if (foreign.length > 0) throw LocationNotFound({ locationIds: foreign })
}

function refuseNegative(adjustments: readonly Static<typeof Adjustment>[]): void {
  const fields = adjustments.flatMap(({ reason, quantity }, index) => {
    if (quantity >= 0 || reason === 'correction') return []
    const message = `is ${quantity}: a ${reason} takes units as a positive number; only a correction may be negative`
    return [{ path: `body/adjustments/${index}/quantity`, message }]
  })
  if (fields.length > 0) throw InvalidValue({ fields })
}

const Adjusted = Type.Object({ items: Type.Array(Stock) })

export const postAdjustments = route({
  method: 'POST', path: '/admin/inventory/adjustments', tags: ['Inventory'],
  access: { permission: 'inventory:write', within: 'locations' },
  summary: 'Count, receive, write off or correct stock',
  description: 'Up to 500 stocks in one call, all or nothing. Answers the stocks as they are afterwards.',
  body: Type.Object({
    adjustments: Type.Array(Adjustment, { minItems: 1, maxItems: 500 }),
    reference: Type.Optional(Reference),
  }),
  response: { 200: Adjusted },
  problems: [InvalidValue, StockOutOfRange, StockListedTwice, LocationNotFound, VariantNotFound],
  replay: async ({ db, body }) => ({ items: await readStock(db, body.adjustments) }),
  async run({ db, context, body }) {
    refuseForeign(context.actor, body.adjustments.map(({ locationId }) => locationId))
    return db.transaction(context, async (tx) => {
      await checkVariants(tx, body.adjustments.map((line) => line.variantId))
      await adjustStock(tx, body.adjustments, body.reference)
      return { items: await readStock(tx, body.adjustments) }
    })
  },
})
