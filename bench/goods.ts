// What there is to look at and to buy in a shop: addresses of lists, pages and searches, and variants. Read from the
// database of a shop that is ours, or through the API of any other.
import { Type } from 'typebox'
import { sql, type Db } from '../src/platform/db.ts'
import { Connection } from './connection.ts'
import { GLAZES, VENDORS, WORDS } from './seed.ts'
import { Shopper, type Terms } from './shopper.ts'

export type Goods = {
  terms: Terms
  secretKey: string | undefined
  /** Addresses, the most popular first. */
  lists: readonly string[]
  pages: readonly string[]
  searches: readonly string[]
  variantIds: readonly string[]
}

const PRODUCTS = '/store/products'
const pageOf = (handle: string): string => `${PRODUCTS}/${encodeURIComponent(handle)}`

async function read(db: Db): Promise<{ pages: string[]; variantIds: string[] }> {
  // In an order that has nothing to do with that of the rows.
  const handles = await db.many(Type.Object({ handle: Type.String() }), sql`
    select handle from catalog.product where status = 'active' order by md5(handle)`)
  const variants = await db.many(Type.Object({ id: Type.String() }), sql`
    select variant.id from catalog.variant join catalog.product on product.id = product_id
    where product.status = 'active' order by md5(variant.id::text)`)
  return { pages: handles.map(({ handle }) => pageOf(handle)), variantIds: variants.map(({ id }) => id) }
}

/** Of the shop that seed.ts makes. */
export async function seededGoods(db: Db, terms: Terms, secretKey: string): Promise<Goods> {
  const vendors = Array.from({ length: VENDORS }, (_, vendor) => `Pottery%20${vendor}`)
  const words = WORDS.map((word) => word.toLowerCase())
  return {
    terms, secretKey, ...await read(db),
    lists: [
      PRODUCTS, ...WORDS.map((type) => `${PRODUCTS}?type=${type}`),
      ...vendors.map((vendor) => `${PRODUCTS}?vendor=${vendor}`),
    ],
    searches: [
      ...words.flatMap((word) => GLAZES.map((glaze) => `${PRODUCTS}?q=${glaze.toLowerCase()}%20${word}`)),
      ...words.map((word) => `${PRODUCTS}?q=${word}`),
      ...words.flatMap((word) => vendors.map((vendor) => `${PRODUCTS}?q=${word}&vendor=${vendor}`)),
      ...GLAZES.flatMap((glaze) => words.map((tag) => `${PRODUCTS}?q=${tag}&tag=${glaze.toLowerCase()}`)),
    ],
  }
}

/** Of a shop that grow.ts made. */
export async function grownGoods(db: Db, terms: Terms, secretKey: string): Promise<Goods> {
  const goods = await read(db)
  const words = ['mug', 'bowl', 'plate', 'lamp', 'chair']
  const kinds = Array.from({ length: 60 }, (_, kind) => `Kind%20${kind}`)
  const vendors = Array.from({ length: 300 }, (_, vendor) => `Pottery%20${vendor}`)
  const titles = await db.many(Type.Object({ word: Type.String() }), sql`
    select lower(split_part(title, ' ', 1)) as word from catalog.product order by md5(handle) limit 300`)
  return {
    terms, secretKey, ...goods,
    lists: [
      PRODUCTS, ...kinds.map((kind) => `${PRODUCTS}?type=${kind}`),
      ...vendors.map((vendor) => `${PRODUCTS}?vendor=${vendor}`),
    ],
    searches: [
      ...titles.map(({ word }) => `${PRODUCTS}?q=${word}`),
      ...words.flatMap((word) => kinds.map((kind) => `${PRODUCTS}?q=${word}&type=${kind}`)),
    ],
  }
}

export type Remote = { url: string; key: string; secretKey: string | undefined; writes: boolean }

const PAGES = 300

/** Of any shop that runs, through its API alone; what an order takes is asked for only when orders are wanted. */
export async function remoteGoods({ url, key, secretKey, writes }: Remote): Promise<Goods> {
  const connection = await Connection.open(url)
  const unknown = { key, currency: '', country: '', methodId: '', paymentMethod: '' }
  const shopper = new Shopper(connection, unknown)
  const ask = async (path: string): Promise<any> => JSON.parse((await shopper.read(path)).toString())
  try {
    const cards: any[] = []
    for (let cursor: string | null = ''; cursor !== null && cards.length < PAGES;) {
      const { items, nextCursor } = await ask(`${PRODUCTS}?limit=100${cursor && `&cursor=${cursor}`}`)
      cards.push(...items)
      cursor = nextCursor
    }
    if (cards.length === 0) throw new Error(`The shop at ${url} shows no products to this key`)
    const details: any[] = []
    for (const { handle } of cards.slice(0, 50)) details.push(await ask(pageOf(handle)))
    const variants = details.flatMap(({ variants }) => variants)
      .filter(({ stock, prices }) => stock.status === 'in_stock' && prices.length > 0)
    const types = [...new Set<string>(cards.map(({ type }) => type).filter(Boolean))]
    const words = [...new Set<string>(cards.flatMap(({ title }) => title.toLowerCase().split(/\W+/).filter(Boolean)))]
    const variantIds = variants.map(({ id }) => id)
    return {
      terms: writes ? await askTerms(shopper, { ...unknown, currency: variants[0]?.prices[0].price.currency },
        variantIds[0]) : unknown,
      secretKey, variantIds,
      lists: [PRODUCTS, ...types.map((type) => `${PRODUCTS}?type=${encodeURIComponent(type)}`)],
      pages: cards.map(({ handle }) => pageOf(handle)),
      searches: words.map((word) => `${PRODUCTS}?q=${encodeURIComponent(word)}`),
    }
  } finally {
    connection.close()
  }
}

async function askTerms(shopper: Shopper, known: Terms, variantId: string | undefined): Promise<Terms> {
  if (!variantId) throw new Error('No variant is in stock: nothing can be ordered. Leave --write out, or restock.')
  const { country } = JSON.parse((await shopper.read('/store/channel')).toString())
  const asking = shopper.knowing({ ...known, country })
  const cart = await asking.beginCart()
  await asking.addLines(cart, [{ variantId, quantity: 1 }])
  const [methodId] = await asking.deliveries(cart)
  const methods = await asking.paymentMethods(cart)
  if (!methodId || methods.length === 0) throw new Error('This shop offers no delivery or no way to pay')
  return { ...known, country, methodId, paymentMethod: methods.find((code) => code === 'transfer') ?? methods[0]! }
}
