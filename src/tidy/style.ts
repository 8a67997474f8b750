// The habits of CONTRIBUTING.md that a machine can hold: sizes, names, headers, punctuation. Each rule reads one file.
import type { FunctionLikeDeclaration, Node } from 'typescript/unstable/ast'
import {
  isArrowFunction, isCallExpression, isClassDeclaration, isFunctionDeclaration, isFunctionLikeDeclaration, isIdentifier,
  isInterfaceDeclaration, isNoSubstitutionTemplateLiteral, isStringLiteral, isTemplateExpression,
  isTypeAliasDeclaration,
} from 'typescript/unstable/ast/is'
import { endLineOf, isTest, lineOf, nodesOf, type Finding, type Rule, type Source } from './source.ts'

const MAX_LINE = 120
const MAX_FILE = 300
const MAX_TEST_FILE = 400
const MAX_FUNCTION = 70
const MAX_PARAMETERS = 5

export const lineLength: Rule = (source) => source.lines.flatMap((text, index) => text.length <= MAX_LINE ? [] : [{
  path: source.path, line: index + 1, wrong: `The line has ${text.length} characters, ${MAX_LINE} are allowed`,
  cure: 'Break it, or say less',
}])

export const fileLength: Rule = ({ path, lines }) => {
  const limit = isTest(path) ? MAX_TEST_FILE : MAX_FILE
  const length = lines.length - (lines.at(-1) === '' ? 1 : 0)
  if (length <= limit) return []
  return [{
    path, line: limit + 1, wrong: `The file has ${length} lines, ${limit} are allowed`,
    cure: 'Move what has a name of its own to a file of its own',
  }]
}

export const functionLength: Rule = (source) => functionsOf(source).flatMap((fn) => {
  const line = lineOf(source, fn)
  const length = endLineOf(source, fn) - line + 1
  if (length <= MAX_FUNCTION || groupsTests(fn)) return []
  return [{
    path: source.path, line, wrong: `The function has ${length} lines, ${MAX_FUNCTION} fit a screen`,
    cure: 'Name its parts and move them out',
  }]
})

export const parameterCount: Rule = (source) => functionsOf(source).flatMap((fn) => {
  const count = fn.parameters.length
  return count <= MAX_PARAMETERS ? [] : [{
    path: source.path, line: lineOf(source, fn), cure: 'Give what belongs together as one object',
    wrong: `The function takes ${count} parameters, ${MAX_PARAMETERS} are allowed`,
  }]
})

function functionsOf({ tree }: Source): FunctionLikeDeclaration[] {
  return [...nodesOf(tree)].filter(isFunctionLikeDeclaration)
}

function groupsTests(fn: Node): boolean {
  const call = fn.parent
  return isArrowFunction(fn) && isCallExpression(call) && isIdentifier(call.expression)
    && ['describe', 'suite'].includes(call.expression.text)
}

export const header: Rule = (source) => {
  const { path, lines } = source
  const start = lines[0]?.startsWith('#!') ? 1 : 0
  const end = lines.findIndex((text, index) => index >= start && !text.startsWith('//'))
  const length = (end === -1 ? lines.length : end) - start
  if (length >= 1 && length <= 5) return []
  return [{
    path, line: start + 1, wrong: `The file opens with ${length} lines of comment, one to five are due`,
    cure: 'Say what it is and why it is so',
  }]
}

const VAGUE = /(?:Manager|Helper|Handler|Base|Impl|Util)s?$/
const VAGUE_WORDS = ['index', 'utils?', 'helpers?', 'common', 'misc', 'lib', 'services?', 'repositor(?:y|ies)', 'dto',
  'entit(?:y|ies)', 'managers?', 'handlers?', 'base', 'impl']
const VAGUE_PATH = new RegExp(`(?:^|[/-])(?:${VAGUE_WORDS.join('|')})(?:\\.test)?(?:\\.m?[jt]s|/)`)

export const fileName: Rule = ({ path }) => {
  const vague = VAGUE_PATH.exec(path)
  if (vague) return [
    { path, line: 1, wrong: `"${vague[0]}" says nothing`, cure: 'Name the file after what it does: verb, then object' },
  ]
  const name = path.split('/').at(-1)!
  if (/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|config))?\.m?[jt]s$/.test(name)) return []
  return [
    { path, line: 1, wrong: `"${name}" is not in small letters with hyphens`, cure: 'Write it like place-order.ts' },
  ]
}

export const typeName: Rule = (source) => [...nodesOf(source.tree)].flatMap((node) => {
  const named = isClassDeclaration(node) || isInterfaceDeclaration(node) || isTypeAliasDeclaration(node)
    || isFunctionDeclaration(node)
  if (!named || !node.name || !VAGUE.test(node.name.text)) return []
  return [{
    path: source.path, line: lineOf(source, node.name), wrong: `The name ${node.name.text} says nothing`,
    cure: 'Use the word of the field for what it is',
  }]
})

export const punctuation: Rule = (source) => {
  const literal = literalLines(source)
  const semicolons = source.lines.flatMap((text, index): Finding[] => {
    if (!/;\s*$/.test(text) || /^\s*(?:\/\/|\*|\/\*)/.test(text) || literal.has(index + 1)) return []
    return [{ path: source.path, line: index + 1, wrong: 'The line ends with a semicolon', cure: 'Leave it out' }]
  })
  const quotes = [...nodesOf(source.tree)].flatMap((node): Finding[] => {
    if (!isStringLiteral(node) || source.text[node.getStart(source.tree)] !== '"' || node.text.includes("'")) return []
    return [
      { path: source.path, line: lineOf(source, node), wrong: 'A string in double quotes', cure: 'Use single ones' },
    ]
  })
  return [...semicolons, ...quotes]
}

// Lines that a template literal covers: their text is not ours to punctuate.
function literalLines(source: Source): Set<number> {
  const lines = new Set<number>()
  for (const node of nodesOf(source.tree)) {
    if (!isNoSubstitutionTemplateLiteral(node) && !isTemplateExpression(node)) continue
    for (let line = lineOf(source, node); line < endLineOf(source, node); line++) lines.add(line)
  }
  return lines
}

// A path of somebody's own machine works nowhere else and tells where it was written.
const MACHINE_PATH = /(?:\/(?:home|Users|work|root)\/[\w.-]+)|(?:\b[A-Z]:\\\\?\w)/

/** For every text file, not only for code. */
export function machinePath(path: string, text: string): Finding[] {
  return text.split('\n').flatMap((line, index) => {
    const found = MACHINE_PATH.exec(line)
    if (!found || /https?:\/\/\S*$/.test(line.slice(0, found.index))) return []
    return [{
      path, line: index + 1, wrong: `"${found[0]}" is a path of one machine`,
      cure: 'Derive it from import.meta.dirname, os.tmpdir() or a setting',
    }]
  })
}

export const styleRules: Record<string, Rule> = {
  'lines have at most 120 characters': lineLength,
  'files have at most 300 lines, tests 400': fileLength,
  'functions fit a screen of 70 lines': functionLength,
  'functions take at most five parameters': parameterCount,
  'each file opens with what it is and why it is so': header,
  'files are named by what they do, in small letters with hyphens': fileName,
  'no class, type or function is a Manager, Helper, Handler, Base, Impl or Util': typeName,
  'no semicolons, single quotes': punctuation,
}
