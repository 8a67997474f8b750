// The prices in a list, over the Admin API. A write names variants with all their quantity breaks and replaces those,
// so the same document sent twice changes nothing; variants that it does not name keep their prices.
import { Type, type Static } from 'typebox'
import { sql, type Conn } from '../../platform/db.ts'
import { Id, Page, PageQuery, route } from '../../platform/http.ts'
import { InvalidCursor, InvalidValue } from '../../platform/problem.ts'
import { getVariants } from '../catalog/get-variants.ts'
import { idAfter, page } from './internal/page.ts'
import { Minor, nullable, PriceListNotFound } from './pricing.ts'
import { getPriceList } from './price-lists.ts'
import { removePrices, setPrices } from './set-prices.ts'

const Break = Type.Object({
  minQuantity: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  unitMinor: Minor,
  perUnits: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  compareAtMinor: nullable(Minor),
})
const VariantPrices = Type.Object({ variantId: Id, prices: Type.Array(Break) })
const NewBreak = Type.Object({
  minQuantity: Type.Optional(Break.properties.minQuantity), unitMinor: Minor,
  perUnits: Type.Optional(Break.properties.perUnits), compareAtMinor: Type.Optional(nullable(Minor)),
})
const NewVariantPrices = Type.Object({
  variantId: Id,
  prices: Type.Array(NewBreak, {
    maxItems: 100, description: 'Every quantity break; none removes the variant from the list',
  }),
})
const params = Type.Object({ priceListId: Id })
const tags = ['Pricing']

const listPrices = route({
  method: 'GET', path: '/admin/price-lists/:priceListId/prices', access: { permission: 'pricing:read' }, tags, params,
  summary: 'List the prices in a price list by variant',
  query: Type.Object({ ...PageQuery, variantId: Type.Optional(Id) }),
  response: { 200: Page(VariantPrices) }, problems: [PriceListNotFound, InvalidCursor],
  async run({ db, params: { priceListId }, query: { limit = 20, cursor, variantId = null } }) {
    const after = idAfter(cursor)
    await getPriceList(db, priceListId)
    const rows = await db.many(VariantPrices, sql`
      select variant_id as "variantId", jsonb_agg(jsonb_build_object(
        'minQuantity', min_quantity, 'unitMinor', unit_minor, 'perUnits', per_units,
        'compareAtMinor', compare_at_minor) order by min_quantity) as prices
      from pricing.price
      where price_list_id = ${priceListId} and (${variantId}::uuid is null or variant_id = ${variantId}::uuid)
        and (${after}::uuid is null or variant_id > ${after}::uuid)
      group by variant_id order by variant_id limit ${limit + 1}`)
    return page(rows, limit, (row) => row.variantId)
  },
})

const putPrices = route({
  method: 'PUT', path: '/admin/price-lists/:priceListId/prices', access: { permission: 'pricing:write' }, tags, params,
  summary: 'Replace the prices of up to 1,000 variants in a price list',
  body: Type.Object({ items: Type.Array(NewVariantPrices, { minItems: 1, maxItems: 1000 }) }),
  response: { 200: Type.Object({ changed: Type.Integer({ description: 'Variants whose price is another now' }) }) },
  problems: [PriceListNotFound, InvalidValue],
  async run({ db, context, params: { priceListId }, body }) {
    const items = body.items.map((item) => ({ ...item, variantId: item.variantId.toLowerCase() }))
    await checkItems(db, items)
    const prices = items.flatMap(({ variantId, prices: breaks }) =>
      breaks.map((price) => ({ priceListId, variantId, minQuantity: 1, ...price })))
    return db.transaction(context, async (tx) => {
      await getPriceList(tx, priceListId)
      const removed = await removePrices(tx, priceListId, items.map((item) => item.variantId), prices)
      const changed = await setPrices(tx, prices)
      return { changed: new Set([...removed, ...changed]).size }
    })
  },
})

async function checkItems(conn: Conn, items: readonly Static<typeof NewVariantPrices>[]): Promise<void> {
  const known = new Set((await getVariants(conn, items.map((item) => item.variantId))).map((variant) => variant.id))
  const seen = new Set<string>()
  const fields = items.flatMap(({ variantId, prices }, index) => {
    const path = `body/items/${index}`
    if (!known.has(variantId)) return [{ path: `${path}/variantId`, message: 'is no variant' }]
    if (seen.has(variantId)) return [{ path: `${path}/variantId`, message: 'is in an item before this one' }]
    seen.add(variantId)
    const distinct = new Set(prices.map((price) => price.minQuantity ?? 1)).size === prices.length
    return distinct ? [] : [{ path: `${path}/prices`, message: 'has two prices from the same minQuantity' }]
  })
  if (fields.length > 0) throw InvalidValue({ fields })
}

export const priceRoutes = [listPrices, putPrices]
