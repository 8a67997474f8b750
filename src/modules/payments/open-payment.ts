// Opens the payment of an order: one row in the order's own transaction. Nothing is asked of a gateway yet.
import { sql, type Db, type Tx } from '../../platform/db.ts'
import { fits, sharesAt, type Place } from './choose-gateway.ts'
import { paymentSetup, type PaymentMethod } from './gateway.ts'
import { PaymentMethodNotAvailable } from './payments.ts'

/**
 * One statement, for the commit trip; none when nothing is to be paid. Fails as SQL (payment_pkey) when it exists.
 * Country and channel are kept: they decide who serves each attempt.
 */
export async function openPayment(
  tx: Tx, payment: {
    paymentId: string; orderId: string; amountMinor: number; currency: string
    country?: string | null; channel?: string | null
  },
): Promise<void> {
  const { paymentId, orderId, amountMinor, currency, country = null, channel = null } = payment
  if (amountMinor === 0) return
  await tx.run(sql`insert into payments.payment (id, order_id, amount_minor, currency, country, channel)
    values (${paymentId}, ${orderId}, ${amountMinor}, ${currency}, ${country}, ${channel})`)
}

/** The ways to pay that are offered at a place: their own terms fit, and there is a gateway that takes it. */
export function listPaymentMethods(db: Db, place: Place): PaymentMethod[] {
  return paymentSetup.of(db).methods.filter((method) => fits(method, place) && sharesAt(db, method, place).length > 0)
}

/** Whether a channel is asked for anywhere: most shops spare themselves finding out its code. */
export function asksForChannel(db: Db): boolean {
  return paymentSetup.of(db).methods.some((method) => method.channels
    || (typeof method.gateway !== 'string' && method.gateway.some(({ channels }) => channels)))
}

/** The method with this code; throws PaymentMethodNotAvailable, naming those that are, for another and for none. */
export function requireMethod(db: Db, code: string | undefined, place: Place): PaymentMethod {
  const offered = listPaymentMethods(db, place)
  const method = offered.find((one) => one.code === code)
  if (!method) {
    throw PaymentMethodNotAvailable({ method: code ?? null, offered: offered.map((one) => one.code) },
      code === undefined ? `${place.amountMinor} ${place.currency} (minor units) are left to pay: choose a method.`
        : 'Choose one of the offered methods.')
  }
  return method
}
