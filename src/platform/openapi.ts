// OpenAPI 3.1 out of the objects that serve: what the document says is what is checked at run time, since both are the
// same schema. Problems are listed for each route with their type and extra fields, so that a client can tell them
// apart by type alone.
import type { TObject } from 'typebox'
import { problemsOf } from './answer-failure.ts'
import type { Access, Route } from './http.ts'
import { Components, type Json } from './openapi-schemas.ts'
import { operationName, pascal } from './operation-name.ts'
import { VersionConflict, type ProblemKind } from './problem.ts'
import { closed } from './validation.ts'

export type OpenApi = {
  openapi: string; info: Json; paths: { [path: string]: { [method: string]: Json } }; components: Json; tags: Json[],
}

export type Description = { title: string; version: string; description: string; routes: readonly Route[] }

/** The document of these routes. */
export function openApiDocument({ title, version, description, routes: all }: Description): OpenApi {
  const routes = all.filter(({ access }) => access !== 'webhook')   // what gateways call is between them and us
  const components = new Components(routes)
  const kinds = new Map<string, ProblemKind>()
  const paths: OpenApi['paths'] = {}
  const names = new Set<string>()
  for (const route of routes) {
    const operationId = operationName(route)
    if (names.has(operationId)) {
      throw new Error(
        `${route.method} ${route.path}: another operation is called ${operationId} as well; give one an operationId`
      )
    }
    names.add(operationId)
    for (const kind of problemsOf(route)) kinds.set(kind.code, kind)
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, operationId, components) }
  }
  const problems = [...kinds.values()].map(
    (kind): [string, Json] => [problemName(kind), problemSchema(kind, components)]
  )
  return {
    openapi: '3.1.0',
    info: { title, version, description, license: { name: 'MIT', identifier: 'MIT' } },
    tags: [...new Set(routes.flatMap((route) => route.tags))].sort().map((name) => ({ name })),
    paths,
    components: {
      headers: { RequestId: { description: 'Name it when you ask for help', schema: { type: 'string' } } },
      schemas: {
        ...components.all(), Problem: PROBLEM, ...Object.fromEntries(problems.sort(([a], [b]) => a.localeCompare(b))),
      },
      securitySchemes: securitySchemes(
        new Set(routes.flatMap(({ access }) => securityOf(access).flatMap((one) => Object.keys(one))))
      ),
    },
  }
}

function operation(route: Route, operationId: string, components: Components): Json {
  const security = securityOf(route.access)
  return {
    operationId, summary: route.summary, tags: route.tags,
    ...route.description || route.sensitive || typeof route.access === 'object' ? { description: describe(route) } : {},
    ...security.length > 0 ? { security } : { security: [] },
    parameters: [
      ...parameters(
        route.params, 'path', components
      ), ...parameters(route.query, 'query', components), ...headers(route),
    ],
    ...requestBody(route, components),
    responses: { ...answers(route, components), ...refusals(route) },
  }
}

function describe({ description, access, sensitive }: Route): string {
  const permission = typeof access === 'object' ? `Needs the permission \`${access.permission}\`.` : ''
  const proof = sensitive ? 'Of people it wants a proof of the last quarter of an hour: see `proveMyself`.' : ''
  return [description, permission, proof].filter(Boolean).join('\n\n')
}

function parameters(schema: TObject | undefined, place: 'path' | 'query', components: Components): Json[] {
  if (!schema) return []
  const required = new Set<string>(components.inline(schema)['required'] ?? [])
  return Object.entries<Json>(
    components.inline(schema)['properties'] ?? {}
  ).map(([name, { description, ...rest }]) => ({
    name, in: place, required: place === 'path' || required.has(name), ...description ? { description }
      : {}, schema: rest,
  }))
}

function headers(route: Route): Json[] {
  const header = (name: string, description: string, schema: Json): Json => (
    { name, in: 'header', required: false, description, schema }
  )
  return [
    ...route.method === 'POST' && route.access !== 'webhook' && route.replay !== 'none' ? [header('Idempotency-Key',
      'A key of your own making (a UUID). The same request with the same key has one effect, however often it is sent.',
      { type: 'string', minLength: 1, maxLength: 255 })] : [],
    ...(route.problems ?? []).some(({ code }) => code === VersionConflict.code) ? [header('If-Match',
      'The ETag that you read: the change is refused if somebody else was faster.', {
        type: 'string', maxLength: 200,
      })] : [],
  ]
}

