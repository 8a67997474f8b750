// A cart between a guest and a customer: somebody signs in or out in the middle of a checkout, a cart is taken along
// while it is being ordered. There is one order, and it is somebody's.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Type } from 'typebox'
import { sql } from '../../platform/db.ts'
import { address } from '../../testing.ts'
import { PASSWORD, testAccounts } from './internal/test-accounts.ts'

const kindOf = ({ body }: { body: any }): string => body.type.replace(/.*\//, '')
const here = { 'sec-fetch-site': 'same-origin' }

async function start(t: Parameters<typeof testAccounts>[0]) {
  const started = await testAccounts(t)
  const { shop, caller, register } = started
  const variantId = await shop.variant({ stock: [1_000] })
  const begin = async (email: string) => {
    const { body } = await caller()('POST', '/carts', {
      lines: [{ variantId, quantity: 1 }], shippingAddress: address, shippingMethodId: shop.methodId, email,
    })
    return { id: body.cart.id as string, token: body.token as string, total: body.cart.quote.totalMinor as number }
  }
  type Cart = Awaited<ReturnType<typeof begin>>
  const complete = (who: ReturnType<typeof caller>, { id, total }: Cart, headers = {}) =>
    who('POST', `/carts/${id}/complete`, {
      expectedTotal: { amount: total, currency: 'EUR' }, payment: { method: 'card' },
    }, headers)
  /** In a browser: the cookie of the session. */
  const cookieOf = async (email: string): Promise<string> => {
    await register(email)
    const signed = await caller()('POST', '/account/session', { email, password: PASSWORD }, here)
    return String(signed.headers['set-cookie']).split(';')[0]!
  }
  const orders = (cartId: string) => shop.db.many(
    Type.Object({ id: Type.String(), whose: Type.Union([Type.String(), Type.Null()]) }), sql`
      select "order".id, "order".customer_id as whose
      from orders.order join checkout.cart on cart.order_id = "order".id where cart.id = ${cartId}`)
  return { ...started, begin, complete, cookieOf, orders }
}

test('a guest’s cart that is ordered while signed in is the customer’s order, and no guest’s any more', async (t) => {
  const { begin, complete, cookieOf, caller, orders } = await start(t)
  const cart = await begin('anna@example.com')
  const cookie = await cookieOf('anna@example.com')
  const guest = caller(cart.token)
  const placed = await complete(guest, cart, { cookie, ...here })
  assert.equal(placed.status, 201, JSON.stringify(placed.body))
  const { id } = placed.body.order
  assert.equal((await complete(guest, cart, { cookie, ...here })).body.order.id, id, 'asked twice it is one order')
  assert.equal((await guest('GET', `/orders/${id}`, undefined, { cookie })).status, 200)
  assert.equal((await guest('GET', `/orders/${id}`)).status, 404)
  const again = await complete(guest, cart)
  assert.deepEqual([again.status, kindOf(again)], [404, 'order-not-found'], 'without the session')
  assert.equal((await orders(cart.id)).length, 1)
})

test('a cart that is taken along while its guest orders: one order, by the guest or by nobody yet', async (t) => {
  const { shop, begin, complete, register, caller, orders } = await start(t)
  const { call: anna, id } = await register('anna@example.com')
  const seen = new Set<string>()
  for (let round = 0; round < 10; round++) {
    const cart = await begin('guest@example.com')
    const attach = () => anna('PUT', `/carts/${cart.id}/customer`, { token: cart.token })
    const [placed, attached] = await Promise.all(round % 2 === 0 ? [complete(caller(cart.token), cart), attach()]
      : [attach(), complete(caller(cart.token), cart)].toReversed() as never)
    seen.add(`${placed.status} ${attached.status}`)
    const made = await orders(cart.id)
    if (attached.status === 200) {
      assert.deepEqual([placed.status, made], [404, []], 'her cart is not the guest’s any more')
      assert.equal((await complete(anna, cart)).status, 201)
      assert.deepEqual((await orders(cart.id)).map(({ whose }) => whose), [id])
    } else {
      assert.deepEqual([attached.status, kindOf(attached), placed.status], [409, 'cart-completed', 201])
      assert.deepEqual(made.map(({ whose }) => whose), [null])
      assert.equal((await caller(cart.token)('GET', `/orders/${made[0]!.id}`)).status, 200)
      assert.equal((await anna('GET', `/orders/${made[0]!.id}`)).status, 404)
    }
  }
  for (const each of seen) assert.match(each, /^(201 409|404 200)$/)
  assert.equal(await shop.db.run(sql`select from orders.order`), 10)
})

test('an Idempotency-Key is of one customer: what was answered to one is not repeated to another', async (t) => {
  const { register, caller } = await start(t)
  const { call: anna, token } = await register('anna@example.com')
  const { call: bert } = await register('bert@example.com')
  const save = (who: typeof anna, line1: string) =>
    who('POST', '/account/addresses', { address: { ...address, line1 } }, { 'idempotency-key': 'the-same-key-for-all' })
  const first = await save(anna, 'Kai 1')
  assert.equal(first.status, 201, JSON.stringify(first.body))
  assert.equal((await save(anna, 'Kai 1')).body.id, first.body.id, 'asked twice it is one')
  assert.equal((await save(caller(token), 'Kai 1')).body.id, first.body.id)
  const other = await save(bert, 'Kai 1')
  assert.deepEqual([other.status, other.body.id === first.body.id], [201, false])
  assert.equal((await anna('GET', '/account/addresses')).body.items.length, 1)
})
