// The bank is a bad partner, the simulated one and Stripe in turn: it charges and drops the answer, charges and says
// 500, forgets its keys, finds a charge only later, and sends its webhooks twice, late, early, in the wrong order, or
// never; its shoppers turn back from its page, or stay away.
import { setTimeout as sleep } from 'node:timers/promises'
import { oneOf, randomFrom } from '../../bench/random.ts'
import type { Charge } from '../../plugins/simulator/bank.ts'
import type { ChargeFault, OperationFault } from '../../plugins/simulator/faults.ts'
import { sql } from '../../src/platform/db.ts'
import { judge } from '../check.ts'
import { Crowd } from '../customers.ts'
import type { Programme, Round } from '../programme.ts'
import { openStage, type Stage } from '../stage.ts'
import { openStripe, PAGE, shoppersOfStripe } from '../stripe-bank.ts'

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

// What Stripe never does is not among them: within a day it forgets no key.
const ofStripe = [...faults.filter((fault) => !fault.startsWith('key_expired')), ...Array<string>(12).fill(PAGE)]

export const gateway: Programme = {
  name: 'gateway', about: 'a bank that answers badly: ambiguous charges, webhooks in any order', unit: 'charges',
  counts: { full: 5_000, quick: 60 },
  async open(sabotage) {
    const stages = [await openSimulated(sabotage), await openThroughStripe(sabotage)] as const
    return {
      round: (seed) => play(stages[seed % 2]!, seed),
      async close() {
        for (const stage of stages) await stage.close()
      },
    }
  },
}

async function openSimulated(sabotage: readonly string[] | undefined): Promise<Stage> {
  const stage = await openStage(5, sabotage)
  await stage.startShop()
  return stage
}

async function openThroughStripe(sabotage: readonly string[] | undefined): Promise<Stage> {
  const bank = await openStripe()
  const stage = await openStage(5, sabotage, async () => bank)
  bank.server.deliveries.url = `${stage.url}/webhooks/stripe`
  await stage.startShop()
  return stage
}

async function play(stage: Stage, seed: number): Promise<Round> {
  const random = randomFrom(seed)
  const isStripe = stage.bank.code === 'stripe'
  const before = await ambiguous(stage)
  const crowd = new Crowd(stage, random, {
    scarce: 0.05, staff: 0.5, ...isStripe ? { faults: ofStripe, ...shoppersOfStripe(random) } : { faults },
  })
  crowd.start(CUSTOMERS)
  for (const end = performance.now() + ROUND_MS; performance.now() < end; await sleep(150)) {
    await fetch(`${stage.bank.url}/faults`, {
      method: 'POST', body: JSON.stringify({ fault: oneOf(operations, random) }),
    })
  }
  await crowd.stop()
  const left = await leaveThePages(stage)
  const violations = [...crowd.complaints, ...await judge(stage)]
  const count = await ambiguous(stage) - before
  return { count, violations, figures: {
    orders: crowd.orders, ...isStripe ? { 'charges through Stripe': count, 'pages that were left': left } : {},
  } }
}

/**
 * Hours pass for those who went away from a page of the bank, or never heard its address: their orders lapse. What is
 * left after half a minute is for the judge.
 */
async function leaveThePages(stage: Stage): Promise<number> {
  let left = 0
  for (const end = Date.now() + 30_000; Date.now() < end && (await stage.underWay())['attempts']; await sleep(400)) {
    await stage.letTimePass()
    left += await stage.db.run(sql`update payments.attempt set created_at = created_at - interval '61 minutes'
      where state = 'requires_action' and created_at > now() - interval '61 minutes'`)
    await stage.db.run(sql`update orders.order set holds_until = now() where state = 'awaiting_payment' and id in (
      select order_id from payments.payment join payments.attempt on attempt.payment_id = payment.id
      where attempt.state = 'requires_action')`)
  }
  return left
}

async function ambiguous({ bank }: Stage): Promise<number> {
  const charges = await (await fetch(`${bank.url}/charges`)).json() as Charge[]
  return charges.filter(({ faults }) => faults.some((fault) => answers.includes(fault as ChargeFault))).length
}
