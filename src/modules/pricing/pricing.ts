// The words of pricing: the quote that every total in the shop comes from, what may be wrong with a request for one,
// and the event that tells when prices moved. The rules of the arithmetic stand in calculate-quote.ts.
import { Type, type Static, type TSchema } from 'typebox'
import { event } from '../../platform/events.ts'
import { Currency, type Money } from '../../platform/money.ts'
import { problem } from '../../platform/problem.ts'

/** The largest price, and the largest sum of goods in one quote: with tax on top it still fits below 2^53. */
export const MAX_AMOUNT_MINOR = 1_000_000_000_000_000

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
export const Minor = Type.Integer({ minimum: 0, maximum: MAX_AMOUNT_MINOR })
const Amount = Type.Integer({ minimum: 0 })
const Text = Type.String()

/** Why a coupon takes nothing off. The last two are no fault: it stays in the cart and may count later. */
export const CouponRefusal = Type.Enum([
  'unknown', 'inactive', 'not_started', 'ended', 'other_channel', 'other_currency', 'exhausted',
  'exhausted_for_customer', 'minimum_not_met', 'no_matching_product', 'better_offer', 'no_effect',
])
export type CouponRefusal = Static<typeof CouponRefusal>
export const UnusedCoupon = Type.Object({ code: Text, reason: CouponRefusal })

export const QuoteLine = Type.Object({
  variantId: Text, productId: Text, sku: Text, productTitle: Text, variantTitle: Text,
  imageUrl: nullable(Text), requiresShipping: Type.Boolean(), weightGrams: Amount,   // of one unit
  quantity: Type.Integer({ minimum: 1 }),
  unitMinor: Amount,                                                                // buys perUnits units
  perUnits: Type.Integer({ minimum: 1 }),
  compareAtMinor: nullable(Amount),
  taxRatePpm: Amount,
  subtotalMinor: Amount, discountMinor: Amount, taxMinor: Amount, totalMinor: Amount,
})
export type QuoteLine = Static<typeof QuoteLine>

/**
 * The whole price of a cart. For a line and for the shipping, totalMinor is what is paid: subtotal (amount) −
 * discount, plus tax where prices do not include it; taxMinor is the tax in it either way. The sums below run over
 * the lines and the shipping: totalMinor = subtotalMinor + shippingMinor − discountMinor (+ taxMinor where prices do
 * not include it).
 */
export const Quote = Type.Object({
  currency: Currency,
  pricesIncludeTax: Type.Boolean(),
  lines: Type.Array(QuoteLine),
  shipping: nullable(Type.Object({
    methodId: Text, code: Text, name: Text,
    amountMinor: Amount, discountMinor: Amount, taxRatePpm: Amount, taxMinor: Amount, totalMinor: Amount,
  })),
  promotions: Type.Array(Type.Object({
    promotionId: Text, code: nullable(Text), name: Text, amountMinor: Amount,
    limited: Type.Boolean({ description: 'Its uses are counted, see useCoupons' }),
  })),
  unusedCoupons: Type.Array(UnusedCoupon),
  subtotalMinor: Amount, shippingMinor: Amount, discountMinor: Amount, taxMinor: Amount, totalMinor: Amount,
})
export type Quote = Static<typeof Quote>

export type QuoteRequest = {
  channelId: string
  currency: string
  country?: string | null          // ISO 3166-1 alpha-2 of the delivery address; the channel's own when absent
  region?: string | null           // ISO 3166-2 without the country
  lines: { variantId: string; quantity: number }[]
  shippingMethodId?: string | null
  couponCodes: string[]
  customerKey?: string | null      // e-mail in lower case or customer id; without it, limits per customer wait
  /** 'refuse' (default) throws CouponNotApplicable; 'report' leaves the coupon out and names it in unusedCoupons. */
  couponPolicy?: 'refuse' | 'report'
}

/** Has the shopper seen this total? Amount and currency must agree. */
export function sameTotal(quote: Quote, expected: Money): boolean {
  return quote.totalMinor === expected.amount && quote.currency === expected.currency
}

/** Codes are typed in any case, with stray blanks, and are kept in upper case. */
export function normalizeCode(code: string): string {
  return code.trim().toUpperCase()
}

export const VariantUnavailable = problem('variant-unavailable', 422, 'Some items cannot be bought here', Type.Object({
  lines: Type.Array(Type.Object({ variantId: Text, reason: Type.Enum(['not_sold', 'no_price']) })),
}))
export const CurrencyNotOffered = problem(
  'currency-not-offered', 422, 'This currency is not offered here',
  Type.Object({ currency: Text, offered: Type.Array(Text) }),
)
export const CouponNotApplicable = problem('coupon-not-applicable', 422, 'A coupon does not apply', Type.Object({
  coupons: Type.Array(UnusedCoupon),
}))
export const CouponExhausted = problem('coupon-exhausted', 409, 'A coupon or promotion has just been used up')
export const ShippingMethodNotAvailable = problem(
  'shipping-method-not-available', 422, 'This delivery is not available for the goods and address',
  Type.Object({ shippingMethodId: Text }),
)
export const QuoteTooLarge = problem(
  'quote-too-large', 422, 'These goods are worth more than one order can hold',
  Type.Object({ maximumMinor: Type.Integer() }),
)
export const PriceListNotFound = problem('price-list-not-found', 404, 'No such price list')
export const BasePriceListExists = problem(
  'base-price-list-exists', 409, 'This channel and currency have a base list already')
export const PromotionNotFound = problem('promotion-not-found', 404, 'No such promotion')
export const CouponNotFound = problem('coupon-not-found', 404, 'No such coupon')
export const CouponCodeTaken = problem('coupon-code-taken', 409, 'Another coupon has this code')
export const TaxRateNotFound = problem('tax-rate-not-found', 404, 'No such tax rate')

/** Prices of these variants may have changed: one was set or removed, or a price list started, ended or was edited. */
export const PricesChanged = event('pricing.prices-changed', Type.Object({ variantIds: Type.Array(Text) }))
