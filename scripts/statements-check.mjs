// The last step of a full test run: names every `sql` template in the source that no test has run. platform/sql.ts
// notes what runs, one line for each template, in the folder KONTOR_STATEMENTS_DIR. Templates are compared by their
// text, as the parser of TypeScript reads it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeFindings, isTest, readSources } from '../src/tidy/source.ts'
import { neverRun, statementsOf } from '../src/tidy/statements.ts'

const folder = process.argv[2] ?? process.env.KONTOR_STATEMENTS_DIR
if (!folder) {
  console.error('Usage: node scripts/statements-check.mjs FOLDER (the KONTOR_STATEMENTS_DIR of a full test run)')
  process.exit(2)
}

const notes = new Set(readdirSync(folder).flatMap((name) =>
  readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line))))
const statements = readSources(join(import.meta.dirname, '..'))
  .filter(({ path }) => /^(?:src|cli|demo)\//.test(path) && !isTest(path))
  .flatMap(statementsOf)
const findings = neverRun(statements, notes)
if (findings.length > 0) {
  console.error(
    `${describeFindings(findings)}\n${findings.length} of ${statements.length} statements were run by no test`
  )
  process.exit(1)
}
console.log(`All ${statements.length} statements were run by a test`)
