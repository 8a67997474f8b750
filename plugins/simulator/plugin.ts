// The gateway simulator as a plugin: starts the simulated bank beside the shop, unless SIMULATOR_URL names one that
// runs already (its secret is then SIMULATOR_SECRET).
import { randomUUID } from 'node:crypto'
import type { Plugin } from '../../src/plugin.ts'
import { simulatorGateway, startSimulator } from './gateway.ts'

/** A card gateway that moves no money. */
export function simulator(): Plugin {
  return {
    name: 'simulator',
    async setup(kit) {
      const { SIMULATOR_URL: url, SIMULATOR_SECRET: secret = randomUUID() } = process.env
      const bank = url ? { url, stop: async () => {} } : await startSimulator({ dataDir: kit.dataDir, secret })
      kit.addGateway(simulatorGateway({ url: bank.url, secret }))
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
