// The parts of the bench. Each measures the shop, then the limit of the same thing in the same run, and says what it
// promised.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Db } from '../src/platform/db.ts'
import { Connection } from './connection.ts'
import { withDriver } from './driver-loop.ts'
import { compare, figuresOf, runLoop, type Figures } from './measure.ts'
import type { Noted } from './note-statements.ts'
import { restock, soldOf, type Seeded } from './seed.ts'
import { startBare, type Shop } from './servers.ts'
import { Shopper, type Line } from './shopper.ts'

export type World = {
  db: Db
  databaseUrl: string
  folder: string
  shop: Shop
  key: string
  seeded: Seeded
  known: ReadonlySet<string>
  random: () => number
  seconds: number
  clients: number
  pool: number
  /** What the shop sends for `act`, noted from a second copy of it that is stopped again. */
  note: (act: (shopper: Shopper) => Promise<void>) => Promise<Noted[]>
}

export type Outcome = {
  part: string; unit: string; shop: Figures; limit?: Figures; atLeast?: number; broken: string[]; note?: string,
}
export type Part = { name: string; about: string; run: (world: World) => Promise<Outcome> }

const lineOf = (world: World): Line => ({ variantId: variantOf(world), quantity: 1 })
const oneOf = <T>(items: readonly T[], random: () => number): T => items[Math.floor(random() * items.length)]!
const variantOf = ({ seeded, random }: World): string => oneOf(seeded.variantIds, random)

async function shoppers<T>(
  world: World, count: number, fn: (all: Shopper[]) => Promise<T>, url = world.shop.url,
): Promise<T> {
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(url)))
  try {
    return await fn(connections.map((connection) => new Shopper(connection, world.key, world.seeded)))
  } finally {
    for (const connection of connections) connection.close()
  }
}

// Reads: as many addresses as a busy shop shows, so that it is not one answer over and over. The limit answers the same
// bytes.
function readPart(name: string, about: string, addressesOf: (world: World) => string[]): Part {
  const run = (world: World) => shoppers(world, world.clients, async (all) => {
    const addresses = addressesOf(world)
    const file = join(world.folder, `${name}.json`)
    const answers: Record<string, string> = {}
    for (const address of addresses) answers[address] = (await all[0]!.read(address)).toString()
    writeFileSync(file, JSON.stringify(answers))
    const readBy = (readers: Shopper[]) => async (worker: number): Promise<void> => {
      await readers[worker]!.read(oneOf(addresses, world.random))
    }
    const bare = await startBare(file)
    try {
      const [shop, limit] = await shoppers(world, world.clients, (others) => compare(world.seconds,
        (loop) => runLoop({ ...loop, workers: world.clients }, readBy(all)),
        (loop) => runLoop({ ...loop, workers: world.clients }, readBy(others))), bare.url)
      return { part: name, unit: 'req/s', shop, limit, atLeast: 0.5, broken: [] }
    } finally {
      await bare.stop()
    }
  })
  return { name, about, run }
}

// Orders: the limit sends the same statements from a bare driver, over as many connections as the shop has.
function writePart(
  name: string, about: string, act: (shopper: Shopper, line: Line) => Promise<unknown>, unit: string,
): Part {
  const run = async (world: World): Promise<Outcome> => {
    const line = lineOf(world)
    const notes = await world.note(async (shopper) => void await act(shopper, line))
    const replay = { notes, known: world.known, variants: [line.variantId], pickVariant: () => variantOf(world) }
    const [shop, limit] = await shoppers(world, world.clients, (all) =>
      withDriver(world.databaseUrl, world.pool, replay, (round) => compare(world.seconds,
        (loop) => runLoop(
          { ...loop, workers: world.clients }, async (worker) => void await act(all[worker]!, lineOf(world))
        ),
        (loop) => runLoop({ ...loop, workers: world.pool }, round))))
    const trips = new Set(notes.map(({ trip }) => trip)).size
    return {
      part: name, unit, shop, limit, atLeast: 0.4, broken: [], note: `${notes.length} statements in ${trips} trips`,
    }
  }
  return { name, about, run }
}

// The total of one unit of a variant never changes here, so it is asked for once.
const totals = new Map<string, number>()
async function totalOf(shopper: Shopper, line: Line): Promise<number> {
  let total = totals.get(line.variantId)
  if (total === undefined) totals.set(line.variantId, (total = await shopper.quote([line])))
  return total
}

const FLASH_UNITS = 100
const FLASH_BUYERS = 400

