// What each statement of a walk through a grown shop costs: `npm run bench -- plans` would be the same as
// `node bench/plans.ts --products 100000 --orders 1000000`, which draws a table of milliseconds and blocks. It needs a
// PostgreSQL in TEST_DATABASE_URL, where it makes a database and drops it again, or starts one of its own.
import { parseArgs } from 'node:util'
import { startPostgres } from '../src/platform/postgres.ts'
import type { Judged } from './explain.ts'

const { values: options } = parseArgs({ options: {
  products: { type: 'string', default: '1000' }, orders: { type: 'string', default: '0' }, json: { type: 'boolean' },
} })
const scale = { products: Number(options.products), orders: Number(options.orders) }
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

async function measure(): Promise<Judged[]> {
  // The harness reads its address when it is loaded.
  const { testShop } = await import('../src/testing.ts')
  const { grow } = await import('./grow.ts')
  const { walk } = await import('./walk.ts')
  const { judge, noteStatements, tablesAbove } = await import('./explain.ts')
  const cleanups: (() => unknown)[] = []
  const shop = await testShop({ after: (fn) => cleanups.push(fn) })
  try {
    await grow(shop, scale)
    const large = await tablesAbove(shop.db, 2_000)
    return await judge(shop.db, await noteStatements((requesting) => walk(shop, requesting)), { large })
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup()
  }
}

const own = process.env['TEST_DATABASE_URL'] ? undefined : await startPostgres({ throwaway: true, fsync: true })
if (own) process.env['TEST_DATABASE_URL'] = own.url
try {
  const judged = await measure()
  if (options.json) console.log(JSON.stringify(judged.map(({ values, ...rest }) => rest)))
  else {
    console.log(`${scale.products.toLocaleString('en')} products, ${scale.orders.toLocaleString('en')} orders`)
    for (const { request, text, ms, blocks, wholes } of judged.toSorted((a, b) => (b.ms ?? 0) - (a.ms ?? 0))) {
      const cost = ms === undefined ? 'not run twice' : `${ms.toFixed(2)} ms, ${blocks} blocks`
      console.log(`${cost.padStart(24)}  ${request}: ${oneLine(text).slice(0, 100)}${wholes.length > 0
        ? `\n${' '.repeat(26)}reads all of ${wholes.join(', ')}` : ''}`)
    }
  }
} finally {
  await own?.stop()
}
