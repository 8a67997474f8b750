// Where a fault programme plays: a PostgreSQL that keeps what it commits, the simulated bank as a process with its own
// synced log, a shop with a few goods as a process that may be killed, a link between shop and database that may fail,
// and the journal of what clients were told.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Type } from 'typebox'
import { randomFrom } from '../bench/random.ts'
import { furnish } from '../bench/seed.ts'
import { freePort } from '../bench/servers.ts'
import { saveProducts } from '../src/modules/catalog/save-products.ts'
import { createPublishableKey, createSecretKey } from '../src/modules/identity/api-keys.ts'
import { permissions } from '../src/modules/identity/identity.ts'
import { adjustStock } from '../src/modules/inventory/adjust-stock.ts'
import { setStock } from '../src/modules/inventory/set-stock.ts'
import { createCoupon } from '../src/modules/pricing/coupons.ts'
import { savePromotion } from '../src/modules/pricing/promotions.ts'
import { setPrices } from '../src/modules/pricing/set-prices.ts'
import { prepareDatabase } from '../src/migrations.ts'
import { Db, sql, systemContext, type Tx } from '../src/platform/db.ts'
import { newId } from '../src/platform/id.ts'
import { startPostgres, type Postgres } from '../src/platform/postgres.ts'
import { openSimulator, type Bank } from './bank.ts'
import { FaultProxy } from './fault-proxy.ts'
import { Journal } from './journal.ts'

const GOODS = 12
const SCARCE = 40              // units of what everybody wants: most shoppers of a long round come too late
const PLENTY = 1_000_000
export const COUPON = 'FEW'
const COUPON_USES = 25

export type Terms = {
  key: string; secretKey: string; methodId: string; plenty: string[]; scarce: string
  channelId: string; locations: readonly [string, string]
}

export type ShopOptions = {
  failpoint?: string
  /** A module that is loaded before the shop's own. */
  preload?: string
  /** Where another version of the shop lies. */
  root?: string
  databaseUrl?: string
}

const here = join(import.meta.dirname, '..')

// Shops that run: none of them outlives us, however we end.
const running = new Set<ChildProcess>()
process.on('exit', () => { for (const shop of running) shop.kill('SIGKILL') })

export class Stage {
  readonly postgres: Postgres
  readonly db: Db
  readonly bank: Bank
  readonly link: FaultProxy
  readonly journal: Journal
  readonly terms: Terms
  /** Where customers find the shop. */
  url: string
  /** For files; gone with the stage. */
  readonly folder: string
  readonly #databaseUrl: string
  #shop: ChildProcess | undefined
  readonly #more: ChildProcess[] = []

  constructor(parts: Pick<Stage, 'postgres' | 'db' | 'bank' | 'link' | 'journal' | 'terms'>, folder: string, ports: {
    link: number; shop: number
  }) {
    this.postgres = parts.postgres
    this.db = parts.db
    this.bank = parts.bank
    this.link = parts.link
    this.journal = parts.journal
    this.terms = parts.terms
    this.folder = folder
    this.url = `http://127.0.0.1:${ports.shop}`
    const url = new URL(parts.db.url)
    url.port = String(ports.link)
    this.#databaseUrl = url.href
  }

