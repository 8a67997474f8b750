// The shop that is measured: a channel, a tax, a delivery, and unless it is grown otherwise 1,000 products of three
// variants with prices and endless stock. Written through the modules' own functions, as an import would.
import { Type } from 'typebox'
import { sql, systemContext, type Db, type Tx } from '../src/platform/db.ts'
import { newId } from '../src/platform/id.ts'
import { saveChannel } from '../src/modules/catalog/channels.ts'
import { saveProducts } from '../src/modules/catalog/save-products.ts'
import { addLocation } from '../src/modules/inventory/locations.ts'
import { setStock } from '../src/modules/inventory/set-stock.ts'
import { setPrices } from '../src/modules/pricing/set-prices.ts'
import { setTaxRates } from '../src/modules/pricing/tax-rates.ts'
import { saveMethod } from '../src/modules/shipping/methods.ts'
import { saveZone } from '../src/modules/shipping/zones.ts'

export type Furnished = { channelId: string; methodId: string; locations: readonly [string, string] }

const PRODUCTS = 1000
const BATCH = 200
const ENDLESS = 1_000_000
export const WORDS = ['Mug', 'Bowl', 'Plate', 'Lamp', 'Chair', 'Scarf', 'Kettle', 'Rug', 'Clock', 'Basket']
export const GLAZES = ['Cobalt', 'Ash', 'Moss', 'Rust', 'Chalk', 'Ink', 'Sand', 'Plum', 'Fir', 'Clay']
export const VENDORS = 20

/** Everything that a shop needs before it has goods. */
export async function furnish(db: Db): Promise<Furnished> {
  const [channelId, zoneId, methodId, first, second] = [newId(), newId(), newId(), newId(), newId()]
  await db.transaction(systemContext(), async (tx) => {
    await saveChannel(tx, channelId, {
      code: 'bench', name: 'Bench', currencies: ['EUR'], defaultCurrency: 'EUR', defaultLocale: 'en', country: 'DE',
      pricesIncludeTax: true,
    })
    await setTaxRates(tx, [{ country: 'DE', taxClass: 'standard', ratePpm: 190_000, name: 'VAT' }])
    await saveZone(tx, zoneId, { name: 'Germany', countries: ['DE'] })
    await saveMethod(tx, methodId, {
      zoneId, code: 'parcel', name: 'Parcel', kind: 'flat', rates: [{ currency: 'EUR', from: 0, amountMinor: 490 }],
    })
    await addLocation(tx, first, { code: 'here', name: 'Here' })
    await addLocation(tx, second, { code: 'there', name: 'There' })
  })
  return { channelId, methodId, locations: [first, second] }
}

/** The goods of the shop that most parts use. */
export async function seedProducts(db: Db, { channelId, locations: [locationId] }: Furnished): Promise<void> {
  const write = <T>(fn: (tx: Tx) => Promise<T>): Promise<T> => db.transaction(systemContext(), fn)
  for (let first = 0; first < PRODUCTS; first += BATCH) {
    const products = Array.from({ length: BATCH }, (_, offset) => productOf(first + offset, channelId))
    const saved = await write((tx) => saveProducts(tx, products))
    const ids = saved.flatMap(({ variants }) => variants.map(({ variantId }) => variantId))
    await write((tx) => setPrices(tx, ids.map(
      (variantId, index) => ({ variantId, channelId, currency: 'EUR', unitMinor: 1000 + (index % 50) * 100 })
    )))
    await write((tx) => setStock(tx, ids.map((variantId) => ({ variantId, locationId, onHand: ENDLESS }))))
  }
  await db.run(sql`analyze`)
}

function productOf(number: number, channelId: string) {
  const word = WORDS[number % 10]!
  return {
    handle: `${word.toLowerCase()}-${number}`, title: `${GLAZES[Math.floor(number / 10) % 10]} ${word} ${number}`,
    status: 'active' as const,
    channelIds: [channelId], vendor: `Pottery ${number % VENDORS}`, type: word,
    tags: [GLAZES[number % 10]!.toLowerCase()],
    descriptionHtml: `<p>${`A ${word.toLowerCase()} made by hand, one like no other. `.repeat(8)}</p>`,
    options: [{ name: 'Size', values: ['S', 'M', 'L'] }],
  }
}

/** Sets what lies there of one variant. */
export async function restock(db: Db, locationId: string, variantId: string, onHand: number): Promise<void> {
  await db.transaction(systemContext(), (tx) => setStock(tx, [{ variantId, locationId, onHand }]))
}

/** Every id that a replay must leave alone, because rows refer to it. */
export async function knownIds(db: Db): Promise<Set<string>> {
  const rows = await db.many(Type.Object({ id: Type.String() }), sql`
    select id::text as id from catalog.channel union all select id::text from catalog.product
    union all select id::text from catalog.variant union all select id::text from inventory.location
    union all select id::text from shipping.method union all select id::text from shipping.zone
    union all select id::text from identity.publishable_key union all select id::text from identity.secret_key`)
  return new Set(rows.map(({ id }) => id))
}

/** Orders and units that were sold of one variant: what the races are judged by. */
export async function soldOf(db: Db, variantId: string): Promise<{ orders: number; units: number; reserved: number }> {
  return db.one(Type.Object({ orders: Type.Integer(), units: Type.Integer(), reserved: Type.Integer() }), sql`
    select count(distinct order_id)::int as orders, coalesce(sum(quantity), 0)::int as units,
      (select coalesce(sum(reserved), 0)::int from inventory.stock where variant_id = ${variantId}) as reserved
    from inventory.reservation where variant_id = ${variantId} and state in ('held', 'claimed', 'shipped')`)
}

/** What the shop still has to do for what was done: events and jobs that are due, and jobs that failed. */
export async function queueOf(db: Db): Promise<{ due: number; failed: number }> {
  return db.one(Type.Object({ due: Type.Integer(), failed: Type.Integer() }), sql`
    select (select count(*) from platform.event where relayed_at is null and available_at <= now())::int
        + (select count(*) from platform.job where last_error is null)::int as due,
      (select count(*) from platform.job where last_error is not null)::int as failed`)
}
