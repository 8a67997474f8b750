// What is whose: orders and carts of guests and customers, saved addresses, consents, the own data and its end. Nothing
// that was bought with an address is shown to somebody who has not shown that the mailbox is theirs.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Type } from 'typebox'
import { sql, systemContext } from '../../platform/db.ts'
import { address } from '../../testing.ts'
import { subjectOf } from '../customers/people.ts'
import { createAccount } from './create-account.ts'
import { PASSWORD, testAccounts } from './internal/test-accounts.ts'

type Started = Awaited<ReturnType<typeof testAccounts>>
type Caller = ReturnType<Started['caller']>
const kindOf = ({ body }: { body: any }): string => body.type.replace(/.*\//, '')

async function start(t: Parameters<typeof testAccounts>[0]) {
  const started = await testAccounts(t)
  const { shop, caller } = started
  const variantId = await shop.variant({ stock: [100] })
  const begin = async (who: Caller, more: object = { email: 'anna@example.com' }) => {
    const { status, body } = await who('POST', '/carts', {
      lines: [{ variantId, quantity: 1 }], shippingAddress: address, shippingMethodId: shop.methodId, ...more,
    })
    assert.equal(status, 201, JSON.stringify(body))
    const { cart, token } = body
    return { id: cart.id as string, token: token as string, total: cart.quote?.totalMinor, cart }
  }
  const complete = (who: Caller, { id, total }: { id: string; total: number }) =>
    who('POST', `/carts/${id}/complete`, {
      expectedTotal: { amount: total, currency: 'EUR' }, payment: { method: 'card' },
    })
  /** A guest buys; answers the order and the token that reads it. */
  const buyAsGuest = async (email: string) => {
    const cart = await begin(caller(), { email })
    const { status, body } = await complete(caller(cart.token), cart)
    assert.equal(status, 201, JSON.stringify(body))
    return { orderId: body.order.id as string, token: cart.token }
  }
  const ordersOf = async (who: Caller): Promise<string[]> =>
    (await who('GET', '/account/orders')).body.items.map(({ id }: { id: string }) => id)
  return { ...started, variantId, begin, complete, buyAsGuest, ordersOf }
}

test('what a guest bought is theirs once they have an account with that mailbox, and nobody else’s', async (t) => {
  const { buyAsGuest, register, ordersOf, caller, shop } = await start(t)
  const [bought, foreign] = [await buyAsGuest('Anna@Example.com'), await buyAsGuest('bert@example.com')]
  await shop.drain()
  const { call: anna, id } = await register('anna@example.com')
  assert.deepEqual(await ordersOf(anna), [bought.orderId])
  assert.equal((await anna('GET', `/orders/${bought.orderId}`)).status, 200)
  const absent = await anna('GET', `/orders/${crypto.randomUUID()}`)
  const theirs = await anna('GET', `/orders/${foreign.orderId}`)
  assert.deepEqual([theirs.status, kindOf(theirs)], [absent.status, kindOf(absent)])
  const byToken = await caller(bought.token)('GET', `/orders/${bought.orderId}`)
  assert.equal(byToken.status, 200, 'the guest’s token reads on')
  const { body } = await anna('GET', '/account/profile')
  assert.equal(body.customerId, id)
  const counted = await shop.db.one(Type.Object({ orders: Type.Integer() }), sql`
    select orders from customers.purchase_total where customer_id = ${id}`)
  assert.equal(counted.orders, 1, 'the customer of the guest’s orders is the one of the account')
})

test('an account whose mailbox is not proven sees what it ordered itself, and nothing more', async (t) => {
  const { shop, buyAsGuest, caller, ordersOf, begin, complete, link } = await start(t)
  const { orderId } = await buyAsGuest('anna@example.com')
  const { token } = await shop.customer({ email: 'anna@example.com', emailProven: false })
  const anna = caller(token)
  assert.deepEqual([await ordersOf(anna), (await anna('GET', `/orders/${orderId}`)).status], [[], 404])
  const wantProof = [['GET', '/account/consents'], ['POST', '/account/export'], ['DELETE', '/account']] as const
  for (const [method, path] of wantProof) {
    const refused = await anna(method, path)
    assert.deepEqual([refused.status, kindOf(refused)], [403, 'email-unproven'], path)
  }
  const own = await complete(anna, await begin(anna))
  assert.deepEqual(await ordersOf(anna), [own.body.order.id])

  const login = await link('anna@example.com', 'sign-in')
  const signed = await caller()('PUT', '/account/session', { ...login, keep: 'token' })
  assert.equal(signed.status, 200)
  const both = new Set([orderId, own.body.order.id])
  assert.deepEqual(new Set(await ordersOf(caller(signed.body.token))), both, 'a link shows that the mailbox is theirs')
})

test('a customer’s order and cart open with their session on any device, and with no token', async (t) => {
  const { register, signIn, caller, begin, complete, ordersOf } = await start(t)
  const { call: anna } = await register('anna@example.com')
  const cart = await begin(anna, {})
  assert.equal(cart.cart.email, 'anna@example.com', 'their address is filled in')
  const phone = caller((await signIn('anna@example.com')).body.token)
  assert.deepEqual((await phone('GET', '/account/carts')).body.items.map(({ id }: any) => id), [cart.id])
  assert.equal((await caller(cart.token)('GET', `/carts/${cart.id}`)).status, 404)
  const placed = await complete(phone, cart)
  assert.equal(placed.status, 201, JSON.stringify(placed.body))
  assert.equal((await complete(anna, cart)).body.order.id, placed.body.order.id, 'asked twice it is one order')
  assert.deepEqual(await ordersOf(anna), [placed.body.order.id])
  assert.equal((await caller(cart.token)('GET', `/orders/${placed.body.order.id}`)).status, 404)
  assert.deepEqual((await phone('GET', '/account/carts')).body.items, [])
})

test('a guest’s cart comes along when its owner signs in, once, and to whoever has its token', async (t) => {
  const { register, caller, begin, complete } = await start(t)
  const cart = await begin(caller(), {})
  const [{ call: anna }, { call: bert }] = [await register('anna@example.com'), await register('bert@example.com')]
  const attach = (who: Caller, token = cart.token) => who('PUT', `/carts/${cart.id}/customer`, { token })
  assert.equal((await attach(bert, 'x'.repeat(48))).status, 404)
  const both = await Promise.all([attach(anna), attach(bert)])
  assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 404], 'of two one has it')
  const [winner, loser] = both[0]!.status === 200 ? [anna, bert] : [bert, anna]
  const again = [(await attach(winner)).status, (await attach(loser)).status]
  assert.deepEqual(again, [200, 404], 'asked twice it stays theirs')
  assert.equal((await winner('GET', `/carts/${cart.id}`)).status, 200)
  assert.equal((await loser('GET', `/carts/${cart.id}`)).status, 404)
  assert.equal((await caller(cart.token)('GET', `/carts/${cart.id}`)).status, 404)
  const { body } = await winner('GET', `/carts/${cart.id}`)
  assert.equal((await complete(winner, { id: cart.id, total: body.quote.totalMinor })).status, 201)
})

