// A whole purchase over HTTP, as a shopper's program does it: find, fill a cart, pay, read the order; and what such a
// program gets wrong.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { sql } from '../../platform/db.ts'
import { address, testShop, type TestShop } from '../../testing.ts'

async function client(shop: TestShop) {
  const app = await shop.app()
  const { publishable, secret } = await shop.keys()
  const call = async (method: string, url: string, payload?: unknown, headers: Record<string, string> = {}) => {
    const answer = await app.inject({
      method: method as 'GET', url, headers: { 'x-publishable-key': publishable, ...headers },
      ...(payload === undefined ? {} : { payload: payload as object }),
    })
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() }
  }
  const admin = (method: string, url: string, payload?: unknown, headers: Record<string, string> = {}) =>
    call(method, url, payload, { authorization: `Bearer ${secret}`, ...headers })
  return { call, admin }
}

test('find, pay, read the order; it is confirmed by mail; support cancels it and the money returns', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ price: 1250, stock: [3] })
  const { call, admin } = await client(shop)

  assert.deepEqual((await call('GET', '/health/ready')).body, { ready: true })
  const found = await call('GET', '/store/products?q=mug')
  assert.equal(found.body.items.length, 1)
  const product = await call('GET', `/store/products/${found.body.items[0].handle}`)
  assert.equal(product.body.variants[0].id, mug)

  const begun = await call('POST', '/store/carts', { lines: [{ variantId: mug, quantity: 1 }] })
  assert.equal(begun.status, 201)
  const bearer = { authorization: `Bearer ${begun.body.token}` }
  const path = `/store/carts/${begun.body.cart.id}`
  await call('PATCH', path, { email: 'anna@example.com', shippingAddress: address }, bearer)
  const options = await call('GET', `${path}/shipping-options`, undefined, bearer)
  const filled = await call('PATCH', path, { shippingMethodId: options.body.items[0].methodId }, bearer)
  assert.equal(filled.body.quote.totalMinor, 1740)
  const methods = await call('GET', `${path}/payment-methods`, undefined, bearer)
  assert.deepEqual(methods.body.items.map((one: any) => one.code), ['card', 'card-later', 'transfer'])

  const completion = { expectedTotal: { amount: 1740, currency: 'EUR' }, payment: { method: 'card' } }
  const placed = await call('POST', `${path}/complete`, completion, { ...bearer, 'idempotency-key': 'once' })
  assert.deepEqual([placed.status, placed.body.order.state, placed.body.payment.kind], [201, 'placed', 'captured'])
  const again = await call('POST', `${path}/complete`, completion, { ...bearer, 'idempotency-key': 'once' })
  assert.deepEqual([again.status, again.body.order.id, again.headers['idempotent-replayed']],
    [201, placed.body.order.id, 'true'])
  const orderPath = `/store/orders/${placed.body.order.id}`
  assert.equal((await call('GET', orderPath, undefined, bearer)).body.number, placed.body.order.number)

  await shop.drain()
  const messages = await admin('GET', '/admin/messages')
  assert.deepEqual(messages.body.items.map((one: any) => [one.template, one.recipient]),
    [['order-confirmation', 'anna@example.com']])

  const cancelled = await admin('POST', `/admin/orders/${placed.body.order.id}/cancel`, { reason: 'customer' })
  assert.equal(cancelled.body.state, 'cancelled')
  await shop.drain()
  const payments = await admin('GET', `/admin/orders/${placed.body.order.id}/payments`)
  assert.equal(payments.body.items[0].refundedMinor, 1740)
  const read = await admin('GET', `/admin/orders/${placed.body.order.id}`)
  assert.deepEqual(read.body.timeline.map((one: any) => one.kind), ['created', 'placed', 'cancelled', 'refunded'])
  const listed = await admin('GET', '/admin/orders?state=cancelled&email=ANNA@example.com')
  assert.equal(listed.body.items.length, 1)
})

