// Search: what is found, in what order, with which counts; forgiveness for typos; and that no statement of it walks
// through a table.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { sql, type Conn, type Db, type Statement } from '../../platform/db.ts'
import { drainEvents } from '../../platform/jobs.ts'
import { isProblem, InvalidCursor } from '../../platform/problem.ts'
import { compile } from '../../platform/sql.ts'
import { refreshSearch } from './announce-products.ts'
import { correctSpelling, editDistance } from './correct-spelling.ts'
import { countFacets } from './count-facets.ts'
import { getProductByHandle, getProducts } from './get-listed-products.ts'
import { getVariantsByBarcode, getVariantsBySku } from './get-variants.ts'
import { testCatalogue } from './internal/test-catalogue.ts'
import { handlers } from './jobs.ts'
import { listProducts } from './list-products.ts'
import { countCategories, searchProducts, type SearchRequest } from './search-products.ts'
import type { ProductToSave } from './save-products.ts'

const colours = (...values: string[]) => [{ name: 'Colour', values }]
const goods: ProductToSave[] = [
  { handle: 'shirt', title: 'Linen shirt', vendor: 'Hansa', type: 'Tops', tags: ['summer'],
    options: colours('Red', 'Blue') },
  { handle: 'jacket', title: 'Rain jacket', vendor: 'Hansa', type: 'Coats', options: colours('Blue'),
    descriptionHtml: '<p>Wear it over a <b>shirt</b></p>' },
  { handle: 'mug', title: 'Crème-Brûlée mug', vendor: 'Kiln', tags: ['summer'],
    variants: [{ options: {}, sku: 'MUG-01', barcode: '4006381333931' }] },
  { handle: 'draft', title: 'Draft shirt', status: 'draft' },
  { handle: 'hidden', title: 'Hidden shirt', channelIds: [] },
]

async function shelf(t: Parameters<typeof testCatalogue>[0]) {
  const catalogue = await testCatalogue(t)
  const { db, channelId, sell } = catalogue
  const ids = await sell(goods)
  await drainEvents(db, handlers)
  const handleOf = new Map(Object.entries(ids).map(([handle, id]) => [id, handle]))
  const search = async (request: Omit<SearchRequest, 'channelId'>) => {
    const result = await searchProducts(db, { channelId, ...request })
    return { ...result, handles: result.hits.map(({ productId }) => handleOf.get(productId)) }
  }
  const find = async (text: string) => (await search({ text })).handles
  return { ...catalogue, ids, search, find }
}

test('words are found without accents, by their beginnings, in title before description, and by SKU and barcode',
  async (t) => {
  const { find } = await shelf(t)
  assert.deepEqual(await find('shirt'), ['shirt', 'jacket'], 'neither drafts nor what is published elsewhere')
  assert.deepEqual(await find('CREME brulee'), ['mug'])
  assert.deepEqual(await find('crème-brû'), ['mug'])
  assert.deepEqual(await find('mug-01'), ['mug'])
  assert.deepEqual(await find('4006381333931'), ['mug'])
  assert.deepEqual(await find('blue hansa shirt'), ['shirt', 'jacket'])
  assert.deepEqual(await find(`') | ! & <-> :* \\ "`), [])
})

test('a typo is corrected when the words as typed find nothing', async (t) => {
  const { search, db } = await shelf(t)
  for (const [typed, corrected, handle] of [['shrit', 'shirt', 'shirt'], ['jackt', 'jacket', 'jacket'],
    ['linnen shirts', 'linen shirt', 'shirt']] as const) {
    const { handles, correctedText } = await search({ text: typed })
    assert.deepEqual([correctedText, handles[0]], [corrected, handle])
  }
  assert.deepEqual((await search({ text: 'xylophone' })).correctedText, undefined)
  assert.equal(await correctSpelling(db, '...'), undefined)
  assert.deepEqual([editDistance('shrit', 'shirt'), editDistance('abc', ''), editDistance('kitten', 'sitting')],
    [1, 3, 3])
})

