// What the shop says to the database costs the same after years as on the first day: every statement of a walk through
// a grown shop is judged by its plan, with the text as it was sent. What would grow with the shop fails here, on the
// machine of whoever wrote it. `node bench/plans.ts` measures the same at a million orders.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, noteStatements, tablesAbove } from '../bench/explain.ts'
import { grow } from '../bench/grow.ts'
import { walk } from '../bench/walk.ts'
import { testShop } from './testing.ts'

// Blocks of 8 kB that a statement may touch, in memory or not: an index lookup is 3 or 4, a page of 20 products 1,000.
const MANY_BLOCKS = 1_500
// The newest of a price range are found by walking the newest, or by reading the range: whichever is shorter, and it
// never is the whole.
const RANGE: [text: RegExp, blocks: number] = [/offer\.prices && numrange/, 4_000]
// What reads the catalogue whole, by its meaning, and why that is bearable. Nothing here grows with the orders.
const WHOLE: [text: RegExp, because: string][] = [
  [/^\s*with matching as/, 'a thousand are counted while somebody waits, all of more after the answer'],
  [/order by matching\.rank/, 'ranking looks at each match, of which there are a thousand at most'],
  [/greatest\(on_hand - reserved, 0\) </, 'an index on what each sale changes would cost each sale'],
  [/group by account, currency/, 'a trial balance is over every entry; kept sums would queue all payments'],
  [/from media\.asset\s+where touched_at/, 'a sweep of every five minutes looks for what nobody shows'],
]

test('no statement of the shop grows with it', async (t) => {
  const shop = await testShop(t)
  await grow(shop, { products: 3_000, orders: 20_000 })
  const large = await tablesAbove(shop.db, 2_000)
  assert.ok(large.size > 24, `${large.size} tables have grown`)
  const statements = await noteStatements((requesting) => walk(shop, requesting))
  const judged = (await judge(shop.db, statements, { large }))
    .filter(({ text }) => !WHOLE.some(([whole]) => whole.test(text)))
  assert.ok(judged.length > 100, `${judged.length} statements were judged`)
  const found = judged.flatMap(({ request, text, blocks = 0, wholes }) => [
    ...wholes.map((whole) => `${request}: no index serves ${whole}\n  ${text}`),
    ...blocks > (RANGE[0].test(text) ? RANGE[1] : MANY_BLOCKS) ? [`${request}: ${blocks} blocks\n  ${text}`] : [],
  ])
  assert.deepEqual(found, [], `${found.join('\n')}\nName an index after the query, or write it so that one serves.`)
})
