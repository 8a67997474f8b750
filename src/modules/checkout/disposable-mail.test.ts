// Mail addresses of the merchant's list are refused wherever a shopper gives one; without a list none is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, testShop } from '../../testing.ts'
import { disposableMail } from '../identity/refuse-disposable.ts'

test('nobody orders under an address that is thrown away', async (t) => {
  const shop = await testShop(t)
  const [app, { publishable }] = [await shop.app(), await shop.keys()]
  const lines = [{ variantId: await shop.variant(), quantity: 1 }]
  const ask = async (method: 'POST' | 'PATCH', url: string, payload: object, token?: string) => {
    const answer = await app.inject({ method, url: `/store${url}`, payload, headers: {
      'x-publishable-key': publishable, ...token ? { authorization: `Bearer ${token}` } : {},
    } })
    return { status: answer.statusCode, body: answer.json() }
  }
  const thrown = 'ada@mail.thrown.example'
  const { body: { cart, token } } = await ask('POST', '/carts', { lines, email: thrown })
  assert.equal(cart.email, thrown, 'without a list')
  disposableMail.set(shop.db, new Set(['thrown.example']))
  const order = {
    currency: 'EUR', lines, email: thrown, shippingAddress: address, shippingMethodId: shop.methodId,
    expectedTotal: { amount: 1_480, currency: 'EUR' }, payment: { method: 'card' },
  }
  for (const { status, body } of [
    await ask('POST', '/carts', { lines, email: thrown }), await ask('POST', '/checkout', order),
    await ask('PATCH', `/carts/${cart.id}`, { email: thrown.toUpperCase() }, token),
  ]) assert.deepEqual([status, body.type?.split('/').at(-1)], [422, 'disposable-mail'], JSON.stringify(body))
  assert.equal((await ask('PATCH', `/carts/${cart.id}`, { email: 'ada@example.com' }, token)).status, 200)
})
