// Gift cards and credit pay together with a gateway, all or nothing: what is spent is spent once, however many want it
// at once, and comes back when the order ends or is refunded. The books are compared at the end of every test.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { findBroken } from '../../invariants.ts'
import { sql, systemContext, type Context } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { isProblem } from '../../platform/problem.ts'
import { testShop, type TestCart, type TestShop } from '../../testing.ts'
import { eraseCustomer } from '../customers/person.ts'
import { cancelOrder } from '../orders/cancel-order.ts'
import { lapseOrders } from '../orders/lapse-orders.ts'
import { refundOrder } from '../orders/refund-order.ts'
import { issueGiftCard } from '../payments/gift-cards.ts'
import { paymentsOf } from '../payments/get-payment.ts'
import { PaymentClosed, PaymentMethodNotAvailable } from '../payments/payments.ts'
import { grantStoreCredit, storeCreditOf } from '../payments/store-credit.ts'
import { StoredValueNotUsable, StoredValueSpent, usedForOrder } from '../payments/stored-value.ts'
import type { FirstPayment } from './checkout.ts'
import { pay, placeOrder, type PlacedOrder } from './place-order.ts'

const DELIVERY = 490

async function card(shop: TestShop, amountMinor: number, more: { currency?: string; paid?: boolean } = {}) {
  const { giftCard, code } = await issueGiftCard(shop.db, systemContext(), {
    amountMinor, currency: 'EUR', paid: true, ...more,
  })
  return { id: giftCard.id, code }
}

function order(shop: TestShop, { cart, context }: TestCart, payment: FirstPayment): Promise<PlacedOrder> {
  const expectedTotal = { amount: cart.quote!.totalMinor, currency: cart.currency }
  return placeOrder(shop.db, context, { cartId: cart.id, expectedTotal, payment })
}

const balanceOf = async (shop: TestShop, id: string): Promise<number> =>
  (await shop.db.one(Type.Object({ minor: Type.Integer() }), sql`
    select balance_minor as minor from payments.stored_value where id = ${id}`)).minor
const stateOf = async (shop: TestShop, id: string): Promise<string> =>
  (await shop.db.one(Type.Object({ state: Type.String() }), sql`select state from orders.order where id = ${id}`)).state
const refused = (kind: any, reason?: string) => (error: any): boolean =>
  isProblem(error, kind) && (reason === undefined || error.extra.reason === reason)
const makeOver = (shop: TestShop, orderId: string) => shop.db.transaction(systemContext(), async (tx) => {
  await tx.run(sql`update orders.order set holds_until = now() - interval '1 second' where id = ${orderId}`)
  await tx.run(sql`update inventory.reservation set expires_at = now() - interval '1 second'
    where order_id = ${orderId}`)
})
const balanced = async (shop: TestShop): Promise<void> => assert.deepEqual(await findBroken(shop.db), [])

test('a gift card pays its part, a gateway the rest; refunds go back the same way', async (t) => {
  const shop = await testShop(t)
  const cart = await shop.cart([{ variantId: await shop.variant({ price: 3_000 }), quantity: 2 }])
  const gift = await card(shop, 2_000)
  const typed = ` ${gift.code.toLowerCase().replaceAll('-', ' ')}`
  const { orderId, payment } = await order(shop, cart, { method: 'card', giftCards: [typed, gift.code] })
  assert.equal(payment.kind, 'captured')
  assert.deepEqual(await usedForOrder(shop.db, orderId), [
    { kind: 'gift_card', ending: gift.code.slice(-4), amountMinor: 2_000, returnedMinor: 0 },
  ])
  assert.equal((await shop.charges())[0]!.amountMinor, 6_000 + DELIVERY - 2_000)
  assert.equal(await balanceOf(shop, gift.id), 0)
  await balanced(shop)

  const first = await refundOrder(shop.db, systemContext(), orderId, {
    lines: [{ position: 1, quantity: 1 }], cause: 'returned',
  })
  assert.deepEqual([first.state, first.storedMinor], ['done', 0])       // what a gateway took goes back first
  const second = await refundOrder(shop.db, systemContext(), orderId, {
    lines: [{ position: 1, quantity: 1 }], shippingMinor: DELIVERY, cause: 'returned',
  })
  assert.deepEqual([second.state, second.amountMinor, second.storedMinor], ['done', 3_490, 2_000])
  assert.equal(await balanceOf(shop, gift.id), 2_000)
  assert.equal((await shop.charges())[0]!.refundedMinor, 4_490)
  await shop.drain()
  await balanced(shop)
})

