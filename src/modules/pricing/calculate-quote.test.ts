// The arithmetic of quotes, as properties over arbitrary carts, promotions and rates; and the stated rules, as
// examples.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { multiplyDivide, sum } from '../../platform/money.ts'
import { isProblem } from '../../platform/problem.ts'
import { calculateQuote, findTaxRate, taxOf, type QuoteInput } from './calculate-quote.ts'
import { CouponNotApplicable, QuoteTooLarge, ShippingMethodNotAvailable } from './pricing.ts'

type Line = QuoteInput['lines'][number]
type Candidate = QuoteInput['candidates'][number]

const line = (values: Partial<Line> = {}): Line => ({
  variantId: 'v1', productId: 'p1', sku: 'S', productTitle: 'Mug', variantTitle: 'Blue', imageUrl: null,
  requiresShipping: true,
  weightGrams: 300, taxClass: 'standard', quantity: 1, unitMinor: 1000, perUnits: 1, compareAtMinor: null, ...values,
})
const candidate = (values: Partial<Candidate> = {}): Candidate => ({
  promotionId: 'a', code: null, name: 'Ten percent', kind: 'percentage', ratePpm: 100_000, amountMinor: null,
  combines: false,
  priority: 0, productIds: null, minimumSubtotalMinor: null, limited: false, refusal: null, ...values,
})
const amountOff = (amountMinor: number, values: Partial<Candidate> = {}) =>
  candidate({ kind: 'amount', ratePpm: null, amountMinor, ...values })
const rate = (values: Partial<QuoteInput['deliveryRates'][number]> = {}) => ({
  methodId: 'm', code: 'parcel', name: 'Parcel', taxClass: 'standard', amountMinor: 490, minWeightGrams: null,
  maxWeightGrams: null, minSubtotalMinor: null, maxSubtotalMinor: null, ...values,
})
const input = (values: Partial<QuoteInput> = {}): QuoteInput => ({
  currency: 'EUR', pricesIncludeTax: true, lines: [line()],
  taxRates: [{ region: null, taxClass: 'standard', ratePpm: 190_000 }],
  shippingMethodId: null, deliveryRates: [], candidates: [], couponCodes: [], couponPolicy: 'refuse', ...values,
})

const classes = fc.constantFrom('standard', 'reduced', 'zero', 'books')
const lines = fc.uniqueArray(fc.record({
  variantId: fc.stringMatching(/^v[0-9]{1,3}$/), productId: fc.constantFrom('p1', 'p2', 'p3'),
  quantity: fc.integer({ min: 1, max: 1000 }),
  unitMinor: fc.nat(1_000_000), perUnits: fc.constantFrom(1, 1, 1, 100, 1000), taxClass: classes,
  weightGrams: fc.nat(50_000),
  requiresShipping: fc.boolean(),
}), { selector: (each) => each.variantId, maxLength: 30 })
const candidates = fc.array(fc.record({
  promotionId: fc.stringMatching(/^[a-z]{2}$/), kind: fc.constantFrom('percentage', 'amount', 'free_delivery'),
  value: fc.integer({ min: 1, max: 1_000_000 }), combines: fc.boolean(), priority: fc.nat(5),
  productIds: fc.option(fc.subarray(['p1', 'p2', 'p3'], { minLength: 1 })),
  minimumSubtotalMinor: fc.option(fc.nat(100_000)),
}), { maxLength: 8 })
const inputs = fc.record({
  pricesIncludeTax: fc.boolean(), currency: fc.constantFrom('EUR', 'JPY', 'KWD'), lines, candidates,
  rates: fc.array(fc.record({ region: fc.constantFrom(null, 'BY'), taxClass: classes, ratePpm: fc.nat(300_000) }),
    { maxLength: 6 }),
  delivery: fc.option(fc.nat(5_000)),
}).map(({ lines: drawn, candidates: offered, rates, delivery, ...rest }) => input({
  ...rest, taxRates: rates, lines: drawn.map((each) => line(each)),
  shippingMethodId: delivery === null ? null : 'm',
  deliveryRates: delivery === null ? [] : [rate({ amountMinor: delivery })],
  candidates: offered.map(({ kind, value, ...each }) => candidate({
    ...each, kind, ratePpm: kind === 'percentage' ? value : null, amountMinor: kind === 'amount' ? value : null,
  })),
}))

