// The harness of the tests. Each test works on a database of its own, cloned from a template that is migrated once for
// each state of the migrations. A network connection that is opened inside a transaction fails the test: no row lock
// may wait for somebody else's server.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import net from 'node:net'
import pg from 'pg'
import { dataKinds } from '../data-kinds.ts'
import { findBroken } from '../invariants.ts'
import { allMigrations, prepareDatabase } from '../migrations.ts'
import { Db, openTransaction } from './db.ts'
import { newId } from './id.ts'

/** What `node:test` hands to a test or a suite: only the hook that runs at its end is needed. */
export type Cleanup = { after: (fn: () => unknown) => void }

/**
 * Ends in reverse what a test began, all of it, also when one fails: so a shop is at rest when its database is looked
 * at, and nothing of it stays behind.
 */
export function inReverse(t: Cleanup): Cleanup {
  const ends: (() => unknown)[] = []
  t.after(async () => {
    const failures: unknown[] = []
    for (const end of ends.reverse()) {
      try {
        await end()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  })
  return { after: (fn) => void ends.push(fn) }
}

const server = process.env['TEST_DATABASE_URL']

export type TestDatabaseOptions = {
  /** Connections at most. */
  max?: number
  /** What the test does to its data behind the back of the shop; its money is not looked at then. */
  damages?: string
}

/**
 * A Db on a fresh, migrated database, dropped when the test ends. Before that its money must be right: the ledger
 * balances, and payments agree with it and with their orders (I3 to I6 of invariants.sql).
 */
export async function testDatabase(t: Cleanup, options: TestDatabaseOptions = {}): Promise<Db> {
  if (!server) throw new Error('TEST_DATABASE_URL is not set: run the tests with `npm test`, or name a PostgreSQL ' +
    'server that may be filled with test databases')
  const template = await ensureTemplate(server)
  const name = `kontor_test_${newId().replaceAll('-', '')}`
  await onServer(server, (client) => client.query(`create database ${name} template ${template}`))
  const db = new Db({ url: withDatabase(server, name), max: options.max ?? 20, applicationName: 'kontor test' })
  t.after(async () => {
    try {
      if (options.damages === undefined) assert.deepEqual(await findBroken(db, { name: /^I[3-6] / }), [])
    } finally {
      await db.close()
      await onServer(server, (client) => client.query(`drop database if exists ${name} with (force)`))
    }
  })
  return db
}

let ready: Promise<string> | undefined
function ensureTemplate(url: string): Promise<string> {
  ready ??= makeTemplate(url)
  return ready
}

async function makeTemplate(url: string): Promise<string> {
  const migrations = allMigrations()
  const hash = createHash('sha256').update(
    JSON.stringify([migrations.map((migration) => migration.hash), dataKinds])
  ).digest('hex').slice(0, 16)
  const name = `kontor_template_${hash}`
  await onServer(url, async (client) => {
    await client.query('select pg_advisory_lock(7261)')   // test processes start together: one makes the template
    const { rowCount } = await client.query('select from pg_database where datname = $1 and datistemplate', [name])
    if (rowCount) return
    await client.query(`drop database if exists ${name} with (force)`)
    await client.query(`create database ${name}`)
    const db = new Db({ url: withDatabase(url, name), max: 2 })
    try {
      await prepareDatabase(db)
    } finally {
      await db.close()
    }
    await client.query(`alter database ${name} is_template true`)   // the mark that it is complete
  })
  return name
}

export function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

async function onServer(url: string, fn: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await fn(client)
  } finally {
    await client.end()
  }
}

const connect = net.Socket.prototype.connect
if (server) {
  const { port } = new URL(server)
  net.Socket.prototype.connect = function guarded(this: net.Socket, ...args: any[]): net.Socket {
    const target = Array.isArray(args[0]) ? args[0][0] : args[0]
    if (openTransaction() && String(target?.port ?? '') !== (port || '5432')) {
      throw new Error(
        `A connection to ${target?.host ?? ''}:${target?.port ?? target?.path} was opened inside a transaction`
      )
    }
    return (connect as any).apply(this, args)
  } as typeof connect
}
