// Card numbers are found however they are grouped, and what only looks like one is left alone; none comes in over HTTP,
// and none stands in a log line.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCardNumber, maskCardNumbers } from './card-number.ts'
import { newId } from './id.ts'
import { isProblem, InvalidRequest } from './problem.ts'
import { refuseHostileText } from './validation.ts'

// The networks' own test numbers.
const cards = [
  '4242424242424242', '5555555555554444', '2223003122003222', '378282246310005', '6011111111111117', '30569309025904',
  '3566002020360505', '6200000000000005',
]

test('each network, plain, grouped, and in a sentence', () => {
  for (const card of cards) {
    const grouped = card.replace(/(\d{4})(?=\d)/g, '$1 ')
    for (const text of [card, grouped, grouped.replaceAll(' ', '-'), `my card is ${grouped}, until 12/30`,
      `7 ${grouped} 123`, `{"number":${card}}`]) {
      assert.ok(hasCardNumber(text), text)
      assert.ok(!maskCardNumbers(text).includes(card.slice(4)), text)
    }
    assert.deepEqual(JSON.parse(maskCardNumbers(`{"number":${card},"text":"a ${card}"}`)),
      { number: 0, text: 'a [card number]' })
  }
})

test('barcodes, references, phone numbers, tokens, ids and a wrong check digit are no cards', () => {
  const others = [
    '4242424242424241', '4006381333931', 'RF41K3ZQ81W0VD7M', '+49 40 1234 5678 90', 'pm_4242424242424242', newId(),
    '2026-11-23 22:57:16', 'DE89 3704 0044 0532 0130 00', '12345678901234567890', '1', '',
    'f0a1b2c3-4242-4242-4242-424242424242', 'c0ffee00-4000-4242-4242-4242aaaaaaaa@example.com',
    '4242424242424242@example.com', 'anna-4242-4242-4242-4242@example.com',
  ]
  for (const text of others) {
    assert.ok(!hasCardNumber(text), text)
    assert.equal(maskCardNumbers(text), text)
  }
})

test('a bank statement is let through: its references only look like cards', () => {
  const item = { bankReference: '4242424242424242', amountMinor: 1 }
  assert.equal(refuseHostileText(item, 'body', true), item)
  assert.throws(() => refuseHostileText({ payer: 'a\0b' }, 'body', true), 'everything else holds')
})

test('refused wherever it hides in a request, without repeating it', () => {
  for (const value of ['4242 4242 4242 4242', { note: 'pay with 4242424242424242' }, [{ a: { b: 4242424242424242 } }],
    { '4242424242424242': 'x' }]) {
    assert.throws(() => refuseHostileText(value, 'body'), (error: any) => isProblem(error, InvalidRequest)
      && /card number/.test(JSON.stringify(error.extra)) && !/4242/.test(JSON.stringify(error)))
  }
})
