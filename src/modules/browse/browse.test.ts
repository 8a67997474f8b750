// What a shopper sees: lists, search, pages, and how fast it follows what changed.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Check } from 'typebox/value'
import { openMemory } from '../../platform/answer-from-memory.ts'
import { InvalidationFeed } from '../../platform/cache.ts'
import { sql, systemContext, type Tx } from '../../platform/db.ts'
import { createApp } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { drainEvents } from '../../platform/jobs.ts'
import { createLog } from '../../platform/log.ts'
import { testDatabase, type Cleanup } from '../../platform/testing.ts'
import type { ProductInput } from '../catalog/catalog.ts'
import { saveChannel } from '../catalog/channels.ts'
import { learnWords } from '../catalog/correct-spelling.ts'
import { createProduct } from '../catalog/create-product.ts'
import { getProduct } from '../catalog/get-product.ts'
import { updateProduct } from '../catalog/update-product.ts'
import { announceChanges } from '../inventory/announce-changes.ts'
import { setStock } from '../inventory/set-stock.ts'
import { setPrices } from '../pricing/set-prices.ts'
import { ProductList, ProductPage } from './browse.ts'
import { handlers } from './jobs.ts'
import { storeRoutes } from './store-api.ts'

type Sold = { price?: number, stock?: number, handle?: string } & Partial<ProductInput>

async function start(t: Cleanup) {
  const db = await testDatabase(t)
  const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => db.transaction(systemContext(), work)
  const [channelId, locationId] = [newId(), newId()]
  await db.run(sql`insert into inventory.location (id, code, name) values (${locationId}, 'berlin', 'Berlin')`)
  await write((tx) => saveChannel(tx, channelId, {
    code: 'main', name: 'Main', currencies: ['EUR', 'USD'], defaultCurrency: 'EUR', defaultLocale: 'en', country: 'DE',
    pricesIncludeTax: true,
  }))
  const shopper = { kind: 'shopper' as const, channelId, keyId: newId() }
  const authenticate = async () => shopper
  const app = await createApp({ db, routes: storeRoutes, authenticate, log: createLog('silent') })
  const feed = new InvalidationFeed(db)
  openMemory(db, feed, { maxBytes: 1_000_000, cdnSeconds: 0 })
  await feed.look()
  t.after(() => app.close())
  /** What the worker of a shop does within a second of a change. */
  const settle = async () => {
    await announceChanges(db)
    await drainEvents(db, handlers)
    await feed.look()
  }
  return {
    db, feed, settle, write, channelId, locationId,
    get: async (path: string, headers = {}) => {
      const answer = await app.inject({ url: `/store/products${path}`, headers })
      const body = answer.body === '' ? undefined : answer.json()
      return { status: answer.statusCode, body, headers: answer.headers }
    },
    /** A published product whose variants cost `price`, a euro more each, and lie `stock` deep. */
    async product({ price, stock = 100, ...input }: Sold) {
      const id = newId()
      const published = { title: 'A thing', status: 'active' as const, channelIds: [channelId] }
      await write((tx) => createProduct(tx, id, { ...published, ...input }))
      const { variants } = await getProduct(db, id)
      await write((tx) => setStock(tx, variants.map((variant) => (
        { variantId: variant.id, locationId, onHand: stock }))))
      if (price !== undefined) {
        await write((tx) => setPrices(tx, variants.map((variant, index) => (
          { variantId: variant.id, unitMinor: price + index * 100, channelId, currency: 'EUR' }))))
      }
      await settle()
      return { id, variantIds: variants.map((variant) => variant.id) }
    },
  }
}

/** What an answer cost the database. */
const statements = (answer: { headers: Record<string, unknown> }): number =>
  Number(/(\d+) statements/.exec(String(answer.headers['server-timing']))?.[1])
const titles = (answer: { body: { items: { title: string }[] } }) => answer.body.items.map((item) => item.title)

