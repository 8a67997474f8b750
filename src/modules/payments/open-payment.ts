// Opens the payment of an order: one row in the order's own transaction. Nothing is asked of a gateway yet.
import { sql, type Db, type Tx } from '../../platform/db.ts'
import { paymentSetup, type PaymentMethod } from './gateway.ts'
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

/** The ways to pay that are offered for a currency and a country. */
export function listPaymentMethods(db: Db, place: { currency: string; country: string | null }): PaymentMethod[] {
  const { gateways, methods } = paymentSetup.of(db)
  return methods.filter((method) => {
    const currencies = method.currencies ?? gateways.get(method.gateway)?.properties.currencies
    return (!currencies || currencies.includes(place.currency))
      && (!method.countries || !place.country || method.countries.includes(place.country))
  })
}

/** The method with this code; throws PaymentMethodNotAvailable, naming those that are. */
export function requireMethod(
  db: Db, code: string, place: { currency: string; country: string | null },
): PaymentMethod {
  const offered = listPaymentMethods(db, place)
  const method = offered.find((one) => one.code === code)
  if (!method) {
    throw PaymentMethodNotAvailable(
      { method: code, offered: offered.map((one) => one.code) }, 'Choose one of the offered methods.'
    )
  }
  return method
}

