// What must be true of the shop's data, as its modules say it. A module with an invariants.ts gets a line here.
import { invariants as inventory } from '../../src/modules/inventory/invariants.ts'
import { invariants as payments } from '../../src/modules/payments/invariants.ts'
import { invariants as pricing } from '../../src/modules/pricing/invariants.ts'
import { compile, type Statement } from '../../src/platform/sql.ts'
import type { Check } from './check.ts'

const modules: { name: string; invariants: { name: string; statement: Statement }[]; next: string }[] = [
  {
    name: 'inventory', invariants: inventory, next: 'Keep the rows (--json), count the goods, and set the stock to ' +
      'the count: the ledger notes the correction. If no worker runs, start one.',
  },
  {
    name: 'payments', invariants: payments, next: 'Keep the rows (--json) and compare with the gateway before any ' +
      'money is moved. If no worker runs, start one.',
  },
  {
    name: 'pricing', invariants: pricing,
    next: 'Keep the rows (--json), and pause the promotion until its count is right.',
  },
]

export const invariantChecks: Check[] = modules.flatMap(({ name, invariants, next }) =>
  invariants.map((invariant): Check => ({
    name, holds: invariant.name,
    async find(client) {
      const { text, values } = compile(invariant.statement)
      const { rows } = await client.query(text, values)
      return rows.length === 0 ? [] : [{ broken: true, what: `${rows.length} rows where it does not hold`, next, rows }]
    },
  })))