test('what covers the whole total needs no other way to pay, and is asked twice for nothing', async (t) => {
  const shop = await testShop(t)
  const cart = await shop.cart([{ variantId: await shop.variant({ price: 1_000 }), quantity: 1 }])
  const [small, large] = [await card(shop, 400), await card(shop, 5_000)]
  const wish = { giftCards: [small.code, large.code] }
  const placed = await order(shop, cart, wish)
  assert.equal(placed.payment.kind, 'captured')
  assert.deepEqual(await order(shop, cart, wish), placed)
  assert.deepEqual(await pay(shop.db, cart.context, placed.orderId, {}), placed)
  assert.deepEqual([await balanceOf(shop, small.id), await balanceOf(shop, large.id)], [0, 5_400 - 1_490])
  assert.equal(await stateOf(shop, placed.orderId), 'placed')
  assert.equal((await shop.charges()).length, 0)
  await cancelOrder(shop.db, systemContext(), placed.orderId, 'customer')
  await shop.drain()
  await shop.drain()
  assert.deepEqual([await balanceOf(shop, small.id), await balanceOf(shop, large.id)], [400, 5_000])
  await assert.rejects(pay(shop.db, cart.context, placed.orderId, {}), refused(PaymentClosed))
  await balanced(shop)
})

test('an order that is not paid in time, or whose goods are gone, gives it back', async (t) => {
  const shop = await testShop(t)
  const gift = await card(shop, 1_000)
  const variantId = await shop.variant({ price: 3_000, stock: [1] })
  const cart = await shop.cart([{ variantId, quantity: 1 }])
  const wish = { method: 'card', data: { fault: 'decline' }, giftCards: [gift.code] }
  const declined = await order(shop, cart, wish)
  assert.equal(declined.payment.kind, 'declined')
  assert.equal(await balanceOf(shop, gift.id), 0)
  await balanced(shop)
  await makeOver(shop, declined.orderId)
  assert.equal(await lapseOrders(shop.db), 1)
  assert.equal(await lapseOrders(shop.db), 0)
  assert.equal(await balanceOf(shop, gift.id), 1_000)

  const again = await order(shop, cart, wish)                 // the cart is open again, and the card is full again
  assert.notEqual(again.orderId, declined.orderId)
  assert.equal(await balanceOf(shop, gift.id), 0)
  // Its hold is over, and somebody else has the last one.
  await shop.db.run(sql`update inventory.reservation set expires_at = now() - interval '1 second'
    where order_id = ${again.orderId}`)
  await shop.complete(await shop.cart([{ variantId, quantity: 1 }]))
  await pay(shop.db, cart.context, again.orderId, { method: 'card' })
  assert.equal(await stateOf(shop, again.orderId), 'lapsed')
  assert.equal((await shop.charges()).filter(({ refundedMinor }) => refundedMinor === 2_490).length, 1)
  assert.equal(await balanceOf(shop, gift.id), 1_000)
  await balanced(shop)
})

test('fifty orders at once want one gift card and one credit: no cent is spent twice', async (t) => {
  const shop = await testShop(t, { max: 30 })
  const anna = await shop.customer()
  const gift = await card(shop, 5_000)
  await grantStoreCredit(shop.db, systemContext(), anna.id, { currency: 'EUR', amountMinor: 3_000 })
  const variantId = await shop.variant({ price: 1_510, stock: [100] })
  const carts = await Promise.all(Array.from({ length: 50 }, () => shop.cart([{ variantId, quantity: 1 }])))
  const answers = await Promise.allSettled(carts.map(({ cart }, index) => {
    // Carts of guests, completed by whoever is signed in and has their token.
    const actor = { ...carts[index]!.context.actor, customer: (anna.context.actor as any).customer }
    const context = { requestId: newId(), actor } as Context
    return order(shop, { cart, context }, index % 2 ? { giftCards: [gift.code] } : { storeCredit: true })
  }))
  const lost = answers.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  for (const reason of lost) {
    assert.ok(refused(StoredValueSpent)(reason) || refused(PaymentMethodNotAvailable)(reason)
      || refused(StoredValueNotUsable, 'empty')(reason), reason)
  }
  const placed = answers.length - lost.length
  const credit = (await storeCreditOf(shop.db, anna.id))[0]!.balanceMinor
  assert.equal(placed * 2_000, 5_000 - await balanceOf(shop, gift.id) + 3_000 - credit)
  assert.ok(placed >= 2 && placed <= 3, `${placed} were placed`)
  await balanced(shop)
})

