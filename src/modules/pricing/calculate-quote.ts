// The arithmetic of a quote, pure: facts in, quote out. Whoever changes a rule below changes what people pay: the
// properties in calculate-quote.test.ts say what must stay true of all of them.
import { Type, type Static } from 'typebox'
import { allocate, multiplyDivide, partsPerMillion, PPM, sum } from '../../platform/money.ts'
import {
  CouponNotApplicable, CouponRefusal, MAX_AMOUNT_MINOR, nullable, QuoteLine, QuoteTooLarge, ShippingMethodNotAvailable,
  type Quote,
} from './pricing.ts'

const Text = Type.String()
const Whole = Type.Integer()

export const PricedLine = Type.Object({
  ...Type.Omit(QuoteLine, ['taxRatePpm', 'subtotalMinor', 'discountMinor', 'taxMinor', 'totalMinor']).properties,
  taxClass: Text,
})
export const TaxRate = Type.Object({ region: nullable(Text), taxClass: Text, ratePpm: Whole })
export const DeliveryRate = Type.Object({
  methodId: Text, code: Text, name: Text, taxClass: Text, amountMinor: Whole,
  minWeightGrams: nullable(Whole), maxWeightGrams: nullable(Whole),                 // maxima are exclusive
  minSubtotalMinor: nullable(Whole), maxSubtotalMinor: nullable(Whole),
})
export const Candidate = Type.Object({
  promotionId: Text, code: nullable(Text), name: Text,
  kind: Type.Enum(['percentage', 'amount', 'free_delivery']), ratePpm: nullable(Whole), amountMinor: nullable(Whole),
  combines: Type.Boolean(), priority: Whole, productIds: nullable(Type.Array(Text)),
  minimumSubtotalMinor: nullable(Whole), limited: Type.Boolean(), refusal: nullable(CouponRefusal),
})
type PricedLine = Static<typeof PricedLine>
type TaxRate = Static<typeof TaxRate>
type DeliveryRate = Static<typeof DeliveryRate>
type Candidate = Static<typeof Candidate>
type Goods = (PricedLine & { subtotalMinor: number })[]

export type QuoteInput = {
  currency: string
  pricesIncludeTax: boolean
  lines: PricedLine[]              // each variant once
  taxRates: TaxRate[]              // of the country, and of the region where there is one
  shippingMethodId: string | null
  deliveryRates: DeliveryRate[]    // of that method, for the place and currency
  candidates: Candidate[]          // automatic promotions, and those that the codes below open
  couponCodes: string[]
  couponPolicy: 'refuse' | 'report'
}

/**
 * The rules. Every rounding is half away from zero.
 * - A line is unit price × quantity ÷ units per price, rounded once.
 * - Delivery is chosen by the weight of what must be sent and by the value of all goods before discounts: a coupon
 *   never makes delivery dearer.
 * - Promotions that combine apply together, the higher priority first, each on what the one before left. A promotion
 *   that does not combine applies alone. Of these alternatives the shopper gets the one that takes most off.
 * - A discount is computed on the sum of its lines and split over them by largest remainder: lines always add up, and
 *   none falls below zero. Lines are taken in the order of their variants, so the order of a cart changes no amount.
 * - Tax is computed for each line and for the delivery, after discounts: out of the amount where prices include it, on
 *   top of it where they do not.
 *
 * Throws QuoteTooLarge, ShippingMethodNotAvailable and, unless asked only to report, CouponNotApplicable.
 */
