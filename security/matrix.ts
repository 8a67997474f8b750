// The authorisation matrix, generated from the table of routes: each operation is tried by everybody who may not, with
// ids of real things that are somebody else's, and once by somebody who may. A route that fits no row of the matrix
// fails.
import { adminApi, storeApi } from '../src/apis.ts'
import type { Route } from '../src/platform/http.ts'
import { systemRoutes } from '../src/system-routes.ts'
import { footprint, HERE, urlOf, type Answer, type Ground, type Headers } from './ground.ts'

export type Cell = { operation: string; access: string; principal: string; wanted: string; got: string; leak: boolean }

/** Who may call what without being anybody: named here, so that no route is open by mistake. */
const OPEN = new Set([
  'GET /', 'GET /health', 'GET /health/ready', 'GET /docs', 'GET /docs/store', 'GET /docs/admin',
  'GET /openapi/store.json', 'GET /openapi/admin.json', 'GET /media/:key/:name', 'POST /webhooks/:gateway',
  'GET /payments/:attemptId/return',
  'POST /admin/session', 'PUT /admin/session', 'POST /admin/session/passkey', 'PUT /admin/session/passkey',
  'POST /admin/password-reset', 'PUT /admin/password-reset',
  'PUT /admin/email-change', 'POST /admin/session/link', 'PUT /admin/session/link', 'GET /admin/sign-on',
  'POST /admin/sign-on/:provider', 'PUT /admin/sign-on/:provider',
])

export const operations: readonly Route[] = [...systemRoutes, ...storeApi.routes, ...adminApi.routes]
export const nameOf = ({ method, path }: Route): string => `${method} ${path}`

/** Every cell, tried; `progress` is told after each operation. */
export async function tryMatrix(
  ground: Ground, routes: readonly Route[] = operations, progress: (done: number) => void = () => {},
): Promise<Cell[]> {
  const cells: Cell[] = []
  for (const [index, route] of routes.entries()) {
    cells.push(...await tryOperation(ground, route))
    progress(index + 1)
  }
  return cells
}

type Try = {
  principal: string; headers: Headers; wanted: number | 'let in' | 'as if absent'
  /** Instead of those of the ground. */
  ids?: Ground['ids']
}

async function tryOperation(ground: Ground, route: Route): Promise<Cell[]> {
  const cells: Cell[] = []
  for (const one of await triesOf(ground, route)) {
    const before = await footprint(ground)
    const answer = await send(ground, route, one)
    const left = await footprint(ground) !== before
    cells.push(await judge(ground, route, one, answer, left))
  }
  return cells
}

async function triesOf(ground: Ground, route: Route): Promise<Try[]> {
  const { access } = route
  if (access === 'public' || access === 'webhook') return openTries(route)
  if (access === 'shopper') return [...shopperTries(ground, route), ...await customersTries(ground, route)]
  if (access === 'customer') return customerTries(ground, route)
  const { gone, keys } = ground
  const permission = typeof access === 'object' ? access.permission : undefined
  const strangers: Try[] = [
    { principal: 'nobody', headers: {}, wanted: 401 },
    { principal: 'a shopper', headers: { 'x-publishable-key': keys.own }, wanted: 401 },
    { principal: 'a shopper with a token', headers: bearer(ground.victim.cartToken, keys.own), wanted: 401 },
    ...Object.entries(gone).map(([principal, headers]) => ({ principal, headers, wanted: 401 as const })),
  ]
  const staff = await ground.staff()
  const foreign: Try[] = route.method === 'GET' ? [] : [
    { principal: 'staff, from a foreign page', headers: { ...staff, 'sec-fetch-site': 'cross-site' }, wanted: 403 },
    { principal: 'staff, from nowhere', headers: { host: HERE['host']!, cookie: staff['cookie']! }, wanted: 403 },
  ]
  if (!permission) {
    return [...strangers, ...foreign, { principal: 'a key with everything', headers: await ground.key(), wanted: 403 }]
  }
  const keeps = typeof access === 'object' && 'within' in access && access.within === 'channels'
  const kept: Try[] = keeps && /:(orderId|paymentId|caseId)/.test(route.path)
    ? [{ principal: 'a key kept to another channel', headers: await ground.kept(), wanted: 'as if absent' }] : []
  return [
    ...strangers, ...foreign, ...kept,
    { principal: `staff without ${permission}`, headers: await ground.staff(permission), wanted: 403 },
    { principal: `a key without ${permission}`, headers: await ground.key(permission), wanted: 403 },
    { principal: 'a key with everything', headers: await ground.key(), wanted: 'let in' },
  ]
}

