// What products cost and whether they are there, read across the views that pricing and inventory publish: one
// statement for any number of products. The few of a page are looked up one by one (`offset 0` keeps the planner from
// making that a join, which would read both views whole); for the many that a filter goes through a join is right.

import { Type, type Static } from 'typebox'
import { none, sql, type Conn, type Statement } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id } from '../../platform/http.ts'
import { nullable } from '../catalog/catalog.ts'
import { matchingProducts, type SearchFilter } from '../catalog/matching-products.ts'

export type Market = { channelId: string, currency: string }

const Offer = Type.Object({
  productId: Type.String(),
  unitMinor: Type.Integer(), perUnits: Type.Integer(), compareAtMinor: nullable(Type.Integer()),
  pricesVary: Type.Boolean(), tracked: Type.Boolean(), available: Type.Integer(), backorder: Type.Boolean(),
})
export type Offer = Static<typeof Offer>

/** What a unit costs: prices finer than a cent name how many units they buy. */
const unitPrice = sql`price.unit_minor::numeric / price.per_units`

// A variant that inventory does not know is counted and has none.
const CAN_BE_HAD = sql`coalesce(not stock.tracked or stock.available > 0 or stock.backorder, false)`

/** The offers of these products: the price of their cheapest variant, the stock of all. Without a price: absent. */
export function readOffers(
  conn: Conn, { channelId, currency }: Market, productIds: readonly string[],
): Promise<Offer[]> {
  return conn.many(Offer, sql`
    select variant.product_id as "productId",
      (array_agg(price.unit_minor order by ${unitPrice}))[1] as "unitMinor",
      (array_agg(price.per_units order by ${unitPrice}))[1] as "perUnits",
      (array_agg(price.compare_at_minor order by ${unitPrice}))[1] as "compareAtMinor",
      count(distinct ${unitPrice}) > 1 as "pricesVary",
      bool_and(coalesce(stock.tracked, true)) as tracked,
      coalesce(sum(stock.available), 0) as available,
      coalesce(bool_or(stock.backorder), false) as backorder
    from catalog.sellable_variant as variant
    cross join lateral (
      select unit_minor, per_units, compare_at_minor from pricing.current_price
      where channel_id = ${channelId} and currency = ${currency} and variant_id = variant.variant_id offset 0
    ) as price
    left join lateral (
      select tracked, backorder, available from inventory.variant_availability
      where variant_id = variant.variant_id offset 0
    ) as stock on true
    where variant.channel_id = ${channelId} and variant.product_id = any(${[...productIds]}::uuid[])
    group by variant.product_id`)
}

export type OfferFilter = {
  minMinor?: number | undefined, maxMinor?: number | undefined, inStock?: boolean | undefined,
}

/**
 * The products of a category or collection (or all) with a variant that costs within the bounds; of those variants one
 * that can be had (`inStock` true), or none (false).
 */
export async function findOffered(
  conn: Conn, market: Market, among: SearchFilter, filter: OfferFilter,
): Promise<string[]> {
  const rows = await conn.many(Type.Object({ productId: Type.String() }), sql`
    select variant.product_id as "productId"
    from ${offered(market, filter)}
      and variant.product_id in (select product_id from (${matchingProducts(among)}) as matching)
    group by variant.product_id
    ${filter.inStock === undefined ? none : sql`having bool_or(${CAN_BE_HAD}) = ${filter.inStock}`}`)
  return rows.map((row) => row.productId)
}

function offered({ channelId, currency }: Market, { minMinor, maxMinor, inStock }: OfferFilter): Statement {
  return sql`catalog.sellable_variant as variant
    join pricing.current_price as price
      on price.variant_id = variant.variant_id and price.channel_id = ${channelId} and price.currency = ${currency}
    ${inStock === undefined ? none
      : sql`left join inventory.variant_availability as stock on stock.variant_id = variant.variant_id`}
    where variant.channel_id = ${channelId}
      ${minMinor === undefined ? none : sql`and ${unitPrice} >= ${minMinor}`}
      ${maxMinor === undefined ? none : sql`and ${unitPrice} <= ${maxMinor}`}`
}

const Priced = Type.Object({ productId: Type.String(), key: Type.String() })
// A price as it stands in a cursor: digits of a numeric, nothing else.
const PriceKey = Type.String({ pattern: '^[0-9]{1,16}(\\.[0-9]{1,40})?$' })

type PricePage = { limit: number, cursor?: string | undefined, descending: boolean }

/** A page of what matches, by the price of the cheapest variant. Throws InvalidCursor. */
export async function pageByPrice(
  conn: Conn, market: Market, filter: SearchFilter, { limit, cursor, descending }: PricePage,
): Promise<{ productIds: string[], nextCursor: string | null }> {
  const [after, id] = cursor ? decodeCursor(cursor, [PriceKey, Id]) : []
  const direction = descending ? sql`desc` : none
  const beyond = descending ? sql`<` : sql`>`
  const rows = await conn.many(Priced, sql`
    select product_id as "productId", cheapest.key::text as key
    from (
      select variant.product_id, min(${unitPrice}) as key
      from ${offered(market, {})}
        and variant.product_id in (select product_id from (${matchingProducts(filter)}) as matching)
      group by variant.product_id
    ) as cheapest
    ${id ? sql`where (cheapest.key, product_id) ${beyond} (${after}::numeric, ${id}::uuid)` : none}
    order by cheapest.key ${direction}, product_id ${direction}
    limit ${limit + 1}`)
  const last = rows[limit - 1]
  return {
    productIds: rows.slice(0, limit).map((row) => row.productId),
    nextCursor: rows.length > limit && last ? encodeCursor([last.key, last.productId]) : null,
  }
}
