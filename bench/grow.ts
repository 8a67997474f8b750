// A shop after years: any number of products and orders with everything that hangs on them, written by a few statements
// (insert … select), so that a million orders take minutes. What is written keeps every invariant of the shop. Plans
// are judged on it (src/plans.test.ts, bench/plans.ts): an index proves itself only against tables that have grown.
import { followProducts } from '../src/modules/browse/refresh-offers.ts'
import { learnWords } from '../src/modules/catalog/correct-spelling.ts'
import { refreshSearch } from '../src/modules/catalog/announce-products.ts'
import { systemContext, type Db } from '../src/platform/db.ts'
import { catalogue, history } from './grow-tables.ts'

export type Grown = { products: number; orders: number }
/** A furnished shop: a channel that sells in EUR and two locations. */
export type Ground = { db: Db; channelId: string; locations: readonly string[] }

const SEARCHED_AT_ONCE = 1_000

/** Grows an empty shop. Sales lie in the two years before now, the rest as long ago as it is kept. */
export async function grow({ db, channelId, locations }: Ground, { products, orders }: Grown): Promise<void> {
  const client = await db.dedicated()
  try {
    await client.query('begin')
    const settings = { products, orders, channel: channelId, here: locations[0], there: locations[1] }
    for (const [name, value] of Object.entries(settings)) {
      await client.query('select set_config($1, $2, true)', [`grow.${name}`, String(value)])
    }
    await client.query('select setseed(0.5)')                       // the same shop every time
    for (const statement of [...catalogue, ...history]) {
      await client.query(statement).catch((error: Error) => {
        throw new Error(`${error.message}, in: ${statement}`, { cause: error })
      })
    }
    await client.query('commit')
    const { rows } = await client.query<{ id: string }>('select id from catalog.product order by id')
    for (let first = 0; first < rows.length; first += SEARCHED_AT_ONCE) {
      const ids = rows.slice(first, first + SEARCHED_AT_ONCE).map(({ id }) => id)
      await db.transaction(systemContext(), (tx) => refreshSearch(tx, ids))
      await followProducts(db, ids)
      await learnWords(db, ids)
    }
    await client.query('vacuum analyze')
  } finally {
    await client.end()
  }
}