function openTries(route: Route): Try[] {
  if (OPEN.has(nameOf(route))) return [{ principal: 'nobody', headers: {}, wanted: 'let in' }]
  throw new Error(`${nameOf(route)} is open to everybody and is not in the list of those that are meant to be`)
}

const bearer = (token: string, key: string): Headers => (
  { 'x-publishable-key': key, authorization: `Bearer ${token}` })

function shopperTries({ keys, victim, other }: Ground, route: Route): Try[] {
  const tries: Try[] = [
    { principal: 'nobody', headers: {}, wanted: 401 },
    { principal: 'an invented key', headers: { 'x-publishable-key': `pk_${'a'.repeat(43)}` }, wanted: 401 },
    { principal: 'a revoked key', headers: { 'x-publishable-key': keys.revoked }, wanted: 401 },
  ]
  const owned = /:(cartId|orderId)/.exec(route.path)?.[1]
  if (!owned) {
    return [...tries, { principal: 'a shopper', headers: { 'x-publishable-key': keys.own }, wanted: 'let in' }]
  }
  const [own, foreign] = owned === 'cartId' ? [victim.cartToken, other.cartToken]
    : [victim.orderToken, other.orderToken]
  return [
    ...tries,
    { principal: 'a shopper without a token', headers: { 'x-publishable-key': keys.own }, wanted: 'as if absent' },
    { principal: 'another shopper', headers: bearer(foreign, keys.own), wanted: 'as if absent' },
    { principal: 'the owner, in another channel', headers: bearer(own, keys.otherChannel), wanted: 'as if absent' },
    { principal: 'an invented token', headers: bearer('a'.repeat(43), keys.own), wanted: 'as if absent' },
    { principal: 'the owner', headers: bearer(own, keys.own), wanted: 'let in' },
  ]
}

/** Who may not open what belongs to a customer: not the token that came with it either. */
async function customersTries({ victimCustomer, newCustomer, keys, victim }: Ground, route: Route): Promise<Try[]> {
  if (!/:(cartId|orderId)/.test(route.path)) return []
  const { cartId, orderId, cartToken, orderToken, headers } = victimCustomer
  const [another, token] = [(await newCustomer()).headers, route.path.includes(':cartId') ? cartToken : orderToken]
  const ids = { cartId, orderId }
  return [
    { principal: 'a customer, at what is a guest’s', headers: another, wanted: 'as if absent' },
    { principal: 'another customer', ids, headers: another, wanted: 'as if absent' },
    { principal: 'the token of what is a customer’s', ids, headers: bearer(token, keys.own), wanted: 'as if absent' },
    { principal: 'a guest, at what is a customer’s', ids, headers: bearer(victim.cartToken, keys.own),
      wanted: 'as if absent' },
    { principal: 'the customer, in another channel', ids, wanted: 'as if absent',
      headers: { ...headers, 'x-publishable-key': keys.otherChannel } },
    { principal: 'the customer', ids, headers, wanted: 'let in' },
  ]
}

