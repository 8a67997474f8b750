// Asks PostgreSQL how it would run what the shop really says. Statements are noted as they leave for the server, so the
// text that is judged is the text that runs. Each is judged with the values of the call, and one that is prepared also
// as the generic plan that it may become after its fifth run. Sequential scans are forbidden to the planner meanwhile,
// so that one which is left says "no index serves this", whatever the size of the table.
import pg from 'pg'
import type { Db } from '../src/platform/db.ts'

export type Noted = { text: string; values: unknown[]; request: string; prepared: boolean }
type Plan = {
  'Node Type': string; 'Schema'?: string; 'Relation Name'?: string; 'Index Name'?: string; 'Index Cond'?: string
  'Shared Hit Blocks'?: number; 'Shared Read Blocks'?: number; Plans?: Plan[]
}
/** `ms` and `blocks` (of 8 kB, read or found in memory) where it could be run, and what in its plans grows. */
export type Judged = Noted & { ms: number | undefined; blocks: number | undefined; wholes: string[] }

/** Runs `act` and answers each different statement that it sent, with the values of the first time. */
export async function noteStatements(
  act: (requesting: (request: string) => void) => Promise<void>,
): Promise<Noted[]> {
  const noted = new Map<string, Noted>()
  let request = ''
  const query = pg.Client.prototype.query as (...args: unknown[]) => unknown
  pg.Client.prototype.query = function noting(this: pg.Client, ...args: unknown[]) {
    const { text, values, name } = Object(args[0]) as { text?: string; values?: unknown[]; name?: string }
    if (text && values && !noted.has(text)) noted.set(text, { text, values, request, prepared: name !== undefined })
    return query.apply(this, args)
  } as typeof pg.Client.prototype.query
  try {
    await act((next) => { request = next })
  } finally {
    pg.Client.prototype.query = query as typeof pg.Client.prototype.query
  }
  return [...noted.values()]
}

/** Tables with at least so many rows, as 'schema.table'. */
export async function tablesAbove(db: Db, rows: number): Promise<Set<string>> {
  return withClient(db, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(`
      select relnamespace::regnamespace || '.' || relname as name from pg_class
      where relkind = 'r' and reltuples >= ${rows} and relnamespace::regnamespace::text not like 'pg\\_%'`)
    return new Set(tables.map(({ name }) => name))
  })
}

/** Judges statements on a database. Each is run as well, and what it did is rolled back; `runs: false` leaves that. */
export async function judge(
  db: Db, statements: readonly Noted[], { large, runs = true }: { large: ReadonlySet<string>; runs?: boolean },
): Promise<Judged[]> {
  return withClient(db, async (client) => {
    const judged: Judged[] = []
    for (const noted of statements) {
      await client.query(`set plan_cache_mode = force_${noted.prepared ? 'generic' : 'custom'}_plan`)
      await client.query('set enable_seqscan = off')
      const plans = [
        ...noted.prepared ? [await generic(client, noted)] : [], await custom(client, noted, 'verbose, format json'),
      ]
      await client.query('reset enable_seqscan')
      const run = runs ? await custom(client, noted, 'analyze, buffers, format json').catch(() => undefined) : undefined
      const { Plan: { 'Shared Hit Blocks': hit = 0, 'Shared Read Blocks': read = 0 } } = run ?? { Plan: {} as Plan }
      judged.push({
        ...noted, ms: run?.['Execution Time'], blocks: run && hit + read,
        wholes: [...new Set(plans.flatMap(({ Plan }) => wholesOf(Plan, large)))],
      })
    }
    return judged
  })
}

type Explained = { Plan: Plan; 'Execution Time'?: number }

async function custom(client: pg.Client, { text, values }: Noted, options: string): Promise<Explained> {
  await client.query('begin')
  try {
    const { rows: [row] } = await client.query({ text: `explain (${options}) ${text}`, values })
    return row['QUERY PLAN'][0]
  } finally {
    await client.query('rollback')
  }
}

async function generic(client: pg.Client, { text, values }: Noted): Promise<Explained> {
  await client.query(`prepare judged as ${text}`)
  try {
    const unknown = values.length === 0 ? '' : `(${values.map(() => 'null').join(', ')})`
    const { rows: [row] } = await client.query(`explain (verbose, format json) execute judged${unknown}`)
    return row['QUERY PLAN'][0]
  } finally {
    await client.query('deallocate judged')
  }
}

/** What in a plan reads all of a large table: its cost grows with the shop. A walk that a limit ends early is none. */
function wholesOf(plan: Plan, large: ReadonlySet<string>, limited = false): string[] {
  const { 'Node Type': type, 'Relation Name': table, 'Index Name': index, 'Index Cond': condition } = plan
  const name = `${plan.Schema}.${table}`
  const below = limited || type === 'Limit'
  const walks = /^Index/.test(type) && !condition && !below
  return [
    ...table && large.has(name) && (type === 'Seq Scan' || walks) ? [walks ? `${name} by ${index}` : name] : [],
    ...(plan.Plans ?? []).flatMap((child) => wholesOf(child, large, below)),
  ]
}

async function withClient<T>(db: Db, fn: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await db.dedicated()
  try {
    return await fn(client)
  } finally {
    await client.end()
  }
}