test('everything adds up, and nothing is negative', () => {
  fc.assert(fc.property(inputs, (facts) => {
    const quote = calculateQuote(facts)
    const parts = quote.shipping ? [...quote.lines, quote.shipping] : quote.lines
    assert.equal(quote.totalMinor, sum(parts.map((part) => part.totalMinor)))
    assert.equal(quote.subtotalMinor, sum(quote.lines.map((each) => each.subtotalMinor)))
    assert.equal(quote.taxMinor, sum(parts.map((part) => part.taxMinor)))
    assert.equal(quote.discountMinor, sum(parts.map((part) => part.discountMinor)))
    assert.equal(quote.discountMinor, sum(quote.promotions.map((promotion) => promotion.amountMinor)))
    assert.equal(quote.totalMinor,
      quote.subtotalMinor + quote.shippingMinor - quote.discountMinor + (quote.pricesIncludeTax ? 0 : quote.taxMinor))
    for (const part of parts) {
      const before = 'amountMinor' in part ? part.amountMinor : part.subtotalMinor
      assert.ok(part.discountMinor >= 0 && part.discountMinor <= before)
      assert.ok(part.totalMinor >= 0 && part.taxMinor >= 0)
      assert.equal(part.totalMinor, before - part.discountMinor + (quote.pricesIncludeTax ? 0 : part.taxMinor))
    }
  }))
})

test('the order of lines and promotions changes no amount', () => {
  const shuffled = inputs.chain((facts) => fc.tuple(
    fc.constant(facts), fc.shuffledSubarray(facts.lines, { minLength: facts.lines.length }),
    fc.shuffledSubarray(facts.candidates, { minLength: facts.candidates.length })))
  fc.assert(fc.property(shuffled, ([facts, otherLines, otherCandidates]) => {
    const unique = (list: Candidate[]) =>
      list.filter((each) => facts.candidates.find((one) => one.promotionId === each.promotionId) === each)
    const first = calculateQuote({ ...facts, candidates: unique(facts.candidates) })
    const second = calculateQuote({ ...facts, lines: otherLines, candidates: unique(otherCandidates) })
    const sorted = (all: typeof first.lines) => all.toSorted((a, b) => a.variantId.localeCompare(b.variantId))
    assert.deepEqual({ ...second, lines: sorted(second.lines) }, { ...first, lines: sorted(first.lines) })
    assert.deepEqual(second.lines.map((each) => each.variantId), otherLines.map((each) => each.variantId))
  }))
})

test('a further promotion never makes goods dearer', () => {
  fc.assert(fc.property(inputs, (facts) => {
    const alone = facts.candidates.map((each) => ({ ...each, combines: false }))
    const without = calculateQuote({ ...facts, candidates: alone.slice(1) })
    assert.ok(calculateQuote({ ...facts, candidates: alone }).discountMinor >= without.discountMinor)
  }))
})

test('tax taken out of a price, and put on what is left, meet within one unit', () => {
  fc.assert(fc.property(fc.nat(1_000_000_000_000), fc.nat(1_000_000), (amountMinor, ratePpm) => {
    const included = taxOf(amountMinor, ratePpm, true)
    const net = amountMinor - included
    assert.ok(included >= 0 && net >= 0)
    assert.ok(Math.abs(taxOf(net, ratePpm, false) - included) <= 1)
    const added = taxOf(amountMinor, ratePpm, false)
    assert.equal(taxOf(amountMinor + added, ratePpm, true), added)
  }))
})

test('tax is rounded half away from zero, line by line', () => {
  const { lines: [first] } = calculateQuote(input({ lines: [line({ unitMinor: 1190 })] }))
  assert.deepEqual([first!.taxMinor, first!.totalMinor], [190, 1190])
  const added = calculateQuote(input({ pricesIncludeTax: false, lines: [line({ unitMinor: 50, quantity: 1 })] }))
  assert.deepEqual([added.taxMinor, added.totalMinor], [10, 60])   // 9.5 → 10
})

test('a class that the country does not name pays its standard rate, a region goes first, zero is zero', () => {
  const rates = [
    { region: null, taxClass: 'standard', ratePpm: 50_000 }, { region: 'QC', taxClass: 'standard', ratePpm: 149_750 },
    { region: null, taxClass: 'books', ratePpm: 10_000 },
  ]
  assert.equal(findTaxRate(rates, 'standard'), 149_750)
  assert.equal(findTaxRate(rates, 'toys'), 149_750)
  assert.equal(findTaxRate(rates, 'books'), 10_000)
  assert.equal(findTaxRate(rates, 'zero'), 0)
  assert.equal(findTaxRate([], 'standard'), 0)
})

test('an amount off three equal lines is split to the cent, and never exceeds the goods', () => {
  const three = ['v1', 'v2', 'v3'].map((variantId) => line({ variantId }))
  const quote = calculateQuote(input({ lines: three, candidates: [amountOff(1000)] }))
  assert.deepEqual(quote.lines.map((each) => each.discountMinor), [334, 333, 333])
  assert.equal(calculateQuote(input({ candidates: [amountOff(99_999)] })).totalMinor, 0)
})

