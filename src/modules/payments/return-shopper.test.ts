// A shopper at a page of a gateway, end to end: pays and comes back, turns back, closes the tab, says no, comes back
// without having done anything, or with somebody else's link. The same through the simulator and through Stripe.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { stripeGateway } from '../../../plugins/stripe/gateway.ts'
import { startStripeServer, TEST_KEY, TEST_WEBHOOK_SECRET } from '../../../plugins/stripe/test-server/server.ts'
import { sql, systemContext } from '../../platform/db.ts'
import { isProblem } from '../../platform/problem.ts'
import type { Cleanup } from '../../platform/testing.ts'
import { testShop, type TestShop } from '../../testing.ts'
import { lapseOrders } from '../orders/lapse-orders.ts'
import { orderState } from '../orders/apply-payment.ts'
import { placeOrder } from '../checkout/place-order.ts'
import { chargeRequest } from './charge-request.ts'
import { paymentSetup } from './gateway.ts'
import { paymentsOf } from './get-payment.ts'
import { PaymentNotFound, ReturnUrlNotAllowed } from './payments.ts'
import { returnShopper } from './return-shopper.ts'
import { recoverPayments, settlePayment } from './settle-payment.ts'

const STOREFRONT = 'https://shop.example'
const hour = sql`interval '61 minutes'`
type Press = 'pay' | 'no' | 'back'

type World = {
  shop: TestShop; method: string; data: Record<string, string>
  /** Presses a button of the gateway's page; answers where it leads. */
  press: (url: string, button: Press) => Promise<string>
  /** How many charges took money. */
  taken: () => Promise<number>
}

async function throughSimulator(t: Cleanup): Promise<World> {
  const shop = await testShop(t)
  allow(shop, [])
  return {
    shop, method: 'card', data: { fault: 'action' },
    press: (url, button) => post(url, { answer: { pay: 'yes', no: 'no', back: 'back' }[button] }),
    taken: async () => (await shop.charges()).filter(({ capturedMinor: taken, refundedMinor }) => taken > refundedMinor)
      .length,
  }
}

async function throughStripe(t: Cleanup): Promise<World> {
  const shop = await testShop(t)
  const stripe = await startStripeServer()
  t.after(() => stripe.stop())
  allow(shop, [stripeGateway({
    secretKey: TEST_KEY, webhookSecret: TEST_WEBHOOK_SECRET, apiUrl: stripe.url, timeoutMs: 4_000,
  })])
  return {
    shop, method: 'stripe', data: {},
    async press(url, button) {
      if (button !== 'no') return post(url, { answer: button === 'pay' ? 'yes' : 'no' })
      // Stripe's page stays open after a card that was declined: the shopper gives up.
      await post(url, { answer: 'yes', card: 'pm_card_chargeDeclined' })
      return post(url, { answer: 'no' })
    },
    taken: async () => [...stripe.books.intents.values()]
      .filter(({ id, amount_received: taken }) => taken > stripe.books.refunded(id)).length,
  }
}

function allow({ db }: TestShop, gateways: readonly ReturnType<typeof stripeGateway>[]): void {
  const setup = paymentSetup.of(db)
  const added = gateways.map((one) => [one.code, one] as const)
  paymentSetup.set(db, {
    ...setup, storefronts: [STOREFRONT], gateways: new Map([...setup.gateways, ...added]),
    methods: [...setup.methods, { code: 'stripe', gateway: 'stripe', title: 'Card', capture: 'automatic' }],
  })
}

async function post(url: string, fields: Record<string, string>): Promise<string> {
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })
  await answer.text()
  return answer.headers.get('location') ?? ''
}

/** An order whose shopper is on the gateway's page, and what is left of its stock. */
async function sentAway({ shop, method, data }: World, returnUrl?: string) {
  const mug = await shop.variant({ stock: [1] })
  const { cart, context } = await shop.cart([{ variantId: mug, quantity: 1 }])
  const expectedTotal = { amount: cart.quote!.totalMinor, currency: cart.currency }
  const complete = (payment: { method: string; data?: Record<string, string>; returnUrl?: string }) =>
    placeOrder(shop.db, context, { cartId: cart.id, expectedTotal, payment })
  const choice = { method, data, ...returnUrl === undefined ? {} : { returnUrl } }
  const { orderId, payment } = await complete(choice)
  assert.ok(payment.kind === 'action' && payment.url)
  assert.deepEqual((await complete(choice)).payment, payment, 'a second tab is led to the same page')
  return { mug, orderId, url: payment.url, complete }
}

/** The browser follows a link of the shop. */
async function follow({ shop }: World, link: string) {
  const { pathname, search } = new URL(link)
  const answer = await (await shop.app()).inject({ url: pathname + search })
  return { status: answer.statusCode, location: answer.headers.location, text: answer.body }
}

