// Writes prices, many at once. It is the way in for the Admin API, imports and demo data alike: set-based, in key
// order (so that two batches cannot deadlock), and silent about prices that stay what they are, so that an import
// that runs again announces nothing.
import { mapConstraint, sql, type Tx } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { announce, Variant } from './internal/announce.ts'
import { PriceListNotFound } from './pricing.ts'

export type SetPrice = {
  variantId: string
  unitMinor: number
  perUnits?: number                // unitMinor buys so many; 1 unless told
  minQuantity?: number             // from this quantity on; 1 unless told
  compareAtMinor?: number | null   // kept only where it is above unitMinor: anything else would be a false reduction
} & ({ priceListId: string } | { channelId: string; currency: string })   // the latter: the base list there

mapConstraint('price_list_fkey', () => PriceListNotFound({}))

/**
 * Answers the variants whose price changed, and publishes PricesChanged for them. Of two prices for one key the last
 * counts. Idempotent.
 */
export async function setPrices(tx: Tx, prices: readonly SetPrice[]): Promise<string[]> {
  await createBaseLists(tx, prices)
  const column = <T>(of: (price: SetPrice) => T) => prices.map(of)
  const changed = await tx.many(Variant, sql`
    with given as (
      select distinct on (variant_id, price_list_id, min_quantity) variant_id,
        coalesce(line.price_list_id, price_list.id) as price_list_id, min_quantity, unit_minor, per_units,
        case when compare_at_minor > unit_minor then compare_at_minor end as compare_at_minor
      from unnest(
        ${column((price) => price.variantId)}::uuid[],
        ${column((price) => ('priceListId' in price ? price.priceListId : null))}::uuid[],
        ${column((price) => ('channelId' in price ? price.channelId : null))}::uuid[],
        ${column((price) => ('currency' in price ? price.currency : null))}::text[],
        ${column((price) => price.minQuantity ?? 1)}::int[], ${column((price) => price.unitMinor)}::bigint[],
        ${column((price) => price.perUnits ?? 1)}::int[], ${column((price) => price.compareAtMinor ?? null)}::bigint[]
      ) with ordinality as line (
        variant_id, price_list_id, channel_id, currency, min_quantity, unit_minor, per_units, compare_at_minor,
        position)
      left join pricing.price_list
        on price_list.channel_id = line.channel_id and price_list.currency = line.currency and price_list.priority = 0
      order by variant_id, price_list_id, min_quantity, position desc
    )
    insert into pricing.price (variant_id, price_list_id, min_quantity, unit_minor, per_units, compare_at_minor)
    select variant_id, price_list_id, min_quantity, unit_minor, per_units, compare_at_minor from given
    order by variant_id, price_list_id, min_quantity
    on conflict (variant_id, price_list_id, min_quantity) do update
      set unit_minor = excluded.unit_minor, per_units = excluded.per_units, compare_at_minor = excluded.compare_at_minor
      where (price.unit_minor, price.per_units, price.compare_at_minor)
        is distinct from (excluded.unit_minor, excluded.per_units, excluded.compare_at_minor)
    returning variant_id as "variantId"`)
  const variantIds = [...new Set(changed.map((row) => row.variantId))]
  await announce(tx, variantIds)
  return variantIds
}

/** Removes the prices of these variants in a list, but for the quantities to keep: the other half of replacing them. */
export async function removePrices(
  tx: Tx, priceListId: string, variantIds: readonly string[],
  keep: readonly { variantId: string; minQuantity: number }[] = [],
): Promise<string[]> {
  const removed = await tx.many(Variant, sql`
    delete from pricing.price
    where price_list_id = ${priceListId} and variant_id = any(${variantIds}::uuid[])
      and (variant_id, min_quantity) not in (
        select * from unnest(
          ${keep.map((price) => price.variantId)}::uuid[], ${keep.map((price) => price.minQuantity)}::int[]))
    returning variant_id as "variantId"`)
  const changed = [...new Set(removed.map((row) => row.variantId))]
  await announce(tx, changed)
  return changed
}

async function createBaseLists(tx: Tx, prices: readonly SetPrice[]): Promise<void> {
  const bases = new Map(prices.flatMap((price) =>
    ('channelId' in price ? [[`${price.channelId} ${price.currency}`, price] as const] : [])))
  if (bases.size === 0) return
  const lists = [...bases.values()]
  await tx.run(sql`
    insert into pricing.price_list (id, channel_id, currency, name)
    select id, channel_id, currency, 'Base prices ' || currency
    from unnest(
      ${lists.map(() => newId())}::uuid[], ${lists.map((list) => list.channelId)}::uuid[],
      ${lists.map((list) => list.currency)}::text[]
    ) as list (id, channel_id, currency)
    order by channel_id, currency
    on conflict (channel_id, currency) where priority = 0 do nothing`)
}
