// The development mailbox through the Admin API, and what staff may not read there.
import assert from 'node:assert/strict'
import test from 'node:test'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { createApp } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { createLog } from '../../platform/log.ts'
import { testDatabase, type Cleanup } from '../../platform/testing.ts'
import { adminRoutes } from './admin-api.ts'
import { enqueueMessage } from './enqueue-message.ts'
import { sweeps } from './jobs.ts'
import { configureMail } from './mail.ts'
import type { ShownOrder } from './notifications.ts'
import { renderMessage } from './render-message.ts'
import { sendMessages } from './send-messages.ts'

const order: ShownOrder = {
  number: 1001, currency: 'EUR', pricesIncludeTax: true, subtotalMinor: 2_580, shippingMinor: 490, discountMinor: 258,
  taxMinor: 449, totalMinor: 2_812,
  lines: [{ productTitle: 'Mug "Blue" <script>', variantTitle: '', quantity: 2, totalMinor: 2_580 }],
  delivery: { name: 'Standard' },
  shippingAddress: { name: 'Ada & Bob', line1: 'Ring 1', postalCode: '10115', city: 'Berlin', country: 'DE' },
}

async function start(t: Cleanup) {
  const db = await testDatabase(t)
  const authenticate = async () => ({ kind: 'key' as const, id: newId(), permissions: ['*'] })
  const app = await createApp({ db, routes: adminRoutes, authenticate, log: createLog('silent') })
  t.after(() => app.close())
  const call = async (method: 'GET' | 'POST', url: string) => {
    const answer = await app.inject({ method, url })
    return { status: answer.statusCode, body: answer.json() }
  }
  return { db, call }
}

const send = (db: Db, to: string) => db.transaction(
  systemContext(), (tx) => enqueueMessage(tx, 'order-confirmation', to, { order })
)
const reset = (db: Db) => db.transaction(systemContext(), (tx) =>
  enqueueMessage(tx, 'password-reset', 'ada@mugs.example', { name: 'Ada', token: 'a-secret', hours: 1 }))

test('a confirmation shows what was bought, in text and HTML, escaped', () => {
  const { subject, text, html } = renderMessage(
    'order-confirmation', { order }, { locale: 'de-AT', shopUrl: 'https://mugs.example' }
  )
  assert.equal(subject, 'Your order 1001')
  assert.match(text, /2 × Mug "Blue" <script>: €\s25,80/)
  assert.match(text, /Discount: -€\s2,58\nStandard: €\s4,90\nTotal: €\s28,12\nTax included: €\s4,49/)
  assert.match(text, /Ada & Bob\nRing 1\n10115 Berlin\nDE/)
  assert.match(html, /2 × Mug &quot;Blue&quot; &lt;script&gt;/)
  assert.match(html, /Ada &amp; Bob<br>Ring 1/)
  assert.doesNotMatch(html, /<script|undefined/)
})

test('a confirmation says what is left to be paid, and how', () => {
  const payment = { title: 'Transfer', instructions: 'To <DE02>\nwithin a week', reference: 'RF18' }
  const { text, html } = renderMessage(
    'order-confirmation', { order, payment }, { locale: 'en', shopUrl: 'https://mugs.example' })
  assert.match(text, /Still to be paid:\nTransfer\nTo <DE02>\nwithin a week\nReference: RF18\n/)
  assert.match(html, /Still to be paid<\/b><br>Transfer<br>To &lt;DE02&gt;<br>within a week<br>Reference: RF18/)
})

test('the development mailbox keeps what was sent, secrets included', async (t) => {
  const { db, call } = await start(t)
  await send(db, 'Ada@mugs.example')
  await reset(db)
  await sendMessages(db)
  const { body: page } = await call('GET', '/admin/messages?limit=1')
  assert.deepEqual([page.items[0].template, page.items[0].state], ['password-reset', 'sent'])
  assert.match((await call('GET', `/admin/messages/${page.items[0].id}`)).body.content.text, /#token=a-secret/)
  const { body: next } = await call(
    'GET', `/admin/messages?cursor=${page.nextCursor}&recipient=ada@mugs.example&state=sent`
  )
  assert.deepEqual([next.items.length, next.items[0].template, next.nextCursor], [1, 'order-confirmation', null])
  assert.equal((await call('GET', `/admin/messages/${newId()}`)).status, 404)
})

test('with a mail server, nobody reads a secret link here, not even before it is sent', async (t) => {
  const { db, call } = await start(t)
  t.after(
    configureMail(
      db,
      {
        production: true, smtpUrl: 'smtp://127.0.0.1:1', mailFrom: 'shop@mugs.example', shopUrl: 'https://mugs.example',
      }
    )
  )
  await reset(db)
  await send(db, 'ada@mugs.example')
  const { body: { items } } = await call('GET', '/admin/messages')
  const contents = await Promise.all(
    items.map(async ({ id }: { id: string }) => (await call('GET', `/admin/messages/${id}`)).body.content?.subject)
  )
  assert.deepEqual(contents, ['Your order 1001', undefined])
})

test('a parked message is sent again when staff ask, also one that cannot be shown', async (t) => {
  const { db, call } = await start(t)
  await db.transaction(
    systemContext(), (tx) => enqueueMessage(tx, 'order-confirmation', 'ada@mugs.example', { order: {} as never })
  )
  await sendMessages(db)
  const { body: { items: [{ id, state, lastError }] } } = await call('GET', '/admin/messages?state=parked')
  assert.equal(state, 'parked')
  assert.match(lastError, /cannot show its data/)
  assert.equal((await call('GET', `/admin/messages/${id}`)).body.content, null)
  const again = await call('POST', `/admin/messages/${id}/retry`)
  assert.deepEqual([again.status, again.body.state, again.body.attempts], [202, 'waiting', 0])
  assert.equal((await call('POST', `/admin/messages/${id}/retry`)).status, 409)
  assert.equal((await call('POST', `/admin/messages/${newId()}/retry`)).status, 404)
})

test('old messages are forgotten, those that wait are not', async (t) => {
  const { db, call } = await start(t)
  await send(db, 'ada@mugs.example')
  await sendMessages(db)
  await send(db, 'bob@mugs.example')
  await db.run(sql`update notifications.message set created_at = now() - interval '31 days'`)
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 31 * 86_400_000 })   // the ids tell their age, too
  await sweeps.find(({ name }) => name === 'notifications.forget')!.run(db)
  assert.deepEqual(
    (await call('GET', '/admin/messages')).body.items.map(({ recipient }: { recipient: string }) => recipient),
    ['bob@mugs.example']
  )
})
