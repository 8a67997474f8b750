// What can be delivered how, for how much: the choice that a shopper is shown. The quote reads the same view, so a
// choice that was offered is the choice that is charged.
import { Type, type Static } from 'typebox'
import { sql, type Conn } from '../../platform/db.ts'
import { route } from '../../platform/http.ts'

export const ShippingOption = Type.Object({
  methodId: Type.String(), code: Type.String(), name: Type.String(),
  description: Type.Union([Type.String(), Type.Null()]),
  amountMinor: Type.Integer(),
})
export type ShippingOption = Static<typeof ShippingOption>
export type Parcel = {
  channelId: string
  currency: string
  country: string
  weightGrams: number              // of everything that must be sent
  subtotalMinor: number            // of all goods, before discounts
}

/** The cheapest first. None: the shop does not deliver this to there. */
export async function shippingOptions(conn: Conn, parcel: Parcel): Promise<ShippingOption[]> {
  return conn.many(ShippingOption, sql`
    select method_id as "methodId", code, name, description, amount_minor as "amountMinor"
    from shipping.offered_rate
    where country = ${parcel.country} and currency = ${parcel.currency}
      and (channel_id is null or channel_id = ${parcel.channelId})
      and ${parcel.weightGrams}::bigint >= coalesce(min_weight_grams, 0)
      and (max_weight_grams is null or ${parcel.weightGrams}::bigint < max_weight_grams)
      and ${parcel.subtotalMinor}::bigint >= coalesce(min_subtotal_minor, 0)
      and (max_subtotal_minor is null or ${parcel.subtotalMinor}::bigint < max_subtotal_minor)
    order by amount_minor, position, name, method_id`)
}

const Countries = Type.Object({ countries: Type.Array(Type.String()) })

export const listShippingCountries = route({
  method: 'GET', path: '/store/shipping-countries', access: 'shopper', tags: ['Shipping'],
  summary: 'List the countries that the shop delivers to',
  response: { 200: Countries },
  async run({ db, context }) {
    const channelId = context.actor.kind === 'shopper' ? context.actor.channelId : null
    return db.one(Countries, sql`
      select coalesce(array_agg(distinct country order by country), '{}') as countries from shipping.offered_rate
      where channel_id is null or channel_id = ${channelId}::uuid`)
  },
})
