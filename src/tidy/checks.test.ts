// A check that cannot fail is worthless: each rule of tidy is shown a sample that breaks it and one that keeps it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Type } from 'typebox'
import { problem } from '../platform/problem.ts'
import { route, type Route } from '../platform/http.ts'
import { againstTheGraph, crossedBorders, cycleIn, deadExports, importsOf, unlistedPackages } from './borders.ts'
import { describeBuilt, difference } from './database.ts'
import { routeFindings, unserved } from './routes.ts'
import { parseSources, type Finding, type Rule } from './source.ts'
import { crossedSchemas, foreignNames, neverRun, statementsOf } from './statements.ts'
import { machinePath, styleRules } from './style.ts'

const one = (text: string, path = 'src/modules/orders/place-order.ts') => parseSources({ [path]: text })[0]!
const wrongs = (findings: Finding[]): string[] => findings.map(({ line, wrong }) => `${line}: ${wrong}`)
const lines = (count: number, text = '1'): string => Array(count).fill(text).join('\n')

describe('style', () => {
  const samples: [rule: string, good: string, bad: string, at: string, path?: string][] = [
    [
      'lines', `const a = '${'x'.repeat(108)}'`, `\nconst a = '${'x'.repeat(109)}'`,
      '2: The line has 121 characters, 120 are allowed',
    ],
    ['files have', lines(300), lines(301), '301: The file has 301 lines, 300 are allowed'],
    ['files have', `${lines(400)}\n`, lines(401), '401: The file has 401 lines, 400 are allowed', 'src/a.test.ts'],
    [
      'functions fit', `function a() {\n${lines(68)}\n}`, `const a = () => {\n${lines(69)}\n}`,
      '1: The function has 71 lines, 70 fit a screen',
    ],
    [
      'functions fit', `describe('all', () => {\n${lines(90)}\n})`, `test('all', () => {\n${lines(90)}\n})`,
      '1: The function has 92 lines, 70 fit a screen',
    ],
    [
      'functions take', 'function a(b, c, d, e, f) {}', 'const a = (b, c, d, e, f, g) => 1',
      '1: The function takes 6 parameters, 5 are allowed',
    ],
    [
      'each file opens', '#!/usr/bin/env node\n// What and why.\n', 'export {}',
      '1: The file opens with 0 lines of comment, one to five are due',
    ],
    [
      'each file opens', lines(5, '// why'), lines(6, '// why'),
      '1: The file opens with 6 lines of comment, one to five are due',
    ],
    ['no class', 'function baseline() {}', 'class CartManager {}', '1: The name CartManager says nothing'],
    ['no class', 'type Basement = 1', 'type CartHelpers = 1', '1: The name CartHelpers says nothing'],
    ['no semicolons', 'const a = `insert;\n;`', 'const a = 1;', '1: The line ends with a semicolon'],
    ['no semicolons', 'const a = "isn\'t"', 'const a = "is"', '1: A string in double quotes'],
  ]
  for (const [name, good, bad, at, path] of samples) {
    test(`${name}: ${at}`, () => {
      const rule = rules(name)
      assert.deepEqual(wrongs(rule(one(good, path))), [])
      assert.deepEqual(wrongs(rule(one(bad, path))), [at])
    })
  }

  test('file names', () => {
    const bad = [
      'a/utils.ts', 'a/services/b.ts', 'a/index.ts', 'a/cart-helper.ts', 'a/placeOrder.ts', 'a/index.test.ts',
    ]
    for (const path of bad) assert.equal(rules('files are named')({ ...one(''), path }).length, 1, path)
    for (const path of ['a/place-order.ts', 'a/place-order.test.ts', 'shop.config.ts', 'a/0001-start.mjs']) {
      assert.equal(rules('files are named')({ ...one(''), path }).length, 0, path)
    }
  })

  test('paths of one machine', () => {
    const slash = '/'
    assert.equal(machinePath('a', `cd ${slash}home/ann`).length, 1)
    assert.equal(machinePath('a', `join(C:${'\\\\'}Users)`).length, 1)
    assert.equal(machinePath('a', `https://kontor.dev${slash}home/x a${slash}tmp/b`).length, 0)
  })

  function rules(name: string): Rule {
    return Object.entries(styleRules).find(([full]) => full.startsWith(name))![1]
  }
})

