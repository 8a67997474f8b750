// Webhooks over HTTP: only genuine ones come in, each is worked once, none is believed, and what contradicts our record
// waits for people.
import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Type } from 'typebox'
import { sql } from '../../platform/db.ts'
import { createApp } from '../../platform/http.ts'
import { createLog } from '../../platform/log.ts'
import { testCharge } from './gateway-contract.ts'
import { testPayments, type TestPayments } from './internal/test-payments.ts'
import { sweeps } from './jobs.ts'
import { paymentListener } from './payments.ts'
import { workWaitingWebhooks } from './receive-webhook.ts'
import { storeRoutes } from './store-api.ts'

type Post = (message: Record<string, unknown>, change?: { body?: string; age?: number; secret?: string }) =>
  Promise<number>

async function receiver(t: { after: (fn: () => unknown) => void }, { db }: TestPayments): Promise<Post> {
  const app = await createApp({
    db, routes: storeRoutes, log: createLog('silent'), authenticate: async () => { throw new Error('Nobody signs in') },
  })
  t.after(() => app.close())
  return async (message, { body, age = 0, secret = 'simulator-secret' } = {}) => {
    const payload = JSON.stringify({
      eventId: randomUUID(), about: 'charge', key: null, account: null, amountMinor: null, currency: null, ...message,
    })
    const timestamp = String(Math.floor(Date.now() / 1_000) - age)
    const signature = createHmac('sha256', secret).update(`${timestamp}.${payload}`).digest('hex')
    const answer = await app.inject({ method: 'POST', url: '/webhooks/simulator', payload: body ?? payload, headers: {
      'content-type': 'application/json', 'x-simulator-timestamp': timestamp, 'x-simulator-signature': signature,
    } })
    return answer.statusCode
  }
}

const Kept = Type.Object({ state: Type.String(), tries: Type.Integer() })
const inbox = ({ db }: TestPayments) =>
  db.many(Kept, sql`select state, tries from payments.webhook_event order by received_at`)

test('a forged, changed or stale message is refused and leaves nothing', async (t) => {
  const payments = await testPayments(t)
  const post = await receiver(t, payments)
  assert.equal(await post({ reference: 'x' }, { secret: 'guessed' }), 400)
  assert.equal(await post({ reference: 'x' }, { body: '{"reference":"y"}' }), 400)
  assert.equal(await post({ reference: 'x' }, { body: 'not JSON' }), 400)
  assert.equal(await post({ reference: 'x' }, { body: '' }), 400)
  assert.equal(await post({ reference: 'x' }, { age: 3_600 }), 400)
  assert.equal(await post({ reference: 'x' }, { age: -3_600 }), 400)
  assert.deepEqual(await inbox(payments), [])
})

test('a gateway that this shop does not have is told so, and nothing is kept', async (t) => {
  const payments = await testPayments(t)
  const app = await createApp({
    db: payments.db, routes: storeRoutes, log: createLog('silent'),
    authenticate: async () => { throw new Error('Nobody signs in') },
  })
  t.after(() => app.close())
  const answer = await app.inject({ method: 'POST', url: '/webhooks/nobody', payload: { eventId: 'x' } })
  assert.deepEqual([answer.statusCode, answer.json().title], [404, 'No such gateway'])
  assert.deepEqual(await inbox(payments), [])
})

test('a message whose work fails each time waits ever longer, then for people; once mended it is worked', async (t) => {
  const payments = await testPayments(t)
  const { db } = payments
  const post = await receiver(t, payments)
  const { orderId, attempts: [attempt] } = await payments.paid(1_000)
  await payments.forgetOutcome(orderId)
  const listener = paymentListener.of(db)
  const broken = async () => { throw new Error('a bug of ours') }
  paymentListener.set(db, { ...listener, lock: broken })
  await post({ eventId: 'poison', key: attempt!.id, reference: attempt!.reference })
  const waits: number[] = []
  const Wait = Type.Object({ seconds: Type.Integer() })
  for (let round = 0; round < 16; round++) {
    await db.run(sql`update payments.webhook_event set next_try_at = now() - interval '3 seconds'`)
    await assert.rejects(workWaitingWebhooks(db), /a bug of ours/)
    const [wait] = await db.many(Wait, sql`select extract(epoch from next_try_at - now())::int as seconds
      from payments.webhook_event where next_try_at is not null`)
    if (wait) waits.push(wait.seconds)
  }
  assert.deepEqual([waits.length, waits[0], waits[14]], [15, 5, 5 * 2 ** 14])
  const [{ state, reason } = { state: '', reason: '' }] = await db.many(
    Type.Object({ state: Type.String(), reason: Type.String() }), sql`select state, reason from payments.webhook_event`)
  assert.deepEqual([state, reason], ['quarantined', 'its work fails each time, the log says how'])
  const alerts = await db.run(sql`
    select from platform.event where type = 'payment.alert' and payload ->> 'reason' like '%work fails%'`)
  assert.equal(alerts, 1, 'staff are told once')

  paymentListener.set(db, listener)
  await db.run(sql`
    update payments.webhook_event set state = 'received', tries = 0, next_try_at = now() - interval '1 hour'`)
  await workWaitingWebhooks(db)
  assert.deepEqual((await inbox(payments)).map((one) => one.state), ['done'])
})

