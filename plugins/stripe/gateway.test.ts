// The Stripe adapter keeps the contract, through Stripe's own SDK over HTTP, against a server that speaks its wire
// format; and it does what only Stripe knows: pages, disputes, refunds that fail, modes, other people's events.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gatewayContract, testCharge, type Subject } from '../../src/modules/payments/gateway-contract.ts'
import type { ChargeOutcome } from '../../src/modules/payments/gateway.ts'
import type { Cleanup } from '../../src/platform/testing.ts'
import { API_VERSION, stripeGateway } from './gateway.ts'
import { newEvent, sign } from './test-server/events.ts'
import { startStripeServer, TEST_KEY, TEST_WEBHOOK_SECRET, type StripeServer } from './test-server/server.ts'

const secrets = { secretKey: TEST_KEY, webhookSecret: TEST_WEBHOOK_SECRET, timeoutMs: 4_000 }

async function open(t: Cleanup) {
  const server = await startStripeServer()
  t.after(() => server.stop())
  return { server, gateway: stripeGateway({ ...secrets, apiUrl: server.url }) }
}

const press = (url: string, fields: Record<string, string>): Promise<Response> =>
  fetch(url, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })
const answer: Subject['answer'] = (url, agrees) => press(url, { answer: agrees ? 'yes' : 'no' })

/** An event about a PaymentIntent, signed as Stripe does it. */
function message(type: string, object: object, { secondsAgo = 0, ...terms }: {
  secondsAgo?: number; livemode?: boolean; account?: string | undefined
} = {}) {
  const event = newEvent(type, object, { apiVersion: API_VERSION, livemode: false, ...terms })
  const raw = Buffer.from(JSON.stringify(event))
  const timestamp = Math.floor(Date.now() / 1_000) - secondsAgo
  return { raw, headers: { 'stripe-signature': sign(raw, TEST_WEBHOOK_SECRET, timestamp) } }
}

const webhook: Subject['webhook'] = ({ key, reference, account, amountMinor, currency }, secondsAgo = 0) =>
  message('payment_intent.succeeded', {
    id: reference, object: 'payment_intent', metadata: { kontor_key: key }, amount: amountMinor ?? 1_000,
    currency: (currency ?? 'EUR').toLowerCase(),
  }, { secondsAgo, ...account ? { account } : {} })

const unreachable = stripeGateway({ ...secrets, timeoutMs: 500, apiUrl: 'http://127.0.0.1:1' })

gatewayContract('Stripe, with its form in the page', async (t) => ({
  gateway: (await open(t)).gateway, unreachable, answer, webhook, data: {
    good: { paymentMethod: 'pm_card_visa' }, declined: { paymentMethod: 'pm_card_chargeDeclined' },
    technical: { paymentMethod: 'pm_card_chargeDeclinedProcessingError' },
    action: { paymentMethod: 'pm_card_authenticationRequired' },
    lostBefore: { paymentMethod: 'pm_fault,drop_before_charge' },
    lostAfter: { paymentMethod: 'pm_fault,charge_then_drop' },
  },
}))

gatewayContract('Stripe, with its own page', async (t) => ({
  gateway: (await open(t)).gateway, unreachable, answer, webhook, data: {
    good: { confirmationToken: 'ctoken_card_visa' }, declined: { confirmationToken: 'ctoken_card_chargeDeclined' },
    action: {}, lostBefore: { confirmationToken: 'ctoken_fault,drop_before_charge' },
    lostAfter: { confirmationToken: 'ctoken_fault,charge_then_drop' },
  },
}))

const known = (key: string, outcome: ChargeOutcome) =>
  ({ key, reference: 'reference' in outcome ? outcome.reference ?? null : null })