for (const [name, open] of [['the simulator', throughSimulator], ['Stripe', throughStripe]] as const) {
  test(`${name}: who pays comes back to the storefront, and the order is placed, once, however often`, async (t) => {
    const world = await open(t)
    const { orderId, url } = await sentAway(world, `${STOREFRONT}/thanks?lang=de`)
    const link = await world.press(url, 'pay')
    for (const answer of await Promise.all(Array.from({ length: 5 }, () => follow(world, link)))) {
      assert.deepEqual([answer.status, answer.location],
        [303, `${STOREFRONT}/thanks?lang=de&order=${orderId}&payment=captured`])
    }
    assert.equal(await orderState(world.shop.db, orderId), 'placed')
    assert.equal(await world.taken(), 1)
  })

  test(`${name}: who comes back without having paid is told so; without a storefront there is a page`, async (t) => {
    const world = await open(t)
    const { orderId, url, complete } = await sentAway(world)
    const [payment] = await paymentsOf(world.shop.db, orderId)
    const charge = await requestOf(world, payment!.attempts[0]!.id)
    const early = await follow(world, charge.returnUrl)
    assert.deepEqual([early.status, early.text.includes('Not paid yet')], [200, true])
    assert.equal((await complete({ method: world.method, data: world.data })).payment.url, url)
    const late = await follow(world, await world.press(url, 'pay'))
    assert.match(late.text, /<h1>Paid/)
  })

  test(`${name}: who turns back may pay in another way at once, and pays once`, async (t) => {
    const world = await open(t)
    const { orderId, url, complete } = await sentAway(world, `${STOREFRONT}/cart`)
    const link = await world.press(url, 'back')
    for (let time = 0; time < 2; time++) {
      assert.equal((await follow(world, link)).location, `${STOREFRONT}/cart?order=${orderId}&payment=declined`)
    }
    assert.equal((await complete({ method: 'card' })).payment.kind, 'captured')
    await world.press(url, 'pay').catch(() => undefined)            // the other tab is still there
    await settlePayment(world.shop.db, systemContext(), orderId)
    const [payment] = await paymentsOf(world.shop.db, orderId)
    assert.equal(payment!.attempts.filter(({ state }) => state === 'captured').length, 1)
    assert.equal(await orderState(world.shop.db, orderId), 'placed')
  })

  test(`${name}: who turns back while another tab pays has paid`, async (t) => {
    const world = await open(t)
    const { orderId, url } = await sentAway(world)
    const charge = await requestOf(world, (await paymentsOf(world.shop.db, orderId))[0]!.attempts[0]!.id)
    await Promise.all([world.press(url, 'pay'), follow(world, charge.cancelUrl), follow(world, charge.cancelUrl)])
    await settlePayment(world.shop.db, systemContext(), orderId)
    const placed = await orderState(world.shop.db, orderId) === 'placed'
    assert.equal(await world.taken(), placed ? 1 : 0)
  })

  test(`${name}: who says no is told so, and the goods wait for another way to pay`, async (t) => {
    const world = await open(t)
    const { mug, orderId, url, complete } = await sentAway(world, `${STOREFRONT}/`)
    const answer = await follow(world, await world.press(url, 'no'))
    assert.equal(answer.location, `${STOREFRONT}/?order=${orderId}&payment=declined`)
    assert.deepEqual(await world.shop.stock(mug), { onHand: 1, reserved: 1 })
    assert.equal((await complete({ method: 'transfer' })).payment.kind, 'pending')
  })

  test(`${name}: who closes the tab loses the goods after an hour, and cannot pay for them any more`, async (t) => {
    const world = await open(t)
    const { shop: { db } } = world
    const { mug, orderId, url } = await sentAway(world)
    await db.run(sql`update orders.order set holds_until = now() - interval '1 second'`)
    assert.equal(await lapseOrders(db), 0, 'the page is open still')
    await db.run(sql`update payments.attempt set created_at = created_at - ${hour}, next_check_at = now()`)
    await db.run(sql`update orders.order set holds_until = now() - interval '1 second'`)
    assert.equal(await lapseOrders(db), 1)
    await recoverPayments(db)
    await world.press(url, 'pay').catch(() => undefined)
    await settlePayment(db, systemContext(), orderId)
    assert.deepEqual([await orderState(db, orderId), await world.taken()], ['lapsed', 0])
    assert.deepEqual(await world.shop.stock(mug), { onHand: 1, reserved: 0 })
  })
}

/** What the gateway was asked, by the attempt. */
async function requestOf({ shop: { db } }: World, key: string) {
  return chargeRequest(db, { key, amountMinor: 1, currency: 'EUR', capture: true, data: {} })
}

test('a link is worth nothing without its token, or with that of another attempt', async (t) => {
  const world = await throughSimulator(t)
  const [mine, theirs] = [await sentAway(world), await sentAway(world)]
  const [own, foreign] = await Promise.all([mine, theirs].map(async ({ orderId }) => {
    const [payment] = await paymentsOf(world.shop.db, orderId)
    return requestOf(world, payment!.attempts[0]!.id)
  }))
  const token = new URL(foreign!.returnUrl).searchParams.get('token')!
  for (const wrong of ['', 'return_x', token]) {
    await assert.rejects(returnShopper(world.shop.db, own!.key, { token: wrong, turnedBack: true }),
      (error) => isProblem(error, PaymentNotFound))
  }
  assert.equal((await follow(world, own!.returnUrl.replace(/token=.*/, `token=${token}`))).status, 404)
  assert.equal((await follow(world, own!.returnUrl.replace(/\?.*/, ''))).status, 400)
  assert.equal((await paymentsOf(world.shop.db, mine.orderId))[0]!.attempts[0]!.state, 'requires_action')
})

test('a page that is no storefront of this shop is refused before anything is ordered', async (t) => {
  const world = await throughSimulator(t)
  const pages = [
    'https://evil.example/', 'https://shop.example.evil.example/', 'https://shop.example@evil.example/',
    'javascript:alert(1)', 'http://shop.example/', '//evil.example', 'thanks', '', 'https://user@shop.example/',
  ]
  for (const returnUrl of pages) {
    await assert.rejects(sentAway(world, returnUrl), (error) => isProblem(error, ReturnUrlNotAllowed), returnUrl)
  }
  const { count } = await world.shop.db.one(Type.Object({ count: Type.Integer() }), sql`
    select count(*)::int from orders.order`)
  assert.equal(count, 0)
})
