// Puts a shop together: modules, plugins and configuration become routes, handlers and sweeps, and each role takes its
// part. main.ts runs it, the tests open one each, the command line opens one without serving.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { adminApi, storeApi } from './apis.ts'
import * as accounts from './modules/accounts/jobs.ts'
import { findSession } from './modules/accounts/session.ts'
import * as alerts from './modules/alerts/jobs.ts'
import * as browse from './modules/browse/jobs.ts'
import * as catalog from './modules/catalog/jobs.ts'
import * as checkout from './modules/checkout/jobs.ts'
import * as customers from './modules/customers/jobs.ts'
import { createAuthenticate } from './modules/identity/authenticate.ts'
import { customerSessions, pluginPermissions, secondFactorForAll } from './modules/identity/identity.ts'
import * as identity from './modules/identity/jobs.ts'
import { breachedAt, breachedPasswords } from './modules/identity/refuse-breached.ts'
import { disposableMail, readDomains } from './modules/identity/refuse-disposable.ts'
import { customerSignOns, signOns } from './modules/identity/sign-on-providers.ts'
import * as inventory from './modules/inventory/jobs.ts'
import * as media from './modules/media/jobs.ts'
import { configuredStorage, mediaStorage } from './modules/media/storage.ts'
import * as notifications from './modules/notifications/jobs.ts'
import { configureMail } from './modules/notifications/mail.ts'
import { orderPayments } from './modules/orders/apply-payment.ts'
import * as orders from './modules/orders/jobs.ts'
import { gatewaysOf } from './modules/payments/choose-gateway.ts'
import { paymentSetup, type Gateway } from './modules/payments/gateway.ts'
import * as payments from './modules/payments/jobs.ts'
import { paymentListener } from './modules/payments/payments.ts'
import * as privacy from './modules/privacy/jobs.ts'
import * as pricing from './modules/pricing/jobs.ts'
import type { Kit, RoleName, ShopConfig } from './plugin.ts'
import { openMemory } from './platform/answer-from-memory.ts'
import { InvalidationFeed } from './platform/cache.ts'
import type { Config } from './platform/config.ts'
import type { Db } from './platform/db.ts'
import type { EventSubscription, Sweep } from './platform/events.ts'
import { createApp, type Route } from './platform/http.ts'
import { Worker } from './platform/jobs.ts'
import { listenForWakes } from './platform/listen.ts'
import type { Log } from './platform/log.ts'
import { systemRoutes } from './system-routes.ts'

const modules = [
  accounts, alerts, browse, catalog, checkout, customers, identity, inventory, media, notifications, orders, payments,
  pricing, privacy,
] as readonly { handlers: readonly EventSubscription[]; sweeps?: readonly Sweep[] }[]

export type Shop = {
  db: Db
  handlers: readonly EventSubscription[]
  sweeps: readonly Sweep[]
  routes: readonly Route[]
  /** The HTTP application of these roles. */
  app(options?: { trustProxy?: string | false }): Promise<FastifyInstance>
  /** Starts what runs by itself: the feed of invalidations, and the worker when that is one of the roles. */
  run(): Promise<void>
  listening(url: string): Promise<void>
  /** Ends all of it, in reverse. The database stays open. */
  stop(): Promise<void>
}

// Of staff and of jobs each: as many as jobs run at once.
const OWN_CONNECTIONS = 4

