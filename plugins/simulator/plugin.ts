// The gateway simulator as a plugin: starts the simulated bank beside the shop. Processes of one shop share one bank,
// as they would share a real one: who comes later finds the first one's address and secret. SIMULATOR_URL (with
// SIMULATOR_SECRET) names one that runs elsewhere.
import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from '../../src/plugin.ts'
import { simulatorGateway, startSimulator, type RunningSimulator } from './gateway.ts'

type SharedBank = RunningSimulator & { secret: string }

/** A card gateway that moves no money. */
export function simulator(): Plugin {
  return {
    name: 'simulator',
    async setup(kit) {
      const addressFile = join(kit.dataDir, 'address')
      const bank = await findBank(addressFile) ?? await startBank(kit.dataDir)
      // The process that started the bank may die, and the one in its place starts it anew.
      kit.addGateway(simulatorGateway({ ...bank, findAgain: () => findBank(addressFile) }))
      kit.onStop(() => bank.stop())
      kit.onListening((shop) => register(bank, `${shop}/webhooks/simulator`))
    },
  }
}

/** Tells the bank where its webhooks go, unless this process has another role and does not serve them. */
async function register({ url }: SharedBank, webhookUrl: string): Promise<void> {
  const { status } = await fetch(webhookUrl, { method: 'POST' })
  if (status !== 404) await fetch(`${url}/webhook-url`, { method: 'POST', body: JSON.stringify({ url: webhookUrl }) })
}

async function findBank(addressFile: string): Promise<SharedBank | undefined> {
  const { SIMULATOR_URL: named, SIMULATOR_SECRET: secret = 'simulator-secret' } = process.env
  const found = named ? { url: named, secret } : readAddress(addressFile)
  if (!found) return undefined
  const answers = await fetch(found.url, { signal: AbortSignal.timeout(1_000) })
    .then(async (answer) => await answer.text() === 'simulator', () => false)
  return answers ? { ...found, stop: async () => {} } : undefined
}

function readAddress(file: string): { url: string; secret: string } | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

async function startBank(dataDir: string): Promise<SharedBank> {
  const secret = randomUUID()
  const bank = await startSimulator({ dataDir, secret })
  const addressFile = join(dataDir, 'address')
  writeFileSync(addressFile, JSON.stringify({ url: bank.url, secret }), { mode: 0o600 })
  return {
    url: bank.url, secret,
    async stop() {
      rmSync(addressFile, { force: true })
      await bank.stop()
    },
  }
}
