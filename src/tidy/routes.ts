// What every route must say about itself, beyond what its type demands. Access is decided on the matched route, so a
// route that is served under the wrong prefix, twice, or not at all is as wrong as one without access.
import type { Node } from 'typescript/unstable/ast'
import {
  isCallExpression, isIdentifier, isObjectLiteralExpression, isPropertyAssignment, isStringLiteral,
} from 'typescript/unstable/ast/is'
import type { Route } from '../platform/http.ts'
import { isTest, lineOf, nodesOf, type Finding, type Source } from './source.ts'

export type Served = { path: string; route: Route }

const PREFIX = {
  shopper: /^\/store\//, customer: /^\/store\/(?:account|carts)(?:\/|$)/, staff: /^\/admin\//,
  webhook: /^\/webhooks\//, public: /^\//,
}

/** Broken promises of the routes that are served. `path` names the file that lists them. */
export function routeFindings(served: Served[]): Finding[] {
  const seen = new Set<string>()
  return served.flatMap(({ path, route }) => {
    // What differs only in the name of a parameter is the same address.
    const address = `${route.method} ${route.path.replaceAll(/:\w+/g, ':')}`
    const wrong = (what: string, cure: string): Finding => (
      { path, line: 1, wrong: `${route.method} ${route.path} ${what}`, cure }
    )
    const twice = seen.has(address)
    seen.add(address)
    return [
      ...twice ? [wrong('is served twice', 'Remove one')] : [],
      ...accessFindings(route, wrong),
      ...route.method === 'POST' && route.replay === undefined && route.access !== 'webhook'
        ? [wrong('does not say how it answers a repeated Idempotency-Key', 'Give it a replay')] : [],
      ...route.summary && route.tags.length > 0 ? [] : [
        wrong('has no summary or no tags', 'The API reference is made of them'),
      ],
      ...unnamedParameters(route).map((param) => wrong(`has ${param} in its path but not in its params`, 'Declare it')),
    ]
  })
}

function accessFindings({ access, path }: Route, wrong: (what: string, cure: string) => Finding): Finding[] {
  if (!access) return [
    wrong('does not say who may call it', "Give it an access: 'shopper', { permission: 'catalog:write' }, …"),
  ]
  const kind = typeof access === 'object' ? 'staff' : access
  if (typeof access === 'object' && !/^[a-z-]+:[a-z-]+$/.test(access.permission)) {
    return [wrong(`asks for the permission "${access.permission}"`, 'Write it as area:verb')]
  }
  return PREFIX[kind].test(path) ? [] : [wrong(
    `is for ${kind} under a foreign prefix`, `Serve it under ${PREFIX[kind].source.slice(1).replaceAll('\\', '')}`
  )]
}

function unnamedParameters({ path, params }: Route): string[] {
  const declared = Object.keys(params?.properties ?? {})
  return [...path.matchAll(/:(\w+)/g)].map((match) => match[1]!).filter((name) => !declared.includes(name))
}

/** `route({ method, path, … })` in the source whose address is not among those that are served. */
export function unserved(source: Source, addresses: ReadonlySet<string>): Finding[] {
  if (isTest(source.path)) return []
  return [...nodesOf(source.tree)].flatMap((node): Finding[] => {
    if (!isCallExpression(node) || !isIdentifier(node.expression) || node.expression.text !== 'route') return []
    if (!node.arguments[0]) return []
    const path = textOf(node.arguments[0], 'path')
    const method = textOf(node.arguments[0], 'method')   // may be spread into it, then any will do
    const address = `${method || 'A route'} ${path}`
    if (method ? addresses.has(address) : [...addresses].some((one) => one.endsWith(` ${path}`))) return []
    return [{
      path: source.path, line: lineOf(source, node), wrong: `${address} is declared and not served`,
      cure: 'List it in store-api.ts or admin-api.ts',
    }]
  })
}

function textOf(object: Node, name: string): string {
  if (!isObjectLiteralExpression(object)) return ''
  const found = object.properties.find(
    (one) => isPropertyAssignment(one) && isIdentifier(one.name) && one.name.text === name
  )
  return found && isPropertyAssignment(found) && isStringLiteral(found.initializer) ? found.initializer.text : ''
}
