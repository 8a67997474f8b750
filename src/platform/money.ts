// Money is an integer of minor units (cents, yen, fils) in a JavaScript number below 2^53, beside one ISO 4217
// currency. Whatever multiplies or splits an amount comes through here: products are taken in BigInt, so nothing is
// lost on the way, and there is one rounding, half away from zero, as shops and tax offices do it. A result that does
// not fit is a RangeError.
import { Type, type Static } from 'typebox'

// Digits after the point where they are not 2 (ISO 4217, amendment 179). Written down because Intl follows local
// custom instead (it shows IQD and LBP without decimals), and a stored amount must mean the same in every version of
// ICU.
const DIGITS: Record<string, number> = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, VND: 0, VUV: 0, XAF: 0,
  XOF: 0, XPF: 0,
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3, CLF: 4, UYW: 4,
}
const TWO_DIGITS = `
  AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP
  CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
  JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN
  NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP
  SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG`
const digits = new Map(Object.entries(DIGITS))
for (const code of TWO_DIGITS.trim().split(/\s+/)) digits.set(code, 2)

export const Currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217 code', examples: ['EUR'] })
/** An amount on the wire, in whole minor units of its currency. */
export const Money = Type.Object({
  amount: Type.Integer({ description: 'Minor units: 12900 EUR is 129.00 €, 12900 JPY is 12900 ¥', examples: [12900] }),
  currency: Currency,
}, { title: 'Money' })
export type Money = Static<typeof Money>

/** Parts in one whole: a rate of 19 % is 190,000 parts per million. */
export const PPM = 1_000_000

export function isCurrency(code: string): boolean {
  return digits.has(code)
}

/** Digits after the point: EUR 2, JPY 0, KWD 3. */
export function currencyDigits(code: string): number {
  const count = digits.get(code)
  if (count === undefined) throw new RangeError(`${code} is no ISO 4217 currency`)
  return count
}

/** amount × numerator ÷ denominator, rounded once, half away from zero. */
export function multiplyDivide(amount: number, numerator: number, denominator: number): number {
  if (denominator <= 0) throw new RangeError(`The denominator must be above zero, not ${denominator}`)
  const product = BigInt(amount) * BigInt(numerator)
  const divisor = BigInt(denominator)
  const half = product < 0n ? -divisor : divisor
  return toAmount((2n * product + half) / (2n * divisor))
}

/** The share of `ratePpm` parts per million in an amount. */
export function partsPerMillion(amount: number, ratePpm: number): number {
  return multiplyDivide(amount, ratePpm, PPM)
}

/** Exact sum. */
export function sum(amounts: Iterable<number>): number {
  let total = 0n
  for (const amount of amounts) total += BigInt(amount)
  return toAmount(total)
}

/**
 * Splits an amount in proportion to weights (whole, not negative) so that the shares add up to it exactly: each share
 * is rounded down, and the units left over go to the largest remainders, the earlier first. No share of an amount up
 * to Σ weights exceeds its own weight. When all weights are zero the split is even.
 */
export function allocate(amount: number, weights: readonly number[]): number[] {
  if (weights.length === 0 && amount !== 0) throw new RangeError(`Nothing to allocate ${amount} to`)
  if (weights.some((weight) => weight < 0)) throw new RangeError('A weight must not be negative')
  const sign = amount < 0 ? -1 : 1
  const whole = BigInt(Math.abs(amount))
  const parts = weights.some((weight) => weight > 0) ? weights.map(BigInt) : weights.map(() => 1n)
  const divisor = parts.reduce((total, part) => total + part, 0n)
  const shares = parts.map((part, index) => {
    const product = whole * part
    return { index, share: product / divisor, remainder: product % divisor }
  })
  let left = whole - shares.reduce((total, { share }) => total + share, 0n)
  const descending = (a: bigint, b: bigint) => Number(b > a) - Number(b < a)
  for (const entry of shares.toSorted((a, b) => descending(a.remainder, b.remainder))) {
    if (left === 0n) break
    entry.share += 1n
    left -= 1n
  }
  return shares.map(({ share }) => sign * toAmount(share) || 0)
}

/** '12.90', 'EUR' → 1290. Refuses digits beyond the currency's own, unless they are zeros: a price is not rounded. */
export function parseAmount(text: string, currency: string): number {
  const count = currencyDigits(currency)
  const match = /^(-?)(\d{1,20})(?:\.(\d{1,20}))?$/.exec(text.trim())
  if (!match) throw new RangeError(`"${text}" is no amount: write digits with a point, such as 12.90`)
  const [, minus = '', whole = '', fraction = ''] = match
  if (/[1-9]/.test(fraction.slice(count))) {
    throw new RangeError(`"${text}" has more digits after the point than ${currency} knows (${count})`)
  }
  return toAmount(BigInt(minus + whole + fraction.slice(0, count).padEnd(count, '0')))
}

/** 1290, 'EUR' → '12.90': the inverse of parseAmount, for exports and machines. */
export function formatAmount(amount: number, currency: string): string {
  const count = currencyDigits(currency)
  const text = BigInt(Math.abs(amount)).toString().padStart(count + 1, '0')
  const point = text.length - count
  return (amount < 0 ? '-' : '') + text.slice(0, point) + (count ? '.' + text.slice(point) : '')
}

/** 1290, 'EUR', 'de' → '12,90 €': for people. */
export function displayAmount(amount: number, currency: string, locale = 'en'): string {
  const count = currencyDigits(currency)
  const format = new Intl.NumberFormat(locale, {
    style: 'currency', currency, minimumFractionDigits: count, maximumFractionDigits: count,
  })
  return format.format(formatAmount(amount, currency) as `${number}`)
}

function toAmount(value: bigint): number {
  const amount = Number(value)
  if (!Number.isSafeInteger(amount)) throw new RangeError(`${value} minor units do not fit an amount (below 2^53)`)
  return amount
}
