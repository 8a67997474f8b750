// The contract that every adapter keeps, as tests: what payments believe of a gateway and never ask again. An adapter's
// own test opens it with a gateway that speaks to a simulator, and with what makes it decline or ask the shopper.
// An adapter without one of the functions of `Subject` promises nothing about it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { newId } from '../../platform/id.ts'
import type { Cleanup } from '../../platform/testing.ts'
import type { ChargeOutcome, ChargeRequest, Gateway } from './gateway.ts'

export type Subject = {
  gateway: Gateway
  /** `data` of charges that succeed, are declined, ask the shopper. */
  data: { good: Record<string, unknown>; declined?: Record<string, unknown>; action?: Record<string, unknown> }
  /** Does what the shopper does at the address that they were sent to. */
  confirm?: (url: string) => Promise<unknown>
  /** A genuine webhook about a charge. */
  webhook?: (charge: { key: string; reference: string }) => { raw: Buffer; headers: Record<string, string> }
  /** The same gateway at an address where nobody answers. */
  unreachable?: Gateway
}

const charge = (data: Record<string, unknown>, more: Partial<ChargeRequest> = {}): ChargeRequest =>
  ({ key: newId(), amountMinor: 1_000, currency: 'EUR', capture: true, data, ...more })

async function referenceOf(outcome: Promise<ChargeOutcome>): Promise<string> {
  const made = await outcome
  assert.ok('reference' in made && made.reference, `no reference in ${JSON.stringify(made)}`)
  return made.reference
}

const operation = (reference: string, amountMinor: number) =>
  ({ key: newId(), reference, amountMinor, currency: 'EUR' })

/** Declares the tests of an adapter. `open` is called once for each. */
export function gatewayContract(name: string, open: (t: Cleanup) => Promise<Subject>): void {
  describe(`the gateway contract, kept by ${name}`, () => {
    charging(open)
    repeating(open)
    operating(open)
    listening(open)
  })
}

type Open = (t: Cleanup) => Promise<Subject>

function charging(open: Open): void {
  test('declares what it can do', async (t) => {
    const { gateway: { code, properties } } = await open(t)
    assert.match(code, /^[a-z0-9-]{1,40}$/)
    assert.ok(properties.keyLifetimeHours > 0 && properties.timeoutMs > 0)
    assert.ok(properties.partialCapture || !properties.multipleCaptures, 'several captures are partial ones')
  })

  test('captures at once or authorises alone, and states the amount; by hand it is pending', async (t) => {
    const { gateway, data: { good } } = await open(t)
    for (const capture of [true, false]) {
      const { reference, ...outcome } = await gateway.charge(charge(good, { capture })) as any
      assert.ok(reference)
      const amount = { amountMinor: 1_000, currency: 'EUR' }
      assert.deepEqual(outcome, gateway.properties.byHand ? { kind: 'pending' }
        : capture ? { kind: 'captured', capturedMinor: 1_000, ...amount } : { kind: 'authorized', ...amount })
    }
  })

  test('a decline is an answer with a reason', async (t) => {
    const { gateway, data: { declined } } = await open(t)
    if (!declined) return t.skip('it declines nothing')
    const request = charge(declined)
    const outcome = await gateway.charge(request)
    assert.ok(outcome.kind === 'declined' && outcome.reason)
    assert.ok(['declined', 'absent'].includes((await gateway.lookUp(request.key)).kind))
  })

  test('asks the shopper at an address, and knows what became of it; a charge that waits can be ended', async (t) => {
    const { gateway, data: { action }, confirm } = await open(t)
    if (!action || !confirm) return t.skip('it asks the shopper nothing')
    const [first, second] = [charge(action), charge(action)]
    const asked = await gateway.charge(first)
    assert.ok(asked.kind === 'action' && /^https?:/.test(asked.url))
    assert.equal((await gateway.lookUp(first.key)).kind, 'action')
    await confirm(asked.url)
    assert.equal((await gateway.lookUp(first.key)).kind, 'captured')
    const ended = await gateway.void(operation(await referenceOf(gateway.charge(second)), 1_000))
    assert.equal(ended.kind, 'done')
    assert.ok(['voided', 'expired'].includes((await gateway.lookUp(second.key)).kind))
  })
}