test('facets count what another choice would give', async (t) => {
  const { search } = await shelf(t)
  const counts = async (facets?: Record<string, string[]>) => {
    const { handles, counts: counted } =
      await search({ ...(facets ? { facets } : {}), countFacets: true, sort: 'title' })
    const text = counted!.facets.map(({ name, values }) =>
      `${name}: ${values.map(({ value, count }) => `${value} ${count}`).join(', ')}`)
    return [handles.join(), counted!.total, ...text]
  }
  assert.deepEqual(await counts(), ['mug,shirt,jacket', 3, 'option.Colour: Blue 2, Red 1', 'tag: summer 2',
    'type: Coats 1, Tops 1', 'vendor: Hansa 2, Kiln 1'])
  assert.deepEqual(await counts({ vendor: ['Kiln'] }), ['mug', 1, 'tag: summer 1', 'vendor: Hansa 2, Kiln 1'])
  assert.deepEqual(await counts({ vendor: ['Hansa', 'Kiln'], 'option.Colour': ['Red'] }),
    ['shirt', 1, 'option.Colour: Blue 2, Red 1', 'tag: summer 1', 'type: Tops 1', 'vendor: Hansa 1'])
  assert.deepEqual(await counts({ vendor: ['Nobody'] }), ['', 0, 'vendor: Hansa 2, Kiln 1'])
})

test('every order pages through everything once, and a foreign cursor is refused', async (t) => {
  const { search, ids, call } = await shelf(t)
  const { body: collection } = await call('POST', '/admin/collections', { title: 'All' })
  await call('PUT', `/admin/collections/${collection.id}/products`,
    { productIds: [ids['mug'], ids['shirt'], ids['jacket']] })
  const requests: Omit<SearchRequest,
    'channelId'>[] = [{ sort: 'newest' }, { sort: 'title' }, { text: 'hansa' }, { collectionId: collection.id }]
  const seen = []
  for (const request of requests) {
    const handles: (string | undefined)[] = []
    for (let cursor: string | undefined; ;) {
      const page = await search({ ...request, limit: 1, cursor })
      handles.push(...page.handles)
      if (!page.nextCursor) break
      cursor = page.nextCursor
    }
    seen.push(handles)
  }
  assert.deepEqual(seen.map((handles) => [...handles].sort().join()),
    ['jacket,mug,shirt', 'jacket,mug,shirt', 'jacket,shirt', 'jacket,mug,shirt'])
  assert.deepEqual([seen[1], seen[3]], [['mug', 'shirt', 'jacket'], ['mug', 'shirt', 'jacket']])
  const { nextCursor } = await search({ sort: 'title', limit: 1 })
  await assert.rejects(search({ sort: 'newest', cursor: nextCursor! }), (error) => isProblem(error, InvalidCursor))
  const among = { ids: sql`select unnest(${[ids['mug'], ids['draft']]}::uuid[])`, key: 'mug and draft' }
  assert.deepEqual((await search({ among })).handles, ['mug'])
})

/** A Conn that also keeps what it was asked to run. */
function recording(db: Db): { conn: Conn; statements: Statement[] } {
  const statements: Statement[] = []
  const kept = (statement: Statement): Statement => (statements.push(statement), statement)
  return { statements, conn: {
    root: db.root,
    many: (row, statement) => db.many(row, kept(statement)), one: (row, statement) => db.one(row, kept(statement)),
    maybe: (row, statement) => db.maybe(row, kept(statement)), run: (statement) => db.run(kept(statement)),
  } }
}

