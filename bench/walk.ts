// Once through a shop, as shoppers, staff and the worker use it: every request and sweep whose statements a grown shop
// must answer as fast as a new one. Each answer must be a good one, so that no statement is missed unseen.
import assert from 'node:assert/strict'
import { InvalidationFeed } from '../src/platform/cache.ts'
import { relayEvents, takeJobs } from '../src/platform/jobs.ts'
import { freshPlans, retention } from '../src/platform/retention.ts'
import { address, type TestShop } from '../src/testing.ts'

type Body = Record<string, any>
type Call = (method: string, path: string, body?: Body, headers?: Record<string, string>) => Promise<Body>

/** `requesting` is told what comes next, by name. */
export async function walk(shop: TestShop, requesting: (request: string) => void): Promise<void> {
  const call = await caller(shop, requesting)
  const [variantId, other] = await browse(call)
  const { order, bearer } = await buy(shop, call, [variantId, other])
  await ownAccount(shop, call, variantId)
  await manage(call, order.id, variantId)
  const product = await call('GET', '/admin/products?limit=1').then(({ items }) => items[0])
  await call('PATCH', `/admin/products/${product.id}`, { title: 'A thing renamed' })
  await call('GET', `/store/orders/${order.id}`, undefined, bearer)
  await call('GET', `/store/orders/${order.id}/payment`, undefined, bearer)
  await work(shop, requesting)
}

async function caller(shop: TestShop, requesting: (request: string) => void): Promise<Call> {
  const app = await shop.app()
  const { publishable, secret } = await shop.keys()
  return async (method, path, body, headers = {}) => {
    requesting(`${method} ${path.replaceAll(/[0-9a-f-]{36}/g, ':id').replace(/cursor=[^&]+/, 'cursor=…')}`)
    const answer = await app.inject({
      method: method as 'GET', url: path, headers: {
        ...path.startsWith('/admin') ? { authorization: `Bearer ${secret}` } : { 'x-publishable-key': publishable },
        ...headers,
      }, ...body ? { payload: body } : {},
    })
    assert.ok(answer.statusCode < 400, `${method} ${path}: ${answer.statusCode} ${answer.body}`)
    return answer.json()
  }
}

async function pages(call: Call, path: string): Promise<Body[]> {
  const first = await call('GET', path)
  if (!first['nextCursor']) return first['items']
  const second = await call('GET', `${path}${path.includes('?') ? '&' : '?'}cursor=${first['nextCursor']}`)
  return [...first['items'], ...second['items']]
}

async function browse(call: Call): Promise<[string, string]> {
  const [leaf] = (await call('GET', '/store/categories'))['items'][0].children ?? []
  const [collection] = (await call('GET', '/store/collections'))['items']
  const among = [
    '', '?sort=title', '?q=bowl', '?q=pottery+7', '?vendor=Pottery+7&type=Kind+7', '?sort=price', '?sort=-price',
    '?inStock=true', '?minPrice=2000&maxPrice=3000', `?collectionId=${collection.id}`,
    ...leaf ? [`?categoryId=${leaf.id}`, `?categoryId=${leaf.id}&minPrice=2000&sort=price`] : [],
  ]
  const found = await Promise.all([pages(call, `/store/products${among[0]}`)])
  for (const query of among.slice(1)) await pages(call, `/store/products${query}`)
  await call('GET', '/store/products?q=thnig')
  const products = await Promise.all(
    found.flat().slice(0, 2).map(({ handle }) => call('GET', `/store/products/${handle}`)))
  await call('GET', '/store/products/once-10')
  return products.map(({ variants }) => variants[0].id) as [string, string]
}

type Bought = { order: Body; bearer: { authorization: string } }

async function buy(shop: TestShop, call: Call, variantIds: string[]): Promise<Bought> {
  const lines = variantIds.map((variantId) => ({ variantId, quantity: 1 }))
  const details = { email: 'buyer1@example.com', shippingAddress: address }
  const begun = await call('POST', '/store/carts', { ...details, lines: lines.slice(0, 1) })
  const bearer = { authorization: `Bearer ${begun['token']}` }
  const path = `/store/carts/${begun['cart'].id}`
  await call('POST', `${path}/lines`, { lines: lines.slice(1) }, bearer)
  await call('GET', `${path}/shipping-options`, undefined, bearer)
  await call('PATCH', path, { shippingMethodId: shop.methodId }, bearer)
  const { quote } = await call('GET', path, undefined, bearer)
  const completion = { expectedTotal: { amount: quote.totalMinor, currency: 'EUR' }, payment: { method: 'card' } }
  const { order } = await call('POST', `${path}/complete`, completion, { ...bearer, 'idempotency-key': 'walk' })
  await call('POST', `${path}/complete`, completion, { ...bearer, 'idempotency-key': 'walk' })
  await call('POST', '/store/checkout', {
    ...details, lines, currency: 'EUR', shippingMethodId: shop.methodId, ...completion,
  }, { 'idempotency-key': 'walk-at-once' })
  return { order, bearer }
}

