// Who takes the money of a fault run: the simulated bank, unless a programme brings another (stripe-bank.ts).
import { startSimulator } from '../plugins/simulator/gateway.ts'

export const SECRET = 'bank-of-the-fault-run'

/** Who takes the money. What it did is at its /charges and /operations; what goes wrong next is told to its /faults. */
export type Bank = {
  /** The code of its gateway. */
  code: string
  url: string
  stop(): Promise<unknown>
  /** What a shop has to know to find it, and what makes it a shop with this gateway. */
  env: Record<string, string>
  preload?: string
}

/** The simulated bank, a process of its own. */
export async function openSimulator(dataDir: string): Promise<Bank> {
  const bank = await startSimulator({ dataDir, secret: SECRET, whileMs: 300 })
  return { ...bank, code: 'simulator', env: { SIMULATOR_URL: bank.url, SIMULATOR_SECRET: SECRET } }
}
