// Borders between modules as SQL sees them, and the list of statements in the source. `search_path` is empty
// everywhere, so each relation is named with its schema and the check is exact: a name "schema.thing" of a foreign
// schema is found wherever it stands in a statement.
import type { Node, TemplateLiteral } from 'typescript/unstable/ast'
import {
  isIdentifier, isNoSubstitutionTemplateLiteral, isStringLiteral, isTaggedTemplateExpression, isTemplateExpression,
} from 'typescript/unstable/ast/is'
import { isTest, lineOf, nodesOf, type Finding, type Source } from './source.ts'

/**
 * A statement (or a fragment of one) in the source. `text` is its template with `${}` for each value, as
 * platform/sql.ts notes it.
 */
export type Found = { path: string; line: number; text: string }

/** All `sql` templates of a file. */
export function statementsOf(source: Source): Found[] {
  return [...nodesOf(source.tree)].flatMap((node) => {
    if (!isTaggedTemplateExpression(node) || !isIdentifier(node.tag) || node.tag.text !== 'sql') return []
    return [{ path: source.path, line: lineOf(source, node), text: templateText(node.template) }]
  })
}

function templateText(template: TemplateLiteral): string {
  if (isNoSubstitutionTemplateLiteral(template)) return template.text
  return [template.head.text, ...template.templateSpans.map((span) => span.literal.text)].join('${}')
}

// Texts that reach the database past the tag: COPY, LISTEN, dedicated connections.
const SQL_BEGINS = /^\s*(?:select|insert|update|delete|merge|with|copy|create|alter|drop|truncate|lock)\s/i

function otherSql(source: Source): Found[] {
  const plain = (node: Node): string | undefined => isStringLiteral(node) ? node.text
    : isNoSubstitutionTemplateLiteral(node) || isTemplateExpression(node) ? templateText(node) : undefined
  return [...nodesOf(source.tree)].flatMap((node) => {
    const text = plain(node)
    return text !== undefined && SQL_BEGINS.test(text) ? [{ path: source.path, line: lineOf(source, node), text }] : []
  })
}

type Token = { kind: 'word' | 'quoted' | 'symbol'; text: string; line: number }

// Comments and strings hold no names; $$…$$ does: the body of a function is read like the rest. `${}` is a value.
const COMMENT = /--[^\n]*|\/\*[\s\S]*?\*\//
const QUOTED = /[eE]?'(?:[^'\\]|''|\\[\s\S])*'|\$\w*\$|"(?:[^"]|"")+"/
const PLAIN = /\$\{\}|[A-Za-z_][\w$]*|\d[\w.]*|\s+|[\s\S]/
const TOKEN = new RegExp([COMMENT, QUOTED, PLAIN].map(({ source }) => source).join('|'), 'g')