/** Of a customer who bought before as a guest, and now once more. */
async function ownAccount(shop: TestShop, call: Call, variantId: string): Promise<void> {
  const { id, token } = await shop.customer({ email: 'buyer7@example.com' })
  const credit = `/admin/customers/${id}/store-credit`
  await call('POST', credit, { currency: 'EUR', amountMinor: 100 })
  await call('GET', credit)
  const session = { authorization: `Bearer ${token}` }
  const { id: shippingAddressId } = await call('POST', '/store/account/addresses', { address }, session)
  const { cart } = await call('POST', '/store/carts', { lines: [{ variantId, quantity: 1 }] }, session)
  const filled = { shippingAddressId, shippingMethodId: shop.methodId }
  const { quote } = await call('PATCH', `/store/carts/${cart.id}`, filled, session)
  await call('GET', '/store/account/carts', undefined, session)
  await call('POST', `/store/carts/${cart.id}/complete`, {
    expectedTotal: { amount: quote.totalMinor, currency: 'EUR' }, payment: { method: 'card' },
  }, session)
  const { items } = await call('GET', '/store/account/orders?limit=5', undefined, session)
  assert.ok(items.length > 1, 'those that they bought as a guest as well')
  await call('GET', `/store/orders/${items[0].id}`, undefined, session)
  for (const path of ['', '/profile', '/sessions', '/addresses', '/consents', '/store-credit']) {
    await call('GET', `/store/account${path}`, undefined, session)
  }
}

/** One is issued, found, and pays an order that is cancelled. */
async function giftCards(call: Call, variantId: string): Promise<void> {
  const card = { amountMinor: 50_000, currency: 'EUR', paid: true }
  const { giftCard, code } = await call('POST', '/admin/gift-cards', card)
  for (const query of ['', `?code=${code}`, `?ending=${giftCard.ending}`]) {
    await pages(call, `/admin/gift-cards${query}`)
  }
  await call('GET', `/admin/gift-cards/${giftCard.id}`)
  await call('PATCH', `/admin/gift-cards/${giftCard.id}`, { expiresAt: null })
  await call('POST', '/store/gift-cards/balance', { code })
  const { cart, token } = await call('POST', '/store/carts', {
    lines: [{ variantId, quantity: 1 }], email: 'gifted@example.com', shippingAddress: address,
  })
  const bearer = { authorization: `Bearer ${token}` }
  const options = await call('GET', `/store/carts/${cart.id}/shipping-options`, undefined, bearer)
  const { methodId: shippingMethodId } = options['items'][0]
  const { quote } = await call('PATCH', `/store/carts/${cart.id}`, { shippingMethodId }, bearer)
  const { order } = await call('POST', `/store/carts/${cart.id}/complete`, {
    expectedTotal: { amount: quote.totalMinor, currency: 'EUR' }, payment: { giftCards: [code] },
  }, { ...bearer, 'idempotency-key': 'walk-gifted' })
  await call('POST', `/admin/orders/${order.id}/cancel`, { reason: 'customer' })
}

async function manage(call: Call, orderId: string, variantId: string): Promise<void> {
  const [{ number, channelId }] = await pages(call, '/admin/orders') as [Body]
  const longAgo = '2020-01-01T00:00:00Z'
  for (const query of [
    'state=placed', 'state=awaiting_payment', 'email=BUYER7@example.com', `number=${number}`, `channelId=${channelId}`,
    `createdFrom=${longAgo}&state=cancelled`, `createdBefore=${new Date().toISOString()}`,
    `email=buyer7@example.com&state=cancelled`,
  ]) await pages(call, `/admin/orders?${query}`)
  await call('GET', `/admin/orders/${orderId}`)
  await call('GET', `/admin/orders/${orderId}/payments`)
  await call('GET', '/admin/payment-cases')
  await call('GET', `/admin/payment-decisions?orderId=${orderId}`)
  await call('GET', '/admin/payment-gateways')
  await call('GET', '/admin/ledger/balances')
  await giftCards(call, variantId)
  const statement = { bankReference: 'walk', bookedOn: '2026-11-23', currency: 'EUR', amountMinor: 1_490 }
  const { items: [{ id: transferId }] } = await call('POST', '/admin/transfers', { items: [statement] })
  await call('GET', `/admin/transfers/${transferId}/proposals`)
  for (const query of ['', '?open=true']) await pages(call, `/admin/transfers${query}`)
  for (const query of ['', '?account=receivable', `?orderId=${orderId}`, `?from=${longAgo}`]) {
    await pages(call, `/admin/ledger/entries${query}`)
  }
  const list = await pages(call, '/admin/products')
  for (const query of ['status=active', 'status=draft', 'text=bowl']) await pages(call, `/admin/products?${query}`)
  await call('GET', `/admin/products/${list[0]!['id']}`)
  await call('GET', '/admin/variants?sku=sku-77')
  for (const path of [
    '/admin/inventory/stock', '/admin/inventory/stock?availableBelow=50', '/admin/inventory/movements',
    `/admin/inventory/stock?variantId=${variantId}`, `/admin/inventory/movements?variantId=${variantId}`,
    `/admin/inventory/movements?reference=${orderId}`,
    `/admin/inventory/reservations?orderId=${orderId}`, `/admin/inventory/reservations?variantId=${variantId}`,
    '/admin/inventory/reservations?state=claimed', '/admin/inventory/reservations?state=short',
    '/admin/messages', '/admin/messages?state=parked', '/admin/messages?recipient=buyer7@example.com', '/admin/coupons',
    '/admin/coupons?code=WELCOME-10', '/admin/promotions', '/admin/media', '/admin/price-lists',
  ]) await pages(call, path)
  await call('POST', `/admin/orders/${orderId}/cancel`, { reason: 'customer' })
}

async function work(shop: TestShop, requesting: (request: string) => void): Promise<void> {
  const feed = new InvalidationFeed(shop.db)
  requesting('invalidations')
  await feed.look()
  await feed.look()
  requesting('relay')
  await relayEvents(shop.db, shop.opened.handlers, 0)
  requesting('retries')
  await takeJobs(shop.db, shop.opened.handlers.map(({ name }) => name), 100, 0)
  requesting('handlers')
  await shop.drain()
  for (const { name, run } of [...shop.opened.sweeps, retention, freshPlans]) {
    requesting(`sweep ${name}`)
    await run(shop.db)
  }
}
