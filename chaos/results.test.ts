// The table in RELIABILITY.md is that of the kept results, and of nothing else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allResults, bound, readReport, withTable, type Result } from './results.ts'

test('RELIABILITY.md shows the kept results', () => {
  assert.equal(readReport(), withTable(readReport(), allResults()), 'make it anew: node chaos/results.ts')
})

test('a zero has its bound, and a violation has none', () => {
  const result: Result = {
    programme: 'kill', about: 'kills', unit: 'kills', count: 1_000, rounds: 1, violations: [], seconds: 61, seed: 1,
    commit: 'abc', at: '2026-11-23T00:00:00.000Z', figures: { orders: 5, slowestRecoveryMs: 812 },
  }
  assert.equal(bound(result), '≤ 0.3 %')
  assert.equal(bound({ ...result, violations: [{ what: 'x', seed: 1, replay: '' }] }), '')
  assert.equal(bound({ ...result, count: 0 }), 'nothing was done')
  const text = withTable('<!-- results -->\n<!-- end of results -->', [result])
  assert.match(text, /\| kills \| 1,000 kills \| 0 \| ≤ 0.3 % \| 5 orders, slowest recovery 812 ms \| 2 min \| abc \|/)
})
