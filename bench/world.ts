// What the parts of the bench share: options, the database server, and the shops on it, each made when a part asks for
// it first.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../src/platform/postgres.ts'
import type { Options } from './options.ts'
import { openGround, type Ground, type Size } from './ground.ts'
import { pin } from './machine.ts'
import { randomFrom, type Random } from './random.ts'

export type World = {
  options: Options
  random: Random
  folder: string
  say: (text: string) => void
  /** The shop with 1,000 products that most parts use; or one of its own, whose processes have this environment. */
  ground: (own?: { name: string; environment: Record<string, string> }) => Promise<Ground>
  /** A shop with so many products and orders. */
  grown: (size: Size) => Promise<Ground>
  close: () => Promise<void>
}

export async function openWorld(options: Options, say: (text: string) => void): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'kontor-bench-'))
  const postgres = await startPostgres({ throwaway: true, fsync: true, log: say })
  const databasePid = Number(readFileSync(join(postgres.folder, 'data/postmaster.pid'), 'utf8').split('\n')[0])
  pin(process.pid, 'generator')
  pin(databasePid, 'database')
  const grounds = new Map<string, Promise<Ground>>()
  const open = (name: string, size?: Size, environment?: Record<string, string>): Promise<Ground> => {
    let ground = grounds.get(name)
    if (!ground) {
      const { products, orders } = size ?? { products: 1_000, orders: 0 }
      const goods = `${products.toLocaleString('en')} products and ${orders.toLocaleString('en')} orders`
      say(`Making a shop with ${goods}`)
      ground = openGround(postgres.url, name, {
        ...size ? { size } : {}, databasePid, ...environment ? { environment } : {},
      })
      grounds.set(name, ground)
    }
    return ground
  }
  return {
    options, random: randomFrom(options.seed), folder, say,
    ground: (own) => own ? open(own.name, undefined, own.environment) : open('bench'),
    grown: (size) => open(`bench_${size.products}_${size.orders}`, size),
    async close() {
      for (const ground of grounds.values()) await ground.then((one) => one.stop(), () => {})
      await postgres.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
