// The contract that every adapter keeps, as tests: what payments believe of a gateway and never ask again. An adapter's
// own test opens it with a gateway that speaks to a simulator, and with what makes it decline, ask the shopper or break
// the connection. An adapter without one of the functions of `Subject` promises nothing about it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { newId, timeOfId } from '../../platform/id.ts'
import type { Cleanup } from '../../platform/testing.ts'
import type { ChargeOutcome, ChargeRequest, Gateway, OperationRequest, WebhookFacts } from './gateway.ts'
import { operationContract } from './internal/operation-contract.ts'
import { webhookContract } from './internal/webhook-contract.ts'

type Data = Record<string, unknown>
export type Told = { key: string; reference: string } & Partial<Pick<
  WebhookFacts, 'account' | 'amountMinor' | 'currency'>>
export type Message = { raw: Buffer; headers: Record<string, string> }

export type Subject = {
  gateway: Gateway
  /**
   * `data` of charges that succeed, are declined, ask the shopper; of one whose connection breaks before anything
   * happened, and of one whose answer is lost (a repeat is answered). `technical`: of one that the gateway refuses for
   * no reason of the shopper's.
   */
  data: { good: Data; declined?: Data; technical?: Data; action?: Data; lostBefore?: Data; lostAfter?: Data }
  /** Does what the shopper does at the address that they were sent to: agrees, or not. */
  answer?: (url: string, agrees: boolean) => Promise<unknown>
  /** A genuine webhook about a charge, signed so many seconds ago; a new one each time. */
  webhook?: (told: Told, secondsAgo?: number) => Message
  /** The same gateway at an address where nobody answers. */
  unreachable?: Gateway
}

/** A charge as payments would ask for it. */
export function testCharge(data: Data = {}, more: Partial<ChargeRequest> = {}): ChargeRequest {
  const key = more.key ?? newId()
  const endsAt = new Date(timeOfId(key).getTime() + 3_600_000)
  const returnUrl = `http://shop.test/payments/${key}/return?token=t`
  return {
    key, amountMinor: 1_000, currency: 'EUR', capture: true, data, endsAt, returnUrl,
    cancelUrl: `${returnUrl}&cancelled=true`, ...more,
  }
}
const charge = testCharge
/** Of which we know our key alone. */
const byKey = ({ key }: { key: string }) => ({ key, reference: null })

export async function referenceOf(outcome: Promise<ChargeOutcome | { kind: 'absent' }>): Promise<string> {
  const made = await outcome
  assert.ok('reference' in made && made.reference, `no reference in ${JSON.stringify(made)}`)
  return made.reference
}

export const operation = (reference: string, amountMinor: number): OperationRequest =>
  ({ key: newId(), reference, amountMinor, currency: 'EUR' })

/** Declares the tests of an adapter. `open` is called once for each. */
export function gatewayContract(name: string, open: (t: Cleanup) => Promise<Subject>): void {
  describe(`the gateway contract, kept by ${name}`, () => {
    charging(open)
    asking(open)
    repeating(open)
    notHearing(open)
    operationContract(open)
    listening(open)
    webhookContract(open)
  })
}

type Open = (t: Cleanup) => Promise<Subject>