function repeating(open: Open): void {
  test('a repeat under the same key is the same charge, also ten at once', async (t) => {
    const { gateway, data: { good } } = await open(t)
    const request = charge(good)
    const references = await Promise.all(Array.from({ length: 10 }, () => referenceOf(gateway.charge(request))))
    assert.equal(new Set(references).size, 1)
    assert.equal(await referenceOf(gateway.lookUp(request.key) as Promise<ChargeOutcome>), references[0])
  })

  test('another charge under a known key is not carried out', async (t) => {
    const { gateway, data: { good } } = await open(t)
    if (gateway.properties.byHand) return t.skip('nobody is asked')
    const request = charge(good)
    await gateway.charge(request)
    const answer = await gateway.charge({ ...request, amountMinor: 2_000 }).catch(() => ({ kind: 'unknown' }))
    assert.equal(answer.kind, 'unknown')
    const { amountMinor } = await gateway.lookUp(request.key) as any
    assert.equal(amountMinor, 1_000)
  })

  test('keys that it never heard of are absent', async (t) => {
    const { gateway } = await open(t)
    if (gateway.properties.byHand || !gateway.properties.lookUp) return t.skip('there is nobody to ask')
    assert.deepEqual(await gateway.lookUp(newId()), { kind: 'absent' })
    assert.deepEqual(await gateway.lookUpOperation(newId()), { kind: 'absent' })
  })

  test('a gateway that cannot be reached is no refusal', async (t) => {
    const { unreachable, data: { good } } = await open(t)
    if (!unreachable) return t.skip('there is nobody to reach')
    const calls = [
      unreachable.charge(charge(good)), unreachable.lookUp(newId()), unreachable.refund(operation('x', 1)),
    ]
    for (const answer of await Promise.allSettled(calls)) {
      assert.ok(answer.status === 'rejected' || answer.value.kind === 'unknown')
    }
  })
}

function operating(open: Open): void {
  test('captures in parts as it declares, once a key, and no more than was authorised', async (t) => {
    const { gateway, data: { good } } = await open(t)
    if (gateway.properties.byHand) return t.skip('nobody is asked')
    const { partialCapture, multipleCaptures } = gateway.properties
    const reference = await referenceOf(gateway.charge(charge(good, { capture: false })))
    const first = operation(reference, partialCapture ? 400 : 1_000)
    for (let time = 0; time < 2; time++) assert.equal((await gateway.capture(first)).kind, 'done')
    assert.equal((await gateway.capture(operation(reference, 601))).kind, 'failed')
    assert.equal((await gateway.capture(operation(reference, 600))).kind, multipleCaptures ? 'done' : 'failed')
    assert.equal((await gateway.void(operation(reference, 1_000))).kind, 'failed')
  })

  test('refunds in parts, once a key, and no more than was captured', async (t) => {
    const { gateway, data: { good } } = await open(t)
    const reference = await referenceOf(gateway.charge(charge(good)))
    const first = operation(reference, 300)
    for (let time = 0; time < 2; time++) assert.equal((await gateway.refund(first)).kind, 'done')
    if (gateway.properties.lookUp) assert.equal((await gateway.lookUpOperation(first.key)).kind, 'done')
    if (gateway.properties.byHand) return
    assert.equal((await gateway.refund(operation(reference, 701))).kind, 'failed')
    assert.equal((await gateway.refund(operation(reference, 700))).kind, 'done')
  })

  test('gives an authorisation back; nothing is captured after that', async (t) => {
    const { gateway, data: { good } } = await open(t)
    const request = charge(good, { capture: false })
    const reference = await referenceOf(gateway.charge(request))
    assert.equal((await gateway.void(operation(reference, 1_000))).kind, 'done')
    if (gateway.properties.byHand) return
    assert.equal((await gateway.capture(operation(reference, 1_000))).kind, 'failed')
    assert.ok(['voided', 'expired'].includes((await gateway.lookUp(request.key)).kind))
  })
}

function listening(open: Open): void {
  test('reads a genuine webhook, and nothing that was changed, forged or is no webhook', async (t) => {
    const { gateway, data: { good }, webhook } = await open(t)
    assert.equal(gateway.readWebhook(Buffer.from('{}'), {}), null)
    assert.equal(gateway.readWebhook(Buffer.from('not JSON'), {}), null)
    if (!webhook) return t.skip('it sends no webhooks')
    const request = charge(good)
    const reference = await referenceOf(gateway.charge(request))
    const { raw, headers } = webhook({ key: request.key, reference })
    const facts = gateway.readWebhook(raw, headers)
    assert.equal(facts?.reference, reference)
    assert.ok(facts.eventId)
    assert.equal(gateway.readWebhook(Buffer.concat([raw, Buffer.from(' ')]), headers), null)
    assert.equal(gateway.readWebhook(raw, {}), null)
    const forged = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, `${value}0`]))
    assert.equal(gateway.readWebhook(raw, forged), null)
  })
}
