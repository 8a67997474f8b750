// Opens the payment of an order: one row in the order's own transaction. Nothing is asked of a gateway yet.
import { sql, type Db, type Tx } from '../../platform/db.ts'
import { paymentSetup, type GatewayProperties, type PaymentMethod } from './gateway.ts'
import { PaymentMethodNotAvailable } from './payments.ts'

/**
 * One statement, for the commit trip; none when nothing is to be paid. Fails as SQL (payment_pkey) when it exists.
 */
export async function openPayment(
  tx: Tx, payment: { paymentId: string; orderId: string; amountMinor: number; currency: string },
): Promise<void> {
  if (payment.amountMinor === 0) return
  await tx.run(sql`insert into payments.payment (id, order_id, amount_minor, currency)
    values (${payment.paymentId}, ${payment.orderId}, ${payment.amountMinor}, ${payment.currency})`)
}

/** What is to be paid, and where; no country or amount, while nobody knows it. */
export type Place = { currency: string; country: string | null; amountMinor: number | null }

/** The ways to pay that are offered for a currency, a country and an amount. */
export function listPaymentMethods(db: Db, { currency, country, amountMinor }: Place): PaymentMethod[] {
  const { gateways, methods } = paymentSetup.of(db)
  return methods.filter((method) => {
    const properties = gateways.get(method.gateway)?.properties
    const currencies = [method.currencies, properties?.currencies]
    return currencies.every((some) => !some || some.includes(currency))
      && (!method.countries || !country || method.countries.includes(country))
      && (amountMinor === null || isWithin(properties?.limits ?? null, currency, amountMinor))
  })
}

function isWithin(limits: GatewayProperties['limits'], currency: string, amountMinor: number): boolean {
  return !limits || (amountMinor >= (limits.smallestMinor[currency] ?? 1) && amountMinor <= limits.largestMinor)
}

/** The method with this code; throws PaymentMethodNotAvailable, naming those that are. */
export function requireMethod(db: Db, code: string, place: Place): PaymentMethod {
  const offered = listPaymentMethods(db, place)
  const method = offered.find((one) => one.code === code)
  if (!method) {
    throw PaymentMethodNotAvailable(
      { method: code, offered: offered.map((one) => one.code) }, 'Choose one of the offered methods.'
    )
  }
  return method
}