function charging(open: Open): void {
  test('declares what it can do, and nothing that contradicts itself', async (t) => {
    const { gateway: { code, properties }, data, unreachable } = await open(t)
    assert.match(code, /^[a-z0-9-]{1,40}$/)
    assert.ok(properties.keyLifetimeHours > 0 && properties.timeoutMs > 0)
    assert.ok(properties.partialCapture || !properties.multipleCaptures, 'several captures are partial ones')
    assert.ok(['key', 'reference', 'none'].includes(properties.lookUp))
    for (const currency of properties.currencies ?? []) assert.match(currency, /^[A-Z]{3}$/)
    for (const [currency, smallest] of Object.entries(properties.limits?.smallestMinor ?? {})) {
      assert.ok(!properties.currencies || properties.currencies.includes(currency), `a limit of ${currency} alone`)
      assert.ok(smallest > 0 && smallest <= properties.limits!.largestMinor)
    }
    assert.ok(properties.byHand || properties.entry.length > 0, 'a shopper has to say somewhere how they pay')
    assert.ok(properties.byHand || (data.declined && data.lostBefore && data.lostAfter && unreachable),
      'who is asked over a network may decline, and may not be heard: give the contract the data of that')
    assert.ok(!properties.entry.includes('redirect') || data.action, 'who redirects asks the shopper')
  })

  test('captures at once or authorises alone, and states the amount; by hand it is pending', async (t) => {
    const { gateway, data: { good } } = await open(t)
    for (const capture of [true, false]) {
      const { reference, feeMinor = 0, ...outcome } = await gateway.charge(charge(good, { capture })) as any
      assert.ok(reference && feeMinor >= 0 && feeMinor < 1_000)
      const amount = { amountMinor: 1_000, currency: 'EUR' }
      assert.deepEqual(outcome, gateway.properties.byHand ? { kind: 'pending' }
        : capture ? { kind: 'captured', capturedMinor: 1_000, ...amount } : { kind: 'authorized', ...amount })
    }
  })

  test('a decline is an answer with a reason, also to a repeat; a technical one says that it is', async (t) => {
    const { gateway, data: { declined, technical } } = await open(t)
    if (!declined) return t.skip('it declines nothing')
    for (const [data, expected] of [[declined, false], [technical, true]] as const) {
      if (!data) continue
      const request = charge(data)
      for (let time = 0; time < 2; time++) {
        const outcome = await gateway.charge(request)
        assert.ok(outcome.kind === 'declined' && outcome.reason)
        assert.equal(outcome.technical ?? false, expected)
        assert.ok(['declined', 'absent'].includes((await gateway.lookUp(byKey(request))).kind))
      }
    }
  })
}

function asking(open: Open): void {
  test('asks the shopper at an address, and knows what became of it', async (t) => {
    const { gateway, data: { action }, answer } = await open(t)
    if (!action || !answer) return t.skip('it asks the shopper nothing')
    for (const capture of [true, false]) {
      const request = charge(action, { capture })
      const asked = await gateway.charge(request)
      assert.ok(asked.kind === 'action' && /^https?:/.test(asked.url))
      const known = { key: request.key, reference: asked.reference }
      assert.deepEqual(await gateway.lookUp(known), asked)
      assert.deepEqual(await gateway.charge(request), asked, 'the same address to a repeat')
      await answer(asked.url, true)
      const paid = await gateway.lookUp(known)
      assert.equal(paid.kind, capture ? 'captured' : 'authorized')
      assert.equal((await gateway.charge(request)).kind, paid.kind, 'a repeat is told what is true now')
    }
    const refused = charge(action)
    const asked = await gateway.charge(refused)
    assert.ok(asked.kind === 'action')
    await answer(asked.url, false)
    const { kind } = await gateway.lookUp({ key: refused.key, reference: asked.reference })
    assert.ok(['action', 'declined', 'voided', 'expired'].includes(kind), `${kind}, though the shopper said no`)
  })

  test('a charge that waits for the shopper can be ended, once and twice; nobody pays after that', async (t) => {
    const { gateway, data: { action }, answer } = await open(t)
    if (!action || !answer) return t.skip('it asks the shopper nothing')
    const request = charge(action)
    const asked = await gateway.charge(request)
    assert.ok(asked.kind === 'action')
    const end = operation(asked.reference, 1_000)
    for (let time = 0; time < 2; time++) assert.equal((await gateway.void(end)).kind, 'done')
    await answer(asked.url, true).catch(() => {})
    const known = { key: request.key, reference: asked.reference }
    assert.ok(['voided', 'expired'].includes((await gateway.lookUp(known)).kind))
  })
}

function repeating(open: Open): void {
  test('a repeat under the same key is the same charge, also ten at once', async (t) => {
    const { gateway, data: { good } } = await open(t)
    const request = charge(good)
    const first = await referenceOf(gateway.charge(request))
    const again = await Promise.allSettled(Array.from({ length: 10 }, () => referenceOf(gateway.charge(request))))
    for (const one of again) assert.ok(one.status === 'rejected' || one.value === first)
    const { properties: { lookUp } } = gateway
    if (lookUp === 'key') assert.equal(await referenceOf(gateway.lookUp(byKey(request))), first)
    if (lookUp !== 'none') {
      assert.equal(await referenceOf(gateway.lookUp({ key: request.key, reference: first })), first)
    }
  })

  test('ten at once under a new key are one charge', async (t) => {
    const { gateway, data: { good } } = await open(t)
    const request = charge(good)
    // One that meets another under way may not be answered; whoever is answered is told of the same charge.
    await Promise.allSettled(Array.from({ length: 10 }, () => gateway.charge(request)))
    const reference = await referenceOf(gateway.charge(request))
    assert.equal(await referenceOf(gateway.charge(request)), reference)
    if (gateway.properties.byHand) return
    assert.equal((await gateway.refund(operation(reference, 1_000))).kind, 'done')
    assert.equal((await gateway.refund(operation(reference, 1))).kind, 'failed', 'there is nothing more to refund')
  })

  test('another charge under a known key is not carried out', async (t) => {
    const { gateway, data: { good } } = await open(t)
    if (gateway.properties.byHand) return t.skip('nobody is asked')
    const request = charge(good)
    const reference = await referenceOf(gateway.charge(request))
    const answer = await gateway.charge({ ...request, amountMinor: 2_000 }).catch(() => ({ kind: 'unknown' }))
    assert.equal(answer.kind, 'unknown')
    const { amountMinor } = await gateway.lookUp({ key: request.key, reference }) as any
    assert.equal(amountMinor, 1_000)
  })
}