test('the one-shot checkout of a customer is their order, and its token reads nothing', async (t) => {
  const { register, caller, variantId, shop, ordersOf } = await start(t)
  const { call: anna } = await register('anna@example.com')
  const { status, body } = await anna('POST', '/checkout', {
    currency: 'EUR', lines: [{ variantId, quantity: 1 }], email: 'anna@example.com', shippingMethodId: shop.methodId,
    shippingAddress: address, expectedTotal: { amount: 1_480, currency: 'EUR' },
    payment: { method: 'card' },
  })
  assert.equal(status, 201, JSON.stringify(body))
  assert.deepEqual(await ordersOf(anna), [body.order.id])
  assert.equal((await caller(body.token)('GET', `/orders/${body.order.id}`)).status, 404)
})

test('saved addresses: added, replaced, removed, put into a cart, and nobody else’s', async (t) => {
  const { register, begin, caller } = await start(t)
  const [{ call: anna }, { call: bert }] = [await register('anna@example.com'), await register('bert@example.com')]
  const { body: saved } = await anna('POST', '/account/addresses', { address, label: 'Home', defaultShipping: true })
  const cart = await begin(anna, { shippingAddress: null })
  const filled = await anna('PATCH', `/carts/${cart.id}`, { shippingAddressId: saved.id, billingAddressId: saved.id })
  assert.deepEqual([filled.body.shippingAddress, filled.body.billingAddress], [address, address])
  const guest = await begin(caller(), { email: 'bert@example.com' })
  const bertsCart = await begin(bert, {})
  for (const refused of [
    await bert('PATCH', `/carts/${bertsCart.id}`, { shippingAddressId: saved.id }),
    await caller(guest.token)('PATCH', `/carts/${guest.id}`, { shippingAddressId: saved.id }),
    await bert('PUT', `/account/addresses/${saved.id}`, { address }),
    await bert('DELETE', `/account/addresses/${saved.id}`),
  ]) assert.deepEqual([refused.status, kindOf(refused)], [404, 'customer-address-not-found'])
  const moved = await anna('PUT', `/account/addresses/${saved.id}`, { address: { ...address, line1: 'Kai 8' } })
  assert.equal(moved.body.address.line1, 'Kai 8')
  const many = await Promise.all(Array.from({ length: 25 }, () => anna('POST', '/account/addresses', { address })))
  assert.equal(many.filter(({ status }) => status === 201).length, 19, 'twenty at most, also at once')
  assert.equal((await anna('DELETE', `/account/addresses/${saved.id}`)).status, 204)
  assert.equal((await anna('DELETE', `/account/addresses/${saved.id}`)).status, 404)
})