describe('borders', () => {
  const graph = { catalog: [], pricing: ['catalog'], orders: ['pricing'] }
  const crossed = (text: string, path: string): string[] => wrongs(crossedBorders(one(text, path), graph))

  test('imports', () => {
    const inOrders = 'src/modules/orders/a.ts'
    assert.deepEqual(crossed(`import { quote } from '../pricing/quote.ts'`, inOrders), [])
    assert.deepEqual(crossed(`import { a } from '../catalog/a.ts'`, inOrders), ['1: orders may not import catalog'])
    assert.deepEqual(crossed(`export { a } from '../catalog/a.ts'`, inOrders), ['1: orders may not import catalog'])
    assert.deepEqual(crossed(`await import('../catalog/a.ts')`, inOrders), ['1: orders may not import catalog'])
    assert.deepEqual(crossed(`import { a } from '../pricing/internal/a.ts'`, inOrders), [
      '1: src/modules/pricing/internal/a.ts is private to pricing',
    ])
    assert.deepEqual(crossed(`import { a } from './internal/a.ts'`, inOrders), [])
    assert.deepEqual(crossed(
      `import { a } from '../modules/orders/a.ts'`, 'src/platform/db.ts'
    ), ['1: The platform imports src/modules/orders/a.ts'])
  })

  test('a type-only import may run against the graph, and is listed', () => {
    const source = one(
      `import type { Placed } from '../orders/orders.ts'\nimport { type Lapsed } from '../orders/orders.ts'`,
      'src/modules/catalog/a.ts'
    )
    assert.deepEqual(crossedBorders(source, graph), [])
    assert.deepEqual(againstTheGraph(source, graph), ['catalog → orders: Placed', 'catalog → orders: Lapsed'])
    assert.deepEqual(crossed(
      `import { type A, b } from '../orders/orders.ts'`, 'src/modules/catalog/a.ts'
    ), ['1: catalog may not import orders'])
  })

  test('cycles', () => {
    assert.equal(cycleIn(graph), undefined)
    assert.equal(cycleIn({ a: ['b'], b: ['c'], c: ['b'] }), 'b → c → b')
  })

  test('packages', () => {
    const names = ['fastify', '@fastify/x/y', 'left-pad', 'fs', 'node:fs', '../../platform/db.ts']
    const source = one(names.map((name) => `import '${name}'`).join('\n'))
    assert.deepEqual(wrongs(unlistedPackages(source, new Set(['fastify', '@fastify/x']))), [
      '3: The package left-pad is not in package.json', `4: "fs" is Node's own`,
    ])
  })

  test('dead exports', () => {
    const sources = parseSources({
      'src/a.ts': `export const used = 1\nexport function dead() {}\nexport type Own = 1\nconst x: Own = 1`,
      'src/b.ts': `import { used as renamed } from './a.ts'`,
    })
    assert.deepEqual(wrongs(deadExports(sources)), ['2: Nobody uses dead'])
    assert.deepEqual(importsOf(sources[1]!)[0]!.names, ['used'])
  })
})

