// Style and borders as a test: what CONTRIBUTING.md asks for, held by a machine. Each failure names file and line, the
// rule and the cure. That these checks can fail is tested in src/tidy/checks.test.ts.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { adminApi, storeApi } from './apis.ts'
import { graph, views } from './modules/graph.ts'
import type { Route } from './platform/http.ts'
import { openApiDocument } from './platform/openapi.ts'
import { faults } from './tidy/api-document.ts'
import { againstTheGraph, crossedBorders, cycleIn, deadExports, unlistedPackages } from './tidy/borders.ts'
import { describeBuilt, difference } from './tidy/database.ts'
import { routeFindings, unserved, type Served } from './tidy/routes.ts'
import { describeFindings, isGenerated, listFiles, readSources, type Finding } from './tidy/source.ts'
import { crossedSchemas, foreignNames } from './tidy/statements.ts'
import { machinePath, styleRules } from './tidy/style.ts'

const root = join(import.meta.dirname, '..')
const files = listFiles(root)
const sources = readSources(root)
const written = sources.filter(({ text }) => !isGenerated(text))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const modules = Object.keys(graph)
// Any table may leave a mark by the platform's trigger.
// Besides views: functions that were made for the statements and migrations of others.
const functions = { platform: ['note_terms'], payments: ['book_opening_sale'] }
const ownership = { schemas: ['platform', ...modules], views: { ...views, ...functions } }

function holds(findings: Finding[]): void {
  if (findings.length > 0) assert.fail(`${findings.length} broken:\n${describeFindings(findings)}`)
}

describe('style', () => {
  for (const [name, rule] of Object.entries(styleRules)) test(name, () => holds(written.flatMap(rule)))

  test('no path of one machine', () => {
    const texts = files.filter(
      (path) => /\.(?:[cm]?[jt]sx?|sql|json|md|html|css|ya?ml)$/.test(path) && !path.includes('package-lock')
    )
    holds(texts.flatMap((path) => machinePath(path, read(path))))
  })

  test('what is exported is used', () => holds(deadExports(sources)))
})

describe('borders', () => {
  test('the graph of modules has no cycle and names only modules', () => {
    assert.equal(cycleIn(graph), undefined)
    for (const name of Object.values(graph).flat()) assert.ok(
      modules.includes(name), `graph.ts names ${name}, which is no module`
    )
    const folders = new Set(files.flatMap((path) => /^src\/modules\/([^/]+)\//.exec(path)?.[1] ?? []))
    for (const folder of folders) assert.ok(
      modules.includes(folder), `src/modules/${folder} is not in src/modules/graph.ts`
    )
  })

  test('imports follow the graph, internals stay private, the platform knows no module', () => {
    holds(sources.flatMap((source) => crossedBorders(source, graph)))
  })

  test('type-only imports against the graph are these', () => {
    assert.deepEqual(sources.flatMap((source) => againstTheGraph(source, graph)).sort(), [])
  })

  test('packages that are imported are in package.json', () => {
    const own = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
    const listed = new Set(
      [...Object.keys(own['dependencies']!), ...Object.keys(own['devDependencies']!), '@kontor/sdk']
    )
    holds(sources.flatMap((source) => unlistedPackages(source, listed)))
  })

  test('statements name only their own schema or a published view', () => {
    holds(sources.flatMap((source) => crossedSchemas(source, ownership)))
    const scripts = files.filter((path) => /^src\/(?:modules\/[^/]+|platform)\/.*\.sql$/.test(path))
    holds(scripts.flatMap((path) => foreignNames(
      [{ path, line: 1, text: read(path) }], path.split('/').at(path.includes('/modules/') ? 2 : 1)!, ownership
    )))
  })

  test('a view that graph.ts publishes is there, and its owner says that it is published', () => {
    for (const [name, published] of Object.entries(views)) {
      for (const view of published) {
        const text = read(`src/modules/${name}/schema.sql`)
        assert.match(text, new RegExp(`^-- Published.*\\n(?:--.*\\n)*create view ${name}\\.${view} `, 'm'),
          `src/modules/${name}/schema.sql has no view ${view} below a comment that begins with "Published"`)
      }
    }
  })
})

describe('migrations', () => {
  const migrations = [
    ...files.filter((path) => /^src\/platform\/migrations\/.*\.sql$/.test(path)),
    ...modules.flatMap((name) => files.filter((path) => path.startsWith(`src/modules/${name}/migrations/`))),
  ]
  const schemas = [
    'src/platform/schema.sql', ...modules.map((name) => `src/modules/${name}/schema.sql`),
  ].filter((path) => files.includes(path))

  test('each has a lock timeout, so that it never queues a shop behind itself', () => {
    holds(migrations.filter((path) => !/^set local lock_timeout = '\d+m?s';$/m.test(read(path))).map((path) => ({
      path, line: 1, wrong: 'The migration has no lock timeout', cure: "Begin it with: set local lock_timeout = '5s';",
    })))
  })

  test('schema.sql says what the migrations made', async () => {
    const server = process.env['TEST_DATABASE_URL']
    assert.ok(server, 'TEST_DATABASE_URL is not set: run the tests with `npm test`')
    const textsOf = (paths: string[]): { name: string; text: string }[] => paths.map(
      (path) => ({ name: path, text: read(path) })
    )
    const [migrated, described] = await Promise.all(
      [describeBuilt(server, textsOf(migrations)), describeBuilt(server, textsOf(schemas))]
    )
    assert.deepEqual(difference(migrated, described), [])
  })
})

describe('routes', async () => {
  const apis = files.filter((path) => /^src\/modules\/[^/]+\/(?:store|admin)-api\.ts$/.test(path))
  const served = (await Promise.all(apis.map(async (path): Promise<Served[]> => {
    const exported = await import(join(root, path)) as Record<string, readonly Route[]>
    return Object.values(exported).flat().map((route) => ({ path, route }))
  }))).flat()
  const listed = new Set([...storeApi.routes, ...adminApi.routes])

  test('each API of a module is listed in src/apis.ts', () => {
    assert.deepEqual(apis.filter((path) => served.some((one) => one.path === path && !listed.has(one.route))), [])
  })

  test('each says who may call it, is served once and under the right prefix', () => holds(routeFindings(served)))

  test('make sound OpenAPI documents', () => {
    for (const api of [storeApi, adminApi]) assert.deepEqual(faults(openApiDocument(api)), [])
  })

  test('each that is declared is served', () => {
    const addresses = new Set(served.map(({ route }) => `${route.method} ${route.path}`))
    holds(
      sources.filter(({ path }) => path.startsWith('src/modules/')).flatMap((source) => unserved(source, addresses))
    )
  })
})
