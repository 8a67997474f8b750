// Gives the demo shop its past, after it answers: orders, payments, stock movements by COPY in one transaction, a
// second's work. The stock that the past took is booked as received before it, so what lies on the shelves, and what
// the running shop has sold of it, stays as it is.
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import type { Client } from 'pg'
import { from } from 'pg-copy-streams'
import type { Db } from '../src/platform/db.ts'
import { bookPast } from './book-past.ts'
import { readFacts } from './facts.ts'
import { goods } from './goods.ts'
import type { Good } from './goods/product.ts'
import { loadPictures } from './load-pictures.ts'
import { pastOrders, type PastOrder } from './past.ts'
import { pastIsLoaded, REFERENCE } from './past-is-loaded.ts'

// Any number that nobody else uses for an advisory lock: two processes must not both load it.
const LOCK = 20_260_615

/**
 * Loads pictures and the past of the six weeks before `today`. A shop without the demo's goods, or with its past, is
 * left alone; what was broken off is taken up again.
 */
export async function loadHistory(
  db: Db, { print = () => {}, today = new Date(), pictures = goods }: Options = {},
): Promise<void> {
  if (!await readFacts(db)) return
  const client = await db.dedicated()
  try {
    const { rows: [here] } = await client.query(`select pg_try_advisory_lock(${LOCK}) as mine`)
    if (!here.mine || await pastIsLoaded(db)) return
    // Pictures first: an order shows its goods as they looked when it was placed.
    await loadPictures(db, print, pictures)
    const facts = await readFacts(db)
    if (!facts) return
    await client.query('begin')
    const orders = pastOrders(facts, today)
    await write(client, orders, facts.channelId, print)
    await bookPast(db, client, orders)
    await client.query('commit')
  } finally {
    await client.end()
  }
}

type Options = { print?: (line: string) => void; today?: Date; pictures?: readonly Good[] }
type Row = (string | number | Date | Buffer | object | null)[]
type Table = { name: string; columns: string; rows: Row[] }

async function write(
  client: Client, orders: PastOrder[], channelId: string, print: (line: string) => void,
): Promise<void> {
  const began = Date.now()
  const tables = [
    ordersTable(orders, channelId), linesTable(orders), timelineTable(orders), ...paymentTables(orders),
    ...stockTables(orders),
  ]
  const total = tables.reduce((sum, { rows }) => sum + rows.length, 0)
  print(
    `Loading six weeks of demo orders: ${orders.length.toLocaleString('en')} orders, ${total.toLocaleString('en')} rows`
  )
  let done = 0
  for (const { name, columns, rows } of tables) {
    await pipeline(Readable.from(lines(rows)), client.query(from(`copy ${name} (${columns}) from stdin`)))
    done += rows.length
    print(`  ${String(Math.floor(100 * done / total)).padStart(3)} %  ${name}`)
  }
  await reserve(client, orders)
  print(`Demo orders loaded in ${((Date.now() - began) / 1_000).toFixed(1)} s`)
}

/** COPY's own text format, in pieces that a socket likes. */
function* lines(rows: Row[]): Generator<string> {
  for (let from = 0; from < rows.length; from += 500) {
    yield rows.slice(from, from + 500).map((row) => row.map(cell).join('\t') + '\n').join('')
  }
}

function cell(value: Row[number]): string {
  if (value === null) return '\\N'
  if (value instanceof Date) return value.toISOString()
  if (Buffer.isBuffer(value)) return `\\\\x${value.toString('hex')}`
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return text.replace(/[\\\t\n\r]/g, (sign) => ({ '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' })[sign]!)
}

const after = (moment: Date, seconds: number): Date => new Date(moment.getTime() + seconds * 1_000)
const HOLD_SECONDS = 1_800

function ordersTable(orders: PastOrder[], channelId: string): Table {
  return {
    name: 'orders."order"',
    columns: `id, channel_id, state, currency, email, shipping_address, billing_address, token_hash, prices_include_tax,
      delivery, promotions, subtotal_minor, shipping_minor, discount_minor, tax_minor, total_minor, payment_method,
      holds_until, created_at, placed_at, closed_at`,
    rows: orders.map(({ id, state, quote, person, tokenHash, createdAt }) => [
      id, channelId, state, quote.currency, person.email, person.address, person.address, tokenHash, 'true',
      quote.shipping, quote.promotions.map(({ limited, ...promotion }) => promotion), quote.subtotalMinor,
      quote.shippingMinor, quote.discountMinor,
      quote.taxMinor, quote.totalMinor, 'transfer', after(createdAt, HOLD_SECONDS), createdAt,
      state === 'lapsed' ? null : after(createdAt, 4),
      state === 'placed' ? null : after(createdAt, state === 'lapsed' ? HOLD_SECONDS : 5_400),
    ]),
  }
}

function linesTable(orders: PastOrder[]): Table {
  return {
    name: 'orders.line',
    columns: `order_id, position, variant_id, product_id, sku, product_title, variant_title, image_url,
      requires_shipping, weight_grams, quantity, unit_minor, per_units, tax_rate_ppm, subtotal_minor,
      discount_minor, tax_minor, total_minor`,
    rows: orders.flatMap(({ id, quote }) => quote.lines.map((line, index) => [
      id, index + 1, line.variantId, line.productId, line.sku, line.productTitle, line.variantTitle, line.imageUrl,
      String(line.requiresShipping), line.weightGrams, line.quantity, line.unitMinor, line.perUnits, line.taxRatePpm,
      line.subtotalMinor,
      line.discountMinor, line.taxMinor, line.totalMinor,
    ])),
  }
}