export function tokenize(text: string): Token[] {
  let line = 0
  return [...text.matchAll(TOKEN)].flatMap(([part]): Token[] => {
    const start = line
    line += part.split('\n').length - 1
    if (/^(?:\s|--|\/\*|[eE]?'|\$\w*\$$)/.test(part)) return []
    if (part.startsWith('"')) return [{ kind: 'quoted', text: part.slice(1, -1), line: start }]
    return [{ kind: /^[A-Za-z_]/.test(part) ? 'word' : 'symbol', text: part.toLowerCase(), line: start }]
  })
}

/** Schema-qualified names: two words around a point, the first of which follows no point. */
export function qualifiedNames(tokens: Token[]): { schema: string; name: string; line: number }[] {
  return tokens.flatMap(({ kind, text, line }, index) => {
    const name = tokens[index + 2]
    if (kind === 'symbol' || tokens[index + 1]?.text !== '.' || !name || (
      name.kind === 'symbol' && name.text !== '${}'
    ) || tokens[index - 1]?.text === '.') return []
    return [{ schema: text, name: name.text, line }]
  })
}

// A table stands behind these words; what else may stand there is a subquery, a function, or a name made in the
// statement itself.
const NO_TABLE = new Set(['lateral', 'only', 'select', 'unnest', 'set', 'of', 'rows', 'stdin', 'stdout'])

/** Tables that are named without their schema. Names of common table expressions (of the same file) are not tables. */
export function unqualifiedTables(tokens: Token[], made: ReadonlySet<string>): { name: string; line: number }[] {
  const parentheses: string[] = []
  return tokens.flatMap(({ kind, text, line }, index) => {
    const before = tokens[index - 1]?.text ?? ''
    if (text === '(') parentheses.push(before)
    if (text === ')') parentheses.pop()
    const next = tokens[index + 1]
    const after = tokens[index + 2]?.text
    const opens = text === 'join' || (text === 'into' && ['insert', 'merge'].includes(before))
      || (text === 'update' && after === 'set') ||
      (text === 'from' && before !== 'distinct' && ![
        'extract', 'trim', 'substring', 'overlay',
      ].includes(parentheses.at(-1) ?? ''))
    if (kind !== 'word' || !opens || !next || next.kind === 'symbol' || after === '.' || after === '(') return []
    if (NO_TABLE.has(next.text) || next.text.startsWith('pg_') || made.has(next.text)) return []
    return [{ name: next.text, line }]
  })
}

/** Names of common table expressions: `name [(columns)] as [not] [materialized] (`. */
export function commonTables(text: string): string[] {
  return [
    ...text.matchAll(/\b(\w+)\s*(?:\([\w\s,]*\)\s*)?as\s+(?:(?:not\s+)?materialized\s+)?\(/gi),
  ].map((match) => match[1]!.toLowerCase())
}

export type Ownership = { schemas: readonly string[]; views: { [module: string]: readonly string[] | undefined } }

// Everybody may use the platform's published functions and what PostgreSQL brings.
const COMMON = new Set(['extensions', 'pg_catalog', 'information_schema', 'pg_temp'])

/** Names in the statements of one file that belong to somebody else. `owner` is a module or 'platform'. */
export function foreignNames(statements: Found[], owner: string, { schemas, views }: Ownership): Finding[] {
  const made = new Set(statements.flatMap(({ text }) => commonTables(text)))
  return statements.flatMap(({ path, line: start, text }) => {
    const tokens = tokenize(text)
    const foreign = qualifiedNames(tokens).filter(({ schema, name }) =>
      schema !== owner && !COMMON.has(schema) && schemas.includes(schema) && !views[schema]?.includes(name))
    return [
      ...foreign.map(({ schema, name, line }) => ({
        path, line: start + line, wrong: `A statement of ${owner} names ${schema}.${name}`,
        cure: schema === 'platform' ? 'Call the function of src/platform that writes it' :
          `Call a public function of ${schema}, or have ${schema} publish a view in src/modules/graph.ts`,
      })),
      ...unqualifiedTables(tokens, made).map(({ name, line }) => ({
        path, line: start + line, wrong: `"${name}" is named without its schema`,
        cure: `search_path is empty: write ${owner}.${name}`,
      })),
    ]
  })
}

/** Ownership in a TypeScript file of a module or of the platform. Tests may look everywhere. */
export function crossedSchemas(source: Source, ownership: Ownership): Finding[] {
  const owner = /^src\/modules\/([^/]+)\//.exec(source.path)?.[1] ?? (
    source.path.startsWith('src/platform/') ? 'platform' : undefined
  )
  if (owner === undefined || isTest(source.path)) return []
  const tagged = statementsOf(source)
  const known = new Set(tagged.map(({ line, text }) => `${line} ${text}`))
  return foreignNames(
    [...tagged, ...otherSql(source).filter(({ line, text }) => !known.has(`${line} ${text}`))], owner, ownership
  )
}

/** Statements of which no test has run any: the notes are those that platform/sql.ts wrote during a full run. */
export function neverRun(statements: Found[], notes: ReadonlySet<string>): Finding[] {
  return statements.filter(({ text }) => !notes.has(text)).map(({ path, line }) => ({
    path, line, wrong: 'No test has run this statement', cure: 'Test the case that needs it, or delete it',
  }))
}
