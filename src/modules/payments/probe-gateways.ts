// Probes the gateways whose circuit is open: a key that nobody ever used is looked up, which moves no money and costs
// no shopper anything. Who answers that in time is tried with an attempt; who cannot be asked so is tried at once.
import type { Db } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { callGateway } from './call-gateway.ts'
import { claimProbes, halfOpen } from './gateway-health.ts'
import { paymentSetup } from './gateway.ts'

/** Answers how many were probed. Two at once probe each once. */
export async function probeGateways(db: Db): Promise<number> {
  const due = await claimProbes(db)
  await Promise.all(due.map(async ({ gateway: code }) => {
    const gateway = paymentSetup.of(db).gateways.get(code)
    if (!gateway) return
    if (gateway.properties.lookUp === 'key') {
      const began = performance.now()
      const { kind } = await callGateway(db, gateway, () => gateway.lookUp({ key: newId(), reference: null }))
      if (kind === 'unknown' || performance.now() - began >= gateway.properties.timeoutMs / 2) return
    }
    await halfOpen(db, code)
  }))
  return due.length
}
