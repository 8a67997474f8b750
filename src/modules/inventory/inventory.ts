// The vocabulary of inventory: lines, stock, reasons, problems and the event. No I/O. Quantities are whole units.
// "Available" is what lies free at active locations now; "backorder" says that more may be promised than that.

import { Type, type Static } from 'typebox'
import { mapConstraint } from '../../platform/db.ts'
import { event } from '../../platform/events.ts'
import { Id, OneLine, Timestamp } from '../../platform/http.ts'
import { problem } from '../../platform/problem.ts'

/** A million units at a time: a hundred such lines still sum within an int4, and so does a billion on a shelf. */
export const MAX_QUANTITY = 1_000_000
export const MAX_ON_HAND = 1_000_000_000
export const Quantity = Type.Integer({ minimum: 1, maximum: MAX_QUANTITY })

/**
 * Above this a shopper is only told "in stock", so orders above it change nothing that is shown and announce nothing.
 */
export const SHOWN_UP_TO = 10

export const Reference = OneLine(200, { description: 'Delivery note, stocktaking, …' })

export type Line = { variantId: string, quantity: number }
/** Units of a variant at a location, as a shipment took them or a return brings them back. */
export type Placed = Line & { locationId: string }

export const Location = Type.Object({
  id: Id,
  code: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,39}$' }),
  name: OneLine(200),
  priority: Type.Integer({
    minimum: 0, maximum: 10_000, description: 'Of places with as much free stock, the smaller number serves first',
  }),
  active: Type.Boolean({ description: 'An inactive place sells nothing; what it promised already still ships' }),
  createdAt: Timestamp,
})

export const Stock = Type.Object({
  variantId: Id,
  locationId: Id,
  onHand: Type.Integer(),
  reserved: Type.Integer(),
  backorderLimit: Type.Integer({ description: 'Units that may be promised beyond what lies there.' }),
  available: Type.Integer({ description: 'on hand − reserved, at least 0' }),
})
export type Stock = Static<typeof Stock>

/** Why staff change a stock. */
export const AdjustReason = Type.Union([
  Type.Literal('count'), Type.Literal('receipt'), Type.Literal('damage'), Type.Literal('correction'),
], {
  description: 'count: quantity is what lies there now. receipt, damage: units that came or were lost. ' +
    'correction: units added, or taken (negative).',
})
export type AdjustReason = Static<typeof AdjustReason>

export const MovementCause = Type.Union([
  Type.Literal('count'), Type.Literal('receipt'), Type.Literal('damage'), Type.Literal('correction'),
  Type.Literal('import'), Type.Literal('transfer'), Type.Literal('shipment'), Type.Literal('return'),
])
export type MovementCause = Static<typeof MovementCause>

const FailedLines = Type.Object({
  lines: Type.Array(Type.Object({ variantId: Id, requested: Type.Integer(), available: Type.Integer() })),
})
export const OutOfStock = problem('out-of-stock', 409, 'Some items are no longer available', FailedLines)
export const NotReserved = problem('not-reserved', 409, 'The order holds less, or it has not arrived yet', FailedLines)
export const StockOutOfRange = problem('stock-out-of-range', 409, 'There is less than that, or too much', Type.Object({
  lines: Type.Array(Type.Object({ variantId: Id, locationId: Id, onHand: Type.Integer(), change: Type.Integer() })),
}))
export const StockListedTwice = problem('stock-listed-twice', 422, 'A variant may be named once per location',
  Type.Object({ variantId: Id, locationId: Id }))
export const LocationNotFound = problem('location-not-found', 404, 'No such location',
  Type.Object({ locationIds: Type.Array(Type.String()) }))
export const LocationCodeTaken = problem('location-code-taken', 409, 'Another location has this code',
  Type.Object({ code: Type.String() }))
export const LocationInUse = problem('location-in-use', 409, 'It has stock or a history: make it inactive instead',
  Type.Object({ locationId: Type.String() }))
mapConstraint('location_code_unique', ({ detail }) => LocationCodeTaken({ code: /=\((.*)\)/.exec(detail)?.[1] ?? '' }))
// The key fails in both directions: stock at a place that is not there, and a place that goes while stock is.
mapConstraint('stock_location', ({ detail }) => {
  const locationId = /=\((.*)\) is/.exec(detail)?.[1] ?? ''
  if (detail.includes('still referenced')) return LocationInUse({ locationId })
  return LocationNotFound({ locationIds: [locationId] })
})

/** What a shopper sees of these variants may have changed. Collected for up to a second: never one per order. */
export const StockChanged = event('inventory.stock-changed', Type.Object({ variantIds: Type.Array(Id) }))
/** Stock that was promised is gone (counted away, damaged): these orders wait for it, oldest promise first. */
export const StockShort = event('inventory.stock-short', Type.Object({
  lines: Type.Array(Type.Object({ orderId: Id, variantId: Id, locationId: Id, quantity: Type.Integer() })),
}))