/** Opens a shop on a migrated database. */
export async function openShop(
  db: Db, shopConfig: ShopConfig, settings: { log: Log; dataDir: string; roles?: readonly RoleName[]; config: Config },
): Promise<Shop> {
  const { log, dataDir, config, roles = shopConfig.roles } = settings
  const added = {
    gateways: new Map<string, Gateway>(), routes: [] as Route[], handlers: [] as EventSubscription[],
    sweeps: [] as Sweep[], invalidated: [] as ((tags: readonly string[]) => void)[],
  }
  const listening: ((url: string) => Promise<void> | void)[] = []
  const stopping: (() => Promise<unknown> | unknown)[] = []
  for (const plugin of shopConfig.plugins) {
    await plugin.setup(kitOf(plugin.name, db, settings, { ...added, listening, stopping }))
  }
  refuseUnknownGateways(shopConfig, added.gateways)
  pluginPermissions.set(db, permissionsAsked(added.routes))
  provideSettings(db, shopConfig, { config, gateways: added.gateways })
  mediaStorage.set(db, configuredStorage(config, dataDir))
  const shopUrl = config.publicUrl ?? `http://localhost:${config.port}`
  stopping.push(configureMail(db, { ...config, shopUrl, storefrontUrl: shopConfig.storefronts?.[0] }))

  // Staff and jobs have connections of their own: no import, export or backlog takes a shopper's.
  const [staffDb, workerDb] = [db.pool(OWN_CONNECTIONS, 'kontor admin'), db.pool(OWN_CONNECTIONS, 'kontor worker')]
  const dbFor = ({ path }: Route): Db => (path.startsWith('/admin/') ? staffDb : db)
  const handlers = [...modules.flatMap((module) => module.handlers), ...added.handlers]
  const sweeps = [...modules.flatMap((module) => module.sweeps ?? []), ...added.sweeps]
  const routes = [
    ...systemRoutes, ...(
      roles.includes('store') ? storeApi.routes : []
    ), ...(roles.includes('admin') ? adminApi.routes : []), ...added.routes,
  ]
  const feed = new InvalidationFeed(db)
  openMemory(db, feed, { maxBytes: config.cacheMegabytes * 1_048_576, cdnSeconds: config.cdnSeconds })

  return {
    db, handlers, sweeps, routes,
    async app({ trustProxy = false } = {}) {
      const app = await createApp(
        { db, routes, authenticate: createAuthenticate(db, config), log, trustProxy, dbFor }
      )
      stopping.push(() => app.close())
      return app
    },
    async run() {
      await feed.start()
      stopping.push(() => feed.stop())
      stopping.push(await listenForWakes(db, () => void feed.look().catch(() => {})))
      if (!roles.includes('worker')) return
      for (const fn of added.invalidated) feed.listen(fn)
      const worker = new Worker(workerDb, { subscriptions: handlers, sweeps, log })
      await worker.start()
      stopping.push(() => worker.stop())
    },
    async listening(url) {
      for (const fn of listening) await fn(url)
    },
    async stop() {
      for (const fn of stopping.reverse()) await fn()
      stopping.length = 0
    },
  }
}

type Told = { config: Config; gateways: ReadonlyMap<string, Gateway> }

/** Tells the modules what the merchant decided, and what they need of modules above them. */
function provideSettings(db: Db, shopConfig: ShopConfig, { config, gateways }: Told): void {
  paymentSetup.set(db, {
    gateways, methods: shopConfig.paymentMethods, storefronts: shopConfig.storefronts ?? [],
    publicUrl: config.publicUrl ?? `http://localhost:${config.port}`,
  })
  paymentListener.set(db, orderPayments)
  customerSessions.set(db, findSession)
  signOns.set(db, shopConfig.signOn ?? [])
  customerSignOns.set(db, shopConfig.customerSignOn ?? [])
  secondFactorForAll.set(db, shopConfig.requireSecondFactor ?? false)
  if (config.breachedPasswords) breachedPasswords.set(db, breachedAt(config.breachedPasswords))
  if (config.disposableMail) disposableMail.set(db, readDomains(config.disposableMail))
}

const permissionsAsked = (routes: readonly Route[]): string[] => [...new Set(routes.flatMap(({ access }) =>
  (typeof access === 'object' && 'permission' in access ? access.permission : [])))]

function refuseUnknownGateways(config: ShopConfig, gateways: ReadonlyMap<string, Gateway>): void {
  const there = [...gateways.keys()].join(', ') || 'none'
  for (const method of config.paymentMethods) {
    const named = gatewaysOf(method)
    for (const code of named) {
      const gateway = gateways.get(code)
      if (!gateway) {
        throw new Error(`shop.config.ts: the payment method "${method.code}" needs the gateway "${code}", ` +
          `which no plugin adds. There are: ${there}`)
      }
      if (named.length > 1 && !gateway.properties.entry.includes('redirect')) {
        throw new Error(`shop.config.ts: the payment method "${method.code}" is served by several gateways, and ` +
          `"${code}" has no page to which a shopper could be sent: give it a method of its own`)
      }
    }
  }
}

type Added = {
  gateways: Map<string, Gateway>; routes: Route[]; handlers: EventSubscription[]; sweeps: Sweep[]
  invalidated: ((tags: readonly string[]) => void)[]
  listening: ((url: string) => Promise<void> | void)[]; stopping: (() => Promise<unknown> | unknown)[]
}

/** What a plugin may touch. */
function kitOf(name: string, db: Db, { log, dataDir }: { log: Log; dataDir: string }, added: Added): Kit {
  const folder = join(dataDir, name)
  mkdirSync(folder, { recursive: true })
  return {
    db, log: log.child({ plugin: name }), dataDir: folder,
    addGateway: (gateway) => void added.gateways.set(gateway.code, gateway),
    addRoute(route) {
      if (!route.path.startsWith(`/plugins/${name}/`)) throw new Error(
        `The plugin ${name} adds ${route.path}: its routes begin with /plugins/${name}/`
      )
      added.routes.push(route)
    },
    addHandler: (handler) => void added.handlers.push(handler),
    addSweep: (sweep) => void added.sweeps.push(sweep),
    onInvalidated: (fn) => void added.invalidated.push(fn),
    onListening: (fn) => void added.listening.push(fn),
    onStop: (fn) => void added.stopping.push(fn),
  }
}