  /** Starts the shop and waits for its first answer; with a failpoint it may end before that. */
  async startShop(options: ShopOptions = {}): Promise<void> {
    this.#shop = this.#launch(this.url, options)
    await answers(this.#shop, this.url, options)
  }

  /**
   * Starts another beside it, sends customers there when it answers, and then asks the former one to end. Answers how
   * it ended, and how long that took.
   */
  async replaceShop(options: ShopOptions = {}): Promise<{ code: number | null; endedAfterMs: number }> {
    const former = this.#shop!
    const url = `http://127.0.0.1:${await freePort()}`
    this.#shop = this.#launch(url, options)
    await answers(this.#shop, url, options)
    this.url = url
    const asked = performance.now()
    await end(former, 'SIGTERM')
    return { code: former.exitCode, endedAfterMs: Math.round(performance.now() - asked) }
  }

  /** Starts so many more beside it, which stay until the end, and answers where all of them are found. */
  async startMore(count: number): Promise<string[]> {
    const urls: string[] = []
    for (let started = 0; started < count; started++) {
      const url = `http://127.0.0.1:${await freePort()}`
      const shop = this.#launch(url, {})
      this.#more.push(shop)
      await answers(shop, url, {})
      urls.push(url)
    }
    return [this.url, ...urls]
  }

  #launch(url: string, { failpoint = '', preload, root = here, databaseUrl = this.#databaseUrl }: ShopOptions) {
    const first = [this.bank.preload, preload].flatMap((path) => path ? ['--import', path] : [])
    const shop = fork(join(root, 'src/main.ts'), [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: first, cwd: root,
      env: {
        ...process.env, NODE_ENV: 'test', DATABASE_URL: databaseUrl, HOST: '127.0.0.1', PORT: new URL(url).port,
        PUBLIC_URL: url, DEMO: '0', LOG_LEVEL: 'silent', ...this.bank.env,
        KONTOR_FAILPOINT: failpoint,
      },
    })
    running.add(shop)
    shop.once('exit', () => running.delete(shop))
    return shop
  }

  shopLives(): boolean { return lives(this.#shop) }
  shopPid(): number { return this.#shop!.pid! }

  /** As a power failure does it. */
  async killShop(): Promise<void> { await end(this.#shop, 'SIGKILL') }
  async stopShop(): Promise<void> { await end(this.#shop, 'SIGTERM') }

  /** Speaks to what was loaded before the shop. */
  tellShop(message: Record<string, unknown>): void { this.#shop!.send(message) }

  /**
   * As if five minutes had passed for everything that waits for its time: recovery, leases, messages. Six of them make
   * a call lost that has not arrived (settle-payment.ts), and take longer than the slowest call of the simulator.
   */
  async letTimePass(): Promise<void> {
    const due = sql`created_at = created_at - interval '5 minutes', next_check_at = now()`
    // In one transaction each, which runs again when it met the shop's own in a deadlock.
    for (const statement of [
      sql`update payments.attempt set ${due}, sent_again_at = sent_again_at - interval '5 minutes'
        where next_check_at is not null`,
      sql`update payments.operation set ${due} where next_check_at is not null`,
      sql`update payments.webhook_event set next_try_at = now() - interval '3 seconds' where next_try_at is not null`,
      sql`update platform.job set run_at = now() where given_up_at is null`,
      sql`update notifications.message set due_at = now() where state = 'waiting'`,
    ]) await this.db.transaction(systemContext(), (tx) => tx.run(statement))
  }

  /** What is still under way, by kind; nothing, when the shop has come to rest. */
  async underWay(): Promise<Record<string, number>> {
    const rows = await this.db.many(Type.Object({ what: Type.String(), count: Type.Integer() }), sql`
      select 'attempts' as what, count(*)::int from payments.attempt
        where state in ('sending', 'unknown', 'requires_action')
      union all select 'operations', count(*)::int from payments.operation where state in ('sending', 'unknown')
      union all select 'webhooks', count(*)::int from payments.webhook_event where state in ('received', 'parked')
      union all select 'events', count(*)::int from platform.event where relayed_at is null and available_at <= now()
      union all select 'jobs', count(*)::int from platform.job where given_up_at is null
      union all select 'messages', count(*)::int from notifications.message where state = 'waiting'`)
    return Object.fromEntries(rows.filter(({ count }) => count > 0).map(({ what, count }) => [what, count]))
  }

  /** There are a few of the scarce thing again. */
  async restock(): Promise<void> {
    await this.db.transaction(systemContext(), (tx) => adjustStock(tx, [
      { variantId: this.terms.scarce, locationId: this.terms.locations[0], reason: 'receipt', quantity: SCARCE },
    ]))
  }

  /** All of its processes at once, as a crash of the machine does it: left alone, they would go on for a while. */
  killDatabase(): void {
    const pid = Number(readFileSync(join(this.postgres.folder, 'data/postmaster.pid'), 'utf8').split('\n')[0])
    process.kill(pid, 'SIGSTOP')                          // that it starts no more of them meanwhile
    for (const child of childrenOf(pid)) tryKill(child)
    process.kill(pid, 'SIGKILL')
  }

  async close(): Promise<void> {
    await this.stopShop()
    await Promise.all(this.#more.map((shop) => end(shop, 'SIGTERM')))
    await this.db.close()
    await this.link.stop()
    await this.bank.stop()
    await this.postgres.stop()
    this.journal.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Empty where the system does not tell: then the first process dies alone. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch { /* it has ended already */ }
}

const lives = (shop: ChildProcess | undefined): shop is ChildProcess =>
  shop !== undefined && shop.exitCode === null && shop.signalCode === null

async function answers(shop: ChildProcess, url: string, { failpoint }: ShopOptions): Promise<void> {
  for (const deadline = Date.now() + 60_000; lives(shop); await sleep(20)) {
    if (await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) }).then(({ ok }) => ok, () => false)) return
    if (Date.now() > deadline) throw new Error('The shop did not answer within a minute')
  }
  if (!failpoint) throw new Error('The shop ended while it started; its last words stand above')
}

async function end(shop: ChildProcess | undefined, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (!lives(shop)) return
  const ended = once(shop, 'exit')
  shop.kill(signal)
  await ended
}

/** A server of our own that keeps what it commits, with the tables of a shop. */
export async function openDatabase(): Promise<{ postgres: Postgres; db: Db }> {
  const postgres = await startPostgres({ throwaway: true, fsync: true })
  const db = new Db({ url: postgres.url, max: 4, applicationName: 'kontor chaos' })
  await prepareDatabase(db)
  return { postgres, db }
}

/** Statements that no shop would send, one after the other. */
export async function runScript(db: Db, ...statements: string[]): Promise<void> {
  const client = await db.dedicated()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

export async function openStage(
  seed: number, sabotage: readonly string[] = [], openBank: (folder: string) => Promise<Bank> = openSimulator,
): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'kontor-chaos-'))
  const { postgres, db } = await openDatabase()
  const terms = await stock(db)
  await runScript(db, ...sabotage)
  const bank = await openBank(folder)
  const link = new FaultProxy({ host: '127.0.0.1', port: postgres.port }, randomFrom(seed))
  const ports = { link: await link.start(), shop: await freePort() }
  const journal = new Journal(join(folder, 'journal.jsonl'))
  return new Stage({ postgres, db, bank, link, journal, terms }, folder, ports)
}

async function stock(db: Db): Promise<Terms> {
  const { channelId, methodId, locations: [here, there] } = await furnish(db)
  const write = <T>(fn: (tx: Tx) => Promise<T>): Promise<T> => db.transaction(systemContext(), fn)
  const saved = await write((tx) => saveProducts(tx, Array.from({ length: GOODS }, (_, number) => ({
    handle: `thing-${number}`, title: `Thing ${number}`, status: 'active' as const, channelIds: [channelId],
    options: [], variants: [{ options: {}, sku: `thing-${number}`, weightGrams: 200 }],
  }))))
  const [scarce, ...plenty] = saved.map(({ variants }) => variants[0]!.variantId)
  await write((tx) => setPrices(tx, [scarce!, ...plenty].map((variantId, index) => (
    { variantId, channelId, currency: 'EUR', unitMinor: 700 + 110 * index }))))
  await write((tx) => setStock(tx, [
    { variantId: scarce!, locationId: here, onHand: SCARCE / 2 }, { variantId: scarce!, locationId: there,
      onHand: SCARCE / 2 },
    ...plenty.map((variantId) => ({ variantId, locationId: here, onHand: PLENTY })),
  ]))
  const promotionId = newId()
  await write((tx) => savePromotion(tx, promotionId, {
    name: 'A few', automatic: false, discount: { kind: 'percentage', ratePpm: 100_000 }, useLimit: COUPON_USES,
  }))
  await write((tx) => createCoupon(tx, newId(), promotionId, { code: COUPON }))
  return write(async (tx) => ({
    key: await createPublishableKey(tx, newId(), { name: 'chaos', channelId }),
    secretKey: await createSecretKey(tx, newId(), { name: 'chaos', permissions: Object.keys(permissions) }),
    methodId, plenty, scarce: scarce!, channelId, locations: [here, there] as const,
  }))
}
