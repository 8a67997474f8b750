// The prices that a shopper sees beside goods: one statement for any number of variants, by the same rule as the quote.
import { Type, type Static } from 'typebox'
import { sql, type Conn } from '../../platform/db.ts'
import { nullable } from './pricing.ts'

const Step = Type.Object({
  minQuantity: Type.Integer(), unitMinor: Type.Integer(), perUnits: Type.Integer(),
  compareAtMinor: nullable(Type.Integer()),
})
export const VariantPrice = Type.Object({
  variantId: Type.String(),
  /** From the smallest quantity up; each price holds until the next. The first is mostly the price of one. */
  steps: Type.Array(Step, { minItems: 1 }),
})
export type VariantPrice = Static<typeof VariantPrice>

/** The price of each variant at every quantity where it changes. A variant without a price is absent. */
export async function priceVariants(
  conn: Conn, { channelId, currency }: { channelId: string; currency: string }, variantIds: readonly string[],
): Promise<VariantPrice[]> {
  const prices = await conn.many(VariantPrice, sql`
    select threshold.variant_id as "variantId", jsonb_agg(jsonb_build_object(
      'minQuantity', threshold.min_quantity, 'unitMinor', price.unit_minor, 'perUnits', price.per_units,
      'compareAtMinor', price.compare_at_minor) order by threshold.min_quantity) as steps
    from (
      select distinct variant_id, min_quantity from pricing.live_price
      where variant_id = any(${variantIds}::uuid[]) and channel_id = ${channelId} and currency = ${currency}
    ) threshold
    cross join lateral (
      select unit_minor, per_units, compare_at_minor
      from pricing.live_price
      where live_price.variant_id = threshold.variant_id and channel_id = ${channelId} and currency = ${currency}
        and min_quantity <= threshold.min_quantity
      order by priority desc, price_list_id desc, min_quantity desc
      limit 1
    ) price
    group by threshold.variant_id`)
  return prices.map(({ variantId, steps }) => ({
    variantId, steps: steps.filter((step, index) => !same(step, steps[index - 1])),
  }))
}

// A break of a list that another list overrides changes nothing.
function same(step: Static<typeof Step>, before: Static<typeof Step> | undefined): boolean {
  return step.unitMinor === before?.unitMinor && step.perUnits === before.perUnits
    && step.compareAtMinor === before.compareAtMinor
}
