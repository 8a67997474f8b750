// Where the demo shop sells and how it delivers: its channel, zones, rates, taxes and what it takes off.
import type { NewPromotion } from '../src/modules/pricing/promotions.ts'
import type { ChannelInput } from '../src/modules/catalog/catalog.ts'
import type { MethodInput, Rate } from '../src/modules/shipping/shipping.ts'

export const channel: ChannelInput = {
  code: 'nordhafen', name: 'Nordhafen, general store by the water', currencies: ['EUR', 'USD'], defaultCurrency: 'EUR',
  defaultLocale: 'en',
  country: 'DE', pricesIncludeTax: true,
}

export const locations = [
  { code: 'hamburg', name: 'Warehouse, Hamburg', priority: 10 },
  { code: 'luebeck', name: 'Shop by the Trave, Lübeck', priority: 20 },
]

/** Standard and reduced rate by country, in percent. A country that is not here pays no tax. */
const TAX: Record<string, [name: string, standard: number, reduced: number]> = {
  DE: ['MwSt.', 19, 7], AT: ['USt.', 20, 10], FR: ['TVA', 20, 5.5], NL: ['btw', 21, 9], BE: ['TVA/btw', 21, 6],
  DK: ['moms', 25, 25],
  SE: ['moms', 25, 12], PL: ['VAT', 23, 5], IT: ['IVA', 22, 10], ES: ['IVA', 21, 10], FI: ['ALV', 25.5, 14],
}

export const taxRates = Object.entries(TAX).flatMap(([country, [name, standard, reduced]]) => [
  { country, taxClass: 'standard', ratePpm: standard * 10_000, name: `${name} ${standard} %` },
  { country, taxClass: 'reduced', ratePpm: reduced * 10_000, name: `${name} ${reduced} %` },
])

/** Steps of weight: up to so many grams costs so much, in euros and dollars. Beyond the last it is not offered. */
function byWeight(...steps: [upToGrams: number, eurMinor: number, usdMinor: number][]): Rate[] {
  return steps.flatMap(([upTo, eur, usd], index) => {
    const from = index === 0 ? 0 : steps[index - 1]![0]
    const last = index === steps.length - 1
    return ([['EUR', eur], ['USD', usd]] as const).flatMap(([currency, amountMinor]) => [
      { currency, from, amountMinor }, ...(last ? [{ currency, from: upTo, amountMinor: null }] : []),
    ])
  })
}

const flat = (eurMinor: number, usdMinor: number): Rate[] => [
  { currency: 'EUR', from: 0, amountMinor: eurMinor }, { currency: 'USD', from: 0, amountMinor: usdMinor },
]

type DemoMethod = Omit<MethodInput, 'zoneId'>
export const zones: { name: string; countries: string[]; methods: DemoMethod[] }[] = [
  {
    name: 'Germany', countries: ['DE'], methods: [
      {
        code: 'parcel', name: 'Parcel', description: 'Two to three working days', kind: 'weight', position: 1,
        rates: byWeight([2_000, 490, 590], [5_000, 690, 790], [10_000, 990, 1_190], [31_500, 1_690, 1_990]),
      },
      {
        code: 'express', name: 'Express', description: 'Tomorrow, if ordered by noon', kind: 'flat', position: 2,
        rates: flat(1_490, 1_790),
      },
      {
        code: 'pickup', name: 'Collect at the shop', description: 'An der Untertrave, Lübeck', kind: 'flat',
        position: 3, rates: flat(0, 0),
      },
    ],
  },
  {
    name: 'European Union', countries: Object.keys(TAX).filter((country) => country !== 'DE'), methods: [
      {
        code: 'parcel-eu', name: 'Parcel, European Union', description: 'Three to six working days', kind: 'weight',
        position: 1,
        rates: byWeight([2_000, 990, 1_190], [5_000, 1_390, 1_590], [20_000, 2_490, 2_790]),
      },
    ],
  },
  {
    name: 'Overseas and neighbours', countries: ['CH', 'NO', 'GB', 'US', 'CA', 'JP', 'AU'], methods: [
      {
        code: 'parcel-world', name: 'Parcel, worldwide', description: 'One to two weeks; duties are the receiver’s',
        kind: 'weight', position: 1,
        rates: byWeight([2_000, 1_990, 2_290], [5_000, 3_490, 3_890], [20_000, 6_990, 7_790]),
      },
    ],
  },
]

/** Without a code a promotion applies by itself. */
export const promotions: { code?: string; promotion: NewPromotion }[] = [
  {
    promotion: {
      name: 'Free delivery from 79 €', discount: { kind: 'free_delivery' }, automatic: true, combines: true,
      currency: 'EUR',
      minimumSubtotalMinor: 7_900,
    },
  },
  {
    promotion: {
      name: 'Free delivery from $99', discount: { kind: 'free_delivery' }, automatic: true, combines: true,
      currency: 'USD',
      minimumSubtotalMinor: 9_900,
    },
  },
  {
    code: 'AHOY10', promotion: {
      name: '10 % for a first visit', discount: {
        kind: 'percentage', ratePpm: 100_000,
      }, automatic: false, combines: true, useLimitPerCustomer: 1,
    },
  },
  {
    code: 'HARBOUR5', promotion: {
      name: '5 € off from 40 €', discount: {
        kind: 'amount', amountMinor: 500,
      }, automatic: false, combines: true, currency: 'EUR',
      minimumSubtotalMinor: 4_000,
    },
  },
  {
    code: 'STORM', promotion: {
      name: 'Storm sale, the first hundred orders', discount: {
        kind: 'percentage', ratePpm: 200_000,
      }, automatic: false, useLimit: 100,
    },
  },
]

export const collections = [
  {
    handle: 'best-sellers', title: 'Best sellers', descriptionHtml: '<p>What leaves the warehouse first.</p>',
    tag: 'bestseller',
  },
  { handle: 'gifts', title: 'Gifts', descriptionHtml: '<p>For people who have everything but this.</p>', tag: 'gift' },
  {
    handle: 'coffee-corner', title: 'The coffee corner',
    descriptionHtml: '<p>Beans, and what turns them into a morning.</p>', tag: 'coffee',
  },
  { handle: 'wool', title: 'Wool', descriptionHtml: '<p>Against east wind, in several weights.</p>', tag: 'wool' },
]
