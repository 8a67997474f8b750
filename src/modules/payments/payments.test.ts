// The states of an attempt: they only move forward, and where an attempt ends does not depend on the order in which it
// is told what happened.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { attemptTransitions, mayFollow, secondsUntilCheck, type AttemptState } from './payments.ts'

const states = Object.keys(attemptTransitions) as AttemptState[]
const step = (state: AttemptState, told: AttemptState): AttemptState => mayFollow(state, told) ? told : state

/** A history that a gateway may have: from state to state as far as it goes. */
const walk = (choices: number[]): AttemptState[] => choices.reduce<AttemptState[]>((path, choice) => {
  const next = attemptTransitions[path.at(-1)!]
  return next.length === 0 ? path : [...path, next[choice % next.length]!]
}, ['sending'])
const history = fc.array(fc.nat(), { maxLength: 10 }).map(walk)

test('no state is ever reached again, whatever is told', () => {
  fc.assert(fc.property(fc.array(fc.constantFrom(...states), { maxLength: 30 }), (told) => {
    const seen: AttemptState[] = ['sending']
    for (const one of told) {
      const next = step(seen.at(-1)!, one)
      if (next === seen.at(-1)) continue
      assert.ok(!seen.includes(next), `${next} after ${seen.join(', ')}`)
      seen.push(next)
    }
  }), { numRuns: 2_000 })
})

test('a history told late, twice and in any order ends where it ended', () => {
  const told = history.chain((path) => fc.tuple(
    fc.constant(path),
    fc.array(fc.constantFrom(...path), { maxLength: 5 })
      .chain((again) => fc.shuffledSubarray([...path, ...again], { minLength: path.length + again.length })),
  ))
  fc.assert(fc.property(told, ([path, order]) => {
    assert.equal(order.reduce(step, 'sending'), path.at(-1))
  }), { numRuns: 5_000 })
})

test('each look comes later than the one before, the last ones every hour', () => {
  const looks = [0, 1, 2, 3, 4, 5, 100].map((checks) => secondsUntilCheck(checks))
  assert.deepEqual(looks, [5, 30, 120, 600, 3_600, 3_600, 3_600])
})
