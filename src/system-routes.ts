// Routes of the server itself: is it alive, may it get traffic, its metrics, its API documents and the page that shows
// them.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Type } from 'typebox'
import { adminApi, storeApi } from './apis.ts'
import { ping } from './platform/db.ts'
import { route, type Route } from './platform/http.ts'
import { registry } from './platform/metrics.ts'
import { openApiDocument } from './platform/openapi.ts'
import { NotFound } from './platform/problem.ts'

const health = route({
  method: 'GET', path: '/health', access: 'public', tags: ['Server'], summary: 'Is the process alive',
  response: { 200: Type.Object({ alive: Type.Boolean() }) },
  run: async () => ({ alive: true }),
})

const ready = route({
  method: 'GET', path: '/health/ready', access: 'public', tags: ['Server'],
  summary: 'May it get traffic: does the database answer',
  response: { 200: Type.Object({ ready: Type.Boolean() }) },
  async run({ db }) {
    await ping(db)
    return { ready: true }
  },
})

const metrics = route({
  method: 'GET', path: '/metrics', access: { permission: 'audit:read' }, tags: ['Server'],
  summary: 'Metrics in the text format of Prometheus',
  response: { 200: Type.String() },
  async run({ reply }) {
    reply.type(registry.contentType)
    return Buffer.from(await registry.metrics())
  },
})

// The documents are made when they are first asked for: making them at start would cost every start.
const documents = new Map<string, Buffer>()
const openApi = route({
  method: 'GET', path: '/openapi/:document', access: 'public', tags: ['Server'],
  summary: 'The OpenAPI 3.1 document of an API',
  params: Type.Object({ document: Type.Enum(['store.json', 'admin.json']) }), response: { 200: Type.Unknown() },
  async run({ params, reply }) {
    let bytes = documents.get(params.document)
    if (!bytes) documents.set(params.document, (
      bytes = Buffer.from(JSON.stringify(openApiDocument(params.document === 'store.json' ? storeApi : adminApi)))
    ))
    reply.type('application/json; charset=utf-8').header('access-control-allow-origin', '*')
    return bytes
  },
})

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Kontor API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"><link rel="icon" href="data:,"><body style="margin:0"><div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/swagger-ui-standalone-preset.js"></script><script src="/docs/start.js"></script>`
const START = `SwaggerUIBundle({ dom_id: '#api', layout: 'StandaloneLayout', presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  urls: [
    { name: 'Store API', url: '/openapi/store.json' }, { name: 'Admin API', url: '/openapi/admin.json' },
  ], docExpansion: 'list' })`
const types: Record<string, string> = {
  css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8', html: 'text/html; charset=utf-8',
}

async function docsFile(name: string): Promise<Buffer> {
  if (name === 'index.html') return Buffer.from(PAGE)
  if (name === 'start.js') return Buffer.from(START)
  const folder = join(dirname(createRequire(import.meta.url).resolve('@fastify/swagger-ui/package.json')), 'static')
  return readFile(join(folder, name))
}

const docs = (path: string, params?: Route['params']): Route => route({
  method: 'GET', path, access: 'public', tags: ['Server'], summary: 'The API reference as a page', params,
  response: { 200: Type.Unknown() }, problems: [NotFound],
  async run({ params, reply }) {
    const name = (params as { file?: string }).file ?? 'index.html'
    reply.type(types[name.split('.').at(-1)!]!).header(
      'content-security-policy', "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
    )
    return docsFile(name)
  },
})

export const systemRoutes: Route[] = [
  health, ready, metrics, openApi, docs('/docs'),
  docs('/docs/:file', Type.Object(
    { file: Type.Enum(['swagger-ui.css', 'swagger-ui-bundle.js', 'swagger-ui-standalone-preset.js', 'start.js']) }
  )),
]
