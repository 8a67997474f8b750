// What a cart costs. One statement reads every fact, for one line as for a hundred, or makes sure that the facts in
// memory still hold, and calculate-quote.ts does the arithmetic. Nothing that a shopper sends is believed but which
// variants, how many, where to, and which codes.
import { Type } from 'typebox'
import { sql, type Conn, type Statement } from '../../platform/db.ts'
import { haveChanged, type Validity } from '../../platform/terms.ts'
import { calculateQuote, Candidate, DeliveryRate, PricedLine, TaxRate } from './calculate-quote.ts'
import { keeping, recallFacts } from './internal/kept-facts.ts'
import { customerScope } from './internal/scope.ts'
import {
  CurrencyNotOffered, normalizeCode, nullable, VariantUnavailable, type Quote, type QuoteRequest,
} from './pricing.ts'

const Facts = Type.Object({
  snapshot: Type.String(),
  until: nullable(Type.String()),
  outdated: Type.Boolean(),
  pricesIncludeTax: Type.Boolean(),
  currencies: Type.Array(Type.String()),
  lines: Type.Array(PricedLine),
  missing: VariantUnavailable.extra.properties.lines,
  taxRates: Type.Array(TaxRate),
  deliveryRates: Type.Array(DeliveryRate),
  candidates: Type.Array(Candidate),
})

/**
 * Throws CurrencyNotOffered (a channel that is switched off offers none), VariantUnavailable naming every such line,
 * QuoteTooLarge, ShippingMethodNotAvailable and, unless the policy is 'report', CouponNotApplicable naming every such
 * coupon. Lines of the same variant become one. It changes nothing.
 */
export async function quote(conn: Conn, request: QuoteRequest): Promise<Quote> {
  const { currency, shippingMethodId = null, couponPolicy = 'refuse' } = request
  const couponCodes = [...new Set(request.couponCodes.map(normalizeCode))]
  const known = await recallFacts(conn, request)
  if (known) return calculateQuote({ ...known, currency, shippingMethodId, couponCodes, couponPolicy })
  const { kept, keep } = keeping(conn, request)
  const found = await conn.maybe(Facts, readFacts(request, couponCodes, kept))
  const offered = found?.currencies ?? []
  if (!found || !offered.includes(currency)) {
    throw CurrencyNotOffered({ currency, offered }, `Offered here: ${offered.join(', ') || 'none at present'}.`)
  }
  const { missing, currencies: _, snapshot, until, outdated, ...facts } = found
  if (missing.length > 0) {
    throw VariantUnavailable({ lines: missing },
      'Remove these lines: they are not on sale here, or have no price in this currency.')
  }
  keep({ facts, validity: { snapshot, until }, outdated })
  return calculateQuote({ ...facts, currency, shippingMethodId, couponCodes, couponPolicy })
}

// A plan for these very values must look no cheaper than one for any values, else PostgreSQL plans the statement anew
// for each cart: that takes 5 ms, and running it half of one. So the values come out of a materialized request.
function readFacts(request: QuoteRequest, couponCodes: string[], kept: Validity | undefined): Statement {
  const { channelId, currency, country = null, region = null, lines, shippingMethodId = null, customerKey } = request
  return sql`
    with request as materialized (
      select ${channelId}::uuid as channel_id, ${currency}::text as currency, ${country}::text as country,
        ${region}::text as region, ${shippingMethodId}::uuid as shipping_method_id, ${couponCodes}::text[] as codes,
        ${customerKey ? customerScope(customerKey) : null}::text as customer,
        ${lines.map((line) => line.variantId)}::uuid[] as variant_ids,
        ${lines.map((line) => line.quantity)}::int[] as quantities
    )
    select channel.prices_include_tax as "pricesIncludeTax", channel.currencies, goods.lines, goods.missing,
      pg_current_snapshot()::text as snapshot, least(goods.sold_until, (${nextChange})) as until,
      ${haveChanged(kept)} as outdated,
      (${taxRates}) as "taxRates", (${deliveryRates}) as "deliveryRates", (${candidates}) as candidates
    from request
    join catalog.selling_channel channel on channel.channel_id = request.channel_id
    cross join lateral (${goods}) goods`
}