test('one call places an order; its repeat under the same key answers the same order and charges nothing',
  async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ price: 1000, stock: [5] })
  const { call } = await client(shop)
  const lines = [{ variantId: mug, quantity: 2 }]
  const quoted = await call('POST', '/store/quote',
    { currency: 'EUR', country: 'DE', lines, shippingMethodId: shop.methodId })
  assert.equal(quoted.body.totalMinor, 2490)
  const body = {
    currency: 'EUR', lines, email: 'anna@example.com', shippingAddress: address, shippingMethodId: shop.methodId,
    expectedTotal: { amount: 2490, currency: 'EUR' }, payment: { method: 'card' },
  }
  const answers = await Promise.all(Array.from({ length: 5 },
    () => call('POST', '/store/checkout', body, { 'idempotency-key': 'buy' })))
  assert.deepEqual([...new Set(answers.map((one) => one.status))], [201])
  assert.equal(new Set(answers.map((one) => one.body.order.id)).size, 1)
  // Whichever answer arrived, its token opens the order.
  assert.equal(new Set(answers.map((one) => one.body.token)).size, 1)
  const { order, token } = answers[0]!.body
  assert.equal((await call('GET', `/store/orders/${order.id}`, undefined, { authorization: `Bearer ${token}` })).status,
    200)
  assert.equal((await shop.charges()).length, 1)
  assert.deepEqual(await shop.stock(mug), { onHand: 5, reserved: 2 })
})

test('a declined one-shot order is paid with another call; a foreign token reads nothing', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ price: 1000, stock: [5] })
  const { call, admin } = await client(shop)
  const placed = await call('POST', '/store/checkout', {
    currency: 'EUR', lines: [{ variantId: mug, quantity: 1 }], email: 'anna@example.com', shippingAddress: address,
    shippingMethodId: shop.methodId, expectedTotal: { amount: 1490, currency: 'EUR' },
    payment: { method: 'card', data: { fault: 'decline' } },
  })
  assert.deepEqual([placed.status, placed.body.order.state, placed.body.payment.kind],
    [201, 'awaiting_payment', 'declined'])
  const path = `/store/orders/${placed.body.order.id}`
  const paid = await call('POST', `${path}/pay`, { payment: { method: 'transfer' } },
    { authorization: `Bearer ${placed.body.token}` })
  assert.deepEqual([paid.status, paid.body.order.state, paid.body.payment.kind], [200, 'placed', 'pending'])
  const bearer = { authorization: `Bearer ${placed.body.token}` }
  const standing = await call('GET', `${path}/payment`, undefined, bearer)
  assert.deepEqual(standing.body.payment, {
    method: 'transfer', title: 'Transfer', instructions: 'To DE02 1203 0000 0000 2020 51',
    kind: 'pending', reference: paid.body.payment.reference,
  }, 'told again, with how to pay')
  assert.equal((await call('GET', `${path}/payment`)).status, 404)
  await shop.drain()
  const [mail] = await shop.db.many(Type.Object({ payment: Type.Any() }), sql`
    select data -> 'payment' as payment from notifications.message where template = 'order-confirmation'`)
  assert.equal(mail!.payment.reference, paid.body.payment.reference, 'and in the confirmation')
  const [{ id }] = (await admin('GET', `/admin${path.slice('/store'.length)}/payments`)).body.items
  assert.equal((await admin('POST', `/admin/payments/${id}/receipt`, {})).status, 200)
  const { payment } = (await call('GET', `${path}/payment`, undefined, bearer)).body
  assert.deepEqual([payment.kind, payment.instructions], ['captured', null], 'nothing is left to do')
  assert.equal((await call('GET', path, undefined, { authorization: `Bearer cart_${'x'.repeat(43)}` })).status, 404)
  assert.equal((await call('GET', path)).status, 404)
})

