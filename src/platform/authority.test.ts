// Limits of amounts, at their edges.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requireDiscount, requireRefund, type Limits } from './authority.ts'
import type { Actor } from './context.ts'
import { isProblem } from './problem.ts'
import { LimitExceeded } from './authority.ts'

const key = (limits?: Limits): Actor => ({ kind: 'key', id: 'k', permissions: [], ...limits && { limits } })
const refused = (act: () => void): boolean => {
  try {
    act()
    return false
  } catch (error) {
    assert.ok(isProblem(error, LimitExceeded))
    return true
  }
}

test('a refund up to the limit of its currency, counted with those before it', () => {
  const limits = { refund: [{ currency: 'EUR', amountMinor: 100 }] }
  const tries: [Actor, number, number, string, boolean][] = [
    [key(limits), 100, 0, 'EUR', false], [key(limits), 101, 0, 'EUR', true], [key(limits), 1, 100, 'EUR', true],
    [key(limits), 40, 60, 'EUR', false], [key(limits), 1, 0, 'USD', true], [key({ refund: [] }), 1, 0, 'EUR', true],
    [key(), 1e15, 0, 'EUR', false], [{ kind: 'system' }, 1e15, 0, 'EUR', false],
    [key({ discountPpm: 0 }), 500, 0, 'EUR', false],
  ]
  for (const [actor, amountMinor, refundedMinor, currency, wanted] of tries) {
    assert.equal(refused(() => requireRefund(actor, { currency, amountMinor, refundedMinor })), wanted)
  }
})

test('a discount up to the limit', () => {
  for (const [limits, ratePpm, wanted] of [
    [{ discountPpm: 100_000 }, 100_000, false], [{ discountPpm: 100_000 }, 100_001, true],
    [{ discountPpm: 0 }, 1, true], [{ discountPpm: 0 }, 0, false], [{}, 1_000_000, false],
    [undefined, 1_000_000, false],
  ] as const) assert.equal(refused(() => requireDiscount(key(limits), ratePpm)), wanted)
})
