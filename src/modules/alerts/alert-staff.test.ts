// Whoever may act is told once, in words that say which goods and orders, and nobody else is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { newId } from '../../platform/id.ts'
import { relayEvents } from '../../platform/jobs.ts'
import { testShop } from '../../testing.ts'
import { addStaff } from '../identity/issue-password.ts'
import { adjustStock } from '../inventory/adjust-stock.ts'
import { StockShort } from '../inventory/inventory.ts'
import type { MessageData } from '../notifications/notifications.ts'
import { renderMessage } from '../notifications/render-message.ts'
import { cancelOrder } from '../orders/cancel-order.ts'
import { PaymentAlert } from '../payments/payments.ts'
import { alertOfShortStock } from './alert-staff.ts'

const Sent = Type.Object({ template: Type.String(), recipient: Type.String(), data: Type.Any() })
const sent = (db: Db) => db.many(Sent, sql`
  select template, recipient, data from notifications.message
   where template <> 'order-confirmation' order by recipient`)
const shown = <Name extends 'stock-short' | 'payment-alert'>(template: Name, data: MessageData[Name]) =>
  renderMessage(template, data, { locale: 'en', shopUrl: 'https://mugs.example' })

async function hire(db: Db): Promise<void> {
  for (const role of ['owner', 'manager', 'support', 'warehouse']) {
    await addStaff(db, { email: `${role}@mugs.example`, name: role, role })
  }
  await addStaff(db, { email: 'former@mugs.example', name: 'Former', role: 'manager' })
  await db.run(sql`update identity.staff set active = false where email = 'former@mugs.example'`)
}

test('promised stock that is gone is told to those who may book it, once', async (t) => {
  const shop = await testShop(t)
  await hire(shop.db)
  const mug = await shop.variant({ stock: [5] })
  const orders = []
  for (const quantity of [2, 3]) orders.push(await shop.complete(await shop.cart([{ variantId: mug, quantity }])))
  await shop.drain()
  await shop.db.transaction(systemContext(), (tx) =>
    adjustStock(tx, [{ variantId: mug, locationId: shop.locations[0]!, reason: 'damage', quantity: 4 }]))
  await shop.drain()
  const mails = await sent(shop.db)
  assert.deepEqual(mails.map(({ recipient }) => recipient.split('@')[0]), ['manager', 'owner', 'warehouse'])
  const { subject, text, html } = shown('stock-short', mails[0]!.data)
  assert.equal(subject, '2 orders wait for stock')
  assert.match(text, /^Mug .{4} \(SKU product-.*\), .+: 4 units missing$/m)
  assert.match(text, /order 1001 waits for 1 unit$/m)
  assert.match(text, /order 1002 waits for 3 units$/m)
  assert.doesNotMatch(text + html, /undefined|anna@/)

  // The same event again, and one whose order has ended.
  const line = { orderId: orders[0]!.orderId, variantId: mug, locationId: shop.locations[0]!, quantity: 1 }
  const again = async (times: number): Promise<void> => {
    await shop.db.transaction(systemContext(), (tx) => publish(tx, StockShort, { lines: [line] }))
    const { jobs } = await relayEvents(shop.db, shop.opened.handlers)
    const { eventId } = jobs.find(({ handler }) => handler === 'alerts.stock-short')!
    for (let time = 0; time < times; time++) {
      await alertOfShortStock(shop.db, { lines: [line] }, { eventId, attempt: time + 1 })
    }
  }
  await again(2)
  assert.equal((await sent(shop.db)).length, 6)
  await cancelOrder(shop.db, systemContext(), orders[0]!.orderId, 'out_of_stock')
  await again(1)
  assert.equal((await sent(shop.db)).length, 6)
})

test('a payment that needs an eye is told to those who may move money', async (t) => {
  const shop = await testShop(t)
  await hire(shop.db)
  const order = await shop.complete(await shop.cart([{ variantId: await shop.variant(), quantity: 1 }]))
  const alerts = [
    { paymentId: newId(), orderId: order.orderId, reason: 'a refund failed: the card <is> closed' },
    { paymentId: null, orderId: null, reason: 'a webhook of card: no payment of ours has this reference' },
  ]
  for (const alert of alerts) {
    await shop.db.transaction(systemContext(), (tx) => publish(tx, PaymentAlert, alert))
    await shop.drain()
  }
  const mails = await sent(shop.db)
  assert.deepEqual(mails.map(({ recipient }) => recipient.split('@')[0]), ['manager', 'manager', 'owner', 'owner'])
  const [ofOrder, ofNone] = mails.filter(({ recipient }) => recipient.startsWith('owner')).map(({ data }) => data)
    .sort((one, other) => other.orderNumber - one.orderNumber)
  assert.equal(shown('payment-alert', ofOrder).subject, 'The payment of order 1001 needs your eye')
  assert.match(shown('payment-alert', ofOrder).html, /the card &lt;is&gt; closed/)
  assert.match(shown('payment-alert', ofNone).text, /^A payment needs your eye: a webhook of card: no payment of ours/)
})