test('with 20,000 products no read walks through a table', async (t) => {
  const { db, channelId, write } = await testCatalogue(t)
  const ids = await fill(db, channelId, 20_000)
  await write((tx) => refreshSearch(tx, ids))
  const client = await db.dedicated()
  t.after(() => client.end())
  await client.query('vacuum analyze')
  const { rows: [{ id: categoryId }] } = await client.query(`select id from catalog.category where handle = 'c7'`)
  const { rows: [{ id: collectionId }] } = await client.query(`select id from catalog.collection where handle = 'k7'`)
  const reads: Record<string, (conn: Conn) => Promise<unknown>> = {
    newest: (conn) => searchProducts(conn, { channelId }),
    title: (conn) => searchProducts(conn, { channelId, sort: 'title' }),
    words: (conn) => searchProducts(conn, { channelId, text: 'shirt 4711' }),
    category: (conn) => searchProducts(conn, { channelId, categoryId }),
    collection: (conn) => searchProducts(conn, { channelId, collectionId }),
    'facet and its counts': (conn) => searchProducts(conn,
      { channelId, facets: { vendor: ['Vendor 7'], 'option.Size': ['S'] } }),
    'counts within words': (conn) => countFacets(conn, { channelId, text: 'shirt 4711' }),
    spelling: (conn) => correctSpelling(conn, 'shrit'),
    products: (conn) => getProducts(conn, channelId, ids.slice(0, 20)),
    'by handle': (conn) => getProductByHandle(conn, channelId, 'p-4711'),
    'by SKU': (conn) => getVariantsBySku(conn, ['p-1-S']),
    'by barcode': (conn) => getVariantsByBarcode(conn, '1'),
    'list of staff': (conn) => listProducts(conn, { limit: 20 }),
    'list of staff by state': (conn) => listProducts(conn, { status: 'archived' }),
    'list of staff by words': (conn) => listProducts(conn, { text: 'p-4711' }),
  }
  // Small tables are read whole, and rightly so.
  const small = /Seq Scan on (?!(?:catalog\.)?(?:category|channel|collection)\b)\w+/
  for (const [name, read] of Object.entries(reads)) {
    const { conn, statements } = recording(db)
    await read(conn)
    for (const statement of statements) {
      const { text, values } = compile(statement)
      const { rows } = await client.query(`explain (costs off) ${text}`, values)
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
      assert.doesNotMatch(plan, small, `${name}:\n${plan}`)
    }
  }
  assert.equal((await countCategories(db, channelId)).reduce((sum, { count }) => sum + count, 0), 20_000)
})

async function fill(db: Db, channelId: string, count: number): Promise<string[]> {
  const client = await db.dedicated()
  try {
    await client.query(`
      insert into catalog.product (id, handle, title, vendor, type, tags, status, created_at)
      select gen_random_uuid(), 'p-' || n, (array['Blue', 'Red', 'Soft'])[1 + n % 3] || ' ' || (array['shirt', 'mug',
        'bag'])[1 + n / 3 % 3] || ' ' || n,
             'Vendor ' || n % 200, 'Type ' || n % 30, array['tag ' || n % 50], 'active',
             now() - n * interval '1 minute' from generate_series(1, ${count}) n;
      insert into catalog.variant (id, product_id, options, title, position, sku)
      select gen_random_uuid(), id, jsonb_build_object('Size', size), size, place, handle || '-' || size
        from catalog.product cross join unnest(array['S', 'M']) with ordinality as sizes (size, place);
      insert into catalog.product_image (id, product_id, url, position)
        select gen_random_uuid(), id, 'https://example.com/' || handle, 1 from catalog.product;
      insert into catalog.publication (product_id, channel_id, published_from) select id, '${channelId}', created_at
        from catalog.product;
      insert into catalog.category (id, path, handle, name)
      select id, array[id], 'c' || n, 'C' || n from (select gen_random_uuid() as id, n
        from generate_series(1, 50) n) as made;
      insert into catalog.collection (id, handle, title) select gen_random_uuid(), 'k' || n, 'K'
        from generate_series(1, 50) n;
      insert into catalog.collection_product
      select collection.id, product.id, 1 from catalog.product
        join catalog.collection on collection.handle = 'k' || 1 + abs(hashtext(product.handle)) % 50;
      insert into catalog.search_word select 'w' || left(md5(n::text), 9) from generate_series(1, ${count}) n;
      insert into catalog.product_category
      select product.id, category.id from catalog.product
        join catalog.category on category.handle = 'c' || 1 + abs(hashtext(product.handle)) % 50`)
    return (await client.query('select id from catalog.product')).rows.map(({ id }) => id)
  } finally {
    await client.end()
  }
}

