// What the past of the demo shop is made of, read from the shop as it was seeded: its goods and prices, rates of
// delivery, promotions.
import { Type } from 'typebox'
import { Candidate, DeliveryRate, PricedLine } from '../src/modules/pricing/calculate-quote.ts'
import { sql, type Db } from '../src/platform/db.ts'
import { goods } from './goods.ts'
import { channel, locations, taxRates } from './market.ts'
import type { Facts } from './past.ts'

const Good = Type.Object({ currency: Type.String(), handle: Type.String(), ...PricedLine.properties })
const Rate = Type.Object({ country: Type.String(), currency: Type.String(), ...DeliveryRate.properties })
const Place = Type.Object({ id: Type.String() })
const Promotion = Type.Object({ currency: Type.String(), ...Candidate.properties })

/** Undefined for a shop that is not the demo. */
export async function readFacts(db: Db): Promise<Facts | undefined> {
  const shop = await db.maybe(Place, sql`select id from catalog.channel where code = ${channel.code}`)
  const places = await db.many(Place, sql`
    select id from inventory.location where code = any (${locations.map(({ code }) => code)}) order by priority`)
  if (!shop || places.length < locations.length) return undefined
  const [lines, rates, promotions] = await Promise.all([
    readGoods(db, shop.id),
    db.many(Rate, sql`
      select method_id as "methodId", code, name, tax_class as "taxClass", amount_minor as "amountMinor", country,
      currency,
        min_weight_grams as "minWeightGrams", max_weight_grams as "maxWeightGrams",
        min_subtotal_minor as "minSubtotalMinor",
        max_subtotal_minor as "maxSubtotalMinor"
      from shipping.offered_rate where amount_minor is not null order by code, currency, country, min_weight_grams`),
    db.many(Promotion, sql`
      select currency, id as "promotionId", null as code, name, kind, rate_ppm as "ratePpm",
      amount_minor as "amountMinor", combines,
        priority, product_ids as "productIds", minimum_subtotal_minor as "minimumSubtotalMinor", false as limited,
          null as refusal
      from pricing.promotion where automatic and active and currency is not null order by name`),
  ])
  if (lines.length === 0) return undefined
  return {
    channelId: shop.id, locationIds: places.map(({ id }) => id), rates,
    goods: Object.groupBy(lines, ({ currency }) => currency) as Facts['goods'],
    promotions: Object.groupBy(promotions, ({ currency }) => currency) as Facts['promotions'],
    taxRates: taxRates.map(({ country, taxClass, ratePpm }) => ({ country, region: null, taxClass, ratePpm })),
  }
}

/** The demo's own goods in the order of their SKUs, each variant of a best seller five times as likely as another. */
async function readGoods(
  db: Db, channelId: string,
): Promise<(Facts['goods'][string][number] & { currency: string })[]> {
  const rows = await db.many(Good, sql`
    select price.currency, product_handle as handle, variant_id as "variantId", product_id as "productId", sku,
      product_title as "productTitle", variant_title as "variantTitle", image_url as "imageUrl",
      requires_shipping as "requiresShipping", weight_grams as "weightGrams", 1 as quantity,
      price.unit_minor as "unitMinor", price.per_units as "perUnits",
      price.compare_at_minor as "compareAtMinor", tax_class as "taxClass"
    from catalog.sellable_variant variant
    join pricing.current_price price using (variant_id, channel_id)
    where channel_id = ${channelId} order by sku, price.currency`)
  const popularity = new Map(goods.map(({ handle, tags, options = [] }) => {
    const variants = options.reduce((count, { values }) => count * values.length, 1)
    return [handle, (tags.includes('bestseller') ? 5 : 1) / variants]
  }))
  return rows.flatMap(({ handle, ...line }) =>
    (popularity.has(handle) ? [{ ...line, popularity: popularity.get(handle)! }] : []))
}
