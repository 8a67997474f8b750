// What staff do with payments over HTTP: read, capture, refund, void, record a transfer, and find what is unclear.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from '../../platform/db.ts'
import { testShop, type TestShop } from '../../testing.ts'
import { orderState } from '../orders/apply-payment.ts'
import { paymentsOf } from './get-payment.ts'

async function staff(shop: TestShop) {
  const app = await shop.app()
  const { secret } = await shop.keys()
  return async (method: 'GET' | 'POST', url: string, payload?: object, headers: Record<string, string> = {}) => {
    const answer = await app.inject({
      method, url, headers: { authorization: `Bearer ${secret}`, ...headers }, ...(payload ? { payload } : {}),
    })
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() }
  }
}

async function buy(shop: TestShop, method: string, data: Record<string, string> = {}) {
  const mug = await shop.variant({ price: 1_000 })
  const { orderId } = await shop.complete(await shop.cart([{ variantId: mug, quantity: 1 }]), data, method)
  const [payment] = await paymentsOf(shop.db, orderId)
  return { orderId, paymentId: payment!.id }
}

test('captured in parts, refunded in parts; a repeat under one key is one refund; too much is refused by name',
  async (t) => {
  const shop = await testShop(t)
  const call = await staff(shop)
  const { orderId, paymentId } = await buy(shop, 'card-later')
  const path = `/admin/payments/${paymentId}`
  assert.deepEqual((await call('GET', path)).body.authorizedMinor, 1_490)
  assert.equal((await call('POST', `${path}/capture`, { amountMinor: 1_000 })).body.capturedMinor, 1_000)
  assert.equal((await call('POST', `${path}/capture`, {})).body.capturedMinor, 1_490)
  const refund = () =>
    call('POST', `${path}/refund`, { amountMinor: 500, note: 'a scratch' }, { 'idempotency-key': 'scratch' })
  await refund()
  const again = await refund()
  assert.deepEqual([again.status, again.headers['idempotent-replayed'], again.body.refundedMinor], [200, 'true', 500])
  const problem = async (act: string, body: object) => {
    const answer = await call('POST', `${path}/${act}`, body)
    return [answer.status, String(answer.body.type).split('/').at(-1)]
  }
  assert.deepEqual(await problem('refund', { amountMinor: 991 }), [409, 'amount-not-available'])
  assert.deepEqual(await problem('void', {}), [409, 'payment-operation-not-possible'])
  assert.deepEqual(await problem('receipt', {}), [409, 'payment-operation-not-possible'])
  assert.deepEqual(await problem('refund', { amountMinor: 0 }), [400, 'invalid-request'])
  assert.deepEqual(await problem('refund', { amountMinor: 1.5 }), [400, 'invalid-request'])
  assert.equal((await call('GET', `/admin/payments/${orderId}`)).status, 404)
  const listed = await call('GET', `/admin/orders/${orderId}/payments`)
  assert.deepEqual(listed.body.items[0].operations.map((one: any) => [one.kind, one.amountMinor, one.note]),
    [['capture', 1_000, null], ['capture', 490, null], ['refund', 500, 'a scratch']])
})

test('an authorisation is voided once; a transfer is received once; both show in the order', async (t) => {
  const shop = await testShop(t)
  const call = await staff(shop)
  const card = await buy(shop, 'card-later')
  assert.equal((await call('POST', `/admin/payments/${card.paymentId}/void`, {})).body.attempts[0].state, 'voided')
  assert.equal((await call('POST', `/admin/payments/${card.paymentId}/void`, {})).status, 409)
  const transfer = await buy(shop, 'transfer')
  assert.equal(await orderState(shop.db, transfer.orderId), 'placed')
  const receive = () => call('POST', `/admin/payments/${transfer.paymentId}/receipt`, {})
  for (const answer of await Promise.all([receive(), receive(), receive()])) {
    assert.deepEqual([answer.status, answer.body.capturedMinor], [200, 1_490])
  }
  const refunded = await call('POST', `/admin/payments/${transfer.paymentId}/refund`, { amountMinor: 90 })
  assert.deepEqual([refunded.body.refundedMinor, refunded.body.operations[0].state], [90, 'done'])
})

test('what is unclear, failed or contradicted is listed until it is settled', async (t) => {
  const shop = await testShop(t)
  const call = await staff(shop)
  const unclear = async () =>
    (await call('GET', '/admin/payment-cases')).body.items.map((one: any) => [one.kind, one.state])
  assert.deepEqual(await unclear(), [])
  await buy(shop, 'card', { fault: 'charge_then_drop' })
  await shop.db.run(sql`update payments.attempt set created_at = now() - interval '3 minutes'`)
  assert.deepEqual(await unclear(), [['attempt', 'unknown']])
  const { paymentId } = await buy(shop, 'card')
  await fetch(`${shop.bank.url}/faults`, { method: 'POST', body: JSON.stringify({ fault: 'refuse' }) })
  await call('POST', `/admin/payments/${paymentId}/refund`, { amountMinor: 1 })
  assert.deepEqual(await unclear(), [['operation', 'failed'], ['attempt', 'unknown']])
  await call('POST', `/admin/payments/${paymentId}/refund`, { amountMinor: 1 })
  assert.deepEqual(await unclear(), [['attempt', 'unknown']])
})