test('of more than a thousand matches those with the words in their title come first, the newest first', async (t) => {
  const { db, channelId, write } = await testCatalogue(t)
  const ids = await fill(db, channelId, 1_300)
  await db.run(sql`update catalog.product set description_html = 'of zephyr wool',
    title = case when substr(handle, 3)::int % 50 = 0 then 'Zephyr ' || handle else title end`)
  await write((tx) => refreshSearch(tx, ids))
  const found: string[] = []
  let cursor: string | undefined
  for (let page = 0; page < 4; page++) {
    const { hits, nextCursor, counts } = await searchProducts(db, {
      channelId, text: 'zephyr wool zephyr', limit: 10, cursor, countFacets: true,
    })
    assert.equal(counts!.total >= 1_000, true)
    found.push(...hits.map(({ productId }) => productId))
    cursor = nextCursor!
  }
  const handles = await db.many(Type.Object({ handle: Type.String() }), sql`
    select handle from unnest(${found}::uuid[]) with ordinality as hit (id, place)
    join catalog.product using (id) order by place`)
  // p-1 is the newest; 'wool' stands in no title, so nothing has all words there, and all are newest first.
  assert.deepEqual(handles.map(({ handle }) => handle), Array.from({ length: 40 }, (_, index) => `p-${index + 1}`))

  const titled: string[] = []
  cursor = undefined
  for (let page = 0; page < 3; page++) {
    const { hits, nextCursor } = await searchProducts(db, { channelId, text: 'zephyr', limit: 10, cursor })
    titled.push(...hits.map(({ productId }) => productId))
    cursor = nextCursor!
  }
  const order = await db.many(Type.Object({ handle: Type.String() }), sql`
    select handle from unnest(${titled}::uuid[]) with ordinality as hit (id, place)
    join catalog.product using (id) order by place`)
  const should = [...Array.from({ length: 26 }, (_, index) => `p-${50 * (index + 1)}`), 'p-1', 'p-2', 'p-3', 'p-4']
  assert.deepEqual(order.map(({ handle }) => handle), should)
})

test('counts of few are of this moment; counts of many are kept, and counted once by a crowd', async (t) => {
  const { db, channelId, write } = await testCatalogue(t)
  const ids = await fill(db, channelId, 600)
  await write((tx) => refreshSearch(tx, ids))
  const counted = async (filter = {}) => countFacets(db, { channelId, ...filter })
  const before = await counted()
  assert.equal(before.total, 600)
  const vendor = before.facets.find(({ name }) => name === 'vendor')!.values[0]!
  const few = { facets: { vendor: [vendor.value] } }
  assert.equal((await counted(few)).total, vendor.count)
  await db.run(sql`update catalog.product_search set active = false where product_id in (
    select product_id from catalog.product_search where facets && array[${`vendor\u001f${vendor.value}`}] limit 2)`)
  assert.equal((await counted()).total, 600, 'kept')
  const after = await counted(few)
  assert.equal(after.total, vendor.count - 2, 'counted anew')
  const vendors = ({ facets }: typeof before) => facets.find(({ name }) => name === 'vendor')
  assert.deepEqual(vendors(after), vendors(before), 'what another vendor would give is the count of many')
  const { conn, statements } = recording(db)
  await Promise.all(Array.from({ length: 5 }, () => countFacets(conn, { channelId })))
  assert.equal(statements.length, 0)
})
