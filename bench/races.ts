// Where many want the same: the last units of a sale, one cart that is completed many times at once. Judged by what the
// database holds afterwards, not by what buyers were told alone.
import { withConnections } from './connection.ts'
import type { Ground } from './ground.ts'
import { figuresOf, type Sample } from './measure.ts'
import { exactly, failures, type Bound, type Outcome } from './outcome.ts'
import { totalOf } from './scenarios.ts'
import { restock, soldOf } from './seed.ts'
import { startShop } from './servers.ts'
import { Shopper } from './shopper.ts'
import type { World } from './world.ts'

const UNITS = 100
const BUYERS = 400
export const ENDLESS = 5_000_000

/** Tells apart what was wrong: the code of the problem, or the message. */
const refusalOf = (error: Error): string => /"type":"[^"]*\/([^"/]+)"/.exec(error.message)?.[1] ?? error.message

/** A sale through these addresses of one shop; what was sold is what there was, and everybody else was told so. */
export async function sell(ground: Ground, urls: readonly string[]): Promise<{ sample: Sample; bounds: Bound[] }> {
  const { db, furnished, goods } = ground
  const variantId = goods.variantIds[0]!
  await restock(db, furnished.locations[0], variantId, (await soldOf(db, variantId)).reserved + UNITS)
  const before = await soldOf(db, variantId)
  const line = { variantId, quantity: 1 }
  const latencies: number[] = []
  const refusals = new Map<string, number>()
  const share = BUYERS / urls.length
  const connected = urls.map((url) => <T>(fn: (shoppers: Shopper[]) => Promise<T>) =>
    withConnections(url, Math.ceil(share), (all) => fn(all.map((one) => new Shopper(one, goods.terms)))))
  const started = performance.now()
  await Promise.all(connected.map((connect) => connect(async (shoppers) => {
    const total = await totalOf(shoppers[0]!, line)
    await Promise.all(shoppers.map(async (shopper) => {
      const begun = performance.now()
      const refusal = await shopper.buyNow([line], total).then(() => undefined, refusalOf)
      if (refusal === undefined) latencies.push(performance.now() - begun)
      else refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1)
    }))
  })))
  const seconds = (performance.now() - started) / 1_000
  const after = await soldOf(db, variantId)
  const [orders, units] = [after.orders - before.orders, after.units - before.units]
  await restock(db, furnished.locations[0], variantId, ENDLESS)      // the next part finds all there is
  const strange = [...refusals].filter(([code]) => code !== 'out-of-stock' && code !== 'busy')
  const through = urls.length === 1 ? '' : ` through ${urls.length} processes`
  return {
    sample: {
      latencies, seconds, errors: strange.reduce((sum, [, count]) => sum + count, 0), firstError: strange[0]?.[0],
      refused: refusals.get('busy') ?? 0, cpu: { server: NaN, database: NaN, generator: NaN },
    },
    bounds: [exactly(
      `flash sale of ${UNITS} units${through}`,
      `${latencies.length} buyers were told yes, ${orders} orders hold ${units} units; refused: ` +
        [...refusals].map(([code, count]) => `${count} ${code}`).join(', '),
      latencies.length === UNITS && orders === UNITS && units === UNITS,
    )],
  }
}

export async function flashSale(world: World): Promise<Outcome> {
  const ground = await world.ground()
  const { sample, bounds } = await sell(ground, [ground.shop.url])
  const others = await Promise.all([1, 2].map(() => startShop(ground.db.url, { pool: 8, roles: 'store' })))
  try {
    const three = await sell(ground, [ground.shop.url, ...others.map(({ url }) => url)])
    const rows = [sample, three.sample].map((one, index) => (
      { name: index === 0 ? 'flash-sale' : 'flash-sale, 3 servers', unit: 'orders/s', shop: figuresOf([one]) }))
    return { rows, bounds: [...bounds, ...three.bounds, ...rows.flatMap(failures)], notes: [] }
  } finally {
    await Promise.all(others.map((shop) => shop.stop()))
  }
}

const COMPLETIONS = 10

export async function doubleCompletion(world: World): Promise<Outcome> {
  const { db, goods, shop } = await world.ground()
  const latencies: number[] = []
  const broken: string[] = []
  const rounds = world.options.quick ? 8 : 30
  const started = performance.now()
  await withConnections(shop.url, COMPLETIONS, async (connections) => {
    const shoppers = connections.map((connection) => new Shopper(connection, goods.terms))
    for (let round = 0; round < rounds; round++) {
      const variantId = goods.variantIds[1 + round]!
      const before = await soldOf(db, variantId)
      const cart = await shoppers[0]!.beginCart()
      await shoppers[0]!.addLines(cart, [{ variantId, quantity: 1 }])
      const total = await shoppers[0]!.fillIn(cart)
      const placed = await Promise.all(shoppers.map(async (shopper) => {
        const begun = performance.now()
        const { order } = await shopper.complete(cart, total)
        latencies.push(performance.now() - begun)
        return order.id as string
      })).catch((error: Error) => { broken.push(error.message); return [] })
      const made = (await soldOf(db, variantId)).orders - before.orders
      if (placed.length > 0 && (made !== 1 || new Set(placed).size !== 1)) broken.push(`${made} orders of one cart`)
    }
  })
  const seconds = (performance.now() - started) / 1_000
  const cpu = { server: NaN, database: NaN, generator: NaN }
  const sample = { latencies, seconds, errors: 0, firstError: undefined, refused: 0, cpu }
  return {
    rows: [{ name: 'double', unit: 'req/s', shop: figuresOf([sample]) }], notes: [],
    bounds: [exactly(`${rounds} carts, each completed ${COMPLETIONS} times at once`,
      broken[0] ?? 'one order each', broken.length === 0)],
  }
}