/** Of what only a customer may ask, nobody but one is told; and of the things of one, no other. */
async function customerTries({ gone, keys, victim, victimCustomer, newCustomer, staff }: Ground, route: Route) {
  const key = { 'x-publishable-key': keys.own }
  const { headers, cookie, ...ids } = await newCustomer()
  const tries: Try[] = [
    { principal: 'nobody', headers: {}, wanted: 401 },
    { principal: 'a shopper', headers: key, wanted: 401 },
    { principal: 'a shopper with a token', headers: bearer(victim.cartToken, keys.own), wanted: 401 },
    { principal: 'an invented session', headers: bearer(`session_${'a'.repeat(43)}`, keys.own), wanted: 401 },
    { principal: 'staff', headers: { ...key, ...await staff() }, wanted: 401 },
    { principal: 'a customer without a key', headers: { authorization: headers['authorization']! }, wanted: 401 },
    ...Object.entries(gone).map(([principal, were]) => ({
      principal, headers: { ...key, ...were }, wanted: 401 as const,
    })),
  ]
  if (route.method !== 'GET') {
    const from = { ...key, host: HERE['host']!, cookie }
    tries.push(
      { principal: 'a customer, from nowhere', headers: from, wanted: 403 },
      { principal: 'a customer, from a foreign page', wanted: 403,
        headers: { ...from, 'sec-fetch-site': 'cross-site' } })
  }
  if (/:(cartId|addressId|sessionId|passkeyId)/.test(route.path)) {
    const { headers: _, cookie: __, ...theirs } = victimCustomer
    tries.push({ principal: 'another customer', headers, wanted: 'as if absent', ids: theirs })
  }
  return [...tries, { principal: 'the customer', headers, ids, wanted: 'let in' as const }]
}

// Whoever is refused is refused before what he sent is looked at; whoever is let in is told what is wrong with it.
function send({ ask, ids }: Ground, route: Route, { headers, ids: own }: Try): Promise<Answer> {
  const url = urlOf(route, { ...ids, ...own })
  return ask({ method: route.method, url, headers, ...route.body ? { payload: {} } : {} })
}

async function judge(
  ground: Ground, route: Route, { principal, wanted, headers }: Try, answer: Answer, left: boolean,
): Promise<Cell> {
  const { access } = route
  const cell = {
    operation: nameOf(route), access: typeof access === 'object' ? access.permission : access, principal,
    wanted: String(wanted), got: String(answer.status), leak: false,
  }
  if (wanted === 'let in') return { ...cell, leak: answer.status === 401 || answer.status === 403 }
  if (answer.text.toLowerCase().includes(ground.secret.toLowerCase())) {
    return { ...cell, got: `${answer.status}, and told what is the victim's`, leak: true }
  }
  if (left) return { ...cell, got: `${answer.status}, and left something behind`, leak: true }
  if (wanted !== 'as if absent') return { ...cell, leak: answer.status !== wanted }
  const absent = await send(ground, route, {
    principal, headers, wanted,
    ids: Object.fromEntries([...OF_SHOPPERS, 'paymentId'].map((name) => [name, NOTHING])),
  })
  const tellsNothing = answer.status >= 400 || answer.text === '{"items":[]}'
  const same = answer.status === absent.status && shapeOf(answer) === shapeOf(absent) && tellsNothing
  return same ? cell : { ...cell, got: `${answer.status}, and ${absent.status} for what is not there`, leak: true }
}

const OF_SHOPPERS = ['cartId', 'orderId', 'addressId', 'sessionId', 'passkeyId']
const NOTHING = '01900000-0000-7000-8000-000000000000'

/** What an answer says, without the ids that it repeats. */
const shapeOf = ({ text }: Answer): string =>
  text.replace(/"(?:instance|requestId)":"[^"]*"/g, '').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')

/** The matrix as people read it: an operation a line, how many were refused, and who was not. */
export function tableOf(cells: readonly Cell[]): string {
  const lines = [...Map.groupBy(cells, ({ operation }) => operation)].map(([operation, all]) => {
    const leaks = all.filter(({ leak }) => leak)
    const refused = all.filter(({ wanted, leak }) => wanted !== 'let in' && !leak).length
    return [operation, all[0]!.access, `${refused} refused`, leaks.length === 0 ? '' : `LEAK ${leaks.map(
      ({ principal, wanted, got }) => `${principal} (wanted ${wanted}, got ${got})`).join('; ')}`]
  })
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]!.length)))
  return lines.map((line) =>
    line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}
