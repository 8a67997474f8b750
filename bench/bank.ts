// A simulated bank of the bench's own, and a shop with a database of its own that knows it: the bank's secret is known
// here, so that the bench can speak as the bank, and it is as slow as a part wants it.
import { join } from 'node:path'
import { startSimulator } from '../plugins/simulator/gateway.ts'
import type { Ground } from './ground.ts'
import type { World } from './world.ts'

export const SECRET = 'bank-of-the-bench'
/** What charges the card of the simulated bank. */
export const METHOD = 'card'

/** `slowMs` is how long a charge with the fault `delay` takes. The bank ends after `fn`, its shop with the bench. */
export async function withBank<T>(
  world: World, { name, slowMs }: { name: string; slowMs: number }, fn: (ground: Ground) => Promise<T>,
): Promise<T> {
  const bank = await startSimulator({ dataDir: join(world.folder, name), secret: SECRET, whileMs: slowMs })
  try {
    return await fn(await world.ground({
      name, environment: { SIMULATOR_URL: bank.url, SIMULATOR_SECRET: SECRET },
    }))
  } finally {
    await bank.stop()
  }
}