test('a message repeated fifty times is kept and worked once; what it claims is not believed', async (t) => {
  const payments = await testPayments(t)
  const post = await receiver(t, payments)
  const { orderId, attempts: [attempt] } = await payments.paid(1_000)
  const message = { eventId: 'once', reference: attempt!.reference, kind: 'charge.captured', amountMinor: 1_000 }
  assert.deepEqual(new Set(await Promise.all(Array.from({ length: 50 }, () => post(message)))), new Set([200]))
  await payments.work()
  assert.deepEqual(await inbox(payments), [{ state: 'done', tries: 0 }])
  assert.equal((await payments.payment(orderId)).attempts[0]!.state, 'authorized')
  const forget = sweeps.find(({ name }) => name === 'payments.forget-webhooks')!
  await forget.run(payments.db)
  assert.equal((await inbox(payments)).length, 1)
  await payments.db.run(sql`update payments.webhook_event set received_at = now() - interval '31 days'`)
  await forget.run(payments.db)
  assert.deepEqual(await inbox(payments), [])
  await payments.agreesWithTheBank(orderId)
})

test('a message that beats our own write waits, and is worked when we know; one that belongs to nobody goes to people',
  async (t) => {
  const payments = await testPayments(t)
  const post = await receiver(t, payments)
  const orderId = await payments.order()
  await payments.pay(orderId, 'charge_then_drop,webhook_never')
  const [charge] = await payments.charges()
  await post({ reference: charge!.reference })
  await payments.work()
  assert.deepEqual(await inbox(payments), [{ state: 'parked', tries: 1 }])
  await payments.later(5)
  await payments.later()
  assert.equal((await inbox(payments))[0]!.state, 'done')
  await payments.agreesWithTheBank(orderId)

  await post({ reference: 'of another shop' })
  for (let look = 0; look < 17; look++) await payments.later()
  assert.deepEqual((await inbox(payments)).map(({ state }) => state), ['done', 'quarantined'])
  assert.deepEqual(payments.alerts, ['a webhook of simulator: no payment of ours has this reference'])
})

test('another account, amount or currency, and a dispute, are kept for people and told once', async (t) => {
  const payments = await testPayments(t)
  const post = await receiver(t, payments)
  const { orderId, attempts: [attempt] } = await payments.paid(1_000, 'card')
  for (const wrong of [
    { account: 'of_another' }, { amountMinor: 999 }, { currency: 'USD' }, { about: 'dispute' },
  ]) {
    const message = { eventId: randomUUID(), reference: attempt!.reference, key: attempt!.id, ...wrong }
    await Promise.all([post(message), post(message)])
    await payments.work()
  }
  assert.deepEqual((await inbox(payments)).map(({ state }) => state), Array(4).fill('quarantined'))
  assert.deepEqual(payments.alerts, [
    'a webhook of simulator: it belongs to the account of_another, ours is sim_account',
    'a webhook of simulator: it speaks of 999 null, ours are 1000 EUR',
    'a webhook of simulator: it speaks of null USD, ours are 1000 EUR',
    'a webhook of simulator: the charge is disputed: answer at the gateway',
  ])
  await payments.agreesWithTheBank(orderId)
})

test('what somebody did at the bank itself is learnt by its webhook', async (t) => {
  const payments = await testPayments(t)
  const post = await receiver(t, payments)
  for (const kind of ['capture', 'void'] as const) {
    const { orderId, attempts: [attempt] } = await payments.paid(1_000)
    const reference = attempt!.reference!
    await payments.gateway[kind]({ key: randomUUID(), reference, amountMinor: 400, currency: 'EUR' })
    await post({ about: 'operation', reference })
    await payments.work()
    await payments.agreesWithTheBank(orderId)
  }
  assert.equal(payments.alerts.at(-1), 'the payment that was promised is voided')
})

test('money that arrives for an attempt that we gave up goes to people', async (t) => {
  const payments = await testPayments(t)
  const post = await receiver(t, payments)
  const orderId = await payments.order()
  await payments.pay(orderId, 'drop_before_charge')
  await payments.db.run(sql`update payments.payment set closed = true where order_id = ${orderId}`)
  await payments.later(3_600)
  const { attempts: [attempt] } = await payments.payment(orderId)
  assert.equal(attempt!.state, 'declined')
  await payments.gateway.charge(testCharge({}, { key: attempt!.id }))
  await post({ reference: `sim_${attempt!.id}`, key: attempt!.id })
  await payments.later()
  assert.ok(payments.alerts.includes(
    'a webhook of simulator: the gateway took money for what is declined here: give it back there'))
})
