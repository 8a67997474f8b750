// One variant that everybody buys: how often its units can be promised, by few who never queue (the reserve statement
// in a transaction of its own) and by a crowd (holds granted together), beside the least that a sale of a unit could
// be: one connection that updates and commits one row. Whole orders of it are shown as well.
import pg from 'pg'
import { holdingHotStock } from '../src/modules/inventory/hot-stock.ts'
import { reserve } from '../src/modules/inventory/reserve.ts'
import { Db, measured, systemContext } from '../src/platform/db.ts'
import { newId } from '../src/platform/id.ts'
import { withConnections } from './connection.ts'
import { POOL, type Ground } from './ground.ts'
import { figuresOf, runLoop, type Sample } from './measure.ts'
import { atLeast, exactly, failures, number, type Outcome } from './outcome.ts'
import { ENDLESS } from './races.ts'
import { totalOf } from './scenarios.ts'
import { restock, soldOf } from './seed.ts'
import { Shopper } from './shopper.ts'
import type { World } from './world.ts'

const FEW = 2          // buyers who never queue
const CROWD = 64
const HOLD_SECONDS = 900
const AT_LEAST_OF_ONE_ROW = 0.6
const TIMES_WHEN_SHARED = 5

export async function hotSku(world: World): Promise<Outcome> {
  const ground = await world.ground()
  const { seconds, runs } = world.options
  const variantId = ground.goods.variantIds.at(-1)!
  await restock(ground.db, ground.furnished.locations[0], variantId, ENDLESS)
  const before = await soldOf(ground.db, variantId)
  const samples: Record<'row' | 'few' | 'crowd' | 'orders', Sample[]> = { row: [], few: [], crowd: [], orders: [] }
  for (let turn = 0; turn < runs; turn++) {
    samples.row.push(await updateOneRow(ground.db.url, seconds))
    samples.few.push(await promises(ground, { variantId, seconds, workers: FEW }))
    samples.crowd.push(await promises(ground, { variantId, seconds, workers: CROWD }))
    samples.orders.push(await orders(ground, { variantId, seconds, workers: CROWD }))
  }
  const limit = figuresOf(samples.row)
  const [few, crowd] = [figuresOf(samples.few), figuresOf(samples.crowd)]
  const rows = [
    { name: `hot-sku, promised @${FEW}`, unit: 'units/s', shop: few, limit },
    { name: `hot-sku, promised @${CROWD}`, unit: 'units/s', shop: crowd, limit },
    { name: `hot-sku, ordered @${CROWD}`, unit: 'orders/s', shop: figuresOf(samples.orders), limit },
  ]
  const held = (await soldOf(ground.db, variantId)).units - before.units
  const one = limit.perSecond.median
  return {
    rows,
    notes: [`hot-sku: the limit is one connection that updates and commits one row, ${number(one)} times a second`],
    bounds: [
      exactly('hot-sku', `${told} were told yes, ${held} units are held`, told === held),
      atLeast('hot-sku without a queue, of the one-row limit', few.perSecond.median / one, AT_LEAST_OF_ONE_ROW),
      atLeast('hot-sku by a crowd, beside that without a queue', crowd.perSecond.median / few.perSecond.median,
        TIMES_WHEN_SHARED, ' times'),
      ...rows.flatMap(failures),
    ],
  }
}

let told = 0

type Rush = { variantId: string; seconds: number; workers: number }

/** Units that are promised, without the rest of an order. */
async function promises({ db: { url } }: Ground, { variantId, seconds, workers }: Rush): Promise<Sample> {
  const db = new Db({ url, max: POOL, waitMs: 10_000, applicationName: 'kontor bench' })
  const lines = [{ variantId, quantity: 1 }]
  const place = async (): Promise<void> => {
    const orderId = newId()
    const one = () => db.transaction(systemContext(), (tx) => tx.commit([reserve(tx, orderId, lines, HOLD_SECONDS)]))
    const held = async (): Promise<string> => {
      // As place-order.ts: the transaction of the order keeps what was granted. Few never come here.
      if (workers <= FEW) await one()
      return orderId
    }
    await measured(() => (workers <= FEW ? held() : holdingHotStock(db, orderId, async () => lines, held)))
    told++
  }
  try {
    if (workers > FEW) await heat(db, variantId)
    return await runLoop({ workers, seconds, warmUpSeconds: 0.3 }, place)
  } finally {
    await db.close()
  }
}

/** Makes the variant hot, as the first moments of a rush do. */
async function heat(db: Db, variantId: string): Promise<void> {
  await Promise.all(Array.from({ length: POOL }, () => measured(() => (
    db.transaction(systemContext(), (tx) => reserve(tx, newId(), [{ variantId, quantity: 1 }], HOLD_SECONDS))))))
  told += POOL
}

function orders({ shop, goods, watched }: Ground, { variantId, seconds, workers }: Rush): Promise<Sample> {
  return withConnections(shop.url, workers, async (connections) => {
    const shoppers = connections.map((connection) => new Shopper(connection, goods.terms))
    const line = { variantId, quantity: 1 }
    const total = await totalOf(shoppers[0]!, line)
    return runLoop({ workers, seconds, warmUpSeconds: 0.5, watched }, async (worker) => {
      await shoppers[worker]!.buyNow([line], total)
      told++
    })
  })
}

async function updateOneRow(url: string, seconds: number): Promise<Sample> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('drop table if exists public.bench_hot')
    await client.query('create table public.bench_hot (id int primary key, sold int not null)')
    await client.query('insert into public.bench_hot values (1, 0)')
    const update = { name: 'hot', text: 'update public.bench_hot set sold = sold + 1 where id = 1' }
    return await runLoop({ workers: 1, seconds, warmUpSeconds: 0.3 }, () => client.query(update))
  } finally {
    await client.query('drop table if exists public.bench_hot')
    await client.end()
  }
}