test('what a shopper’s program gets wrong is answered by name, and nothing is half-done', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [2] })
  const { call } = await client(shop)
  const { body: { cart, token } } = await call('POST', '/store/carts', { lines: [{ variantId: mug, quantity: 1 }] })
  const bearer = { authorization: `Bearer ${token}` }
  const path = `/store/carts/${cart.id}`
  const problem = async (method: string, url: string, body?: unknown, headers: Record<string, string> = bearer) => {
    const answer = await call(method, url, body, headers)
    return [answer.status, String(answer.body.type).split('/').at(-1)]
  }
  assert.deepEqual(await problem('GET', path, undefined, { 'x-publishable-key': 'pk_unknown', ...bearer }),
    [401, 'unauthenticated'])
  assert.deepEqual(await problem('GET', path, undefined, { authorization: 'Bearer nothing-of-ours-at-all' }),
    [404, 'cart-not-found'])
  assert.deepEqual(await problem('POST', `${path}/lines`, { lines: [{ variantId: mug, quantity: 0 }] }),
    [400, 'invalid-request'])
  assert.deepEqual(await problem('POST', `${path}/lines`, { lines: [{ variantId: mug, quantity: 1.5 }] }),
    [400, 'invalid-request'])
  assert.deepEqual(await problem('POST', `${path}/lines`, { lines: [{ variantId: mug, quantity: 1, price: 1 }] }),
    [400, 'invalid-request'])
  assert.deepEqual(await problem('PUT', `${path}/lines`, { lines: [{ variantId: mug, quantity: 1_000_001 }] }),
    [400, 'invalid-request'])
  const unknown = { lines: [{ variantId: cart.id, quantity: 1 }] }
  assert.deepEqual(await problem('POST', `${path}/lines`, unknown), [422, 'variant-unavailable'])
  assert.deepEqual(await problem('POST', '/store/carts', unknown), [422, 'variant-unavailable'])
  assert.deepEqual(await problem('PATCH', path, { currency: 'XXX' }), [422, 'currency-not-offered'])
  assert.deepEqual(await problem('POST', '/store/quote',
    { currency: 'EUR', lines: [{ variantId: cart.id, quantity: 1 }] }), [422, 'variant-unavailable'])
  const complete = (amount: number, method = 'card') =>
    problem('POST', `${path}/complete`, { expectedTotal: { amount, currency: 'EUR' }, payment: { method } })
  assert.deepEqual(await complete(990), [422, 'cart-incomplete'])
  await call('PATCH', path, { email: 'anna@example.com', shippingAddress: address, shippingMethodId: shop.methodId },
    bearer)
  assert.deepEqual(await complete(1), [409, 'cart-changed'])
  assert.deepEqual(await complete(1480, 'gold'), [422, 'payment-method-not-available'])
  await call('PUT', `${path}/lines`, { lines: [{ variantId: mug, quantity: 3 }] }, bearer)
  assert.deepEqual(await complete(3460), [409, 'out-of-stock'])
  await call('PUT', `${path}/lines`, { lines: [{ variantId: mug, quantity: 0 }] }, bearer)
  const empty = await call('GET', path, undefined, bearer)
  assert.deepEqual([empty.body.lines, empty.body.quote], [[], null])
  assert.deepEqual(await complete(490), [422, 'cart-incomplete'])
  await shop.db.run(sql`update checkout.cart set expires_at = now()`)
  assert.deepEqual(await problem('GET', path), [410, 'cart-expired'])
  assert.deepEqual(await shop.stock(mug), { onHand: 2, reserved: 0 })
})

test('a cart whose first answer was lost is told again, with its token', async (t) => {
  const shop = await testShop(t)
  const { call } = await client(shop)
  const begin = () => call('POST', '/store/carts', {}, { 'idempotency-key': 'begin' })
  const [first, again] = [await begin(), await begin()]
  assert.deepEqual([again.status, again.body], [201, first.body])
  assert.equal(again.headers['idempotent-replayed'], 'true')
  const { cart, token } = again.body
  const read = (bearer: string) =>
    call('GET', `/store/carts/${cart.id}`, undefined, { authorization: `Bearer ${bearer}` })
  assert.deepEqual([(await read(token)).status, (await read(`cart_${'A'.repeat(43)}`)).status], [200, 404])
})

test('a cart says what there is too little of, before it is ordered', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [3] })
  const { call } = await client(shop)
  const { body: { cart, token } } = await call('POST', '/store/carts', { lines: [{ variantId: mug, quantity: 5 }] })
  const missing = { variantId: mug, requested: 5, available: 3 }
  assert.deepEqual(cart.issues.map(({ code, lines }: any) => [code, lines]), [['out-of-stock', [missing]]])
  assert.equal(cart.quote.subtotalMinor, 4_950, 'and what it would cost')
  const { body: fewer } = await call('PUT', `/store/carts/${cart.id}/lines`,
    { lines: [{ variantId: mug, quantity: 3 }] }, { authorization: `Bearer ${token}` })
  assert.deepEqual(fewer.issues, [])
})
