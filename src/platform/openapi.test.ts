// What a document says about routes of our own invention. The documents of the shop's routes are checked by
// src/tidy.test.ts.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { Type } from 'typebox'
import { faults } from '../tidy/api-document.ts'
import { createLog } from './log.ts'
import { createApp, Page, PageQuery, route, type Route } from './http.ts'
import { openApiDocument } from './openapi.ts'
import { operationName } from './operation-name.ts'
import { problem, VersionConflict } from './problem.ts'
import { referenceRoutes } from './reference.ts'
import { testDatabase } from './testing.ts'

const Mug = Type.Object(
  { mugId: Type.String({ format: 'uuid' }), glaze: Type.String(), notes: Type.Record(Type.String(), Type.String()) }
)
const MugSummary = Type.Object({ mugId: Type.String(), glaze: Type.String() })
const MugBroken = problem('mug-broken', 409, 'The mug is broken', Type.Object({ shards: Type.Integer() }))
const mug = {
  params: Type.Object({ mugId: Type.String() }), tags: ['Mugs'], response: { 200: Mug }, run: async () => ({}) as any,
}

const routes: Route[] = [
  route({ ...mug, method: 'GET', path: '/store/mugs', access: 'shopper', summary: 'List mugs', params: undefined,
    query: Type.Object(
      { ...PageQuery, glaze: Type.Optional(Type.String({ description: 'As the potter calls it' })) }
    ), response: { 200: Page(MugSummary) } }),
  route({ ...mug, method: 'GET', path: '/store/mugs/:mugId', access: 'public', summary: 'Read a mug' }),
  route({ ...mug, method: 'POST', path: '/store/mugs/:mugId/glaze', access: 'shopper', summary: 'Glaze a mug',
  problems: [MugBroken],
    body: Type.Object({ glaze: Type.String() }), replay: async () => ({}) }),
  route({
    ...mug, method: 'PATCH', path: '/admin/mugs/:mugId', access: { permission: 'mugs:write' }, summary: 'Change a mug',
    problems: [VersionConflict],
  }),
  route({
    ...mug, method: 'DELETE', path: '/admin/mugs/:mugId', access: 'staff', summary: 'Break a mug',
    response: { 204: null },
  }),
]
const document = openApiDocument({ title: 'Mugs', version: '1', description: 'A shop of mugs', routes })

describe('the OpenAPI document', () => {
  test('is sound, and an unsound one is noticed', () => {
    assert.deepEqual(faults(document), [])
    const broken = structuredClone(document)
    broken.paths['/store/mugs']!['get']!['parameters'] = [{ name: 'x', in: 'path', schema: { type: 'nonsense' } }]
    broken.components['schemas'].Mug.properties.glaze = { $ref: '#/components/schemas/Nothing' }
    const found = faults(broken).join('\n')
    for (const fault of [/get \/store\/mugs declares the parameters \(x\) and names \(\)/,
    /Mug\/properties\/glaze: .*Nothing leads nowhere/,
      /get\/parameters\/0: .*type/]) assert.match(found, fault)
  })

  test('says who may call, and with what', () => {
    assert.deepEqual(document.paths['/store/mugs/{mugId}']!['get']!['security'], [])
    assert.deepEqual(document.paths['/store/mugs']!['get']!['security'], [
      { publishableKey: [] }, { publishableKey: [], shopperToken: [] },
    ])
    assert.match(document.paths['/admin/mugs/{mugId}']!['patch']!['description'], /`mugs:write`/)
    const names = (path: string, method: string): string[] =>
      document.paths[path]![method]!['parameters'].map((one: any) => one.name)
    assert.deepEqual(names('/store/mugs', 'get'), ['limit', 'cursor', 'glaze'])
    assert.deepEqual(names('/store/mugs/{mugId}/glaze', 'post'), ['mugId', 'Idempotency-Key'])
    assert.deepEqual(names('/admin/mugs/{mugId}', 'patch'), ['mugId', 'If-Match'])
  })

  test('names what is answered, and refuses unknown fields', () => {
    const { schemas } = document.components as any
    assert.deepEqual(
      Object.keys(schemas).filter((name) => name.startsWith('Mug')), ['Mug', 'MugSummary', 'MugBrokenProblem']
    )
    assert.deepEqual(schemas.Mug.properties.notes, { type: 'object', additionalProperties: { type: 'string' } })
    const glaze = document.paths['/store/mugs/{mugId}/glaze']!['post'] as any
    assert.equal(glaze.requestBody.content['application/json'].schema.additionalProperties, false)
    assert.deepEqual(glaze.responses['200'].content['application/json'].schema, { $ref: '#/components/schemas/Mug' })
  })

  test('lists the problems of a route by their type', () => {
    const { responses } = document.paths['/store/mugs/{mugId}/glaze']!['post'] as any
    assert.deepEqual(responses['409'].content['application/problem+json'].schema.anyOf[0], {
      $ref: '#/components/schemas/MugBrokenProblem',
    })
    const { properties } = (document.components as any).schemas.MugBrokenProblem
    assert.equal(properties.type.const, 'https://kontor.dev/problems/mug-broken')
    assert.deepEqual(properties.shards, { type: 'integer' })
  })

  test('two operations of one name are refused', () => {
    assert.throws(() => openApiDocument(
      { title: '', version: '', description: '', routes: [routes[0]!, { ...routes[0]!, path: '/admin/mugs' }] }
    ),
      /GET \/admin\/mugs: another operation is called listMugs as well/)
  })
})

