// What a person meets who calls the command line with nothing, with help, or with a mistake: a sentence and a status,
// never a stack.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

function kontor(...args: string[]): { status: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'kontor.ts'), ...args], {
    encoding: 'utf8',
  })
  return { status, out: stdout, error: stderr }
}

test('help for all and for each', () => {
  const { status, out } = kontor('--help')
  assert.equal(status, 0)
  const names = [...out.matchAll(/^ {2}(\w+) +\S/gm)].map(([, name]) => name!)
  assert.ok(names.includes('import') && names.includes('backup'), out)
  assert.deepEqual(kontor().out, out)
  for (const name of ['import', 'restore']) assert.match(
    kontor(name, '--help').out, new RegExp(`^kontor ${name} `, 'm')
  )
})

test('mistakes', () => {
  const cases: [string[], RegExp][] = [
    [
      ['imprt'], /^There is no command "imprt"/,
    ], [['import'], /^Say what the file is/], [['import', 'shopify'], /^Name one file/],
    [
      ['import', 'shopify', 'no-such.csv'], /^There is no file no-such.csv/,
    ], [['import', '--quick'], /^Unknown option '--quick'/],
    [['import', 'shopify', '.'], /is not a file/], [['export', 'xml'], /^Say what to write/], [
      ['restore', 'no-such.tar'], /^There is no file/,
    ],
  ]
  for (const [args, message] of cases) {
    const { status, error } = kontor(...args)
    assert.equal(status, 2, args.join(' '))
    assert.match(error, message)
    assert.doesNotMatch(error, /\n {4}at /)
  }
})
