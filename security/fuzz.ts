// Every operation with values that fit, that lie on the edge, that are wrong, and that are meant to harm, made from the
// same schemas that the shop checks with. Ids that answers name are used again, so that the fuzzer gets as deep as a
// client does. What may never happen: an answer that is not declared, a 5xx, a rejection that nobody hears, a write of
// staff or a key of which the audit log says nothing.
import fc from 'fast-check'
import type { TSchema } from 'typebox'
import { oneOf, type Random } from '../bench/random.ts'
import { problemsOf } from '../src/platform/answer-failure.ts'
import type { Route } from '../src/platform/http.ts'
import { sql } from '../src/platform/db.ts'
import { HERE, type Answer, type Ground, type Headers } from './ground.ts'
import { nameOf, operations } from './matrix.ts'

export type Shot = { operation: string; principal: string; status: number; code: string }
export type Fuzzed = { shots: Shot[]; violations: string[] }

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g
const KNOWN_AT_MOST = 400

const hostile: readonly unknown[] = [
  `'; drop table orders.order; --`, '" or 1=1', '\u0000', 'a\u0000b', '__proto__', 'constructor', '\ud800', '１２３',
  '1e3', '-0', ' ', '\u202eabc', '../../../etc/passwd', '%00', '%2e%2e%2f', '${7*7}', '<script>alert(1)</script>',
  '{{7*7}}', 'x'.repeat(10_000), '😀'.repeat(300), 'İı', -1, 0, 0.5, 1e308, -1e308, 2 ** 53, 2 ** 31,
  9007199254740993, null, true, [], {}, [[[[[[[[]]]]]]]], { __proto__: { admin: true } }, { toString: 'x' },
  Array.from({ length: 1_000 }, () => 'x'), JSON.parse(`${'{"a":'.repeat(60)}1${'}'.repeat(60)}`),
  '2026-02-30T00:00:00Z', '0000-00-00', 'P1Y',
]

