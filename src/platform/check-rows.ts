// Every returned row is checked against the schema that its reader named, in tests and development: a column that was
// renamed or may be null is found where it is read, not where it hurts.
import { Compile } from 'typebox/compile'
import type { TObject } from 'typebox'
import type { Statement } from './sql.ts'

const checks = new WeakMap<TObject, ReturnType<typeof Compile>>()

/** Throws when a row does not fit: a bug of ours, found in tests and development, never looked for in production. */
export function checkRows(row: TObject, rows: unknown[], statement: Statement): void {
  let check = checks.get(row)
  if (!check) checks.set(row, (check = Compile(row)))
  for (const value of rows) {
    if (check.Check(value)) continue
    const [first] = check.Errors(value)
    throw new Error(`A row does not fit its schema at ${first?.instancePath}: ${first?.message}\n` +
      `row: ${JSON.stringify(value)}\nstatement: ${statement.strings.join('?')}`)
  }
}