function requestBody(route: Route, components: Components): Json {
  if (route.multipart) {
    return { requestBody: { required: true, content: { 'multipart/form-data': {
      schema: { type: 'object', required: ['file'], properties: {
        file: { type: 'string', contentMediaType: 'application/octet-stream' },
      } },
    } } } }
  }
  if (!route.body) return {}
  return {
    requestBody: { required: true, content: { 'application/json': { schema: components.inline(closed(route.body)) } } },
  }
}

function answers(route: Route, components: Components): Json {
  const replayed = route.method === 'POST' && typeof route.replay === 'function'
  return Object.fromEntries(Object.entries(route.response).map(([status, schema]) => [status, {
    description: (schema as Json | null)?.['description'] ?? (schema ? 'Done' : 'Done; there is nothing to say'),
    headers: {
      'x-request-id': { $ref: '#/components/headers/RequestId' },
      ...replayed ? { 'idempotent-replayed': REPLAYED } : {},
    },
    ...schema ? { content: { 'application/json': { schema: components.reference(schema) } } } : {},
  }]))
}

const REPLAYED: Json = {
  description: 'true when an earlier request with this key had the effect', schema: { type: 'string' },
}

function refusals(route: Route): Json {
  const byStatus = Map.groupBy(new Set(problemsOf(route)), ({ status }) => status)
  return Object.fromEntries([...byStatus].sort(([a], [b]) => a - b).map(([status, kinds]) => {
    const references = kinds.map((kind) => ({ $ref: `#/components/schemas/${problemName(kind)}` }))
    return [status, {
      description: kinds.map(({ code, title }) => `\`${code}\`: ${title}`).join('\n\n'),
      content: {
        'application/problem+json': { schema: references.length === 1 ? references[0] : { anyOf: references } },
      },
    }]
  }))
}

const problemName = ({ code }: ProblemKind): string => `${pascal(code)}Problem`

const PROBLEM: Json = {
  type: 'object', description: 'A failure that was to be expected (RFC 9457). Branch on `type`.',
  required: ['type', 'title', 'status', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri' }, title: { type: 'string' }, status: { type: 'integer' },
    detail: { type: 'string', description: 'What is wrong here, and what to do about it' },
    instance: { type: 'string', description: 'The path that was asked for' }, requestId: {
      type: 'string', description: 'Name it when you ask for help',
    },
  },
}

function problemSchema(kind: ProblemKind, components: Components): Json {
  const { properties = {}, required = [] } = components.inline(kind.extra)
  return {
    allOf: [{ $ref: '#/components/schemas/Problem' }],
    type: 'object', title: kind.title, required: ['type', ...required],
    properties: { type: { type: 'string', const: `https://kontor.dev/problems/${kind.code}` }, ...properties },
  }
}

function securityOf(access: Access): Json[] {
  if (access === 'public' || access === 'webhook') return []
  if (access === 'shopper') return [{ publishableKey: [] }, { publishableKey: [], shopperToken: [] }]
  return access === 'customer' ? [{ publishableKey: [], shopperToken: [] }, { publishableKey: [], customerSession: [] }]
    : [{ secretKey: [] }, { session: [] }]
}

function securitySchemes(used: ReadonlySet<string>): Json {
  const all: Json = {
    publishableKey: {
      type: 'apiKey', in: 'header', name: 'x-publishable-key', description: 'Names the channel; made to be seen.',
    },
    shopperToken: { type: 'http', scheme: 'bearer', description: 'The token of a cart, an order or an account.' },
    customerSession: {
      type: 'apiKey', in: 'cookie', name: '__Host-kontor_customer',
      description: 'The session of a customer in a browser.',
    },
    secretKey: { type: 'http', scheme: 'bearer', description: 'A secret key of a server.' },
    session: {
      type: 'apiKey', in: 'cookie', name: '__Host-kontor_session', description: 'The session of a member of the staff.',
    },
  }
  return Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)))
}
