// What must be true of the shop's data (src/invariants.sql), and what to do where it is not.
import { invariantsOf } from '../../src/invariants.ts'
import type { Check } from './check.ts'

const next: Record<string, string> = {
  inventory: 'Keep the rows (--json), count the goods, and set the stock to the count: the ledger notes the ' +
    'correction. If no worker runs, start one.',
  payments: 'Keep the rows (--json) and compare with the gateway before any money is moved. If no worker runs, ' +
    'start one.',
  pricing: 'Keep the rows (--json), and pause the promotion until its count is right.',
  orders: 'Keep the rows (--json), and look at these orders before they are shipped. If no worker runs, start one.',
  platform: 'Keep the rows (--json): somebody changed the log past the shop, or a disk did. Compare with the last ' +
    'export or backup. If only seals are late, start a worker.',
  checkout: 'Keep the rows (--json), and look at these orders before they are shipped.',
}

export const invariantChecks: Check[] = invariantsOf().map(({ module, name, text }) => ({
  name: module, holds: name,
  async find(client) {
    const { rows } = await client.query(text)
    return rows.length === 0 ? [] : [
      { broken: true, what: `${rows.length} rows where it does not hold`, next: next[module]!, rows },
    ]
  },
}))