function timelineTable(orders: PastOrder[]): Table {
  return {
    name: 'orders.timeline_entry', columns: 'order_id, at, kind, actor, data',
    rows: orders.flatMap(({ id, state, createdAt, quote }): Row[] => {
      const placed: Row = [id, after(createdAt, 4), 'placed', 'system', {
        method: 'transfer', payment: 'captured', amountMinor: quote.totalMinor,
      }]
      return [
        [id, createdAt, 'created', 'shopper', {}],
        ...(state === 'lapsed' ? [[id, after(createdAt, HOLD_SECONDS), 'lapsed', 'system', {}]] : [placed]),
        ...(state === 'cancelled'
          ? [[id, after(createdAt, 5_400), 'cancelled', 'system', { reason: 'The customer changed their mind' }]] : []),
      ]
    }),
  }
}

function paymentTables(orders: PastOrder[]): Table[] {
  const paid = orders.filter(({ quote }) => quote.totalMinor > 0)
  return [{
    name: 'payments.payment',
    columns: 'id, order_id, currency, amount_minor, closed, authorized_minor, captured_minor, created_at',
    rows: paid.map(({ paymentId, id, state, quote: { currency, totalMinor }, createdAt }) => {
      const taken = state === 'placed' ? totalMinor : 0
      return [paymentId, id, currency, totalMinor, String(state !== 'placed'), taken, taken, createdAt]
    }),
  }, {
    name: 'payments.attempt', columns: 'id, payment_id, method, gateway, state, capture, created_at',
    rows: paid.map(({ attemptId, paymentId, state, createdAt }) => [
      attemptId, paymentId, 'transfer', 'manual',
      state === 'placed' ? 'captured' : state === 'cancelled' ? 'voided' : 'expired', 'true', after(createdAt, 2),
    ]),
  }]
}

/** What was received before the first order, what left with each, and whose the units were. */
function stockTables(orders: PastOrder[]): Table[] {
  const taken = [...unitsTaken(orders).values()]
  const first = after(orders[0]!.createdAt, -86_400)
  return [{
    name: 'inventory.movement', columns: 'variant_id, location_id, quantity, cause, actor, reference, created_at',
    rows: [
      ...taken.map(({ variantId, locationId, units }): Row =>
        [variantId, locationId, units, 'receipt', 'system', REFERENCE, first]),
      ...orders.filter(({ shippedAt }) => shippedAt).flatMap(({ id, quote, locationIds, shippedAt }) =>
        quote.lines.map((line, index): Row =>
          [line.variantId, locationIds[index]!, -line.quantity, 'shipment', 'system', id, shippedAt!])),
    ],
  }, {
    name: 'inventory.reservation',
    columns: 'order_id, variant_id, location_id, quantity, shipped, state, expires_at, created_at',
    rows: orders.flatMap(({ id, state, quote, ...order }) => quote.lines.map((line, index): Row => [
      id, line.variantId, order.locationIds[index]!, line.quantity, order.shippedAt ? line.quantity : 0,
      order.shippedAt ? 'shipped' : state === 'placed' ? 'claimed' : state === 'lapsed' ? 'expired' : 'released',
      state === 'lapsed' ? after(order.createdAt, HOLD_SECONDS) : null, order.createdAt,
    ])),
  }]
}

type Units = { variantId: string; locationId: string; units: number; waiting: number }
function unitsTaken(orders: PastOrder[]): Map<string, Units> {
  const taken = new Map<string, Units>()
  for (const { state, quote, locationIds, shippedAt } of orders) {
    if (state !== 'placed') continue
    quote.lines.forEach(({ variantId, quantity }, index) => {
      const locationId = locationIds[index]!
      const units = taken.get(`${variantId} ${locationId}`) ?? { variantId, locationId, units: 0, waiting: 0 }
      units.units += quantity
      if (!shippedAt) units.waiting += quantity
      taken.set(`${variantId} ${locationId}`, units)
    })
  }
  return taken
}

/**
 * Orders that still wait for their parcel: their units lie there and are promised. Locked in key order, as everybody
 * does.
 */
async function reserve(client: Client, orders: PastOrder[]): Promise<void> {
  const waiting = [...unitsTaken(orders).values()].filter((units) => units.waiting > 0)
  const keys = [waiting.map(({ variantId }) => variantId), waiting.map(({ locationId }) => locationId)]
  await client.query(`
    select from inventory.stock where (variant_id, location_id) in (select * from unnest($1::uuid[], $2::uuid[]))
    order by variant_id, location_id for no key update`, keys)
  await client.query(`
    update inventory.stock set on_hand = on_hand + units, reserved = reserved + units
    from unnest($1::uuid[], $2::uuid[], $3::int[]) as waiting (variant_id, location_id, units)
    where stock.variant_id = waiting.variant_id and stock.location_id = waiting.location_id`,
  [...keys, waiting.map((units) => units.waiting)])
}
