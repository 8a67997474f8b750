// Mass assignment: to every body, at every level of it, fields are added that would be worth something if anybody took
// them. Each has to be refused by its name, and nothing may happen: a field that is silently ignored today is taken by
// the next version that reads the whole body.
import type { TSchema } from 'typebox'
import type { Route } from '../src/platform/http.ts'
import { branchOf, fitting } from './fitting.ts'
import { footprint, urlOf, type Ground, type Headers } from './ground.ts'
import { nameOf, operations } from './matrix.ts'

export type Tried = { operation: string; place: string; field: string; status: number; wrong: string | undefined }

const WORTH: Readonly<Record<string, unknown>> = {
  id: '01900000-0000-7000-8000-000000000000', userId: 1, customerId: 1, companyId: 1, staffId: 1, ownerId: 1,
  channelId: '01900000-0000-7000-8000-000000000000', role: 'owner', roles: ['owner'], permissions: ['*'], isAdmin: true,
  admin: true, active: true, verified: true, emailVerified: true, passwordHash: 'x', token: 'x', price: 1, unitPrice: 1,
  priceMinor: 1, total: 0, totalMinor: 0, discount: 100, discountMinor: 1_000, paid: true, paymentStatus: 'paid',
  status: 'active', state: 'placed', version: 99, createdAt: '2020-01-01T00:00:00Z', stock: 1_000, used: 0,
  constructor: { prototype: { isAdmin: true } }, prototype: { isAdmin: true }, toString: 'x', $where: '1',
}
// JSON.parse makes it a field of its own; JSON.stringify would not write it.
const PROTO = '__proto__'

/** Every field at every level of every body, or with `few` some of them. */
export async function tryAssign(
  ground: Ground, routes: readonly Route[] = operations, few = false,
): Promise<Tried[]> {
  const tried: Tried[] = []
  for (const route of routes.filter(({ body, rawBody }) => body && !rawBody)) {
    const body = fitting(route.body, ground.ids)
    for (const place of placesOf(route.body!, body)) {
      const names = [...Object.keys(WORTH).filter((name) => !place.declared.has(name)), PROTO]
      for (const field of few ? names.filter((_, index) => index % 9 === tried.length % 9) : names) {
        const added = JSON.stringify(field === PROTO ? { isAdmin: true } : WORTH[field])
        const payload = withField(body, place, `${JSON.stringify(field)}:${added}`)
        const outcome = await tryOne(ground, route, field, payload)
        tried.push({ operation: nameOf(route), place: place.path, field, ...outcome })
      }
    }
  }
  return tried
}

async function tryOne(
  ground: Ground, route: Route, field: string, payload: string,
): Promise<Pick<Tried, 'status' | 'wrong'>> {
  const headers = { ...await whoMay(ground, route), 'content-type': 'application/json' }
  const before = await footprint(ground)
  const { status, text } = await ground.ask({ method: route.method, url: urlOf(route, ground.ids), headers, payload })
  if (await footprint(ground) !== before) return { status, wrong: `${status}, and something happened` }
  if (status !== 400) return { status, wrong: `${status}, not refused: ${text.slice(0, 200)}` }
  // A refusal for another reason would hide that the field is taken.
  return { status, wrong: text.includes(field) ? undefined : `400, but not for ${field}: ${text.slice(0, 200)}` }
}

/** Somebody who may: what is refused is refused because of the field. */
async function whoMay({ keys, victim, customer, staff }: Ground, { access, path }: Route): Promise<Headers> {
  if (access === 'customer') return customer()
  if (access !== 'shopper') return staff()
  const token = path.includes(':orderId') ? victim.orderToken : victim.cartToken
  return { 'x-publishable-key': keys.own, authorization: `Bearer ${token}` }
}

type Place = { path: string; value: object; declared: ReadonlySet<string> }

/** The objects within a body that name their fields. A map takes any name, so that none is too many in it. */
function placesOf(schema: TSchema, value: any, path = 'body'): Place[] {
  const { properties, patternProperties, items, anyOf } = schema as any
  if (anyOf) return placesOf(branchOf({ anyOf }), value, path)
  if (Array.isArray(value)) return value.length > 0 && items ? placesOf(items, value[0], `${path}[0]`) : []
  if (typeof value !== 'object' || value === null || !properties) return []
  const inner = Object.entries(value).flatMap(([name, one]) =>
    placesOf(properties[name] ?? {}, one, `${path}.${name}`))
  return patternProperties ? inner : [{ path, value, declared: new Set(Object.keys(properties)) }, ...inner]
}

function withField(body: unknown, { value }: Place, written: string): string {
  const mark = '"the place":0'
  const text = JSON.stringify(body, (_, one) => (one === value ? { ...one, 'the place': 0 } : one))
  return text.replace(mark, () => written)
}
