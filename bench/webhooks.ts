// Messages of a gateway at a fixed rate, each a new one about a payment of the shop: how fast they are answered, and
// whether each that was answered is in the inbox and worked. They are genuine: the bench signs as its bank does.
import { createHmac, randomUUID } from 'node:crypto'
import { Type } from 'typebox'
import { sql } from '../src/platform/db.ts'
import { METHOD, SECRET, withBank } from './bank.ts'
import { withConnections } from './connection.ts'
import type { Ground } from './ground.ts'
import { drain } from './measure-scenario.ts'
import { figuresOf, runLoop, runOpenLoop, type Act } from './measure.ts'
import { atMost, exactly, failures, number, type Outcome } from './outcome.ts'
import { oneOf } from './random.ts'
import { Shopper } from './shopper.ts'
import type { World } from './world.ts'

const PER_SECOND = 500
const P99_MS = 20
const CONNECTIONS = 64
const PAID = 200

const Paid = Type.Object({ key: Type.String(), reference: Type.String(), amountMinor: Type.Integer() })
type Paid = { key: string; reference: string; amountMinor: number }
const Count = Type.Object({ kept: Type.Integer(), done: Type.Integer() })

export async function measureWebhooks(world: World): Promise<Outcome> {
  return withBank(world, { name: 'bench_webhooks', slowMs: 1_000 }, async (ground) => {
    const paid = await pay(ground, world)
    await drain(ground)
    const answered: string[] = []
    return withConnections(ground.shop.url, CONNECTIONS, async (connections) => {
      const act: Act = async (worker) => {
        const eventId = randomUUID()
        const { status, body } = await connections[worker]!.request(
          'POST', '/webhooks/simulator', ...signed(eventId, oneOf(paid, world.random)))
        if (status !== 200) throw new Error(`a webhook was answered ${status}: ${body.toString().slice(0, 200)}`)
        answered.push(eventId)
      }
      const { watched } = ground
      await runLoop({ workers: 16, seconds: 1, warmUpSeconds: 0 }, act)
      await drain(ground)
      const seconds = world.options.quick ? 3 : 20
      const sample = await runOpenLoop({ workers: CONNECTIONS, seconds, watched, perSecond: PER_SECOND }, act)
      const row = { name: `webhooks open ${PER_SECOND}/s`, unit: 'messages/s', shop: figuresOf([sample]) }
      const drained = await drain(ground)
      const { kept, done } = await ground.db.one(Count, sql`
        select count(*)::int as kept, count(*) filter (where state = 'done')::int as done
        from payments.webhook_event where event_id = any(${answered})`)
      return {
        rows: [row], notes: [`webhooks: ${answered.length} answered; all worked ${number(drained)} s after the last`],
        bounds: [
          ...failures(row), atMost(`webhooks: p99 at ${PER_SECOND}/s`, row.shop.p99Ms, P99_MS, ' ms'),
          exactly('webhooks: unsent, or refused as busy', String(sample.unsent + sample.refused),
            sample.unsent + sample.refused === 0),
          exactly('webhooks: answered and not kept', String(answered.length - kept), kept === answered.length),
          exactly('webhooks: kept and not worked', String(kept - done), done === kept),
        ],
      }
    })
  })
}

/** Payments for the messages to be about. */
async function pay({ db, goods, shop }: Ground, { random }: World): Promise<Paid[]> {
  await withConnections(shop.url, 4, async (connections) => {
    await Promise.all(connections.map(async (connection) => {
      const shopper = new Shopper(connection, { ...goods.terms, paymentMethod: METHOD })
      for (let order = 0; order < PAID / 4; order++) {
        const lines = [{ variantId: oneOf(goods.variantIds, random), quantity: 1 }]
        await shopper.buyNow(lines, await shopper.quote(lines), { fault: 'webhook_never' })
      }
    }))
  })
  return db.many(Paid, sql`
    select attempt.id as key, reference, amount_minor as "amountMinor"
    from payments.attempt join payments.payment on payment.id = payment_id
    where gateway = 'simulator' and state = 'captured' order by attempt.id desc limit ${PAID}`)
}

/** Headers and body of a message about a charge. */
function signed(eventId: string, { key, reference, amountMinor }: Paid): [headers: string, body: string] {
  const body = JSON.stringify({
    eventId, about: 'charge', kind: 'charge.captured', key, reference, account: 'sim_account', amountMinor,
    currency: 'EUR',
  })
  const timestamp = String(Math.floor(Date.now() / 1_000))
  const signature = createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex')
  return [`x-simulator-timestamp: ${timestamp}\r\nx-simulator-signature: ${signature}\r\n`, body]
}