test('the profile: what is named changes, null takes it away, the rest stays, and it is nobody else’s', async (t) => {
  const { register } = await start(t)
  const [{ call: anna }, { call: bert }] = [await register('anna@example.com'), await register('bert@example.com')]
  const change = async (body: object) => (await anna('PATCH', '/account/profile', body)).body
  assert.equal((await change({ name: 'Anna', phone: '040 123' })).phone, '040 123')
  const both = await Promise.all([change({ name: 'Anna Holm' }), change({ phone: '040 456' })])
  assert.equal(both.length, 2)
  const { name, phone } = (await anna('GET', '/account/profile')).body
  assert.deepEqual([name, phone], ['Anna Holm', '040 456'], 'two changes at once lose neither')
  assert.deepEqual((({ name, phone }) => [name, phone])(await change({ phone: null })), ['Anna Holm', null])
  assert.equal((await anna('PATCH', '/account/profile', {})).status, 400)
  assert.equal((await bert('GET', '/account/profile')).body.name, null)
})

test('consents are said and taken back in the account; staff see them', async (t) => {
  const { register } = await start(t)
  const { call: anna } = await register('anna@example.com')
  const say = (granted: boolean) =>
    anna('POST', '/account/consents', { purpose: 'newsletter', granted, wording: 'Send me news.' })
  assert.equal((await say(true)).status, 201)
  const { body } = await say(false)
  const said = body.items.map(({ granted, source }: any) => [granted, source])
  assert.deepEqual(said, [[false, 'account'], [true, 'account']])
  assert.deepEqual((await anna('GET', '/account/consents')).body, body)
})

test('another address takes its guest along, and what was bought with the old one stays theirs', async (t) => {
  const { shop, register, buyAsGuest, caller, mails, ordersOf } = await start(t)
  const [old, fresh] = [await buyAsGuest('anna@example.com'), await buyAsGuest('new@example.com')]
  await shop.drain()
  const { call: anna, id } = await register('anna@example.com')
  await anna('POST', '/account/email', { email: 'new@example.com' })
  const { token } = (await mails()).find(({ to, token }) => to === 'new@example.com' && token !== '')!
  assert.equal((await anna('PUT', '/account/email', { token })).status, 204)
  assert.deepEqual(new Set(await ordersOf(anna)), new Set([old.orderId, fresh.orderId]))
  const Total = Type.Object({ id: Type.String(), email: Type.String(), orders: Type.Integer() })
  const totals = await shop.db.many(Total, sql`
    select id, email, orders from customers.customer join customers.purchase_total on customer_id = customer.id`)
  assert.deepEqual(totals, [{ id, email: 'new@example.com', orders: 2 }], 'nobody is two customers')

  // Whoever has the old mailbox tomorrow is somebody else.
  const later = await buyAsGuest('anna@example.com')
  const { call: stranger } = await register('anna@example.com')
  assert.deepEqual(await ordersOf(stranger), [later.orderId])
  assert.deepEqual(new Set(await ordersOf(anna)), new Set([old.orderId, fresh.orderId]))
})

test('the own data are told and erased; the session ends, what was sold stays', async (t) => {
  const { shop, register, begin, complete, signIn } = await start(t)
  const { call: anna } = await register('anna@example.com', { password: PASSWORD, name: 'Zyxelgrim' })
  const placed = await complete(anna, await begin(anna, { shippingAddress: { ...address, name: 'Zyxelgrim' } }))
  await shop.drain()
  const told = await anna('POST', '/account/export')
  assert.deepEqual([told.status, told.body.orders.length, told.body.account.sessions.length], [200, 1, 1])
  assert.equal(JSON.stringify(told.body).includes('password_hash'), false)
  assert.equal((await anna('DELETE', '/account')).status, 204)
  assert.deepEqual([(await anna('GET', '/account')).status, (await signIn('anna@example.com')).status], [401, 401])
  const left = await shop.db.one(Type.Object({ email: Type.String(), total: Type.Integer(), whose: Type.Any() }), sql`
    select email, total_minor::int as total, customer_id as whose from orders.order where id = ${placed.body.order.id}`)
  assert.deepEqual(left, { email: 'erased@erased.invalid', total: placed.body.order.totalMinor, whose: null })
})

test('an account of a known customer is made once of ten, and keeps the name that staff wrote', async (t) => {
  const { shop } = await start(t)
  const subject = await subjectOf(shop.db, 'anna@example.com')
  const make = () => shop.db.transaction(systemContext(), (tx) => createAccount(
    tx, { email: 'anna@example.com', subject, name: null, passwordHash: null, emailProven: false }))
  const made = await Promise.all(Array.from({ length: 10 }, make))
  assert.equal(made.filter((id) => id !== undefined).length, 1)
})
