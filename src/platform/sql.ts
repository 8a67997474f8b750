// SQL is written as SQL. The tag turns a template into text with numbered parameters; a fragment inside a template is
// inlined, everything else is a parameter, so a value can never become text. The text on the page is the text that
// runs, and the text decides the name of its prepared statement. In tests each template that ran is noted, so that a
// statement no test has run can be named.
import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'

/** A statement, or a fragment of one: the literal parts of its template and the values between them. */
export class Statement {
  readonly strings: readonly string[]
  readonly values: readonly unknown[]
  /** Not prepared, so that PostgreSQL plans it anew for its values each time. */
  readonly replanned: boolean
  constructor(strings: readonly string[], values: readonly unknown[], replanned = false) {
    this.strings = strings
    this.values = values
    this.replanned = replanned
  }
}

/**
 * `sql\`select … where id = ${id}\``: a statement whose values are parameters. JavaScript arrays become PostgreSQL
 * arrays.
 */
export function sql(strings: TemplateStringsArray, ...values: unknown[]): Statement {
  return new Statement(strings, values)
}

/**
 * The statement, planned for its values each time, which costs some 0.5 ms: for those whose best plan hangs on them,
 * as "the newest of a category" does on its size. A prepared one would keep the plan that its first five calls liked.
 */
export function replanned({ strings, values }: Statement): Statement {
  return new Statement(strings, values, true)
}

/** Nothing: for a fragment that is absent, as in `${wanted ? sql`and …` : none}`. */
export const none = new Statement([''], [])

/** Fragments one after the other, with a fragment between each two. */
export function joined(parts: readonly Statement[], between: Statement): Statement {
  const all = parts.flatMap((part, index) => (index === 0 ? [part] : [between, part]))
  return new Statement(['', ...all.map(() => '')], all)
}

/** A parameter that holds a value as JSON text: `${json(lines)}::jsonb`. */
export function json(value: unknown): string {
  return JSON.stringify(value)
}

export type Query = { text: string; name: string | undefined; values: unknown[] }

// Statements without fragments are compiled once for each template. A server process keeps a bounded number of prepared
// statements: texts put together from fragments are countable, but a bug could make them endless, and each costs memory
// in every connection.
const MAX_PREPARED = 2_000
const compiled = new WeakMap<readonly string[], { text: string; name: string }>()
const names = new Map<string, string>()

/** The text, the name of the prepared statement and the parameters of a statement. */
export function compile(statement: Statement): Query {
  note(statement)
  if (statement.replanned) {
    const values: unknown[] = []
    return { text: inline(statement, values), name: undefined, values }
  }
  const known = compiled.get(statement.strings)
  if (known) return { ...known, values: statement.values as unknown[] }
  if (!statement.values.some((value) => value instanceof Statement)) {
    const text = statement.strings.reduce((all, part, index) => `${all}$${index}${part}`)
    const plain = { text, name: nameOf(text) ?? '' }
    compiled.set(statement.strings, plain)
    return { ...plain, values: statement.values as unknown[] }
  }
  const values: unknown[] = []
  const text = inline(statement, values)
  return { text, name: nameOf(text), values }
}

function inline(statement: Statement, values: unknown[]): string {
  let text = statement.strings[0] ?? ''
  statement.values.forEach((value, index) => {
    text += value instanceof Statement ? inline(value, values) : `$${values.push(value)}`
    text += statement.strings[index + 1]
  })
  return text
}

function nameOf(text: string): string | undefined {
  let name = names.get(text)
  if (!name && names.size < MAX_PREPARED) names.set(text, (name = createHash('sha1').update(text).digest('base64url')))
  return name
}

// The full test run compares this list with the templates in the source (see scripts/statements-check.mjs). One line
// for each template.
const notesFolder = process.env['KONTOR_STATEMENTS_DIR']
const noted = new Set<readonly string[]>()
function note(statement: Statement): void {
  if (!notesFolder || noted.has(statement.strings)) {
    if (notesFolder) for (const value of statement.values) if (value instanceof Statement) note(value)
    return
  }
  noted.add(statement.strings)
  appendFileSync(join(notesFolder, `${process.pid}.jsonl`), JSON.stringify(statement.strings.join('${}')) + '\n')
  for (const value of statement.values) if (value instanceof Statement) note(value)
}
