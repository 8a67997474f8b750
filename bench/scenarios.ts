// What people do in a shop, one scenario each: the thing that a worker does over and over, and what is promised of it.
import type { Goods } from './goods.ts'
import { oneOf, zipf, type Random } from './random.ts'
import type { Line, Shopper } from './shopper.ts'

type Does = () => Promise<unknown>

export type Scenario = {
  name: string
  about: string
  unit: string
  /**
   * `page`: answered from memory, beside a bare route with the same bytes. `query` and `order`: decided by the
   * database, beside the same statements from a bare driver; an order leaves work for later, to be done in time.
   */
  kind: 'page' | 'query' | 'order'
  /** Different acts of one worker; all of them are noted for the limit. 1 unless told. */
  variety?: number
  /** The addresses of a page. */
  addresses?: (goods: Goods) => readonly string[]
  /** Readies a worker. */
  ready: (goods: Goods, random: Random) => (shopper: Shopper) => Promise<Does>
  /** The promised share of the limit. */
  atLeast?: number
  /** A rate that a better peer has to be beaten by, at its number of connections. */
  floor?: { perSecond: number; why: string }
}

type Reading = Pick<Scenario, 'addresses' | 'ready' | 'kind' | 'unit'>
function reading(addresses: (goods: Goods) => readonly string[]): Reading {
  return {
    kind: 'page', unit: 'req/s', addresses,
    ready: (goods, random) => {
      const draw = zipf(addresses(goods), random)
      return async (shopper) => () => shopper.read(draw())
    },
  }
}

function buying(act: (shopper: Shopper, line: Line) => Promise<unknown>): Pick<Scenario, 'kind' | 'ready'> {
  return {
    kind: 'order',
    ready: (goods, random) => async (shopper) => () => (
      act(shopper, { variantId: oneOf(goods.variantIds, random), quantity: 1 })
    ),
  }
}

// The total of one unit of a variant never changes here, so it is asked for once.
const totals = new Map<string, number>()
export async function totalOf(shopper: Shopper, line: Line): Promise<number> {
  let total = totals.get(line.variantId)
  if (total === undefined) totals.set(line.variantId, (total = await shopper.quote([line])))
  return total
}

const lines: Scenario['ready'] = (goods, random) => async (shopper) => {
  const cart = await shopper.beginCart()
  const line = { variantId: oneOf(goods.variantIds, random), quantity: 1 }
  await shopper.addLines(cart, [line])
  return () => shopper.setLines(cart, [{ ...line, quantity: 1 + Math.floor(random() * 9) }])
}

const order: Scenario['ready'] = (goods, random) => async (shopper) => {
  const { orderId, token } = await shopper.buy([{ variantId: oneOf(goods.variantIds, random), quantity: 1 }])
  return () => shopper.read(`/store/orders/${orderId}`, token)
}

// As staff work: the newest, what is open, one customer, one number, a month, and further pages.
const ORDERS = '/admin/orders'
const since = new Date(Date.now() - 30 * 86_400_000).toISOString()
const orderFilters = [
  '', '?limit=100', '?state=placed', '?state=awaiting_payment', '?state=cancelled', '?email=buyer7%40example.com',
  '?number=1000', `?createdFrom=${since}`, `?createdBefore=${since}`, `?createdBefore=${since}&state=cancelled`,
]

const orders: Scenario['ready'] = ({ secretKey }) => async (shopper) => {
  if (!secretKey) throw new Error('The list of orders needs --secret-key')
  const { nextCursor } = JSON.parse((await shopper.readAsStaff(ORDERS, secretKey)).toString())
  const addresses = orderFilters.map((filter) => ORDERS + filter)
  if (nextCursor) addresses.push(`${ORDERS}?cursor=${nextCursor}`)
  let count = 0
  return () => shopper.readAsStaff(addresses[count++ % addresses.length]!, secretKey)
}

const PEER = { perSecond: 30 * 12.8, why: '30 times the 12.8 orders a second of the better peer' }

export const scenarios: readonly Scenario[] = [
  { name: 'list', about: 'product list, 20 a page', ...reading(({ lists }) => lists), atLeast: 0.6 },
  { name: 'product', about: 'product page', ...reading(({ pages }) => pages), atLeast: 0.6 },
  { name: 'search', about: 'words and facets', ...reading(({ searches }) => searches) },
  {
    name: 'cart', about: 'begin a cart, add a line', unit: 'carts/s',
    ...buying(async (shopper, line) => shopper.addLines(await shopper.beginCart(), [line])),
  },
  { name: 'lines', about: 'change a line of a cart', unit: 'req/s', kind: 'query', ready: lines },
  {
    name: 'checkout', about: 'a whole checkout in six calls', unit: 'orders/s', atLeast: 0.35, floor: PEER,
    ...buying((shopper, line) => shopper.buy([line])),
  },
  {
    name: 'one-shot', about: 'POST /store/checkout', unit: 'orders/s', atLeast: 0.5,
    ...buying(async (shopper, line) => shopper.buyNow([line], await totalOf(shopper, line))),
  },
  { name: 'order', about: 'an order, read by its owner', unit: 'req/s', kind: 'query', ready: order },
  {
    name: 'orders', about: 'the list of orders with filters, after years', unit: 'req/s', kind: 'query',
    variety: orderFilters.length + 1, ready: orders,
  },
]

export const scenarioNamed = (name: string): Scenario => scenarios.find((one) => one.name === name)!
