// Routes of the server itself: is it alive, may it get traffic, its metrics, its API documents and the page that shows
// them to people.
import { Type } from 'typebox'
import { adminApi, storeApi } from './apis.ts'
import { ping } from './platform/db.ts'
import { route, type Route } from './platform/http.ts'
import { registry } from './platform/metrics.ts'
import { readMetrics } from './platform/processes.ts'
import { referenceRoutes } from './platform/reference.ts'

const home = route({
  method: 'GET', path: '/', access: 'public', tags: ['Server'], summary: 'Leads to the reference',
  response: { 302: null },
  async run({ reply }) {
    reply.status(302).header('location', '/docs')
  },
})

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
    return Buffer.from(await readMetrics())
  },
})

export const systemRoutes: Route[] = [
  home, health, ready, metrics, ...referenceRoutes({ store: storeApi, admin: adminApi }),
]
