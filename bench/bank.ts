// A simulated bank of the bench's own, and a shop of the same database that knows it: its secret is known here, so that
// the bench can speak as the bank, and its slow answers are as slow as a part wants them.
import { join } from 'node:path'
import { startSimulator, type RunningSimulator } from '../plugins/simulator/gateway.ts'
import { POOL, type Ground } from './ground.ts'
import { startShop, type Shop } from './servers.ts'

export const SECRET = 'bank-of-the-bench'
/** What charges the card of the simulated bank. */
export const METHOD = 'card'

/** Both end after `fn`. `slowMs` is how long a charge with the fault `delay` takes. */
export async function withBank<T>(
  { db }: Ground, { folder, slowMs }: { folder: string; slowMs: number },
  fn: (shop: Shop, bank: RunningSimulator) => Promise<T>,
): Promise<T> {
  const bank = await startSimulator({ dataDir: join(folder, `bank-${slowMs}`), secret: SECRET, whileMs: slowMs })
  try {
    const shop = await startShop(db.url, {
      pool: POOL, environment: { SIMULATOR_URL: bank.url, SIMULATOR_SECRET: SECRET },
    })
    try {
      return await fn(shop, bank)
    } finally {
      await shop.stop()
    }
  } finally {
    await bank.stop()
  }
}
