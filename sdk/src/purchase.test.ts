// The SDK against the real shop behind a real socket: a purchase, the problems that a shop page branches on, and an
// order made once although its answer was lost on the way.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { address, testShop } from '../../src/testing.ts'
import { createAdminClient, createStoreClient, every, isProblem, type Store } from './kontor.ts'

async function open(t: TestContext) {
  const shop = await testShop(t)
  const app = await shop.app()
  const { publishable, secret } = await shop.keys()
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    shop, url, publishable,
    store: createStoreClient({ url, publishableKey: publishable }),
    admin: createAdminClient({ url, secretKey: secret }),
  }
}

const total = (quote: Store.Quote | null) => ({ amount: quote!.totalMinor, currency: quote!.currency })

test('a purchase, and what staff see of it', async (t) => {
  const { shop, store, admin } = await open(t)
  const variantId = await shop.variant({ price: 1250, stock: [5] })

  const { items } = await store.listProducts({ q: 'mug', limit: 5 })
  assert.equal(items.length, 1)
  const product = await store.getProduct({ handleOrId: items[0]!.handle })
  assert.equal(product.variants[0]!.id, variantId)

  const { cart: { id: cartId }, token } = await store.createCart({ lines: [{ variantId, quantity: 2 }] })
  const mine = { token }
  await store.updateCart({ cartId, email: 'anna@example.com', shippingAddress: address }, mine)
  const { items: [parcel] } = await store.listCartShippingOptions({ cartId }, mine)
  const { quote } = await store.updateCart({ cartId, shippingMethodId: parcel!.methodId }, mine)
  const placed = await store.completeCart({ cartId, expectedTotal: total(quote), payment: { method: 'card' } }, mine)
  assert.equal(placed.order.state, 'placed')
  assert.equal((await store.getOrder({ orderId: placed.order.id }, mine)).number, placed.order.number)

  const numbers = await Array.fromAsync(every(admin.listOrders, { limit: 1 }), ({ number }) => number)
  assert.deepEqual(numbers, [placed.order.number])
  const [payment] = (await admin.listOrderPayments({ orderId: placed.order.id })).items
  await admin.refundPayment({ paymentId: payment!.id, amountMinor: 100 })
  assert.equal((await admin.getPayment({ paymentId: payment!.id })).refundedMinor, 100)
})

test('a customer signs in, takes the cart of a guest along, orders, and finds the order', async (t) => {
  const { shop, store, url, publishable } = await open(t)
  const variantId = await shop.variant({ stock: [5] })
  const { token } = await shop.customer({ email: 'anna@example.com' })
  const anna = createStoreClient({ url, publishableKey: publishable, token })
  const { cart: { id: cartId }, token: cartToken } = await store.createCart({
    lines: [{ variantId, quantity: 1 }], shippingMethodId: shop.methodId,
  })
  const taken = await anna.attachCart({ cartId, token: cartToken })
  assert.equal(taken.email, 'anna@example.com')
  const { id: shippingAddressId } = await anna.createMyAddress({ address })
  const { quote } = await anna.updateCart({ cartId, shippingAddressId })
  const { order } = await anna.completeCart({ cartId, expectedTotal: total(quote), payment: { method: 'card' } })
  const numbers = await Array.fromAsync(every(anna.listMyOrders, { limit: 1 }), ({ number }) => number)
  assert.deepEqual(numbers, [order.number])
  const byGuest = await anna.getOrder({ orderId: order.id }, { token: cartToken }).catch((error: unknown) => error)
  assert.ok(isProblem(byGuest, 'order-not-found'), 'a call’s own token counts instead')
  await anna.signOut()
  assert.ok(isProblem(await anna.getMyAccount().catch((error: unknown) => error), 'unauthenticated'))
})

test('problems are told apart by their code, with their fields', async (t) => {
  const { shop, store } = await open(t)
  const variantId = await shop.variant({ stock: [1] })
  const lines = [{ variantId, quantity: 2 }]
  const order = {
    currency: 'EUR', lines, email: 'anna@example.com', shippingAddress: address, shippingMethodId: shop.methodId,
  }
  const quote = await store.quote({ currency: 'EUR', lines, country: 'DE', shippingMethodId: shop.methodId })

  const soldOut = await store.checkout({ ...order, expectedTotal: total(quote), payment: { method: 'card' } })
    .catch((error: unknown) => error)
  assert.ok(isProblem(soldOut, 'out-of-stock'))
  assert.deepEqual(soldOut.problem.lines, [{ variantId, requested: 2, available: 1 }])

  const invalid = await store.createCart({ lines: [{ variantId, quantity: 0 }] }).catch((error: unknown) => error)
  assert.ok(isProblem(invalid, 'invalid-request'))
  assert.equal(invalid.problem.fields[0]!.path, 'body/lines/0/quantity')
})

test('an answer that is lost on its way is asked for again, and one order is made', async (t) => {
  const { shop, url, publishable } = await open(t)
  const variantId = await shop.variant({ stock: [5] })
  const lines = [{ variantId, quantity: 1 }]
  let lost = 0
  const lossy: typeof fetch = async (address, request) => {
    const answer = await fetch(address, request)
    if (String(address).endsWith('/store/checkout') && lost++ === 0) throw new TypeError('the line is dead')
    return answer
  }
  const store = createStoreClient({ url, publishableKey: publishable, fetch: lossy })
  const quote = await store.quote({ currency: 'EUR', lines, country: 'DE', shippingMethodId: shop.methodId })
  const placed = await store.checkout({
    currency: 'EUR', lines, email: 'anna@example.com', shippingAddress: address, shippingMethodId: shop.methodId,
    expectedTotal: total(quote), payment: { method: 'card' },
  })
  assert.equal(lost, 2)
  assert.equal(placed.order.state, 'placed')
  assert.deepEqual(await shop.stock(variantId), { onHand: 5, reserved: 1 })
})
