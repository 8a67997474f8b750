// Borders between modules as imports see them: along the graph, through the root of a folder, never from the platform
// into commerce. A type-only import of an event may run against the graph; those are listed, so that each new one is
// seen.
import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { SyntaxKind, type Node } from 'typescript/unstable/ast'
import {
  isCallExpression, isExportDeclaration, isIdentifier, isImportDeclaration, isNamedExports, isNamedImports,
  isStringLiteral, isVariableStatement,
} from 'typescript/unstable/ast/is'
import { isTest, lineOf, nodesOf, type Finding, type Source } from './source.ts'

export type Graph = Record<string, readonly string[]>
export type Import = { from: string; line: number; to: string; relative: boolean; typeOnly: boolean; names: string[] }

/**
 * Imports, re-exports and `await import('…')`. A relative target is given as its path in the repository, a package as
 * it is named.
 */
export function importsOf(source: Source): Import[] {
  return [...nodesOf(source.tree)].flatMap((node): Import[] => {
    const specifier = specifierOf(node)
    if (!specifier || !isStringLiteral(specifier)) return []
    const relative = specifier.text.startsWith('.')
    const to = relative ? posix.join(posix.dirname(source.path), specifier.text) : specifier.text
    return [{ from: source.path, line: lineOf(source, node), to, relative, ...namesOf(node) }]
  })
}

function specifierOf(node: Node): Node | undefined {
  if (isImportDeclaration(node) || isExportDeclaration(node)) return node.moduleSpecifier
  if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) return node.arguments[0]
  return undefined
}

function namesOf(node: Node): { typeOnly: boolean; names: string[] } {
  if (isExportDeclaration(node)) {
    const names = node.exportClause && isNamedExports(node.exportClause) ? node.exportClause.elements : []
    return { typeOnly: node.isTypeOnly, names: names.map((element) => (element.propertyName ?? element.name).text) }
  }
  const clause = isImportDeclaration(node) ? node.importClause : undefined
  const typeOnly = clause?.phaseModifier === SyntaxKind.TypeKeyword
  if (!clause?.namedBindings || !isNamedImports(clause.namedBindings)) return { typeOnly, names: [] }
  const { elements } = clause.namedBindings
  return {
    typeOnly: typeOnly || (!clause.name && elements.every((element) => element.isTypeOnly)),
    names: elements.map((element) => (element.propertyName ?? element.name).text),
  }
}

const moduleOf = (path: string): string | undefined => /^src\/modules\/([^/]+)\//.exec(path)?.[1]

/** Each import that crosses a border where it may not. Tests may import any public file, but nobody's internals. */
export function crossedBorders(source: Source, graph: Graph): Finding[] {
  const own = moduleOf(source.path)
  return importsOf(source).flatMap((found): Finding[] => {
    const target = moduleOf(found.to)
    const at = { path: source.path, line: found.line }
    const leaves = found.to.startsWith('src/') && !found.to.startsWith('src/platform/')
    if (source.path.startsWith('src/platform/') && leaves && !harness(source.path)) {
      return [{
        ...at, wrong: `The platform imports ${found.to}`,
        cure: 'The platform knows no commerce: let the caller pass it, or provide() it',
      }]
    }
    if (target === undefined || target === own) return []
    if (found.to.slice(`src/modules/${target}/`.length).includes('/')) {
      return [{
        ...at, wrong: `${found.to} is private to ${target}`,
        cure: `Import what lies at the root of src/modules/${target}/, or ask its owner to publish it`,
      }]
    }
    if (own === undefined || isTest(source.path) || graph[own]?.includes(target) || found.typeOnly) return []
    return [{
      ...at, wrong: `${own} may not import ${target}`,
      cure: 'React to its event, or take an interface that it provides; src/modules/graph.ts says who may import whom',
    }]
  })
}

