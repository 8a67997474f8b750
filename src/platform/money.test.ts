// The arithmetic that every price, discount, tax and refund rests on, held by properties rather than by examples.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  allocate, currencyDigits, displayAmount, formatAmount, isCurrency, multiplyDivide, parseAmount, sum,
} from './money.ts'

const amount = fc.maxSafeInteger()
const weights = fc.array(fc.nat(1_000_000_000), { minLength: 1, maxLength: 120 })
const currency = fc.constantFrom('EUR', 'USD', 'JPY', 'KWD', 'CLF', 'IQD')

test('shares add up to the amount, and none is a whole unit away from its exact part', () => {
  fc.assert(fc.property(amount, weights, (total, parts) => {
    const shares = allocate(total, parts)
    assert.equal(sum(shares), total)
    const divisor = parts.reduce((all, part) => all + BigInt(part), 0n)
    if (divisor === 0n) return
    shares.forEach((share, index) => {
      const distance = BigInt(share) * divisor - BigInt(total) * BigInt(parts[index]!)
      assert.ok(distance < divisor && -distance < divisor)
    })
  }))
})

test('a share never exceeds its weight when the amount does not exceed their sum', () => {
  fc.assert(fc.property(weights, fc.nat(), (parts, seed) => {
    const total = seed % (sum(parts) + 1)
    allocate(total, parts).forEach((share, index) => assert.ok(share >= 0 && share <= Math.max(parts[index]!, 0)))
  }))
})

test('a negative amount is the mirror of the positive one', () => {
  fc.assert(fc.property(amount, weights, (total, parts) => {
    assert.deepEqual(allocate(-total, parts), allocate(total, parts).map((share) => -share || 0))
  }))
})

test('rounding is to the nearest, half away from zero', () => {
  const rate = fc.integer({ min: -2_000_000, max: 2_000_000 })
  fc.assert(fc.property(fc.integer(), rate, fc.integer({ min: 1 }), (value, numerator, denominator) => {
    const result = BigInt(multiplyDivide(value, numerator, denominator))
    const twice = 2n * BigInt(value) * BigInt(numerator)
    const off = 2n * result * BigInt(denominator) - twice
    assert.ok(off <= BigInt(denominator) && -off <= BigInt(denominator))
    if (off === BigInt(denominator)) assert.ok(twice > 0n)
    if (-off === BigInt(denominator)) assert.ok(twice < 0n)
  }))
  assert.equal(multiplyDivide(5, 1, 2), 3)
  assert.equal(multiplyDivide(-5, 1, 2), -3)
})

test('what does not fit is refused, not bent', () => {
  assert.throws(() => multiplyDivide(Number.MAX_SAFE_INTEGER, 2, 1), RangeError)
  assert.throws(() => sum([Number.MAX_SAFE_INTEGER, 1]), RangeError)
  assert.throws(() => multiplyDivide(1.5, 1, 1), RangeError)
  assert.throws(() => multiplyDivide(1, 1, 0), RangeError)
  assert.throws(() => allocate(1, []), RangeError)
  assert.throws(() => allocate(1, [2, -1]), RangeError)
  assert.deepEqual(allocate(0, []), [])
})

test('text and amount are inverse, in currencies of 0, 2, 3 and 4 digits', () => {
  fc.assert(fc.property(amount, currency, (value, code) => {
    assert.equal(parseAmount(formatAmount(value, code), code), value === 0 ? 0 : value)
  }))
  assert.equal(parseAmount('12.9', 'EUR'), 1290)
  assert.equal(parseAmount('12.9000', 'EUR'), 1290)
  assert.equal(parseAmount('1290', 'JPY'), 1290)
  assert.equal(parseAmount('1.5', 'KWD'), 1500)
  assert.equal(formatAmount(-5, 'EUR'), '-0.05')
  for (const text of ['', '12,90', '1e3', '12.905', '.5', '1 000', 'NaN', '٣', '99999999999999999999']) {
    assert.throws(() => parseAmount(text, 'EUR'), RangeError, text)
  }
})

test('people read their own notation', () => {
  assert.equal(displayAmount(129000, 'EUR', 'de'), '1.290,00\u00a0€')
  assert.equal(displayAmount(1290, 'JPY'), '¥1,290')
  assert.equal(displayAmount(1290, 'KWD'), 'KWD\u00a01.290')
})

test('currencies are those of ISO 4217', () => {
  for (const code of ['EUR', 'IQD']) assert.ok(isCurrency(code))
  for (const code of ['EURO', 'XXX', 'toString', '']) assert.ok(!isCurrency(code))
  assert.equal(currencyDigits('IQD'), 3)
  assert.throws(() => currencyDigits('ABC'), RangeError)
})
