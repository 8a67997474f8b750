// A shop to measure on: a database of its own, the goods in it, keys, and the process that serves it. A second process
// of it notes what the shop says to the database: the measured one shall not carry a notebook.
import { createPublishableKey, createSecretKey } from '../src/modules/identity/api-keys.ts'
import { permissions } from '../src/modules/identity/identity.ts'
import { prepareDatabase } from '../src/migrations.ts'
import { Db, systemContext } from '../src/platform/db.ts'
import { newId } from '../src/platform/id.ts'
import { Connection } from './connection.ts'
import { grownGoods, seededGoods, type Goods } from './goods.ts'
import { grow } from './grow.ts'
import type { Watched } from './machine.ts'
import type { Noted } from './note-statements.ts'
import { furnish, knownIds, seedProducts, type Furnished } from './seed.ts'
import { startShop, type Shop } from './servers.ts'
import { Shopper } from './shopper.ts'

export const POOL = 16        // connections of the shop, and at most of the driver loop that it is compared with

export type Size = { products: number; orders: number }

export class Ground {
  readonly db: Db
  readonly furnished: Furnished
  readonly goods: Goods
  readonly known: ReadonlySet<string>
  readonly shop: Shop
  readonly #databasePid: number | undefined
  #noting: { shop: Shop; idle: ReadonlySet<string> } | undefined

  constructor(
    { db, furnished, goods, known }: Pick<Ground, 'db' | 'furnished' | 'goods' | 'known'>, shop: Shop,
    databasePid: number | undefined,
  ) {
    this.db = db
    this.furnished = furnished
    this.goods = goods
    this.known = known
    this.shop = shop
    this.#databasePid = databasePid
  }

  get watched(): Watched { return this.watching(this.shop.pid) }

  watching(serverPid: number): Watched { return { serverPid, databasePid: this.#databasePid } }

  /** What the shop sends to the database for each of these steps, taken by one shopper. */
  async note(steps: (shopper: Shopper) => readonly (() => Promise<unknown>)[]): Promise<Noted[][]> {
    this.#noting ??= await startNoting(this.db.url)
    const { shop, idle } = this.#noting
    const connection = await Connection.open(shop.url)
    try {
      const shopper = new Shopper(connection, this.goods.terms)
      for (const step of steps(shopper)) await step()     // once for what is cached
      const noted: Noted[][] = []
      for (const step of steps(shopper)) {
        noted.push((await shop.note(async () => void await step())).filter(({ text }) => !idle.has(text)))
      }
      return noted
    } finally {
      connection.close()
    }
  }

  async stop(): Promise<void> {
    await this.#noting?.shop.stop()
    await this.shop.stop()
    await this.db.close()
  }
}

// What the shop says to the database while nobody asks it for anything belongs to no scenario.
async function startNoting(databaseUrl: string) {
  const shop = await startShop(databaseUrl, { noting: true, pool: 4, roles: 'store,admin' })
  const idle = await shop.note(() => new Promise((resolve) => setTimeout(resolve, 1500)))
  return { shop, idle: new Set(idle.map(({ text }) => text)) }
}

/** A database of that name with a shop in it: the usual 1,000 products, or grown to a size. */
export async function openGround(
  serverUrl: string, name: string, { size, databasePid, environment }: {
    size?: Size; databasePid: number | undefined; environment?: Record<string, string>
  },
): Promise<Ground> {
  const server = new Db({ url: serverUrl, max: 1 })
  const client = await server.dedicated()
  await client.query(`create database ${name}`)
  await client.end()
  await server.close()
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  const db = new Db({ url: url.href, max: 8, applicationName: 'kontor bench' })
  await prepareDatabase(db)
  const furnished = await furnish(db)
  if (size) await grow({ db, channelId: furnished.channelId, locations: furnished.locations }, size)
  else await seedProducts(db, furnished)
  const keys = await db.transaction(systemContext(), async (tx) => ({
    key: await createPublishableKey(tx, newId(), { name: 'bench', channelId: furnished.channelId }),
    secretKey: await createSecretKey(tx, newId(), { name: 'bench', permissions: Object.keys(permissions) }),
  }))
  const terms = {
    key: keys.key, currency: 'EUR', country: 'DE', methodId: furnished.methodId, paymentMethod: 'transfer',
  }
  const goods = await (size ? grownGoods : seededGoods)(db, terms, keys.secretKey)
  const shop = await startShop(db.url, { pool: POOL, ...environment ? { environment } : {} })
  return new Ground({ db, furnished, goods, known: await knownIds(db) }, shop, databasePid)
}