const goods = sql`
  select
    coalesce(jsonb_agg(jsonb_build_object(
      'variantId', wanted.variant_id, 'productId', variant.product_id, 'sku', variant.sku,
      'productTitle', variant.product_title, 'variantTitle', variant.variant_title, 'imageUrl', variant.image_url,
      'requiresShipping', variant.requires_shipping, 'weightGrams', coalesce(variant.weight_grams, 0),
      'taxClass', variant.tax_class, 'quantity', wanted.quantity,
      'unitMinor', price.unit_minor, 'perUnits', price.per_units, 'compareAtMinor', price.compare_at_minor
    ) order by wanted.position) filter (where fault.reason is null), '[]') as lines,
    coalesce(jsonb_agg(jsonb_build_object('variantId', wanted.variant_id, 'reason', fault.reason)
      order by wanted.position) filter (where fault.reason is not null), '[]') as missing,
    min(variant.sold_until) as sold_until
  from (
    select variant_id, sum(quantity) as quantity, min(position) as position
    from unnest(request.variant_ids, request.quantities) with ordinality as line (variant_id, quantity, position)
    group by variant_id
  ) wanted
  left join catalog.sellable_variant variant
    on variant.variant_id = wanted.variant_id and variant.channel_id = request.channel_id
  left join lateral (
    select unit_minor, per_units, compare_at_minor
    from pricing.live_price
    where live_price.variant_id = wanted.variant_id and min_quantity <= wanted.quantity
      and live_price.channel_id = request.channel_id and live_price.currency = request.currency
    order by priority desc, price_list_id desc, min_quantity desc
    limit 1
  ) price on true
  cross join lateral (
    select case when variant.variant_id is null then 'not_sold' when price.unit_minor is null then 'no_price' end
  ) fault (reason)`

// When time alone changes what is read here: a list or an automatic promotion begins or ends.
const nextChange = sql`
  select min(moment) from (
    select unnest(array[starts_at, ends_at]) as moment from pricing.price_list
    where price_list.channel_id = request.channel_id and price_list.currency = request.currency
    union all
    select unnest(array[starts_at, ends_at]) from pricing.promotion where automatic and active
  ) as change where moment > now()`

const taxRates = sql`
  select coalesce(jsonb_agg(jsonb_build_object('region', region, 'taxClass', tax_class, 'ratePpm', rate_ppm)), '[]')
  from pricing.tax_rate rate
  where rate.country = coalesce(request.country, channel.country)
    and (rate.region is null or rate.region = request.region)`

const deliveryRates = sql`
  select coalesce(jsonb_agg(jsonb_build_object(
    'methodId', method_id, 'code', code, 'name', name, 'taxClass', tax_class, 'amountMinor', amount_minor,
    'minWeightGrams', min_weight_grams, 'maxWeightGrams', max_weight_grams,
    'minSubtotalMinor', min_subtotal_minor, 'maxSubtotalMinor', max_subtotal_minor)), '[]')
  from shipping.offered_rate rate
  where method_id = request.shipping_method_id and rate.country = coalesce(request.country, channel.country)
    and rate.currency = request.currency and (rate.channel_id is null or rate.channel_id = request.channel_id)`

// Automatic promotions that have not ended, and whatever the codes open, each with the first reason against it. The
// counts only spare a shopper from a coupon that is used up: what decides is the CHECK in use-coupons.ts.
const usedBy = (scope: Statement) => sql`coalesce((
  select used from pricing.use_count where use_count.promotion_id = (promotion).id and scope = ${scope}), 0)`
const candidates = sql`
  select coalesce(jsonb_agg(jsonb_build_object(
    'promotionId', (promotion).id, 'code', (coupon).code, 'name', (promotion).name, 'kind', (promotion).kind,
    'ratePpm', (promotion).rate_ppm, 'amountMinor', (promotion).amount_minor, 'combines', (promotion).combines,
    'priority', (promotion).priority, 'productIds', to_jsonb((promotion).product_ids),
    'minimumSubtotalMinor', (promotion).minimum_subtotal_minor,
    'limited', coalesce((promotion).use_limit, (promotion).use_limit_per_customer, (coupon).use_limit) is not null,
    'refusal', case
      when not (promotion).active or not coalesce((coupon).active, true) then 'inactive'
      when greatest((promotion).starts_at, (coupon).starts_at) > now() then 'not_started'
      when least((promotion).ends_at, (coupon).ends_at) <= now() then 'ended'
      when (promotion).channel_id <> request.channel_id then 'other_channel'
      when (promotion).currency <> request.currency then 'other_currency'
      when ${usedBy(sql`'all'`)} >= (promotion).use_limit then 'exhausted'
      when ${usedBy(sql`'code:' || (coupon).code`)} >= (coupon).use_limit then 'exhausted'
      when ${usedBy(sql`request.customer`)} >= (promotion).use_limit_per_customer then 'exhausted_for_customer'
    end)), '[]')
  from (
    select promotion, null::pricing.coupon as coupon from pricing.promotion
    where automatic and active and (ends_at is null or ends_at > now())
    union all
    select promotion, coupon from pricing.coupon join pricing.promotion on promotion.id = coupon.promotion_id
    where coupon.code = any(request.codes)
  ) opened`
