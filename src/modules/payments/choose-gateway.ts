// Who serves a payment: the first route of its method that fits, and in it each gateway by its share of the orders. The
// order's id decides among them, so that a repeat, in whichever process, comes to the same gateway, and the order in
// which others follow when that one cannot is as fixed.
import { createHash } from 'node:crypto'
import type { Db } from '../../platform/db.ts'
import { paymentSetup, type Gateway, type PaymentMethod, type PaymentTerms } from './gateway.ts'

/** What is to be paid, and where; null for what nobody knows yet, or asks for. */
export type Place = { currency: string; country: string | null; channel: string | null; amountMinor: number | null }

/** Whether terms hold at a place. What is not known of it does not speak against them. */
export function fits(terms: PaymentTerms, { currency, country, channel, amountMinor }: Place): boolean {
  const { countries, currencies, channels, amounts } = terms
  const { fromMinor = 0, toMinor = Infinity } = amounts?.[currency] ?? {}
  return (!currencies || currencies.includes(currency))
    && (!countries || country === null || countries.includes(country))
    && (!channels || channel === null || channels.includes(channel))
    && (!amounts || (currency in amounts
      && (amountMinor === null || (amountMinor >= fromMinor && amountMinor <= toMinor))))
}

/** Every gateway that a method may come to. */
export const gatewaysOf = ({ gateway }: PaymentMethod): string[] =>
  typeof gateway === 'string' ? [gateway] : [...new Set(gateway.flatMap(({ shares }) => Object.keys(shares)))]

/** The gateways that serve a method at a place, with their shares; those left out that take no such charge. */
export function sharesAt(db: Db, { gateway: served }: PaymentMethod, place: Place): [Gateway, number][] {
  const shares = typeof served === 'string' ? { [served]: 1 } : served.find((route) => fits(route, place))?.shares ?? {}
  const { gateways } = paymentSetup.of(db)
  return Object.entries(shares).flatMap(([code, share]): [Gateway, number][] => {
    const gateway = gateways.get(code)
    return gateway && takes(gateway, place) ? [[gateway, share]] : []
  })
}

function takes({ properties: { currencies, limits } }: Gateway, { currency, amountMinor }: Place): boolean {
  return (!currencies || currencies.includes(currency)) && (!limits || amountMinor === null
    || (amountMinor >= (limits.smallestMinor[currency] ?? 1) && amountMinor <= limits.largestMinor))
}

/**
 * The gateways for an order, the one by its share first. Each draws a lot from the order's id that its share weighs
 * (rendezvous hashing): a share that changes moves only as many orders as it must.
 */
export function gatewaysFor(db: Db, method: PaymentMethod, place: Place, orderId: string): Gateway[] {
  return sharesAt(db, method, place)
    .map(([gateway, share]) => (
      { gateway, lot: share > 0 ? -Math.log(draw(orderId, gateway.code)) / share : Infinity }))
    .sort((one, other) => one.lot === other.lot ? 0 : one.lot - other.lot)
    .map(({ gateway }) => gateway)
}

/** A number above 0 and at most 1 that only these two decide. */
function draw(orderId: string, code: string): number {
  return (createHash('sha256').update(`${orderId} ${code}`).digest().readUIntBE(0, 6) + 1) / 2 ** 48
}