test('products are listed, filtered, counted and sorted', async (t) => {
  const shop = await start(t)
  const size = [{ name: 'Size', values: ['S', 'M'] }]
  await shop.product({ title: 'Blue Shirt', vendor: 'Acme', price: 2_000, options: size, tags: ['summer'] })
  await shop.product({ title: 'Red Shirt', vendor: 'Bolt', price: 1_000, stock: 3 })
  await shop.product({ title: 'Crème Brûlée Bowl', vendor: 'Acme', price: 3_000, stock: 0 })
  await shop.product({ title: 'Draft', status: 'draft', price: 1 })
  await shop.product({ title: 'Dollars only' })

  const all = await shop.get('')
  assert.deepEqual(titles(all), ['Dollars only', 'Crème Brûlée Bowl', 'Red Shirt', 'Blue Shirt'])
  assert.equal(all.body.total, 4)
  const [dollars, bowl, red, blue] = all.body.items
  assert.equal(dollars.from, null)
  assert.deepEqual(bowl.stock, { status: 'out_of_stock', quantity: 0 })
  assert.deepEqual(red.stock, { status: 'low_stock', quantity: 3 })
  assert.deepEqual(blue.stock, { status: 'in_stock', quantity: null })
  assert.deepEqual(blue.from, { price: { amount: 2_000, currency: 'EUR' }, perUnits: 1, compareAt: null })
  assert.equal(blue.pricesVary, true)

  const low = await shop.get('?sort=price&limit=2')
  assert.deepEqual(titles(low), ['Red Shirt', 'Blue Shirt'])
  assert.deepEqual(titles(await shop.get(`?sort=price&limit=2&cursor=${low.body.nextCursor}`)), ['Crème Brûlée Bowl'])
  const dear = await shop.get('?sort=-price&limit=2')
  assert.deepEqual(titles(dear), ['Crème Brûlée Bowl', 'Blue Shirt'])
  assert.deepEqual(titles(await shop.get(`?sort=-price&limit=2&cursor=${dear.body.nextCursor}`)), ['Red Shirt'])
  assert.deepEqual(titles(await shop.get('?minPrice=2100&maxPrice=2100')), ['Blue Shirt'])
  assert.deepEqual(titles(await shop.get('?inStock=true&sort=title')), ['Blue Shirt', 'Red Shirt'])
  assert.deepEqual(titles(await shop.get('?inStock=false')), ['Crème Brûlée Bowl'])
  assert.deepEqual(titles(await shop.get('?inStock=true&minPrice=1500')), ['Blue Shirt'])
  assert.deepEqual(titles(await shop.get('?inStock=true&maxPrice=1500')), ['Red Shirt'])
  assert.deepEqual(titles(await shop.get('?inStock=false&minPrice=2000&maxPrice=3000')), ['Crème Brûlée Bowl'])
  assert.deepEqual(titles(await shop.get('?q=creme')), ['Crème Brûlée Bowl'])
  assert.deepEqual(titles(await shop.get('?option=Size:M')), ['Blue Shirt'])
  assert.ok(Check(ProductList, all.body))
  const acme = await shop.get('?vendor=Acme&sort=title')
  assert.deepEqual(titles(acme), ['Blue Shirt', 'Crème Brûlée Bowl'])
  const vendors = acme.body.facets.find((facet: { name: string }) => facet.name === 'vendor')
  assert.deepEqual(vendors.values, [{ value: 'Acme', count: 2 }, { value: 'Bolt', count: 1 }])
})

test('prices sort as numbers, and the pages together are all of it, up and down', async (t) => {
  const shop = await start(t)
  const prices = [1_190, 990, 11_900, 1_200, 90, 990, 120_000, 8_900, 10_900]
  for (const [index, price] of prices.entries()) await shop.product({ title: `Thing ${index}`, price })
  for (const sort of ['price', '-price']) {
    const seen: number[] = []
    for (let cursor = ''; ;) {
      const { body } = await shop.get(`?sort=${sort}&limit=2${cursor}`)
      seen.push(...body.items.map((item: { from: { price: { amount: number } } }) => item.from.price.amount))
      if (!body.nextCursor) break
      cursor = `&cursor=${body.nextCursor}`
    }
    const up = prices.toSorted((a, b) => a - b)
    assert.deepEqual(seen, sort === 'price' ? up : up.toReversed())
  }
})

test('a typo is forgiven, also beside a price', async (t) => {
  const shop = await start(t)
  const { id } = await shop.product({ title: 'Teapot', price: 2_000 })
  await learnWords(shop.db, [id])
  for (const query of ['?q=taepot', '?q=taepot&sort=price', '?q=taepot&maxPrice=2000']) {
    const answer = await shop.get(query)
    assert.deepEqual(titles(answer), ['Teapot'], query)
    assert.equal(answer.body.correctedText, 'teapot')
  }
  assert.deepEqual(titles(await shop.get('?q=taepot&maxPrice=1999')), [])
})