// The two files of the platform that must see the whole: they put test databases and shops together.
function harness(path: string): boolean {
  return isTest(path) || path === 'src/platform/testing.ts'
}

/** Type-only imports that run against the graph, as "pricing → orders: OrderPlaced". */
export function againstTheGraph(source: Source, graph: Graph): string[] {
  const own = moduleOf(source.path)
  if (own === undefined || isTest(source.path)) return []
  return importsOf(source).flatMap((found) => {
    const target = moduleOf(found.to)
    return found.typeOnly && target && target !== own && !graph[own]?.includes(target)
      ? [`${own} → ${target}: ${found.names.join(', ')}`] : []
  })
}

/** A chain of modules that imports itself, or undefined: 'a → b → a'. */
export function cycleIn(graph: Graph): string | undefined {
  const done = new Set<string>()
  const visit = (name: string, chain: string[]): string | undefined => {
    if (chain.includes(name)) return [...chain.slice(chain.indexOf(name)), name].join(' → ')
    if (done.has(name)) return undefined
    for (const next of graph[name] ?? []) {
      const cycle = visit(next, [...chain, name])
      if (cycle) return cycle
    }
    done.add(name)
    return undefined
  }
  for (const name of Object.keys(graph)) {
    const cycle = visit(name, [])
    if (cycle) return cycle
  }
  return undefined
}

/** Imports of packages that package.json does not list: they are there by somebody else's grace. */
export function unlistedPackages(source: Source, packages: ReadonlySet<string>): Finding[] {
  return importsOf(source).flatMap((found): Finding[] => {
    if (found.relative || found.to.startsWith('node:')) return []
    const name = found.to.split('/').slice(0, found.to.startsWith('@') ? 2 : 1).join('/')
    if (builtinModules.includes(name)) {
      return [{
        path: source.path, line: found.line, wrong: `"${found.to}" is Node's own`,
        cure: `Import it as node:${found.to}`,
      }]
    }
    if (packages.has(name)) return []
    return [{
      path: source.path, line: found.line, wrong: `The package ${name} is not in package.json`,
      cure: 'Add it there with its exact version, or do without',
    }]
  })
}

// What the SDK offers is used by others.
const PUBLIC = /^sdk\/src\/(?:kontor|store-api|admin-api)\.ts$/

/** Names that are exported, imported by nobody and used nowhere in their own file: dead code. */
export function deadExports(sources: Source[]): Finding[] {
  const imported = new Set<string>()
  const wholesale = new Set<string>()   // `import * as x` and `await import(x)` may use any of its names
  for (const source of sources) {
    for (const { to, names, typeOnly } of importsOf(source)) {
      if (names.length === 0 && !typeOnly) wholesale.add(to)
      for (const name of names) imported.add(`${to} ${name}`)
    }
  }
  const checked = sources.filter(({ path }) => !wholesale.has(path) && !isTest(path) && !PUBLIC.test(path))
  return checked.flatMap((source) => exportedNames(source)
    .filter(({ name }) => !imported.has(`${source.path} ${name}`) && occurrences(source, name) === 1)
    .map(({ name, line }) => ({ path: source.path, line, wrong: `Nobody uses ${name}`, cure: 'Use it or delete it' })))
}

function exportedNames(source: Source): { name: string; line: number }[] {
  return source.tree.statements.flatMap((node) => {
    const { modifiers } = node as { modifiers?: readonly Node[] }
    if (!modifiers?.some(({ kind }) => kind === SyntaxKind.ExportKeyword)) return []
    const declared = isVariableStatement(node) ? [...node.declarationList.declarations] : [node as { name?: Node }]
    return declared.flatMap(({ name }) =>
      name && isIdentifier(name) ? [{ name: name.text, line: lineOf(source, name) }] : [])
  })
}

function occurrences(source: Source, name: string): number {
  let count = 0
  for (const node of nodesOf(source.tree)) if ('text' in node && node.text === name) count++
  return count
}
