// docs/asvs.md is whole, and what it names is there.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/asvs.md'), 'utf8')
const rows = [...page.matchAll(/^\| (\d+\.\d+\.\d+) \| ([a-z ]+) \| (.+) \|$/gm)]
  .map(([, number, how, what]) => ({ number: number!, how: how!, what: what! }))

// Of ASVS 5.0.0: how many requirements of level 1 or 2 each section has. They are its first, without a gap.
const sections: Record<string, number> = {
  '1.1': 2, '1.2': 9, '1.3': 11, '1.4': 3, '1.5': 2, '2.1': 3, '2.2': 3, '2.3': 4, '2.4': 1, '3.2': 2, '3.3': 4,
  '3.4': 6, '3.5': 5, '3.7': 2, '4.1': 3, '4.2': 1, '4.3': 2, '4.4': 4, '5.1': 1, '5.2': 3, '5.3': 2, '5.4': 3,
  '6.1': 3, '6.2': 12, '6.3': 4, '6.4': 4, '6.5': 5, '6.6': 3, '6.8': 4, '7.1': 3, '7.2': 4, '7.3': 2, '7.4': 5,
  '7.5': 2, '7.6': 2, '8.1': 2, '8.2': 3, '8.3': 1, '8.4': 1, '9.1': 3, '9.2': 4, '10.1': 2, '10.2': 2, '10.3': 4,
  '10.4': 11, '10.5': 5, '10.6': 2, '10.7': 3, '11.1': 2, '11.2': 3, '11.3': 3, '11.4': 4, '11.5': 1, '11.6': 1,
  '12.1': 3, '12.2': 2, '12.3': 4, '13.1': 1, '13.2': 5, '13.3': 2, '13.4': 5, '14.1': 2, '14.2': 4, '14.3': 3,
  '15.1': 3, '15.2': 3, '15.3': 7, '16.1': 1, '16.2': 5, '16.3': 4, '16.4': 3, '16.5': 3, '17.1': 1, '17.2': 4,
  '17.3': 2,
}

test('each requirement of levels 1 and 2 is there once', () => {
  const wanted = Object.entries(sections).flatMap(([section, count]) =>
    Array.from({ length: count }, (_, index) => `${section}.${index + 1}`))
  assert.equal(wanted.length, 253)
  assert.deepEqual(rows.map(({ number }) => number), wanted)
})

test('the counts are those of the rows', () => {
  const told = [...page.matchAll(/^\| ([a-z ]+) \| (\d+) \|/gm)].map(([, how, count]) => [how, Number(count)])
  const counted = [...Map.groupBy(rows, ({ how }) => how)].map(([how, all]) => [how, all.length])
  assert.deepEqual(Object.fromEntries(told), Object.fromEntries(counted))
  assert.equal(told.length, counted.length)
})

test('a test or a document is named, and is there', () => {
  for (const { number, how, what } of rows) {
    const [, file] = /\(\[`([^`]+)`\]/.exec(what) ?? []
    if (how === 'test') assert.match(file ?? '', /\.test\.ts$/, `${number} names no test`)
    if (how !== 'test' && how !== 'document') continue
    assert.ok(existsSync(join(root, file!)), `${number}: ${file} is not there`)
  }
})
