// The gateway simulator as a plugin: starts the simulated bank beside the shop. Processes of one shop share one bank, as
// they would share a real one: who comes later finds the first one's address. SIMULATOR_URL names one that runs elsewhere.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from '../../src/plugin.ts'
import { simulatorGateway, startSimulator, type RunningSimulator } from './gateway.ts'

/** A card gateway that moves no money. */
export function simulator(): Plugin {
  return {
    name: 'simulator',
    async setup(kit) {
      const bank = await findBank(kit.dataDir) ?? await startBank(kit.dataDir)
      kit.addGateway(simulatorGateway({ url: bank.url }))
      kit.onStop(() => bank.stop())
      kit.onListening(async (shop) => {
        await fetch(`${bank.url}/webhook-url`, {
          method: 'POST', headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ url: `${shop}/webhooks/simulator` }),
        })
      })
    },
  }
}

async function findBank(dataDir: string): Promise<RunningSimulator | undefined> {
  const url = process.env['SIMULATOR_URL'] ?? readAddress(dataDir)
  if (!url) return undefined
  const answers = await fetch(`${url}/charges`, { signal: AbortSignal.timeout(1_000) })
    .then((answer) => answer.ok, () => false)
  return answers ? { url, stop: async () => {} } : undefined
}

function readAddress(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, 'address'), 'utf8')
  } catch {
    return undefined
  }
}

async function startBank(dataDir: string): Promise<RunningSimulator> {
  const bank = await startSimulator({ dataDir })
  writeFileSync(join(dataDir, 'address'), bank.url)
  return {
    url: bank.url,
    async stop() {
      rmSync(join(dataDir, 'address'), { force: true })
      await bank.stop()
    },
  }
}