test('a refund to credit leaves the gateway alone; a guest has none', async (t) => {
  const shop = await testShop(t)
  const anna = await shop.customer()
  const variantId = await shop.variant({ price: 2_000 })
  const cart = await shop.cart([{ variantId, quantity: 1 }])
  const actor = { ...cart.context.actor, customer: (anna.context.actor as any).customer }
  const context = { requestId: newId(), actor } as Context
  const { orderId } = await order(shop, { cart: cart.cart, context }, { method: 'card' })
  const wish = { lines: [{ position: 1, quantity: 1 }], cause: 'goodwill' as const, to: 'store_credit' as const }
  const refund = await refundOrder(shop.db, systemContext(), orderId, wish)
  assert.deepEqual([refund.state, refund.storedMinor], ['done', 2_000])
  assert.equal((await shop.charges())[0]!.refundedMinor, 0)
  assert.equal((await storeCreditOf(shop.db, anna.id))[0]!.balanceMinor, 2_000)
  await assert.rejects(refundOrder(shop.db, systemContext(), orderId, { ...wish, lines: [], extraMinor: 491 }),
    (error: any) => error.extra.availableMinor === 490)
  await cancelOrder(shop.db, systemContext(), orderId, 'customer')
  await shop.drain()
  assert.equal((await shop.charges())[0]!.refundedMinor, 490)

  const guest = await shop.complete(await shop.cart([{ variantId, quantity: 1 }]))
  await assert.rejects(refundOrder(shop.db, systemContext(), guest.orderId, wish), /guest has no credit/)
  await balanced(shop)
  await shop.db.transaction(systemContext(), (tx) => eraseCustomer(tx, 'anna@example.com'))
  assert.deepEqual(await storeCreditOf(shop.db, anna.id), [])
  await balanced(shop)
})

test('what pays nothing is refused by name, and nothing is ordered', async (t) => {
  const shop = await testShop(t)
  const cart = await shop.cart([{ variantId: await shop.variant({ price: 1_000 }), quantity: 1 }])
  const [stopped, over] = [await card(shop, 900), await card(shop, 900)]
  const dollars = await card(shop, 9, { currency: 'USD' })
  await shop.db.run(sql`update payments.stored_value set active = false where id = ${stopped.id}`)
  await shop.db.run(sql`update payments.stored_value set expires_at = now() where id = ${over.id}`)
  for (const [codes, reason] of [
    [['ZZZZ-ZZZZ-ZZZZ-ZZZZ'], 'unknown'], [[stopped.code], 'inactive'], [[over.code], 'expired'],
    [[dollars.code], 'other_currency'],
  ] as const) {
    const asked = order(shop, cart, { method: 'card', giftCards: [...codes] })
    await assert.rejects(asked, refused(StoredValueNotUsable, reason))
  }
  const asGuest = order(shop, cart, { method: 'card', storeCredit: true })
  await assert.rejects(asGuest, refused(StoredValueNotUsable, 'not_signed_in'))
  const small = await card(shop, 100)
  await assert.rejects(order(shop, cart, { giftCards: [small.code] }), refused(PaymentMethodNotAvailable))
  assert.equal(await balanceOf(shop, small.id), 100)
  assert.deepEqual(await paymentsOf(shop.db, cart.cart.id), [])
  await balanced(shop)
})

