// The bank is a bad partner: it charges and drops the answer, charges and says 500, forgets its keys, finds a charge
// only later, and sends its webhooks twice, late, early, in the wrong order, or never.
import { setTimeout as sleep } from 'node:timers/promises'
import { oneOf, randomFrom } from '../../bench/random.ts'
import type { Charge } from '../../plugins/simulator/bank.ts'
import type { ChargeFault, OperationFault } from '../../plugins/simulator/faults.ts'
import { judge } from '../check.ts'
import { Crowd } from '../customers.ts'
import type { Programme } from '../programme.ts'
import { openStage, type Stage } from '../stage.ts'

const ROUND_MS = 4_000
const CUSTOMERS = 10
const answers: ChargeFault[] = [
  'drop_before_charge', 'charge_then_drop', 'charge_then_500', 'delay', 'look_up_later', 'key_expired',
]
const webhooks: (ChargeFault | '')[] = [
  '', 'webhook_never', 'webhook_late', 'webhook_first', 'webhook_twice', 'webhook_reordered', 'dispute',
]
const faults = answers.flatMap((answer) => webhooks.map((webhook) => [answer, webhook].filter(Boolean).join()))
const operations: OperationFault[] = ['drop_before', 'done_then_drop', 'done_then_500', 'refuse']

export const gateway: Programme = {
  name: 'gateway', about: 'a bank that answers badly: ambiguous charges, webhooks in any order', unit: 'charges',
  counts: { full: 5_000, quick: 60 },
  async open(sabotage) {
    const stage = await openStage(5, sabotage)
    await stage.startShop()
    return {
      async round(seed) {
        const random = randomFrom(seed)
        const before = await ambiguous(stage)
        const crowd = new Crowd(stage, random, { faults, scarce: 0.05, staff: 0.5 })
        crowd.start(CUSTOMERS)
        for (const end = performance.now() + ROUND_MS; performance.now() < end; await sleep(150)) {
          await fetch(`${stage.bank.url}/faults`, {
            method: 'POST', body: JSON.stringify({ fault: oneOf(operations, random) }),
          })
        }
        await crowd.stop()
        const violations = [...crowd.complaints, ...await judge(stage)]
        return { count: await ambiguous(stage) - before, violations, figures: { orders: crowd.orders } }
      },
      close: () => stage.close(),
    }
  },
}

async function ambiguous({ bank }: Stage): Promise<number> {
  const charges = await (await fetch(`${bank.url}/charges`)).json() as Charge[]
  return charges.filter(({ faults }) => faults.some((fault) => answers.includes(fault as ChargeFault))).length
}
