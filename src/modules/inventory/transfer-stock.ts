// Moves free units from one location to another. What is promised at the old place stays there: a transfer never makes
// a promise short.

import { Type } from 'typebox'
import type { Tx } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { VariantNotFound } from '../catalog/catalog.ts'
import { refuseForeign } from './adjust-stock.ts'
import { changeStock } from './change-stock.ts'
import { checkVariants } from './internal/check-variants.ts'
import {
  LocationNotFound, Quantity, Reference, Stock, StockOutOfRange, StockListedTwice, type Line,
} from './inventory.ts'
import { readStock } from './list-stock.ts'

/**
 * All lines or none; throws StockOutOfRange when less lies free, StockListedTwice for a variant named twice. Each call
 * moves again.
 */
export function transferStock(tx: Tx, fromId: string, toId: string, lines: Line[], reference?: string): Promise<void> {
  return changeStock(tx, lines.flatMap(({ variantId, quantity }) => [
    { variantId, locationId: fromId, cause: 'transfer' as const, change: -quantity },
    { variantId, locationId: toId, cause: 'transfer' as const, change: quantity },
  ]), reference, 'refuse')
}

export const postTransfer = route({
  method: 'POST', path: '/admin/inventory/transfers', tags: ['Inventory'],
  access: { permission: 'inventory:write', within: 'locations' },
  summary: 'Move stock to another location',
  body: Type.Object({
    fromLocationId: Id,
    toLocationId: Id,
    lines: Type.Array(Type.Object({ variantId: Id, quantity: Quantity }), { minItems: 1, maxItems: 250 }),
    reference: Type.Optional(Reference),
  }),
  response: { 200: Type.Object({ items: Type.Array(Stock) }) },
  problems: [StockOutOfRange, StockListedTwice, LocationNotFound, VariantNotFound],
  replay: async ({ db, body }) => ({ items: await readStock(db, places(body)) }),
  async run({ db, context, body }) {
    refuseForeign(context.actor, [body.fromLocationId, body.toLocationId])
    return db.transaction(context, async (tx) => {
      await checkVariants(tx, body.lines.map((line) => line.variantId))
      await transferStock(tx, body.fromLocationId, body.toLocationId, body.lines, body.reference)
      return { items: await readStock(tx, places(body)) }
    })
  },
})

function places(body: { fromLocationId: string, toLocationId: string, lines: Line[] }) {
  return body.lines.flatMap(({ variantId }) => [
    { variantId, locationId: body.fromLocationId }, { variantId, locationId: body.toLocationId },
  ])
}
