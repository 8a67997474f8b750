// The words of shipping: zones of countries, methods, and rates as steps. schema.sql says why steps can neither
// overlap nor gap.
import { Type, type Static, type TSchema } from 'typebox'
import { mapConstraint } from '../../platform/db.ts'
import { Id, OneLine } from '../../platform/http.ts'
import { Currency } from '../../platform/money.ts'
import { problem } from '../../platform/problem.ts'

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const Name = OneLine(100)
const MAX_AMOUNT_MINOR = 1_000_000_000_000_000

export const Country = Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2', examples: ['DE'] })

export const ZoneInput = Type.Object({
  name: Name,
  countries: Type.Array(Country, { minItems: 1, maxItems: 300, uniqueItems: true }),
})
export type ZoneInput = Static<typeof ZoneInput>
export const Zone = Type.Object({ id: Id, name: Type.String(), countries: Type.Array(Type.String()) })
export type Zone = Static<typeof Zone>

export const Rate = Type.Object({
  currency: Currency,
  from: Type.Integer({
    minimum: 0, maximum: MAX_AMOUNT_MINOR,
    description: 'Where this step begins: grams (weight), minor units of goods before discounts (subtotal), 0 (flat)',
  }),
  amountMinor: Type.Union([Type.Integer({ minimum: 0, maximum: MAX_AMOUNT_MINOR }), Type.Null()], {
    description: 'Price of the delivery from here to the next step; null: not offered there',
  }),
})
export type Rate = Static<typeof Rate>

export const MethodInput = Type.Object({
  zoneId: Id,
  channelId: Type.Optional(nullable(Id)),                    // null: every channel
  code: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,39}$' }),
  name: Name,
  description: Type.Optional(nullable(Type.String({ maxLength: 500 }))),
  kind: Type.Enum(['flat', 'weight', 'subtotal']),
  taxClass: Type.Optional(Type.String({ minLength: 1, maxLength: 60 })),
  position: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
  active: Type.Optional(Type.Boolean()),
  rates: Type.Array(Rate, { minItems: 1, maxItems: 500 }),
})
export type MethodInput = Static<typeof MethodInput>
export const Method = Type.Object({
  id: Id, zoneId: Id, channelId: nullable(Id), code: Type.String(), name: Type.String(),
  description: nullable(Type.String()),
  kind: Type.Enum(['flat', 'weight', 'subtotal']), taxClass: Type.String(), position: Type.Integer(),
  active: Type.Boolean(),
  rates: Type.Array(Rate),
})
export type Method = Static<typeof Method>

export const ZoneNotFound = problem('shipping-zone-not-found', 404, 'No such shipping zone')
export const MethodNotFound = problem('shipping-method-not-found', 404, 'No such shipping method')
export const CountryInAnotherZone = problem('country-in-another-zone', 409, 'A country lies in another zone already')
export const MethodCodeTaken = problem('shipping-method-code-taken', 409, 'The zone has a method with this code')

mapConstraint('zone_country_pkey',
  ({ detail }) => CountryInAnotherZone({}, `${detail} Take it out of that zone first.`))
mapConstraint('method_zone_fkey', () => ZoneNotFound({}))
mapConstraint('method_code_unique', () => MethodCodeTaken({}, 'Choose another code, or change that method.'))