export function calculateQuote(input: QuoteInput): Quote {
  const { currency, pricesIncludeTax } = input
  const goods = valueGoods(input.lines)
  const subtotalMinor = sum(goods.map((line) => line.subtotalMinor))
  const rate = chooseRate(input, goods, subtotalMinor)
  const shippingMinor = rate?.amountMinor ?? 0
  const { usable, unused } = sortOut(input, goods, subtotalMinor)
  const best = bestOf(alternatives(usable).map((promotions) => takeOff(goods, shippingMinor, promotions)))
  const unusedCoupons = [...unused, ...withoutEffect(usable, best)]

  const settle = (amountMinor: number, discountMinor: number, taxClass: string) => {
    const taxRatePpm = findTaxRate(input.taxRates, taxClass)
    const left = amountMinor - discountMinor
    const taxMinor = taxOf(left, taxRatePpm, pricesIncludeTax)
    return { discountMinor, taxRatePpm, taxMinor, totalMinor: pricesIncludeTax ? left : left + taxMinor }
  }
  const settled = new Map(goods.map(({ taxClass, ...line }, index) =>
    [line.variantId, { ...line, ...settle(line.subtotalMinor, best.lineMinor[index]!, taxClass) }]))
  const lines = input.lines.map((line) => settled.get(line.variantId)!)
  const shipping = rate && {
    methodId: rate.methodId, code: rate.code, name: rate.name, amountMinor: rate.amountMinor,
    ...settle(rate.amountMinor, best.shippingMinor, rate.taxClass),
  }
  const parts = shipping ? [...lines, shipping] : lines
  const promotions = best.taken.filter(({ amountMinor }) => amountMinor > 0).map(({ promotion, amountMinor }) => {
    const { promotionId, code, name, limited } = promotion
    return { promotionId, code, name, amountMinor, limited }
  })
  return {
    currency, pricesIncludeTax, lines, shipping, promotions, unusedCoupons, subtotalMinor, shippingMinor,
    discountMinor: sum(parts.map((part) => part.discountMinor)),
    taxMinor: sum(parts.map((part) => part.taxMinor)),
    totalMinor: sum(parts.map((part) => part.totalMinor)),
  }
}

/** The tax in an amount (included), or on it. */
export function taxOf(amountMinor: number, ratePpm: number, included: boolean): number {
  return included ? multiplyDivide(amountMinor, ratePpm, PPM + ratePpm) : partsPerMillion(amountMinor, ratePpm)
}

/** See schema.sql, tax_rate. The class 'zero' means no tax wherever a place does not say otherwise. */
export function findTaxRate(rates: TaxRate[], taxClass: string): number {
  const find = (wanted: string) => {
    const named = rates.filter((rate) => rate.taxClass === wanted)
    return named.find((rate) => rate.region !== null) ?? named[0]
  }
  const rate = find(taxClass) ?? (taxClass === 'zero' ? undefined : find('standard'))
  return rate?.ratePpm ?? 0
}

function valueGoods(lines: PricedLine[]): Goods {
  const roughly = lines.reduce((total, line) => total + line.unitMinor * line.quantity / line.perUnits, 0)
  if (roughly > MAX_AMOUNT_MINOR) {
    throw QuoteTooLarge({ maximumMinor: MAX_AMOUNT_MINOR }, 'Split the goods over several orders.')
  }
  return lines
    .map((line) => ({ ...line, subtotalMinor: multiplyDivide(line.unitMinor, line.quantity, line.perUnits) }))
    .sort((a, b) => (a.variantId < b.variantId ? -1 : 1))
}

function chooseRate(input: QuoteInput, goods: Goods, subtotalMinor: number): DeliveryRate | null {
  const sent = goods.filter((line) => line.requiresShipping)
  if (input.shippingMethodId === null || sent.length === 0) return null
  const weightGrams = sent.reduce((total, line) => total + line.weightGrams * line.quantity, 0)
  const rate = input.deliveryRates.find((step) =>
    weightGrams >= (step.minWeightGrams ?? 0) && weightGrams < (step.maxWeightGrams ?? Infinity)
    && subtotalMinor >= (step.minSubtotalMinor ?? 0) && subtotalMinor < (step.maxSubtotalMinor ?? Infinity))
  if (rate) return rate
  throw ShippingMethodNotAvailable(
    { shippingMethodId: input.shippingMethodId }, 'Choose one of the deliveries offered for this cart and address.')
}