describe('statements', () => {
  const ownership = { schemas: ['platform', 'catalog', 'orders'], views: { catalog: ['sellable_variant'] } }
  const found = (text: string, owner = 'orders'): string[] => wrongs(
    foreignNames([{ path: 'a', line: 10, text }], owner, ownership)
  )

  test('a statement names its own schema and published views', () => {
    assert.deepEqual(found(`select o.id from orders."order" o join catalog.sellable_variant v on v.id = o.id`), [])
    assert.deepEqual(
      found(`select 'catalog.product' -- catalog.product\n, /* catalog.product */ extensions.unaccent('x')`), []
    )
    assert.deepEqual(found(`select 1\nfrom catalog.product`), ['11: A statement of orders names catalog.product'])
    assert.deepEqual(
      found(`select 1 from orders.a, "catalog".product`), ['10: A statement of orders names catalog.product']
    )
    assert.deepEqual(found(
      `create function orders.f() as $$ begin delete from catalog.product; end $$`
    ), ['10: A statement of orders names catalog.product'])
    assert.deepEqual(
      found('insert into platform.event default values'), ['10: A statement of orders names platform.event']
    )
  })

  test('every relation has its schema', () => {
    assert.deepEqual(found('select 1 from line'), ['10: "line" is named without its schema'])
    assert.deepEqual(found('update line set a = 1'), ['10: "line" is named without its schema'])
    assert.deepEqual(found('with line as materialized (select 1) select 1 from line join unnest(${}) u on true'), [])
    assert.deepEqual(found(
      'select extract(day from at), a is distinct from b, trim(both from c) from orders.line for update of line'
    ), [])
    assert.deepEqual(found('select "from" bigint from lateral (select 1) a on conflict do update set a = 1'), [])
  })

  test('statements past the tag are read too, tests are not', () => {
    const text = 'const a = sql`select ${x} from catalog.product`\nawait client.query("select 1 from catalog.price")\n'
      + 'const b = `copy catalog.${t} from stdin`'
    assert.deepEqual(wrongs(crossedSchemas(one(text), ownership)), [
      '1: A statement of orders names catalog.product', '2: A statement of orders names catalog.price',
      '3: A statement of orders names catalog.${}',
    ])
    assert.deepEqual(crossedSchemas(one(text, 'src/modules/orders/a.test.ts'), ownership), [])
  })

  test('a statement that no test ran is named', () => {
    const statements = statementsOf(one('const a = sql`select ${b ? sql`x` : none} \\d`\nconst c = sql`y`'))
    assert.deepEqual(
      statements.map(({ line, text }) => [line, text]), [[1, 'select ${} \\d'.replace('\\', '')], [1, 'x'], [2, 'y']]
    )
    assert.deepEqual(wrongs(neverRun(statements, new Set(['x']))), [
      '1: No test has run this statement', '2: No test has run this statement',
    ])
  })
})

test('schema.sql and migrations are compared by what they make', async () => {
  const server = process.env['TEST_DATABASE_URL']
  assert.ok(server, 'TEST_DATABASE_URL is not set: run the tests with `npm test`')
  const build = (text: string): Promise<string[]> => describeBuilt(
    server, [{ name: 'sample', text: `create schema s; ${text}` }]
  )
  const [migrated, same, other] = await Promise.all([
    build(`create table s.a (x int); alter table s.a add column y text constraint y_short check (length(y) < 9);
      create index i on s.a (x)`),
    build(`create table s.a (y text constraint y_short check (length(y) < 9), x int); create index i on s.a (x)`),
    build(`create table s.a (y text, x int not null); create index i on s.a (x) where x > 1`),
  ])
  assert.deepEqual(difference(migrated, same), [])
  assert.equal(difference(migrated, other).length, 6)
  await assert.rejects(build('create table s.'), /^Error: sample: syntax error/)
})

test('routes', () => {
  const good = route({
    method: 'GET', path: '/store/carts/:cartId', access: 'shopper', summary: 'Read', tags: ['Cart'],
    params: Type.Object({ cartId: Type.String() }), response: { 200: Type.Object({}) },
    problems: [problem('x', 404, 'x')], run: async () => ({}),
  })
  const found = (...routes: object[]): string[] => routeFindings(
    routes.map((changed) => ({ path: 'a', route: { ...good, ...changed } as Route }))
  ).map(({ wrong }) => wrong)
  assert.deepEqual(found({}), [])
  assert.match(found({ access: undefined })[0]!, /does not say who may call it/)
  assert.match(
    found({}, { path: '/store/carts/:id', params: Type.Object({ id: Type.String() }) })[0]!, /is served twice/
  )
  assert.match(found({ path: '/admin/carts/:cartId' })[0]!, /is for shopper under a foreign prefix/)
  assert.match(found({ access: { permission: 'cart:read' } })[0]!, /is for staff under a foreign prefix/)
  assert.match(found({ params: undefined })[0]!, /has cartId in its path/)
  assert.match(found({ method: 'POST' })[0]!, /repeated Idempotency-Key/)
  const declared = one(`route({ method: 'GET', path: '/a' })\nroute({ method: 'GET', path: '/b' })`)
  assert.deepEqual(wrongs(unserved(declared, new Set(['GET /a']))), ['2: GET /b is declared and not served'])
})
