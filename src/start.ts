// Starts the shop: configuration, database, migrations, plugins, HTTP, then the worker, and stops them in reverse. It
// answers requests before it loads what can wait.
import { fork } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import shopConfig from '../shop.config.ts'
import { prepareDatabase } from './migrations.ts'
import { listChannels } from './modules/catalog/channels.ts'
import { createOwner } from './modules/identity/create-owner.ts'
import { readConfig, ConfigError, type Config } from './platform/config.ts'
import { Db } from './platform/db.ts'
import { createLog } from './platform/log.ts'
import { gauge } from './platform/metrics.ts'
import { joinSiblings, processCount, processNumber, tellReady } from './platform/processes.ts'
import { checkServerVersion, startPostgres } from './platform/postgres.ts'
import type { RoleName } from './plugin.ts'
import { openShop, type Shop } from './shop.ts'
import { welcome } from './welcome.ts'

// One process speaks for all.
const print = (line: string): void => void (processNumber === 1 && process.stdout.write(`${line}\n`))

/** What has to be undone, in the order of doing. */
const undo: (() => Promise<unknown> | unknown)[] = []

/** Starts the shop with these roles, or those of shop.config.ts, and stops it on a signal or when it fails. */
export function run(roles: readonly RoleName[] = shopConfig.roles): void {
  process.on('SIGINT', () => stop(0))
  process.on('SIGTERM', () => stop(0))
  start(rolesOfThis(roles)).catch((error: Error) => {
    if (stopping) return       // asked to end while it started: what fails now is what was taken away
    // What we throw on purpose is a sentence; anything else is a bug, and its stack is the only help.
    const told = error instanceof ConfigError || error.constructor === Error ? error.message : error.stack
    process.stderr.write(`\nKontor did not start.\n${told}\n`)
    stop(1)
  })
}

/** Of several processes the first alone runs jobs; where there is nothing but jobs to do, each does them. */
function rolesOfThis(roles: readonly RoleName[]): readonly RoleName[] {
  const serving = roles.filter((role) => role === 'store' || role === 'admin')
  return processNumber === 1 || serving.length === 0 ? roles : serving
}

async function start(roles: readonly RoleName[]): Promise<void> {
  const config = readConfig(process.env)
  joinSiblings()
  const log = createLog(config.logLevel)
  const dataDir = join(import.meta.dirname, '../.kontor')
  mkdirSync(dataDir, { recursive: true })

  const db = await openDatabase(config)
  gauge('database_connections', 'Connections in the pool', () => db.load.total)
  gauge('database_waiting', 'Requests that wait for a connection', () => db.load.waiting)
  await prepareDatabase(db, shopConfig.plugins, (name) => print(`Migrating ${name}`))

  const shop = await openShop(db, shopConfig, { log, dataDir, roles, config })
  undo.push(() => shop.stop())
  const app = await shop.app({ trustProxy: config.trustProxy })
  const url = await listen(app, config)
  await shop.listening(url)
  if (processNumber === 1) await greet(shop, app, config, roles, url)
  tellReady()
  await shop.run()
  if (processNumber === 1) await loadDemoHistory(shop, config)
}

const MIN_CONNECTIONS = 4

async function openDatabase(config: Config): Promise<Db> {
  let url = config.databaseUrl
  if (url) await checkServerVersion(url, { durable: config.production && !config.unsafeDatabase })
  else {
    const postgres = await startPostgres({ log: print })
    undo.push(() => postgres.stop())
    url = postgres.url
  }
  // The processes of a shop divide its connections, so that more of them need no other setting of the database.
  const db = new Db({ url, max: Math.max(MIN_CONNECTIONS, Math.floor(config.poolSize / processCount)) })
  undo.push(() => db.close())
  return db
}

/** Listens on the configured port or, when that is taken and we are not in production, on one that is free. */
async function listen(app: FastifyInstance, config: Config): Promise<string> {
  try {
    return await app.listen({ host: config.host, port: config.port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    if (config.production) throw new ConfigError(
      `The port ${config.port} is taken by another program: stop it, or set PORT.`
    )
    const url = await app.listen({ host: config.host, port: 0 })
    print(`The port ${config.port} is taken by another program; this shop listens at ${url} instead.`)
    return url
  }
}

async function greet(
  shop: Shop, app: FastifyInstance, config: Config, roles: readonly RoleName[], url: string,
): Promise<void> {
  if (!roles.includes('admin') && !roles.includes('store')) {
    return print(`Kontor is ready: ${roles.join(', ')}, health at ${url}/health`)
  }
  const owner = await createOwner(shop.db)
  let shown = {}
  if (config.demo && (await listChannels(shop.db)).length === 0) {
    const { seedDemo } = await import('../demo/seed.ts')
    shown = await seedDemo(shop.db, { print })
  }
  print(await welcome({ db: shop.db, app, url, roles, owner, ...shown }))
}

/** The pictures and the weeks of orders before today come after the first answer, with progress. */
async function loadDemoHistory({ db }: Shop, config: Config): Promise<void> {
  if (!config.demo || await (await import('../demo/past-is-loaded.ts')).pastIsLoaded(db)) return
  const child = fork(join(import.meta.dirname, '../demo/load-history.ts'), {
    env: { ...process.env, DATABASE_URL: db.url }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  undo.push(() => void child.kill())
}

let stopping: Promise<void> | undefined
function stop(status: number): void {
  stopping ??= (async () => {
    // Whatever hangs, it ends: an answer that takes longer than this was lost anyway.
    setTimeout(() => process.exit(1), 15_000).unref()
    for (const step of undo.reverse()) {
      try {
        await step()
      } catch (error) {
        process.stderr.write(`While stopping: ${(error as Error).message}\n`)
      }
    }
    process.exit(status)
  })()
}
