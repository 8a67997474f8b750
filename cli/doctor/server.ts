// What of the server endangers the shop: settings that lose orders, transactions that hold everything up, the age of
// transaction ids, migrations that have not run.
import type { Client } from 'pg'
import { each, type Check, type Finding } from './check.ts'

const dangers: { setting: string; is: (value: string) => boolean; broken: boolean; because: string; next: string }[] = [
  ...['fsync', 'full_page_writes'].map((setting) => ({
    setting, is: (value: string) => value === 'off', broken: true, because: 'a power cut can destroy the database',
    next: `Set ${setting} = on and reload.`,
  })),
  ...['autovacuum', 'track_counts'].map((setting) => ({
    setting, is: (value: string) => value === 'off', broken: true,
    because: 'nothing sweeps dead rows up, and transaction ids run out in the end',
    next: `Set ${setting} = on and reload.`,
  })),
  {
    setting: 'synchronous_commit', is: (value) => value === 'off', broken: true,
    because: 'an order that was confirmed can be lost in a crash', next: 'Set synchronous_commit = on and reload.',
  },
  ...['zero_damaged_pages', 'ignore_checksum_failure'].map((setting) => ({
    setting, is: (value: string) => value === 'on', broken: true, because: 'damage is passed over in silence',
    next: `Set ${setting} = off, and restore a backup when pages are damaged.`,
  })),
  {
    setting: 'data_checksums', is: (value) => value === 'off', broken: false, because: 'a damaged disk is noticed late',
    next: 'pg_checksums --enable while the server is stopped.',
  },
  {
    setting: 'random_page_cost', is: (value) => Number(value) > 2, broken: false,
    because: 'the planner believes in turning disks and reads tables whole',
    next: 'On an SSD set random_page_cost = 1.1.',
  },
]

/** What the values of settings endanger. */
export function judgeSettings(values: ReadonlyMap<string, string>): Finding[] {
  return dangers.flatMap(({ setting, is, broken, because, next }) => {
    const value = values.get(setting)
    return value !== undefined && is(value) ? [{ broken, what: `${setting} = ${value}: ${because}`, next }] : []
  })
}

async function readSettings(client: Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ name: string; setting: string }>('select name, setting from pg_settings')
  return new Map(rows.map(({ name, setting }) => [name, setting]))
}

export const serverChecks: Check[] = [
  {
    name: 'settings', holds: 'The settings of the server are safe',
    find: async (client) => judgeSettings(await readSettings(client)),
  },
  {
    name: 'transactions', holds: 'No transaction stays open',
    async find(client) {
      const open = await each(client, `
        select pid, application_name as name, state, date_trunc('second', now() - xact_start)::text as age,
          now() - xact_start > interval '1 hour' as long
        from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
          and backend_type = 'client backend' and now() - xact_start > interval '5 minutes' order by xact_start`,
      ({ pid, name, state, age, long }) => ({
        broken: long, what: `${name || 'A connection'} (${state}) has a transaction open for ${age}`,
        next: `Nothing is swept up meanwhile. Unless it is a backup: select pg_terminate_backend(${pid}).`,
      }))
      const prepared = await each(client, `
        select gid, date_trunc('second', now() - prepared)::text as age from pg_prepared_xacts
        where database = current_database() and now() - prepared > interval '5 minutes'`,
      ({ gid, age }) => ({
        broken: true, what: `The prepared transaction ${gid} waits for ${age}`,
        next: `Its locks stay until it ends: rollback prepared '${gid}', unless its owner still lives.`,
      }))
      return [...open, ...prepared]
    },
  },
  {
    name: 'transaction-ids', holds: 'Transaction ids are far from their end',
    find: (client) => each(client, `
      select age(datfrozenxid) as age from pg_database where datname = current_database() and age(datfrozenxid) > 1e9`,
    ({ age }) => ({
      broken: true, what: `The oldest row is ${age} transactions old, and the server stops at two billion`,
      next: 'End what is open (above), then: vacuum (freeze).',
    })),
  },
]