function sortOut(input: QuoteInput, goods: Goods, subtotalMinor: number) {
  const usable = new Map<string, Candidate>()
  const unused: Quote['unusedCoupons'] = []
  const refusalOf = (candidate: Candidate): CouponRefusal | null => {
    if (candidate.refusal) return candidate.refusal
    if (usable.has(candidate.promotionId)) return 'no_effect'               // two codes of one promotion count once
    if (subtotalMinor < (candidate.minimumSubtotalMinor ?? 0)) return 'minimum_not_met'
    return goods.some((line) => covers(candidate, line)) ? null : 'no_matching_product'
  }
  const consider = (candidate: Candidate) => {
    const reason = refusalOf(candidate)
    if (!reason) usable.set(candidate.promotionId, candidate)
    else if (candidate.code) unused.push({ code: candidate.code, reason })
  }
  input.candidates.filter(({ code }) => code === null).forEach(consider)
  for (const code of input.couponCodes) {
    const candidate = input.candidates.find((each) => each.code === code)
    if (candidate) consider(candidate)
    else unused.push({ code, reason: 'unknown' })
  }
  const faulty = unused.filter(({ reason }) => reason !== 'no_effect')
  if (faulty.length > 0 && input.couponPolicy === 'refuse') {
    const detail = faulty.map(({ code, reason }) => `${code}: ${reason.replaceAll('_', ' ')}`).join('; ')
    throw CouponNotApplicable({ coupons: faulty }, `${detail}. Remove the coupon, or meet its condition.`)
  }
  const order = (a: Candidate, b: Candidate) => b.priority - a.priority || (a.promotionId < b.promotionId ? -1 : 1)
  return { usable: [...usable.values()].sort(order), unused }
}

function covers(promotion: Candidate, line: PricedLine): boolean {
  return promotion.productIds === null || promotion.productIds.includes(line.productId)
}

function alternatives(promotions: Candidate[]): Candidate[][] {
  const { together = [], alone = [] } = Object.groupBy(promotions, ({ combines }) => (combines ? 'together' : 'alone'))
  return [together, ...alone.map((one) => [one])]
}

type Discounts = {
  taken: { promotion: Candidate; amountMinor: number }[]
  lineMinor: number[]              // by the index of goods
  shippingMinor: number
  totalMinor: number
}

function takeOff(goods: Goods, shippingMinor: number, promotions: Candidate[]): Discounts {
  const lineMinor = goods.map(() => 0)
  let shippingTaken = 0
  const taken = promotions.map((promotion) => {
    if (promotion.kind === 'free_delivery') {
      const amountMinor = shippingMinor - shippingTaken
      shippingTaken = shippingMinor
      return { promotion, amountMinor }
    }
    const left = goods.map((line, index) => (covers(promotion, line) ? line.subtotalMinor - lineMinor[index]! : 0))
    const base = sum(left)
    const amountMinor = promotion.kind === 'percentage'
      ? partsPerMillion(base, promotion.ratePpm ?? 0)
      : Math.min(promotion.amountMinor ?? 0, base)
    allocate(amountMinor, left).forEach((share, index) => { lineMinor[index]! += share })
    return { promotion, amountMinor }
  })
  const totalMinor = sum(taken.map(({ amountMinor }) => amountMinor))
  return { taken, lineMinor, shippingMinor: shippingTaken, totalMinor }
}

/** The first of the largest, so that promotions which combine win a tie. */
function bestOf(discounts: Discounts[]): Discounts {
  return discounts.reduce((best, other) => (other.totalMinor > best.totalMinor ? other : best))
}

function withoutEffect(usable: Candidate[], best: Discounts): Quote['unusedCoupons'] {
  return usable.flatMap((promotion) => {
    const taken = best.taken.find((each) => each.promotion === promotion)
    if (promotion.code === null || (taken && taken.amountMinor > 0)) return []
    const reason: CouponRefusal = taken || best.totalMinor === 0 ? 'no_effect' : 'better_offer'
    return [{ code: promotion.code, reason }]
  })
}
