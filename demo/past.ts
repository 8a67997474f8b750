// Weeks of orders that nobody placed: who bought what, when, and how it went. Pure: the same facts, day and seed give
// the same past. Every order is priced by the shop's own arithmetic, so each adds up as a real one does.
import { createHash } from 'node:crypto'
import { calculateQuote, type QuoteInput } from '../src/modules/pricing/calculate-quote.ts'
import type { Quote } from '../src/modules/pricing/pricing.ts'
import { people, type Person } from './people.ts'
import { Random } from './random.ts'

export type Facts = {
  channelId: string
  /** By currency: what is for sale, priced; `quantity` is filled in here. */
  goods: Record<string, (QuoteInput['lines'][number] & { popularity: number })[]>
  rates: (QuoteInput['deliveryRates'][number] & { country: string; currency: string })[]
  taxRates: (QuoteInput['taxRates'][number] & { country: string })[]
  /** Automatic promotions by currency. */
  promotions: Record<string, QuoteInput['candidates']>
  locationIds: string[]
}

export type PastOrder = {
  id: string
  paymentId: string
  attemptId: string
  person: Person
  tokenHash: Buffer
  quote: Quote
  state: 'placed' | 'lapsed' | 'cancelled'
  createdAt: Date
  /** When the parcel left; the youngest orders still wait. */
  shippedAt: Date | undefined
  /** Where each line was taken from. */
  locationIds: string[]
}

const DAYS = 42
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
// Sunday is for choosing, Monday for buying.
const WEEKDAYS = [1.15, 1.3, 1, 0.95, 1, 0.85, 0.8]
const HOURS = [1, 0.5, 0.3, 0.2, 0.2, 0.4, 1, 2, 3, 4, 5, 5, 6, 5, 4, 4, 5, 5, 6, 7, 8, 7, 4, 2]

/** Orders of the six weeks before `today`, the oldest first. */
export function pastOrders(facts: Facts, today: Date, seed = 1189): PastOrder[] {
  const random = new Random(seed)
  const customers = people(random, 260)
  const midnight = Math.floor(today.getTime() / DAY_MS) * DAY_MS
  const orders: PastOrder[] = []
  for (let day = DAYS; day >= 1; day--) {
    const start = midnight - day * DAY_MS
    const rising = 0.8 + 0.4 * (DAYS - day) / DAYS
    const count = Math.round(15 * rising * WEEKDAYS[new Date(start).getUTCDay()]! * (0.75 + random.next() / 2))
    const moments = Array.from({ length: count }, () => start + momentOfDay(random)).sort((a, b) => a - b)
    for (const moment of moments) orders.push(pastOrder(facts, new Date(moment), today, { random, customers }))
  }
  return orders
}

function momentOfDay(random: Random): number {
  const hour = random.weighed(HOURS.map((weight, index) => ({ weight, index })), ({ weight }) => weight).index
  return hour * HOUR_MS + random.whole(0, HOUR_MS - 1)
}

function pastOrder(
  facts: Facts, createdAt: Date, today: Date, { random, customers }: { random: Random; customers: Person[] },
): PastOrder {
  const person = random.weighed(customers, ({ weight }) => weight)
  const quote = quoteFor(facts, person, random)
  const fate = random.next()
  const state = fate < 0.04 ? 'lapsed' : fate < 0.065 ? 'cancelled' : 'placed'
  const leaves = new Date(createdAt.getTime() + random.whole(8, 44) * HOUR_MS)
  const [id, paymentId, attemptId] = [random.id(createdAt), random.id(createdAt), random.id(createdAt)]
  return {
    id, paymentId, attemptId, person, tokenHash: createHash('sha256').update(`demo ${id}`).digest(), quote, state,
    createdAt, shippedAt: state === 'placed' && leaves < today ? leaves : undefined,
    locationIds: quote.lines.map(() =>
      random.weighed(facts.locationIds, (each) => (each === facts.locationIds[0] ? 4 : 1))),
  }
}

function quoteFor(facts: Facts, { currency, address: { country } }: Person, random: Random): Quote {
  const wanted = random.weighed([1, 2, 3, 4, 5], (count) => 1 / count)
  const chosen = new Map<string, QuoteInput['lines'][number]>()
  for (let each = 0; each < wanted; each++) {
    const { popularity, ...line } = random.weighed(facts.goods[currency]!, (good) => good.popularity)
    chosen.set(line.variantId, { ...line, quantity: random.weighed([1, 2, 3, 6], (quantity) => 1 / quantity ** 2) })
  }
  const lines = [...chosen.values()]
  const weight = lines.reduce((total, line) => total + line.weightGrams * line.quantity, 0)
  const rates = facts.rates.filter((rate) => rate.country === country && rate.currency === currency &&
    weight >= (rate.minWeightGrams ?? 0) && weight < (rate.maxWeightGrams ?? Infinity))
  // Too heavy for a parcel to there: they think better of the last thing.
  if (rates.length === 0) return quoteFor(facts, { currency, address: { country } } as Person, random)
  const { methodId } = random.weighed(rates, ({ code }) => (code === 'parcel' ? 12 : code === 'express' ? 2 : 1))
  return calculateQuote({
    currency, pricesIncludeTax: true, lines, taxRates: facts.taxRates.filter((rate) => rate.country === country),
    shippingMethodId: methodId, deliveryRates: rates.filter((rate) => rate.methodId === methodId),
    candidates: facts.promotions[currency] ?? [], couponCodes: [], couponPolicy: 'refuse',
  })
}