test('over HTTP: issued once under one key, read, stopped, asked for, spent and shown', async (t) => {
  const shop = await testShop(t)
  const app = await shop.app()
  const { publishable, secret } = await shop.keys()
  const anna = await shop.customer()
  const staff = { authorization: `Bearer ${secret}` }
  const as = (method: 'GET' | 'POST' | 'PATCH', url: string, headers: object, payload?: object, key = newId()) =>
    app.inject({ method, url, payload, headers: { ...headers, 'idempotency-key': key } } as any) as any
  const body = { amountMinor: 5_000, currency: 'EUR', paid: false, note: 'for the late parcel' }
  const key = newId()
  const issued = await as('POST', '/admin/gift-cards', staff, body, key)
  assert.equal(issued.statusCode, 201, issued.body)
  assert.deepEqual((await as('POST', '/admin/gift-cards', staff, body, key)).json(), issued.json())
  const { giftCard, code } = issued.json()
  assert.equal((await as('POST', '/admin/gift-cards', staff, { ...body, currency: 'XQQ' })).statusCode, 422)
  const past = { ...body, expiresAt: '2020-01-01T00:00:00Z' }
  assert.equal((await as('POST', '/admin/gift-cards', staff, past)).statusCode, 422)

  const shopper = { 'x-publishable-key': publishable, authorization: `Bearer ${anna.token}` }
  const ask = () => as('POST', '/store/gift-cards/balance', shopper, { code })
  assert.deepEqual((await ask()).json(), {
    ending: code.slice(-4), currency: 'EUR', balanceMinor: 5_000, expiresAt: null,
  })
  const path = `/admin/gift-cards/${giftCard.id}`
  assert.equal((await as('PATCH', path, staff, { active: false })).json().active, false)
  assert.equal((await ask()).json().reason, 'inactive')
  assert.equal((await as('PATCH', path, staff, { active: true, expiresAt: '2099-01-01T00:00:00Z' })).statusCode, 200)
  assert.equal((await as('PATCH', `/admin/gift-cards/${newId()}`, staff, { active: true })).statusCode, 404)

  const credit = `/admin/customers/${anna.id}/store-credit`
  const grant = (amountMinor: number, currency = 'EUR') => as('POST', credit, staff, { currency, amountMinor })
  assert.equal((await grant(700)).json().items[0].balanceMinor, 700)
  assert.equal((await grant(-200)).json().items[0].balanceMinor, 500)
  assert.equal((await grant(-501)).statusCode, 409)
  assert.equal((await grant(0)).statusCode, 422)
  assert.equal((await grant(1, 'XQQ')).statusCode, 422)
  assert.equal((await as('GET', credit, staff)).json().items[0].entries.length, 2)
  assert.equal((await as('GET', '/store/account/store-credit', shopper)).json().items[0].balanceMinor, 500)

  const variantId = await shop.variant({ price: 6_000 })
  const address = { name: 'Anna Holm', line1: 'Kai 7', postalCode: '20457', city: 'Hamburg', country: 'DE' }
  const placed = await as('POST', '/store/checkout', shopper, {
    currency: 'EUR', lines: [{ variantId, quantity: 1 }], email: 'anna@example.com', shippingAddress: address,
    shippingMethodId: shop.methodId, expectedTotal: { amount: 6_490, currency: 'EUR' },
    payment: { method: 'card', giftCards: [code], storeCredit: true },
  })
  assert.equal(placed.statusCode, 201, placed.body)
  const { order: { id }, payment } = placed.json()
  assert.equal(payment.kind, 'captured')
  const standing = (await as('GET', `/store/orders/${id}/payment`, shopper)).json()
  assert.deepEqual(standing.storedValue.map((one: any) => [one.kind, one.amountMinor]), [
    ['gift_card', 5_000], ['store_credit', 500],
  ])
  assert.equal((await shop.charges())[0]!.amountMinor, 990)
  const { payments } = (await as('GET', `/admin/orders/${id}`, staff)).json()
  assert.deepEqual(payments.map((one: any) => [one.stored, one.amountMinor]), [
    [true, 5_000], [true, 500], [false, 990],
  ])
  const read = (await as('GET', path, staff)).json()
  assert.deepEqual([read.balanceMinor, read.entries.map((one: any) => one.kind)], [0, ['spent', 'issued']])
  const other = (await as('POST', '/admin/gift-cards', staff, body)).json()
  const find = async (query: string) => (await as('GET', `/admin/gift-cards?${query}`, staff)).json()
  const page = await find('limit=1')
  assert.equal(page.items[0].id, other.giftCard.id)
  for (const query of [`limit=1&cursor=${page.nextCursor}`, `code=${code}`, `ending=${code.slice(-4)}`]) {
    assert.equal((await find(query)).items[0].id, giftCard.id, query)
  }
  await balanced(shop)
})