// The code of the problem, or what else went wrong.
const refusalOf = (error: Error): string => /"type":"[^"]*\/([^"/]+)"/.exec(error.message)?.[1] ?? error.message

async function flashSale(world: World): Promise<Outcome> {
  const variantId = world.seeded.scarceId
  await restock(world.db, world.seeded, variantId, FLASH_UNITS)
  const before = await soldOf(world.db, variantId)
  const line = { variantId, quantity: 1 }
  const latencies: number[] = []
  const refusals = new Map<string, number>()
  const started = performance.now()
  await shoppers(world, FLASH_BUYERS, async (all) => {
    const total = await totalOf(all[0]!, line)
    await Promise.all(all.map(async (shopper) => {
      const begun = performance.now()
      const refusal = await shopper.buyNow([line], total).then(() => undefined, refusalOf)
      if (refusal === undefined) latencies.push(performance.now() - begun)
      else refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1)
    }))
  })
  const seconds = (performance.now() - started) / 1000
  const after = await soldOf(world.db, variantId)
  const [orders, units] = [after.orders - before.orders, after.units - before.units]
  const sold = latencies.length
  const others = [...refusals].filter(([code]) => code !== 'out-of-stock')
  const errors = others.reduce((sum, [, count]) => sum + count, 0)
  return {
    part: 'flash-sale', unit: 'orders/s', shop: figuresOf([{ latencies, seconds, errors, firstError: others[0]?.[0] }]),
    broken: [
      ...sold === FLASH_UNITS && orders === FLASH_UNITS && units === FLASH_UNITS ? []
        : [`${FLASH_UNITS} units: ${sold} buyers were told yes, ${orders} orders hold ${units} units`],
      ...others.map(([code, count]) => `${count} buyers were refused with: ${code}`),
    ],
    note: `${FLASH_BUYERS} buyers, ${units} of ${FLASH_UNITS} units sold`,
  }
}

const COMPLETIONS = 10

async function double(world: World): Promise<Outcome> {
  const latencies: number[] = []
  const broken: string[] = []
  const started = performance.now()
  const rounds = Math.max(5, Math.round(world.seconds * 2))
  await shoppers(world, COMPLETIONS, async (all) => {
    for (let round = 0; round < rounds; round++) {
      const variantId = world.seeded.variantIds[round]!
      const before = await soldOf(world.db, variantId)
      const cart = await all[0]!.beginCart()
      await all[0]!.addLines(cart, [{ variantId, quantity: 1 }])
      const total = await all[0]!.fillIn(cart)
      const placed = await Promise.all(all.map(async (shopper) => {
        const begun = performance.now()
        const { order } = await shopper.complete(cart, total)
        latencies.push(performance.now() - begun)
        return order.id as string
      })).catch((error: Error) => { broken.push(error.message); return [] })
      const made = (await soldOf(world.db, variantId)).orders - before.orders
      const several = placed.length > 0 && (made !== 1 || new Set(placed).size !== 1)
      if (several) broken.push(`${COMPLETIONS} completions made ${made} orders`)
    }
  })
  const seconds = (performance.now() - started) / 1000
  return {
    part: 'double', unit: 'req/s', shop: figuresOf([{ latencies, seconds, errors: 0, firstError: undefined }]), broken,
    note: `${rounds} carts, each completed ${COMPLETIONS} times at once: one order each`,
  }
}

export const parts: Part[] = [
  readPart('list', 'product list, 20 a page', ({ seeded }) => [
    '/store/products', ...['Mug', 'Bowl', 'Plate', 'Lamp', 'Chair'].map((type) => `/store/products?type=${type}`),
    ...seeded.handles.slice(0, 20).map((_, vendor) => `/store/products?vendor=Pottery%20${vendor}`),
  ]),
  readPart(
    'product', 'product page', ({ seeded }) => seeded.handles.slice(0, 500).map((handle) => `/store/products/${handle}`)
  ),
  writePart('cart', 'begin a cart, add a line', async (shopper, line) => shopper.addLines(
    await shopper.beginCart(), [line]
  ), 'carts/s'),
  writePart('checkout', 'a whole checkout in six calls', (shopper, line) => shopper.buy([line]), 'orders/s'),
  writePart('one-shot', 'POST /store/checkout', async (shopper, line) => shopper.buyNow(
    [line], await totalOf(shopper, line)
  ), 'orders/s'),
  { name: 'flash-sale', about: `${FLASH_UNITS} units, ${FLASH_BUYERS} buyers at once`, run: flashSale },
  { name: 'double', about: `the same cart completed ${COMPLETIONS} times at once`, run: double },
]