test('every call says the version, our key, and nothing that Stripe does not know', async (t) => {
  const { server, gateway } = await open(t)
  const request = testCharge({ paymentMethod: 'pm_card_visa' })
  await gateway.charge(request)
  const page = testCharge()
  await gateway.charge(page)
  await gateway.lookUp({ key: request.key, reference: null })
  assert.deepEqual([...new Set(server.requests.map(({ version }) => version))], [API_VERSION])
  assert.deepEqual(server.requests.filter(({ method }) => method === 'POST').map(({ path, key }) => [path, key]), [
    ['/v1/payment_intents', request.key], ['/v1/checkout/sessions', page.key],
  ])
  const [session] = [...server.books.sessions.values()]
  assert.equal(session!.success_url, page.returnUrl)
  assert.equal(session!.cancel_url, page.cancelUrl)
  assert.equal(session!.expires_at, Math.floor(page.endsAt.getTime() / 1_000))
  assert.equal(session!.client_reference_id, page.key)
})

test('on the page a shopper may try another card after one that was declined', async (t) => {
  const { gateway } = await open(t)
  const request = testCharge()
  const asked = await gateway.charge(request)
  assert.ok(asked.kind === 'action')
  assert.equal((await press(asked.url, { answer: 'yes', card: 'pm_card_chargeDeclined' })).status, 402)
  assert.equal((await gateway.lookUp(known(request.key, asked))).kind, 'action', 'the page is open still')
  const back = await press(asked.url, { answer: 'yes' })
  assert.equal(back.headers.get('location'), request.returnUrl)
  const paid = await gateway.lookUp(known(request.key, asked))
  assert.ok(paid.kind === 'captured' && paid.reference.startsWith('pi_'))
  const refund = { key: randomBytes(8).toString('hex'), reference: asked.reference, amountMinor: 100, currency: 'EUR' }
  assert.equal((await gateway.refund(refund)).kind, 'done', 'also by the reference of the page')
})

test('a page that closed by itself has expired; one that Stripe failed to make charges nobody', async (t) => {
  const { server, gateway } = await open(t)
  const request = testCharge()
  const asked = await gateway.charge(request)
  for (const session of server.books.sessions.values()) session.expires_at = 0
  assert.equal((await gateway.lookUp(known(request.key, asked))).kind, 'expired')
  server.next.push('done_then_500')
  const failed = testCharge()
  for (let time = 0; time < 2; time++) assert.equal((await gateway.charge(failed)).kind, 'declined')
})

test('a 500 is answered again under its key, and the search finds what was charged', async (t) => {
  const { gateway } = await open(t)
  const request = testCharge({ paymentMethod: 'pm_fault,charge_then_500' })
  for (let time = 0; time < 2; time++) await assert.rejects(gateway.charge(request), /unknown error/)
  assert.equal((await gateway.lookUp({ key: request.key, reference: null })).kind, 'captured')
})

test('the search is late: until then it is absent, and a repeat finds it', async (t) => {
  const { gateway } = await open(t)
  const request = testCharge({ paymentMethod: 'pm_fault,look_up_later' })
  await assert.rejects(gateway.charge(request))
  assert.deepEqual(await gateway.lookUp({ key: request.key, reference: null }), { kind: 'absent' })
  assert.equal((await gateway.charge(request)).kind, 'captured')
})

test('a bank that does not know its customer has declined', async (t) => {
  const { gateway } = await open(t)
  const request = testCharge({ paymentMethod: 'pm_card_authenticationRequired' })
  const asked = await gateway.charge(request)
  assert.ok(asked.kind === 'action' && asked.url.includes('/3ds/'))
  const back = await press(asked.url, { answer: 'no' })
  assert.equal(back.headers.get('location'), request.returnUrl)
  const outcome = await gateway.lookUp(known(request.key, asked))
  assert.ok(outcome.kind === 'declined' && outcome.reason.includes('authentication'))
})

