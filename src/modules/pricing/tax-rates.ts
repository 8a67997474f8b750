// Tax rates by country, region and tax class. They are laws, not inventions: written in bulk, read whole, few enough
// for one page.
import { Type, type Static } from 'typebox'
import { sql, type Tx } from '../../platform/db.ts'
import { Id, OneLine, route } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { nullable, TaxRateNotFound } from './pricing.ts'

const Country = Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2', examples: ['DE'] })
const fields = {
  country: Country,
  taxClass: Type.String({ minLength: 1, maxLength: 60, examples: ['standard', 'reduced'] }),
  ratePpm: Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Parts per million: 190000 is 19 %' }),
  name: OneLine(100, { examples: ['VAT 19 %'] }),
}
const Region = nullable(Type.String({ pattern: '^[A-Z0-9]{1,3}$', description: 'ISO 3166-2 without the country' }))
export const NewTaxRate = Type.Object({ ...fields, region: Type.Optional(Region) })
export const TaxRate = Type.Object({ id: Id, ...fields, region: Region })
const TaxRates = Type.Object({ items: Type.Array(TaxRate) })
const tags = ['Pricing']

/**
 * Sets the rate and name of each (country, region, tax class); others stay. Of two for one key the last counts. Answers
 * how many were not so already.
 */
export async function setTaxRates(tx: Tx, rates: readonly Static<typeof NewTaxRate>[]): Promise<number> {
  return tx.run(sql`
    insert into pricing.tax_rate (id, country, region, tax_class, rate_ppm, name)
    select distinct on (country, region, tax_class) id, country, region, tax_class, rate_ppm, name
    from unnest(
      ${rates.map(() => newId())}::uuid[], ${rates.map((rate) => rate.country)}::text[],
      ${rates.map((rate) => rate.region ?? null)}::text[], ${rates.map((rate) => rate.taxClass)}::text[],
      ${rates.map((rate) => rate.ratePpm)}::int[], ${rates.map((rate) => rate.name)}::text[]
    ) with ordinality as rate (id, country, region, tax_class, rate_ppm, name, position)
    order by country, region, tax_class, position desc
    on conflict (country, region, tax_class) do update set rate_ppm = excluded.rate_ppm, name = excluded.name
      where (tax_rate.rate_ppm, tax_rate.name) <> (excluded.rate_ppm, excluded.name)`)
}

const listTaxRates = route({
  method: 'GET', path: '/admin/tax-rates', access: { permission: 'pricing:read' }, tags, summary: 'List tax rates',
  query: Type.Object({ country: Type.Optional(Country) }), response: { 200: TaxRates },
  run: async ({ db, query: { country = null } }) => ({ items: await db.many(TaxRate, sql`
    select id, country, region, tax_class as "taxClass", rate_ppm as "ratePpm", name from pricing.tax_rate
    where ${country}::text is null or country = ${country}::text
    order by country, region nulls first, tax_class`) }),
})

const putTaxRates = route({
  method: 'PUT', path: '/admin/tax-rates', access: { permission: 'pricing:write' }, tags,
  summary: 'Set up to 1,000 tax rates', description: 'Rates that the document does not name stay as they are.',
  body: Type.Object({ items: Type.Array(NewTaxRate, { minItems: 1, maxItems: 1000 }) }), response: { 204: null },
  run: async ({ db, context, body }) => void await db.transaction(context, (tx) => setTaxRates(tx, body.items)),
})

const deleteTaxRate = route({
  method: 'DELETE', path: '/admin/tax-rates/:taxRateId', access: { permission: 'pricing:write' }, tags,
  summary: 'Delete a tax rate', params: Type.Object({ taxRateId: Id }), response: { 204: null },
  problems: [TaxRateNotFound],
  run: ({ db, context, params: { taxRateId } }) => db.transaction(context, async (tx) => {
    if (await tx.run(sql`delete from pricing.tax_rate where id = ${taxRateId}`) === 0) throw TaxRateNotFound({})
  }),
})

export const taxRateRoutes = [listTaxRates, putTaxRates, deleteTaxRate]