test('the reference is served: documents as JSON, a page for people that may load nothing', async (t) => {
  const db = await testDatabase(t)
  const described = { title: 'Mugs & <more>', version: '1', description: 'A shop of mugs', routes }
  const app = await createApp({
    db, routes: referenceRoutes({ store: described }), authenticate: async () => ({ kind: 'anonymous' }),
    log: createLog('silent'),
  })
  t.after(() => app.close())
  const json = await app.inject('/openapi/store.json')
  assert.equal(json.statusCode, 200)
  assert.equal(json.json().paths['/store/mugs'].get.operationId, 'listMugs')
  const page = await app.inject('/docs')
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
  assert.match(page.body, /<title>Mugs &amp; &lt;more&gt;: API reference/)
  assert.match(page.body, /curl -X POST \$KONTOR_URL\/store\/mugs\/\$mugId\/glaze/)
  for (const tag of ['style', 'script']) {
    const inline = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(page.body)![1]!
    const hash = createHash('sha256').update(inline).digest('base64')
    assert.ok(String(page.headers['content-security-policy']).includes(`${tag}-src 'sha256-${hash}'`), tag)
  }
})

test('names of operations', () => {
  const named = (method: Route['method'], path: string, list = false, status = 200): string =>
    operationName({ method, path, response: { [status]: list ? Page(Mug) : Mug } } as unknown as Route)
  assert.equal(named('GET', '/admin/price-lists', true), 'listPriceLists')
  assert.equal(named('GET', '/admin/price-lists/:priceListId'), 'getPriceList')
  assert.equal(named('GET', '/admin/price-lists/:priceListId/prices', true), 'listPriceListPrices')
  assert.equal(named('GET', '/store/carts/:cartId/quote'), 'getCartQuote')
  assert.equal(named('POST', '/admin/categories', false, 201), 'createCategory')
  assert.equal(named('POST', '/admin/staff', false, 201), 'createStaff')
  assert.equal(named('POST', '/store/carts/:cartId/lines'), 'addCartLines')
  assert.equal(named('POST', '/store/carts/:cartId/complete'), 'completeCart')
  assert.equal(named('POST', '/store/checkout'), 'checkout')
  assert.equal(named('PUT', '/admin/tax-rates'), 'setTaxRates')
  assert.equal(named('PATCH', '/admin/addresses/:addressId'), 'updateAddress')
  assert.equal(named('DELETE', '/store/carts/:cartId/coupons/:code'), 'deleteCartCoupon')
  assert.equal(operationName({ operationId: 'signIn' } as Route), 'signIn')
})
