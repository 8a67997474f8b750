// What people are told about a value that does not fit: the field, what is wrong there, and nothing that they did not
// mean.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { isProblem, InvalidRequest } from './problem.ts'
import { OneLine, validator } from './validation.ts'

const Email = Type.Union([Type.String({ format: 'email', maxLength: 320 }), Type.Null()])
const Discount = Type.Union([
  Type.Object({ kind: Type.Literal('percentage'), ratePpm: Type.Integer({ maximum: 1_000_000 }) }),
  Type.Object({ kind: Type.Literal('amount'), amountMinor: Type.Integer() }),
])
const check = validator(Type.Object({
  email: Type.Optional(Email), discount: Type.Optional(Discount),
  country: Type.Optional(Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2' })),
  street: Type.Optional(OneLine(20)),
  people: Type.Optional(Type.Union([Type.Array(Type.Object({ email: Email })), Type.Null()])),
}), 'body', false)

function told(value: unknown): string[] {
  try {
    check(value)
  } catch (error) {
    assert.ok(isProblem(error, InvalidRequest))
    return (error.extra['fields'] as { path: string; message: string }[]).map((one) => `${one.path} ${one.message}`)
  }
  return []
}

test('of a union only the branch that was meant is spoken of', () => {
  assert.deepEqual(told({ email: 'x' }), ['body/email must be an e-mail address, as you@example.com'])
  assert.deepEqual(told({ email: null, discount: { kind: 'amount', amountMinor: 5 }, people: null }), [])
  assert.deepEqual(told({ discount: { kind: 'percentage', ratePpm: 2e6 } }),
    ['body/discount/ratePpm must be <= 1000000'])
  assert.deepEqual(told({ discount: { kind: 'half' } }), ['body/discount/kind must be one of percentage, amount'])
  assert.deepEqual(told({ discount: 7 }), ['body/discount must be object'])
  assert.deepEqual(told({ people: [{ email: null }, { email: 'y' }] }),
    ['body/people/1/email must be an e-mail address, as you@example.com'])
})

test('a form is said in words, and every field that is wrong is named', () => {
  assert.deepEqual(told({ country: 'de', emial: 'x' }), [
    'body/emial is not a field of this request: leave it out, or mind the spelling',
    'body/country does not have the form: ISO 3166-1 alpha-2',
  ])
})

test('null is no object: only what was left out is empty', () => {
  const all = validator(Type.Object({ name: Type.Optional(Type.String()) }), 'body', false)
  assert.deepEqual([all(undefined), all({})], [{}, {}])
  assert.throws(() => all(null), /not valid/)
})

test('one line is one line: no line end, no other control character, not blank', () => {
  assert.deepEqual(told({ street: 'Kai\n7' }), ['body/street must be one line of text, not blank'])
  const one = validator(OneLine(20), 'body', false)
  for (const good of ['Kai 7', ' Kai', '\u00a0Kai', 'Œuvre 👍', '港 1']) assert.equal(one(good), good)
  for (const bad of ['', '   ', 'Kai\n7', '\nKai', 'Kai\t7', 'Kai\u0007', 'Kai\u0085', '\u007f', 'x'.repeat(21)]) {
    assert.throws(() => one(bad), /not valid/, JSON.stringify(bad))
  }
})
