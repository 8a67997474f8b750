// `npm run bench [part …] [--quick] [--seed N] [--json]`: what the shop costs, beside the limit of the same thing
// measured in the same run. Starts its own server and database, draws a table, and ends with 1 when a bound is broken.
// Figures depend on the machine; ratios less so.
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createPublishableKey } from '../src/modules/identity/api-keys.ts'
import { allMigrations } from '../src/migrations.ts'
import { Db, systemContext } from '../src/platform/db.ts'
import { newId } from '../src/platform/id.ts'
import { migrateJobs } from '../src/platform/jobs.ts'
import { migrate } from '../src/platform/migrate.ts'
import { startPostgres } from '../src/platform/postgres.ts'
import { Connection } from './connection.ts'
import { randomFrom } from './measure.ts'
import { parts, type Outcome, type World } from './parts.ts'
import { knownIds, seed } from './seed.ts'
import { startShop } from './servers.ts'
import { Shopper } from './shopper.ts'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean' }, json: { type: 'boolean' }, seed: { type: 'string' }, help: { type: 'boolean' },
  },
})
const unknown = positionals.find((name) => !parts.some((part) => part.name === name))
if (options.help || unknown) {
  console.log('npm run bench -- [part …] [--quick] [--seed N] [--json]')
  for (const { name, about } of parts) console.log(`  ${name.padEnd(12)}${about}`)
  process.exit(unknown ? 2 : 0)
}
const chosen = positionals.length === 0 ? parts : parts.filter(({ name }) => positionals.includes(name))
const seedNumber = Number(options.seed ?? 1)

const MEMORY_AT_REST_MB = 250
const POOL = 16        // connections of the shop, and of the driver loop that it is compared with
const CLIENTS = 32     // twice as many shoppers as connections: the pool is always busy, and nobody waits long

const say = (text: string): void => void (options.json || process.stderr.write(`${text}\n`))

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kontor-bench-'))
  const postgres = await startPostgres({ throwaway: true, fsync: true, log: say })
  const db = new Db({ url: postgres.url, max: 8, applicationName: 'kontor bench' })
  try {
    say('Seeding 1,000 products')
    await migrate(db, allMigrations())
    await migrateJobs(db.url)
    const seeded = await seed(db)
    const key = await db.transaction(
      systemContext(), (tx) => createPublishableKey(tx, newId(), { name: 'bench', channelId: seeded.channelId })
    )
    const shop = await startShop(postgres.url, { pool: POOL })
    try {
      await new Promise((resolve) => setTimeout(resolve, 3000))   // what a start leaves to clean up is not rest
      const atRestMb = shop.memoryMegabytes()
      const world: World = {
        db, databaseUrl: postgres.url, folder, shop, key, seeded, known: await knownIds(db),
        random: randomFrom(seedNumber),
        seconds: options.quick ? 4 : 15, clients: CLIENTS, pool: POOL,
        note: (act) => noted(postgres.url, (url) => withShopper(url, key, seeded, act)),
      }
      const outcomes: (Outcome & { memoryMb: number })[] = []
      for (const part of chosen) {
        say(`${part.name}: ${part.about}`)
        outcomes.push({ ...judged(await part.run(world)), memoryMb: shop.memoryMegabytes() })
      }
      report(outcomes, atRestMb)
    } finally {
      await shop.stop()
    }
  } finally {
    await db.close()
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function withShopper(
  url: string, key: string, seeded: World['seeded'], act: (shopper: Shopper) => Promise<void>,
): Promise<void> {
  const connection = await Connection.open(url)
  await act(new Shopper(connection, key, seeded)).finally(() => connection.close())
}

// A second copy of the shop, which notes: the measured one shall not carry a notebook.
async function noted(databaseUrl: string, act: (url: string) => Promise<void>): ReturnType<World['note']> {
  const copy = await startShop(databaseUrl, { noting: true, pool: 4, roles: ['store'] })
  try {
    await act(copy.url)   // once for what is cached
    // What the shop says to the database while nobody asks it for anything belongs to no order.
    const idle = await copy.note(() => new Promise((resolve) => setTimeout(resolve, 1500)))
    const own = new Set(idle.map(({ text }) => text))
    return (await copy.note(() => act(copy.url))).filter(({ text }) => !own.has(text))
  } finally {
    await copy.stop()
  }
}

function judged(outcome: Outcome): Outcome {
  const { shop, limit, atLeast = 0 } = outcome
  return { ...outcome, broken: [
    ...outcome.broken,
    ...shop.errors > 0 && outcome.broken.length === 0 ? [`${shop.errors} errors, the first: ${shop.firstError}`] : [],
    ...limit && limit.errors > 0 ? [`the limit itself failed ${limit.errors} times, the first: ${limit.firstError}`]
      : [],
    ...limit && shop.perSecond / limit.perSecond < atLeast ? [
      `${percent(shop.perSecond / limit.perSecond)} of the limit, ${percent(atLeast)} were promised`,
    ] : [],
  ] }
}

const percent = (share: number): string => `${Math.round(share * 100)} %`
const number = (value: number): string => (
  Number.isNaN(value) ? '' : value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1)
)

function report(outcomes: (Outcome & { memoryMb: number })[], atRestMb: number): void {
  const heavy = atRestMb >= MEMORY_AT_REST_MB ? [
    `${number(atRestMb)} MB at rest, less than ${MEMORY_AT_REST_MB} were promised`,
  ] : []
  const violations = [...outcomes.flatMap(
    ({ part, broken }) => broken.map((text) => `${part}: ${text}`)
  ), ...heavy.map((text) => `memory: ${text}`)]
  const rows = outcomes.map(({ part, unit, shop, limit, atLeast, broken, memoryMb }) => [
    part, `${number(shop.perSecond)} ${unit}`, number(shop.p50Ms), number(shop.p99Ms), String(shop.errors),
    number(memoryMb),
    limit ? number(limit.perSecond) : '', limit ? percent(shop.perSecond / limit.perSecond) : '', atLeast
      ? `≥ ${percent(atLeast)}` : 'exact',
    broken.length > 0 ? 'BROKEN' : 'holds',
  ])
  const head = ['part', 'shop', 'p50 ms', 'p99 ms', 'errors', 'memory MB', 'limit /s', 'of it', 'bound', '']
  const print = options.json ? console.error : console.log
  print(table([head, ...rows]))
  for (const { part, note } of outcomes) if (note) print(`${part}: ${note}`)
  print(`Memory at rest ${number(atRestMb)} MB (bound: less than ${MEMORY_AT_REST_MB}).`)
  print(`${availableParallelism()} cores for shop, database and clients together, ${CLIENTS} clients, ` +
    `${POOL} connections, seed ${seedNumber}${options.quick ? ', quick' : ''}.`)
  for (const violation of violations) print(`BROKEN ${violation}`)
  if (options.json) {
    const figures = Object.fromEntries(outcomes.map(({ part, broken, ...rest }) =>
      [part, {
        ...rest, ...rest.limit ? { ratio: rest.shop.perSecond / rest.limit.perSecond } : {}, violations: broken.length,
      }]))
    console.log(
      JSON.stringify({ parts: figures, memoryAtRestMb: atRestMb, seed: seedNumber, violations: violations.length })
    )
  }
  process.exitCode = violations.length > 0 ? 1 : 0
}

function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) => row.map(
    (cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))
  ).join('  ').trimEnd()).join('\n')
}

await main()