function notHearing(open: Open): void {
  test('keys and references that it never heard of are absent', async (t) => {
    const { gateway, data: { good } } = await open(t)
    if (gateway.properties.byHand || gateway.properties.lookUp === 'none') return t.skip('there is nobody to ask')
    if (gateway.properties.lookUp === 'key') assert.deepEqual(await gateway.lookUp(byKey(charge())), { kind: 'absent' })
    const reference = await referenceOf(gateway.charge(charge(good, { capture: false })))
    for (const kind of ['capture', 'refund'] as const) {
      assert.deepEqual(await gateway.lookUpOperation({ ...operation(reference, 5), kind }), { kind: 'absent' })
    }
  })

  test('a connection that breaks leaves us unknowing, and a repeat finds out: charged once', async (t) => {
    const { gateway, data: { lostBefore, lostAfter } } = await open(t)
    if (!lostBefore || !lostAfter) return t.skip('there is no connection')
    for (const [data, found] of [[lostBefore, 'absent'], [lostAfter, 'captured']] as const) {
      const request = charge(data)
      const answer = await gateway.charge(request).catch(() => ({ kind: 'unknown' }))
      assert.equal(answer.kind, 'unknown')
      if (gateway.properties.lookUp === 'key') assert.equal((await gateway.lookUp(byKey(request))).kind, found)
      const repeated = await gateway.charge(request)
      assert.equal(repeated.kind, 'captured')
      assert.equal(await referenceOf(gateway.charge(request)), await referenceOf(Promise.resolve(repeated)))
    }
  })

  test('a gateway that cannot be reached is no refusal', async (t) => {
    const { unreachable, data: { good } } = await open(t)
    if (!unreachable) return t.skip('there is nobody to reach')
    const calls = [
      unreachable.charge(charge(good)), unreachable.lookUp(byKey(charge())), unreachable.refund(operation('x', 1)),
      unreachable.capture(operation('x', 1)), unreachable.void(operation('x', 1)),
      unreachable.lookUpOperation({ ...operation('x', 1), kind: 'refund' }),
    ]
    for (const answer of await Promise.allSettled(calls)) {
      assert.ok(answer.status === 'rejected' || answer.value.kind === 'unknown')
    }
  })
}

function listening(open: Open): void {
  test('reads a genuine webhook, and nothing that was changed, forged, stale or is no webhook', async (t) => {
    const { gateway, data: { good }, webhook } = await open(t)
    assert.equal(gateway.readWebhook(Buffer.from('{}'), {}), null)
    assert.equal(gateway.readWebhook(Buffer.from('not JSON'), {}), null)
    if (!webhook) return t.skip('it sends no webhooks')
    const request = charge(good)
    const reference = await referenceOf(gateway.charge(request))
    const { raw, headers } = webhook({ key: request.key, reference })
    const facts = gateway.readWebhook(raw, headers)
    assert.ok(facts && facts !== 'irrelevant')
    assert.equal(facts.reference, reference)
    assert.ok(facts.eventId)
    assert.deepEqual(gateway.readWebhook(raw, headers), facts, 'the same message has the same id')
    assert.equal(gateway.readWebhook(Buffer.concat([raw, Buffer.from(' ')]), headers), null)
    assert.equal(gateway.readWebhook(raw, {}), null)
    const forged = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, `${value}0`]))
    assert.equal(gateway.readWebhook(raw, forged), null)
    const stale = webhook({ key: request.key, reference }, 3_600)
    assert.equal(gateway.readWebhook(stale.raw, stale.headers), null, 'an hour old: it may be a replay')
  })
}
