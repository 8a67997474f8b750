// The part of the gateway contract that moves money after a charge: captures, refunds and voids, once a key and within
// what is there.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cleanup } from '../../../platform/testing.ts'
import { operation, referenceOf, testCharge, type Subject } from '../gateway-contract.ts'

type Open = (t: Cleanup) => Promise<Subject>

export function operationContract(open: Open): void {
  test('captures in parts as it declares, once a key, and no more than was authorised', async (t) => {
    const { gateway, data: { good } } = await open(t)
    if (gateway.properties.byHand) return t.skip('nobody is asked')
    const { partialCapture, multipleCaptures, lookUp } = gateway.properties
    const request = testCharge(good, { capture: false })
    const reference = await referenceOf(gateway.charge(request))
    assert.equal((await gateway.capture(operation(reference, 1_001))).kind, 'failed')
    const first = operation(reference, partialCapture ? 400 : 1_000)
    for (let time = 0; time < 2; time++) assert.equal((await gateway.capture(first)).kind, 'done')
    if (lookUp !== 'none') {
      assert.equal((await gateway.lookUpOperation({ ...first, kind: 'capture' })).kind, 'done')
      const { kind, amountMinor, capturedMinor } = await gateway.lookUp({ key: request.key, reference }) as any
      assert.deepEqual([kind, amountMinor, capturedMinor], ['captured', 1_000, first.amountMinor])
    }
    assert.equal((await gateway.capture(operation(reference, 601))).kind, 'failed')
    assert.equal((await gateway.capture(operation(reference, 600))).kind, multipleCaptures ? 'done' : 'failed')
    assert.equal((await gateway.void(operation(reference, 1_000))).kind, 'failed')
  })

  test('refunds in parts, once a key, and no more than was captured', async (t) => {
    const { gateway, data: { good } } = await open(t)
    const reference = await referenceOf(gateway.charge(testCharge(good)))
    const first = operation(reference, 300)
    for (let time = 0; time < 2; time++) assert.equal((await gateway.refund(first)).kind, 'done')
    if (gateway.properties.lookUp !== 'none') {
      assert.equal((await gateway.lookUpOperation({ ...first, kind: 'refund' })).kind, 'done')
    }
    if (gateway.properties.byHand) return
    assert.equal((await gateway.refund(operation(reference, 701))).kind, 'failed')
    assert.equal((await gateway.refund(operation(reference, 700))).kind, 'done')
  })

  test('two refunds at once that together exceed what was captured: one of them', async (t) => {
    const { gateway, data: { good } } = await open(t)
    if (gateway.properties.byHand) return t.skip('nobody is asked')
    const reference = await referenceOf(gateway.charge(testCharge(good)))
    const both = await Promise.all([600, 600].map((amount) => gateway.refund(operation(reference, amount))))
    assert.deepEqual(both.map(({ kind }) => kind).sort(), ['done', 'failed'])
  })

  test('gives an authorisation back; nothing is captured after that', async (t) => {
    const { gateway, data: { good } } = await open(t)
    const request = testCharge(good, { capture: false })
    const reference = await referenceOf(gateway.charge(request))
    const back = operation(reference, 1_000)
    for (let time = 0; time < 2; time++) assert.equal((await gateway.void(back)).kind, 'done')
    if (gateway.properties.byHand) return
    assert.equal((await gateway.capture(operation(reference, 1_000))).kind, 'failed')
    if (gateway.properties.lookUp === 'none') return
    assert.equal((await gateway.lookUpOperation({ ...back, kind: 'void' })).kind, 'done')
    assert.ok(['voided', 'expired'].includes((await gateway.lookUp({ key: request.key, reference })).kind))
  })
}
