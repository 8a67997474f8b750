// What products cost and whether they are there. A card says what the views of pricing and inventory say at this
// moment, read for the few products of a page one by one (`offset 0` keeps the planner from making that a join, which
// would read both views whole). Which products are listed, and in which order, is decided by browse.offer: it follows
// those views (refresh-offers.ts) and has the indexes for it.

import { Type, type Static } from 'typebox'
import { none, replanned, sql, type Conn, type Statement } from '../../platform/db.ts'
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
 * The products with a variant that costs within the bounds; of those variants one that can be had (`inStock` true), or
 * none (false). For `among` of a search; undefined when nothing is asked.
 */
export function offered({ channelId, currency }: Market, filter: OfferFilter): SearchFilter['among'] {
  if (Object.values(filter).every((value) => value === undefined)) return undefined
  return {
    ids: sql`select offer.product_id from browse.offer where ${of({ channelId, currency })} ${fits(filter)}`,
    key: JSON.stringify([currency, filter.minMinor, filter.maxMinor, filter.inStock]),
  }
}

const of = ({ channelId, currency }: Market): Statement =>
  sql`offer.channel_id = ${channelId} and offer.currency = ${currency}`

// The bounds of lowest and highest say nothing more: they are there for the index. minMinor is not above maxMinor: the
// route refuses that.
function fits({ minMinor, maxMinor, inStock }: OfferFilter): Statement {
  if (minMinor === undefined && maxMinor === undefined) {
    return inStock === undefined ? none : sql`and ${inStock ? none : sql`not`} offer.in_stock`
  }
  const within = sql`numrange(${minMinor ?? null}::numeric, ${maxMinor ?? null}::numeric, '[]')`
  return sql`
    ${maxMinor === undefined ? none : sql`and offer.lowest <= ${maxMinor}::numeric`}
    ${minMinor === undefined ? none : sql`and offer.highest >= ${minMinor}::numeric`}
    and ${inStock ? sql`offer.prices_in_stock` : sql`offer.prices`} && ${within}
    ${inStock === false ? sql`and not offer.prices_in_stock && ${within}` : none}`
}

const Priced = Type.Object({ productId: Type.String(), key: Type.String() })
// A price as it stands in a cursor: digits of a numeric, nothing else.
const PriceKey = Type.String({ pattern: '^[0-9]{1,16}(\\.[0-9]{1,40})?$' })

type PricePage = OfferFilter & { limit: number, cursor?: string | undefined, descending: boolean }

/** A page of what matches, by the price of the cheapest variant. Throws InvalidCursor. */
export async function pageByPrice(
  conn: Conn, market: Market, filter: SearchFilter, { limit, cursor, descending, ...bounds }: PricePage,
): Promise<{ productIds: string[], nextCursor: string | null }> {
  const [after, id] = cursor ? decodeCursor(cursor, [PriceKey, Id]) : []
  const direction = descending ? sql`desc` : none
  const beyond = descending ? sql`<` : sql`>`
  const rows = await conn.many(Priced, replanned(sql`
    select offer.product_id as "productId", offer.lowest::text as key
    from browse.offer join (${matchingProducts(filter)}) as matching on matching.product_id = offer.product_id
    where ${of(market)} ${fits(bounds)}
      ${id ? sql`and (offer.lowest, offer.product_id) ${beyond} (${after}::numeric, ${id}::uuid)` : none}
    order by offer.lowest ${direction}, offer.product_id ${direction}
    limit ${limit + 1}`))
  const last = rows[limit - 1]
  return {
    productIds: rows.slice(0, limit).map((row) => row.productId),
    nextCursor: rows.length > limit && last ? encodeCursor([last.key, last.productId]) : null,
  }
}
