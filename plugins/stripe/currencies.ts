// What Stripe takes: the currencies whose minor units mean there what they mean here (not ISK and UGX, which it counts
// in hundredths, nor those of three digits, of which it takes tens alone), and the amounts. Smaller charges than these
// cost more than they bring, and Stripe refuses them (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
import type { GatewayProperties } from '../../src/modules/payments/gateway.ts'
import { currencyDigits } from '../../src/platform/money.ts'

export const currencies: readonly string[] = `
  AED AUD BGN BRL CAD CHF CLP CZK DKK EUR GBP HKD HUF IDR ILS INR JPY KRW MXN MYR NOK NZD PHP PLN RON SEK SGD THB TRY
  TWD USD ZAR`.trim().split(/\s+/)

export const limits: NonNullable<GatewayProperties['limits']> = {
  smallestMinor: {
    AED: 200, AUD: 50, BGN: 100, BRL: 50, CAD: 50, CHF: 50, CZK: 1_500, DKK: 250, EUR: 50, GBP: 30, HKD: 400,
    HUF: 17_500, INR: 50, JPY: 50, MXN: 1_000, MYR: 200, NOK: 300, NZD: 50, PLN: 200, RON: 200, SEK: 300, SGD: 50,
    THB: 1_000, USD: 50,
  },
  largestMinor: 99_999_999,
}

/** For people: `12.90 EUR`. */
export function formatMoney(amountMinor: number, currency: string): string {
  const code = currency.toUpperCase()
  const digits = currencies.includes(code) ? currencyDigits(code) : 2
  return `${(amountMinor / 10 ** digits).toFixed(digits)} ${code}`
}