test('what Stripe refuses before it does anything is a decline; a wrong key as well', async (t) => {
  const { server, gateway } = await open(t)
  const tooMuch = await gateway.charge(testCharge({ paymentMethod: 'pm_card_visa' }, { amountMinor: 100_000_000 }))
  assert.ok(tooMuch.kind === 'declined' && tooMuch.reason.includes('no more than'))
  const stranger = stripeGateway({ ...secrets, secretKey: 'sk_test_another', apiUrl: server.url })
  const refused = await stranger.charge(testCharge())
  assert.ok(refused.kind === 'declined' && refused.reason.includes('Invalid API Key'))
  assert.equal(server.books.intents.size, 0)
})

async function charged(server: StripeServer, gateway: Awaited<ReturnType<typeof open>>['gateway']) {
  const outcome = await gateway.charge(testCharge({ paymentMethod: 'pm_card_visa' }))
  assert.ok(outcome.kind === 'captured')
  return { intent: server.books.intent(outcome.reference), outcome }
}

test('a dispute and a refund that fails later say what people have to know', async (t) => {
  const { server, gateway } = await open(t)
  const { intent, outcome } = await charged(server, gateway)
  server.books.dispute(intent, 'charge.dispute.created')
  server.books.failRefund(server.books.refund(intent, 300, {}))
  await server.announce()
  const read = server.deliveries.sent.map((body) => gateway.readWebhook(
    Buffer.from(body), { 'stripe-signature': sign(body, TEST_WEBHOOK_SECRET) }))
  const notes = read.flatMap((facts) => facts && facts !== 'irrelevant' && facts.note ? [facts] : [])
  assert.deepEqual(notes.map(({ about, reference }) => [about, reference]), [
    ['dispute', outcome.reference], ['operation', outcome.reference],
  ])
  assert.match(notes[0]!.note!, /^10\.00 EUR are disputed \(fraudulent\): needs_response, evidence until 20/)
  assert.match(notes[1]!.note!, /^a refund of 3\.00 EUR failed after Stripe had taken it on \(lost_or_stolen_card\)/)
})

test('events of the other mode name another account; events of what we did not begin are forgotten', async (t) => {
  const { server, gateway } = await open(t)
  const { intent } = await charged(server, gateway)
  const read = (type: string, object: object, livemode = false) => {
    const { raw, headers } = message(type, object, { livemode })
    return gateway.readWebhook(raw, headers)
  }
  const live = read('payment_intent.succeeded', intent, true)
  assert.ok(live && live !== 'irrelevant' && live.account === 'live' && gateway.account === 'test')
  assert.equal(read('payment_intent.succeeded', { ...intent, metadata: {} }), 'irrelevant')
  assert.equal(read('customer.created', { id: 'cus_1', object: 'customer' }), 'irrelevant')
  const charge = { id: 'ch_1', object: 'charge', payment_intent: null, metadata: {} }
  assert.equal(read('charge.refunded', charge), 'irrelevant')
})

test('every event that the server sends of a purchase is read, and names the charge', async (t) => {
  const { server, gateway } = await open(t)
  const request = testCharge({}, { capture: false })
  const asked = await gateway.charge(request)
  assert.ok(asked.kind === 'action')
  await press(asked.url, { answer: 'yes' })
  const paid = await gateway.lookUp(known(request.key, asked))
  assert.ok(paid.kind === 'authorized')
  await gateway.capture({ key: 'capture-1', reference: paid.reference, amountMinor: 400, currency: 'EUR' })
  await gateway.refund({ key: 'refund-1', reference: paid.reference, amountMinor: 400, currency: 'EUR' })
  const facts = server.deliveries.sent.map((body) => gateway.readWebhook(
    Buffer.from(body), { 'stripe-signature': sign(body, TEST_WEBHOOK_SECRET) }))
  const told = facts.filter((one) => one !== null && one !== 'irrelevant')
  assert.equal(facts.length - told.length, 1, 'payment_intent.created says nothing')
  assert.deepEqual(told.map(({ about }) => about), ['charge', 'charge', 'charge', 'operation'])
  for (const one of told) {
    assert.deepEqual([one.key, one.amountMinor, one.currency, one.account], [request.key, 1_000, 'EUR', 'test'])
  }
})
