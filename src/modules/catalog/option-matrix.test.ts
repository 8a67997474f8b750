// The option matrix as properties: whatever options a product had and gets, its variants are the combinations, each
// once, and none is lost that could be kept.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fits, keyOf, optionMatrix, planVariants, type ExistingVariant } from './option-matrix.ts'
import type { Option } from './catalog.ts'

const word = fc.constantFrom('Red', 'Blue', 'S', 'M', 'L', '__proto__', 'constructor', 'ø', '1')
const options = fc.uniqueArray(
  fc.record({ name: fc.constantFrom('Colour', 'Size', 'Cut', 'toString'),
    values: fc.uniqueArray(word, { minLength: 1, maxLength: 4 }) }),
  { selector: ({ name }) => name, maxLength: 4 },
)

const asExisting = (planned: ReturnType<typeof planVariants>): ExistingVariant[] =>
  planned.map((variant, index) => ({ ...variant, id: variant.id ?? `new-${index}-${variant.title}` }))
const startWith = (given: Option[]): ExistingVariant[] => asExisting(planVariants([], [], given))

test('every combination, each once, in order', () => {
  fc.assert(fc.property(options, (given) => {
    const matrix = optionMatrix(given)
    assert.equal(matrix.length, given.reduce((product, { values }) => product * values.length, 1))
    assert.equal(new Set(matrix.map((combination) => keyOf(combination.options))).size, matrix.length)
    assert.ok(matrix.every((combination) => fits(given, combination.options)))
  }))
  assert.deepEqual(optionMatrix([{ name: 'Colour', values: ['Red', 'Blue'] }, { name: 'Size', values: ['S', 'M'] }])
    .map(({ title }) => title),
    ['Red / S', 'Red / M', 'Blue / S', 'Blue / M'])
})

test('after any change: the active variants are the combinations, no id is lost or used twice', () => {
  fc.assert(fc.property(options, options, (before, after) => {
    const existing = startWith(before)
    const planned = planVariants(existing, before, after)
    assert.deepEqual(planned.filter(({ active }) => active).map((variant) => keyOf(variant.options)),
      optionMatrix(after).map((variant) => keyOf(variant.options)))
    const ids = planned.flatMap(({ id }) => id ?? [])
    assert.equal(new Set(ids).size, ids.length)
    assert.deepEqual(new Set(ids), new Set(existing.map(({ id }) => id)))
    assert.equal(new Set(planned.map((variant) => keyOf(variant.options))).size, planned.length)
  }))
})

test('the same options again change nothing, and a change taken back brings every variant back', () => {
  fc.assert(fc.property(options, options, (before, after) => {
    const existing = startWith(before)
    assert.deepEqual(planVariants(existing, before, before), existing)
    const changed = asExisting(planVariants(existing, before, after))
    if (after.every(({ name }) => before.some((option) => option.name === name)) &&
      before.every(({ name }) => after.some((option) => option.name === name))) {
      const back = planVariants(changed, after, before).filter(({ active }) => active)
      assert.deepEqual(back.map(({ id }) => id), existing.map(({ id }) => id))
    }
  }))
})

test('a new option gives variants its first value, a dropped one is forgotten, and what was switched off stays off',
  () => {
  const size: Option = { name: 'Size', values: ['S', 'M'] }
  const colour: Option = { name: 'Colour', values: ['Red', 'Blue'] }
  const existing = startWith([size]).map((variant) => ({ ...variant, active: variant.title !== 'M' }))
  const wider = planVariants(existing, [size], [size, { name: 'Size 2', values: ['x'] }])
  assert.deepEqual(wider.map(({ title, id, active }) => [title, id, active]),
    [['S / x', existing[0]!.id, true], ['M / x', undefined, true]])
  const [small, medium] = startWith([size])
  const both = asExisting(planVariants([small!, medium!], [size], [size, colour]))
  assert.deepEqual(both.filter(({ title }) => title.endsWith('Red')).map(({ id }) => id), [small!.id, medium!.id])
  assert.deepEqual(asExisting(planVariants(both, [size, colour], [size])).filter(({ active }) => active)
    .map(({ id }) => id), [small!.id, medium!.id])
  const off = planVariants(existing, [size], [size])
  assert.deepEqual(off.map(({ active }) => active), [true, false])
})
