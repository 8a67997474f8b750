// Whether a variant is counted at all, and how many units may be promised beyond what lies there.

import { Type } from 'typebox'
import { Id, route } from '../../platform/http.ts'
import { VariantNotFound } from '../catalog/catalog.ts'
import { availability, Availability } from './availability.ts'
import { changeStock } from './change-stock.ts'
import { checkVariants } from './internal/check-variants.ts'
import { LocationNotFound, MAX_QUANTITY, StockListedTwice } from './inventory.ts'
import { setBackorderLimits, setTracked } from './set-stock.ts'

const Item = Type.Object({
  variantId: Id,
  tracked: Type.Optional(Type.Boolean({ description: 'false: always available and never counted, as a service' })),
  backorder: Type.Optional(Type.Array(Type.Object({
    locationId: Id,
    limit: Type.Integer({ minimum: 0, maximum: MAX_QUANTITY, description: 'Units promised beyond what lies there' }),
  }), { maxItems: 50 })),
})

export const putItems = route({
  method: 'PUT', path: '/admin/inventory/items', access: { permission: 'inventory:write' }, tags: ['Inventory'],
  summary: 'Set tracking and backorder limits of variants',
  description: 'What is left out stays as it is. A limit never falls below what is promised beyond stock already.',
  body: Type.Object({ items: Type.Array(Item, { minItems: 1, maxItems: 500 }) }),
  response: { 200: Type.Object({ items: Type.Array(Availability) }) },
  problems: [LocationNotFound, VariantNotFound, StockListedTwice],
  async run({ db, context, body }) {
    const variantIds = body.items.map((item) => item.variantId)
    return db.transaction(context, async (tx) => {
      await checkVariants(tx, variantIds)
      const limits = body.items.flatMap(({ variantId, backorder = [] }) =>
        backorder.map((limit) => ({ variantId, ...limit })))
      // A change of nothing makes the stock rows that the limits need.
      await changeStock(tx, limits.map((limit) => ({ ...limit, cause: 'correction', change: 0 })))
      await setTracked(tx, body.items.flatMap(({ variantId, tracked }) =>
        tracked === undefined ? [] : [{ variantId, tracked }]))
      await setBackorderLimits(tx, limits)
      return { items: await availability(tx, variantIds) }
    })
  },
})