test('what combines applies together, each on what is left; otherwise the better one wins', () => {
  const ten = candidate({ promotionId: 'a', combines: true, priority: 2 })
  const five = amountOff(500, { promotionId: 'b', combines: true, priority: 1, name: 'Five' })
  const lines = [line({ unitMinor: 10_000 })]
  const taken = (candidates: Candidate[]) =>
    calculateQuote(input({ lines, candidates })).promotions.map((each) => each.amountMinor)
  assert.deepEqual(taken([five, ten]), [1000, 500])
  assert.deepEqual(taken([{ ...five, priority: 3 }, ten]), [500, 950])
  const twenty = candidate({ promotionId: 'c', code: 'TWENTY', ratePpm: 200_000 })
  const better = calculateQuote(input({ lines, candidates: [ten, five, twenty], couponCodes: ['TWENTY'] }))
  assert.deepEqual(better.promotions.map((each) => [each.code, each.amountMinor]), [['TWENTY', 2000]])
  const candidates = [{ ...twenty, ratePpm: 10_000 }, ten]
  const worse = calculateQuote(input({ lines, candidates, couponCodes: ['TWENTY'] }))
  assert.deepEqual(worse.unusedCoupons, [{ code: 'TWENTY', reason: 'better_offer' }])
})

test('only the products of a promotion are reduced', () => {
  const lines = [line(), line({ variantId: 'v2', productId: 'p2' })]
  const quote = calculateQuote(input({ lines, candidates: [candidate({ productIds: ['p2'] })] }))
  assert.deepEqual(quote.lines.map((each) => each.discountMinor), [0, 100])
})

test('free delivery takes the delivery off, and waits for one to be chosen', () => {
  const free = candidate({ kind: 'free_delivery', ratePpm: null, code: 'SHIP' })
  const chosen = input({ shippingMethodId: 'm', deliveryRates: [rate()], candidates: [free], couponCodes: ['SHIP'] })
  const quote = calculateQuote(chosen)
  assert.deepEqual([quote.shipping?.discountMinor, quote.shipping?.totalMinor, quote.totalMinor], [490, 0, 1000])
  assert.deepEqual(calculateQuote({ ...chosen, shippingMethodId: null }).unusedCoupons,
    [{ code: 'SHIP', reason: 'no_effect' }])
})

test('delivery follows weight and value of the goods before discounts; what needs none pays none', () => {
  const steps = [rate({ maxWeightGrams: 1000 }), rate({ minWeightGrams: 1000, maxWeightGrams: 5000, amountMinor: 990 })]
  const at = (quantity: number) => calculateQuote(input({
    lines: [line({ quantity, weightGrams: 500 })], shippingMethodId: 'm', deliveryRates: steps })).shipping?.amountMinor
  assert.deepEqual([at(1), at(2), at(9)], [490, 990, 990])
  assert.throws(() => at(10), (error) => isProblem(error, ShippingMethodNotAvailable))
  const free = [rate({ maxSubtotalMinor: 5000 }), rate({ minSubtotalMinor: 5000, amountMinor: 0 })]
  const half = candidate({ ratePpm: 500_000 })
  assert.equal(calculateQuote(input({
    lines: [line({ quantity: 5 })], shippingMethodId: 'm', deliveryRates: free, candidates: [half] })).shippingMinor, 0)
  const digital = [line({ requiresShipping: false })]
  assert.equal(calculateQuote(input({ lines: digital, shippingMethodId: 'm' })).shipping, null)
})

test('a coupon that does not apply is refused with its reason, or reported', () => {
  const coupon = candidate({ code: 'BIG', minimumSubtotalMinor: 5000 })
  const old = candidate({ promotionId: 'b', code: 'OLD', refusal: 'ended' })
  const facts = input({ candidates: [coupon, old], couponCodes: ['BIG', 'OLD', 'X'] })
  assert.throws(() => calculateQuote(facts), (error) =>
    isProblem(error, CouponNotApplicable) && /BIG: minimum not met/.test(error.message))
  assert.deepEqual(calculateQuote({ ...facts, couponPolicy: 'report' }).unusedCoupons, [
    { code: 'BIG', reason: 'minimum_not_met' }, { code: 'OLD', reason: 'ended' }, { code: 'X', reason: 'unknown' }])
})

test('two codes of one promotion count once', () => {
  const codes = ['A1', 'B1'].map((code) => candidate({ code }))
  const quote = calculateQuote(input({ candidates: codes, couponCodes: ['A1', 'B1'] }))
  assert.equal(quote.discountMinor, 100)
  assert.deepEqual(quote.unusedCoupons, [{ code: 'B1', reason: 'no_effect' }])
})

test('prices finer than a cent are rounded once for the line', () => {
  const screws = line({ unitMinor: 1250, perUnits: 1000, quantity: 333 })
  assert.equal(calculateQuote(input({ lines: [screws] })).subtotalMinor, multiplyDivide(1250, 333, 1000))
})

test('a quote beyond exact numbers is refused', () => {
  const huge = input({ lines: [line({ unitMinor: 1_000_000_000_000, quantity: 1_000_000 })] })
  assert.throws(() => calculateQuote(huge), (error) => isProblem(error, QuoteTooLarge))
})
