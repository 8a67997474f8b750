// How far staff, roles and keys reach, between their rows, what the API says, and the actor that routes see
// (platform/authority.ts). Nobody gives a limit that is wider than their own.
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { Type, type Static } from 'typebox'
import type { Limits as OwnLimits, Within } from '../../platform/authority.ts'
import { sql, type Actor } from '../../platform/db.ts'
import { Id } from '../../platform/http.ts'
import { Forbidden, InvalidValue } from '../../platform/problem.ts'

const orNull = <T extends Parameters<typeof Type.Array>[0]>(schema: T) => Type.Union([schema, Type.Null()])
const only = (what: string) => orNull(Type.Array(Id, {
  minItems: 1, maxItems: 200, uniqueItems: true, description: `Only these ${what}; null: all of them`,
}))

/** Where somebody may act. */
export const Reach = Type.Object({
  channelIds: only('channels'), locationIds: only('locations'), companyIds: only('companies'),
})
export type Reach = Static<typeof Reach>

export const Limits = Type.Object({
  refund: orNull(Type.Array(Type.Object({
    currency: Type.String({ pattern: '^[A-Z]{3}$' }), amountMinor: Type.Integer({ minimum: 0, maximum: 2e15 }),
  }), { maxItems: 50, description: 'What may be given back of one payment in all; null: no limit' })),
  discountPpm: orNull(Type.Integer({
    minimum: 0, maximum: 1_000_000,
    description: 'What a promotion, or a coupon of one, may take off a cart beside delivery; null: no limit',
  })),
})
export type Limits = Static<typeof Limits>

export const EVERYWHERE: Reach = { channelIds: null, locationIds: null, companyIds: null }

/** Both, of a row that has their columns. */
export const reachColumns = (row: ReturnType<typeof sql>) => sql`jsonb_build_object(
  'channelIds', ${row}.channel_ids, 'locationIds', ${row}.location_ids, 'companyIds', ${row}.company_ids)`
export const limitColumns = (row: ReturnType<typeof sql>) => sql`jsonb_build_object(
  'refund', ${row}.refund_limits, 'discountPpm', ${row}.discount_limit_ppm)`

/** What the actor carries: nothing, for those without limits. */
export function authorityOf(reach: Reach, limits: Limits): { within?: Within; limits?: OwnLimits } {
  const { channelIds: channels, locationIds: locations, companyIds: companies } = reach
  const { refund, discountPpm } = limits
  return {
    ...channels || locations || companies ? {
      within: { ...channels && { channels }, ...locations && { locations }, ...companies && { companies } },
    } : {},
    ...refund || discountPpm !== null ? {
      limits: { ...refund && { refund }, ...discountPpm !== null && { discountPpm } },
    } : {},
  }
}

/** The limits of whoever acts: what a key gets that they make. */
export function limitsOf(actor: Actor): Limits {
  const { refund, discountPpm } = ('limits' in actor ? actor.limits : undefined) ?? {}
  return { refund: refund ? [...refund] : null, discountPpm: discountPpm ?? null }
}

/** Throws Forbidden for limits that are wider than the actor's own. */
export function requireLimitsWithin(actor: Actor, wanted: Limits): void {
  const own = limitsOf(actor)
  const most = (currency: string): number => own.refund?.find((one) => one.currency === currency)?.amountMinor ?? 0
  const refund = !own.refund || wanted.refund?.every(({ currency, amountMinor }) => amountMinor <= most(currency))
  const discount = own.discountPpm === null || (wanted.discountPpm !== null && wanted.discountPpm <= own.discountPpm)
  if (!refund || !discount) throw Forbidden({}, 'Nobody gives a limit that is wider than their own.')
}

/** Throws Forbidden when the actor is kept to some channels or locations: then others are not theirs to give. */
export function requireEverywhere(actor: Actor): void {
  if ('within' in actor && actor.within) throw Forbidden({}, 'This is for people who may act everywhere.')
}

const family = (address: string): 'ipv4' | 'ipv6' => (isIPv4(address) ? 'ipv4' : 'ipv6')
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')

/** Networks as PostgreSQL writes them (192.0.2.7, 10.0.0.0/8), to be asked for addresses. */
export function networks(list: readonly string[]): { has(address: string): boolean } {
  const blocks = new BlockList()
  for (const one of list) {
    const [address, bits] = one.split('/') as [string, string?]
    if (bits === undefined) blocks.addAddress(address, family(address))
    else blocks.addSubnet(address, Number(bits), family(address))
  }
  return { has: (address) => blocks.check(plain(address), family(plain(address))) }
}

/** Throws InvalidValue for a network that is none. */
export function requireNetworks(list: readonly string[]): void {
  const fields = list.flatMap((one, index) => {
    const [address = '', bits, ...more] = one.split('/')
    const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1
    const isRight = most > 0 && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && +bits <= most))
    return isRight ? [] : [{ path: `body/addresses/${index}`, message: 'must be an address or network, as 10.0.0.0/8' }]
  })
  if (fields.length > 0) throw InvalidValue({ fields })
}