test('a page shows prices by quantity and stock by variant, under each of its handles', async (t) => {
  const shop = await start(t)
  const { id, variantIds } = await shop.product({ title: 'Screw', handle: 'screw', price: 1_250, stock: 4 })
  const screw = { variantId: variantIds[0]!, channelId: shop.channelId, currency: 'EUR' }
  const bulk = { ...screw, unitMinor: 900, perUnits: 1_000, minQuantity: 5_000, compareAtMinor: 1_200 }
  await shop.write((tx) => setPrices(tx, [bulk]))
  const page = await shop.get('/screw')
  assert.equal(page.status, 200)
  assert.deepEqual(page.body.variants[0].stock, { status: 'low_stock', quantity: 4 })
  assert.deepEqual(page.body.variants[0].prices, [
    { fromQuantity: 1, price: { amount: 1_250, currency: 'EUR' }, perUnits: 1, compareAt: null },
    {
      fromQuantity: 5_000, price: { amount: 900, currency: 'EUR' }, perUnits: 1_000,
      compareAt: { amount: 1_200, currency: 'EUR' },
    },
  ])
  assert.ok(Check(ProductPage, page.body))
  assert.deepEqual((await shop.get(`/${id}`)).body, page.body)
  assert.deepEqual((await shop.get('/screw?currency=USD')).body.variants[0].prices, [])
  assert.deepEqual((await shop.get('/screw?currency=GBP')).body.offered, ['EUR', 'USD'])
  assert.equal((await shop.get('/nail')).status, 404)

  await shop.write((tx) => updateProduct(tx, id, { handle: 'wood-screw' }))
  await shop.feed.look()
  const moved = await shop.get('/screw?currency=EUR')
  assert.deepEqual([moved.status, moved.headers.location], [301, '/store/products/wood-screw?currency=EUR'])
  assert.equal((await shop.get('/wood-screw')).status, 200)
})

test('many who ask at once wait for one answer', async (t) => {
  const shop = await start(t)
  await shop.product({ title: 'Mug', handle: 'mug', price: 990 })
  const answers = await Promise.all(Array.from({ length: 50 }, () => shop.get('/mug')))
  assert.deepEqual(answers.map(statements).filter((count) => count > 0), [5])
})

test('an answer is made once, told apart by its ETag, and follows each change', async (t) => {
  const shop = await start(t)
  const { id, variantIds } = await shop.product({ title: 'Mug', handle: 'mug', price: 990, stock: 12 })
  assert.deepEqual([statements(await shop.get('/mug')), statements(await shop.get(''))], [5, 5])
  const first = await shop.get('/mug')
  const list = await shop.get('')
  assert.deepEqual([statements(first), statements(list)], [0, 0])
  const again = await shop.get('/mug', { 'if-none-match': first.headers.etag })
  assert.deepEqual([again.status, again.body], [304, undefined])
  assert.equal(again.headers.vary, 'accept-encoding, x-publishable-key')

  const change = async (work: (tx: Tx) => Promise<unknown>) => {
    await shop.write(work)
    await shop.settle()
    return [(await shop.get('/mug')).body, (await shop.get('')).body.items[0]]
  }
  const few = { variantId: variantIds[0]!, locationId: shop.locationId, onHand: 2 }
  const [page, card] = await change((tx) => setStock(tx, [few]))
  assert.deepEqual([page.variants[0].stock.quantity, card.stock.quantity], [2, 2])
  const priced = { variantId: variantIds[0]!, channelId: shop.channelId, currency: 'EUR', unitMinor: 1_190 }
  const [dearer, dearerCard] = await change((tx) => setPrices(tx, [priced]))
  assert.deepEqual([dearer.variants[0].prices[0].price.amount, dearerCard.from.price.amount], [1_190, 1_190])
  const [renamed, renamedCard] = await change((tx) => updateProduct(tx, id, { title: 'Cup' }))
  assert.deepEqual([renamed.title, renamedCard.title], ['Cup', 'Cup'])
  assert.notEqual((await shop.get('/mug')).headers.etag, first.headers.etag)
  assert.notEqual((await shop.get('')).headers.etag, list.headers.etag)
})

test('bad questions are refused, each by name', async (t) => {
  const shop = await start(t)
  const bad = [
    'limit=0', 'sort=best', 'option=Colour', 'cursor=x', 'sort=price&cursor=WyIxIiwiYSJd', 'colour=red', 'minPrice=-1',
  ]
  for (const query of bad) assert.equal((await shop.get(`?${query}`)).status, 400, query)
  assert.equal((await shop.get('?currency=XXX')).status, 422)
  assert.equal((await shop.get('?q=%27%22%3A*%26!(')).status, 200)
  assert.equal((await shop.get('?option=__proto__:x&attribute=constructor:y')).body.total, 0)
  const wrong = await shop.get('?minPrice=5&maxPrice=1')
  assert.deepEqual([wrong.status, wrong.body.fields[0].path], [400, 'query/minPrice'])
})