const MOMENTS = ['2026-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '0001-01-01T00:00:00Z', '2026-06-30T23:59:60Z']
const WORTH = ['userId', 'role', 'price', 'total', 'status', 'isAdmin', 'channelId', 'state', 'constructor']

/** Shoots `count` times with the choices of a seed; `progress` is told now and then. */
export async function fuzz(
  ground: Ground, { count, random, progress = () => {} }:
    { count: number; random: Random; progress?: (done: number) => void }, routes: readonly Route[] = operations,
): Promise<Fuzzed> {
  const known = Object.values(ground.ids)
  const found: Fuzzed = { shots: [], violations: [] }
  const unheard = (reason: unknown): void => void found.violations.push(`a rejection that nobody heard: ${reason}`)
  process.on('unhandledRejection', unheard)
  try {
    for (let shot = 0; shot < count; shot++) {
      const route = oneOf(routes, random)
      const [principal, headers] = await someone(ground, route, random)
      const asked = requestFor(route, known, random)
      const answer = await ground.ask({ ...asked, headers: { ...headers, ...asked.headers } })
      found.shots.push({ operation: nameOf(route), principal, status: answer.status, code: codeOf(answer) })
      const wrong = judge(route, answer)
      const untold = await isUntold(ground, route, answer) ? 'it was done, and is not in the audit log' : undefined
      if (untold) found.violations.push(`${nameOf(route)} as ${principal}: ${untold}`)
      if (wrong) found.violations.push(`${nameOf(route)} as ${principal}: ${wrong}; asked ${told(asked)}`)
      remember(known, answer.text)
      // Somebody's key or session was ended by a shot before: others come.
      if (answer.status === 401 && principal !== 'nobody') ground.renew()
      if (shot % 500 === 499) progress(shot + 1)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
    return found
  } finally {
    process.off('unhandledRejection', unheard)
  }
}

// POSTs of staff that only ask; the second leaves a challenge that nobody has answered yet.
const ASKS = new Set(['POST /admin/privacy/requests', 'POST /admin/me/passkeys/options'])

/** Whether staff or a key wrote something of which the audit log says nothing. */
async function isUntold({ shop }: Ground, route: Route, { status, headers }: Answer): Promise<boolean> {
  const { method, access, path } = route
  const isWrite = method !== 'GET' && path.startsWith('/admin/') && access !== 'public' && !ASKS.has(nameOf(route))
  if (!isWrite || status >= 300 || headers['idempotent-replayed']) return false
  return await shop.db.run(sql`
    select from platform.audit_log where request_id = ${headers['x-request-id']}`) === 0
}

async function someone(
  { keys, victim, customer, staff, key }: Ground, { access }: Route, random: Random,
): Promise<[string, Headers]> {
  const shopper = { 'x-publishable-key': keys.own }
  const holder = { ...shopper, authorization: `Bearer ${random() < 0.5 ? victim.cartToken : victim.orderToken}` }
  const anybody: [string, () => Headers | Promise<Headers>][] = [
    ['nobody', () => ({})], ['a shopper', () => shopper], ['the owner of a cart', () => holder],
    ['staff', () => staff()], ['a key', () => key()], ['a key with little', () => key('orders:write')],
    ['a customer', () => customer()],
  ]
  // Mostly somebody who may: whoever may not is the matrix's.
  const fitting = access === 'shopper' ? [1, 2, 2, 2, 6] : access === 'customer' ? [6] : access === 'staff' ? [3]
    : typeof access === 'object' ? [3, 4, 4] : [0]
  const [name, headers] = anybody[random() < 0.9 ? oneOf(fitting, random) : Math.floor(random() * anybody.length)]!
  return [name, await headers()]
}

type Asked = { method: Route['method']; url: string; headers: Headers; payload?: any }

function requestFor(route: Route, known: readonly string[], random: Random): Asked {
  const url = route.path.replace(/:(\w+)/g, (_, name: string) => {
    const schema = (route.params as TSchema & { properties?: Record<string, TSchema> })?.properties?.[name]
    return encodeURIComponent(textOf(random() < 0.75 ? oneOf(known, random) : valueOf(schema ?? {}, known, random)))
  })
  const query = random() < 0.6 ? '' : queryOf(route.query, known, random)
  const headers: Headers = {
    ...HERE, ...random() < 0.3 ? { 'idempotency-key': random() < 0.8 ? `k${Math.floor(random() * 50)}` : 'ä' } : {},
  }
  if (!route.body) return { method: route.method, url: url + query, headers: random() < 0.95 ? headers : HERE }
  const body = valueOf(route.body, known, random)
  const payload = random() < 0.02 ? '{"broken": ' : JSON.stringify(body)
  return {
    method: route.method, url: url + query, payload: payload ?? 'null',
    headers: { ...headers, 'content-type': random() < 0.97 ? 'application/json' : 'text/plain' },
  }
}

function queryOf(schema: TSchema | undefined, known: readonly string[], random: Random): string {
  const properties = Object.entries((schema as { properties?: Record<string, TSchema> })?.properties ?? {})
  const pairs = properties.filter(() => random() < 0.4).map(([name, one]) => `${name}=${
    encodeURIComponent(textOf(valueOf(one, known, random)))}`)
  if (random() < 0.1) pairs.push(`${oneOf(['__proto__', 'limit', 'x[y]', 'constructor'], random)}=1`)
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

// A lone surrogate is no UTF-8: it cannot stand in an address.
const textOf = (value: unknown): string =>
  (typeof value === 'string' ? value : JSON.stringify(value) ?? '').replaceAll(/[\ud800-\udfff]/g, '?').slice(0, 12_000)

/** A value for a schema: mostly one that fits or nearly fits, sometimes one that is meant to harm. */
function valueOf(schema: any, known: readonly string[], random: Random, depth = 0): unknown {
  if (random() < 0.025) return oneOf(hostile, random)
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return oneOf(schema.enum, random)
  if (schema.anyOf) return valueOf(oneOf(schema.anyOf, random), known, random, depth)
  switch (schema.type) {
    case 'object': return objectOf(schema, known, random, depth)
    case 'array': {
      const most = Math.min(schema.maxItems ?? 4, 4)
      const length = random() < 0.03 ? (schema.maxItems ?? 100) + 1 : Math.floor(random() * (most + 1))
      return Array.from({ length: Math.min(length, 600) }, () => valueOf(schema.items ?? {}, known, random, depth + 1))
    }
    case 'integer': case 'number': return numberOf(schema, random)
    case 'boolean': return random() < 0.5
    case 'null': return null
    case 'string': return stringOf(schema, known, random)
    default: return depth > 4 ? null : oneOf([1, 'x', null, { a: 1 }, [1]], random)
  }
}

function objectOf(schema: any, known: readonly string[], random: Random, depth: number): unknown {
  const required = new Set(schema.required ?? [])
  const made: Record<string, unknown> = {}
  for (const [name, one] of Object.entries(schema.properties ?? {})) {
    if (required.has(name) ? random() < 0.98 : random() < 0.5) made[name] = valueOf(one, known, random, depth + 1)
  }
  for (const one of Object.values(schema.patternProperties ?? {})) {
    made[oneOf(['a', 'material', 'Colour', ''], random)] = valueOf(one, known, random, depth + 1)
  }
  // Fields that would be worth something, if anybody took them.
  if (random() < 0.03) made[oneOf(WORTH, random)] = 1
  return made
}

function numberOf({ minimum = -5, maximum = 10_000 }: { minimum?: number; maximum?: number }, random: Random): number {
  const edge = random()
  if (edge < 0.15) return minimum
  if (edge < 0.25) return maximum
  if (edge < 0.3) return minimum - 1
  if (edge < 0.35) return maximum + 1
  return minimum + Math.floor(random() * Math.min(maximum - minimum + 1, 1_000))
}

function stringOf(schema: any, known: readonly string[], random: Random): string {
  if (schema.format === 'uuid') return oneOf(known, random)
  if (schema.format === 'email') return oneOf(['a@example.com', 'x'.repeat(250) + '@e.com', 'ä@exämple.com'], random)
  if (schema.format === 'date-time') {
    return oneOf(MOMENTS, random)
  }
  if (schema.pattern) {
    const seed = Math.floor(random() * 2 ** 31)
    const [matching] = fc.sample(fc.stringMatching(new RegExp(schema.pattern)), { numRuns: 1, seed })
    return matching!.slice(0, schema.maxLength ?? 300)
  }
  const least = schema.minLength ?? 0
  const length = random() < 0.1 ? (schema.maxLength ?? 300) + 1
    : random() < 0.2 ? least : least + Math.floor(random() * 20)
  return Array.from({ length: Math.min(length, 20_000) }, () => oneOf([...'abcXYZ 0-_ß語'], random)).join('')
}

function judge(route: Route, { status, text, headers }: Answer): string | undefined {
  if (status === 503 && headers['retry-after'] !== undefined) return undefined
  if (status >= 500) return `answered ${status} ${text.slice(0, 200)}`
  const declared = new Set([
    ...Object.keys(route.response).map(Number), ...problemsOf(route).map((kind) => kind.status),
  ])
  // What is no request of this route at all: another type, too long, an address that nothing has.
  for (const edge of [404, 405, 406, 413, 414, 415, 431]) declared.add(edge)
  if (!declared.has(status)) return `answered ${status}, which it does not declare: ${text.slice(0, 200)}`
  if (/syntax error|at character \d+|node_modules|\/src\//.test(text) && !route.path.startsWith('/docs')) {
    return `tells of its insides: ${text.slice(0, 200)}`
  }
  return undefined
}

function codeOf({ status, text }: Answer): string {
  if (status < 400) return ''
  try {
    return String(JSON.parse(text).type ?? '').split('/').at(-1)!
  } catch {
    return 'no JSON'
  }
}

function remember(known: string[], text: string): void {
  for (const id of text.slice(0, 20_000).match(ID)?.slice(0, 5) ?? []) {
    if (known.length < KNOWN_AT_MOST) known.push(id)
    else known[Math.floor(Math.random() * KNOWN_AT_MOST)] = id
  }
}

const told = ({ method, url, payload }: Asked): string =>
  `${method} ${url.slice(0, 300)} ${String(payload ?? '').slice(0, 600)}`
