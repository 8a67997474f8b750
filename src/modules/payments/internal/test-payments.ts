// What the tests of payments share: payments without orders (a listener that takes or refuses the money), the simulated
// bank as a process, its webhooks over real HTTP, time that passes as fast as a test likes, and the comparison of our
// record with the bank's.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { manual } from '../../../../plugins/manual/manual.ts'
import type { BankOperation, Charge } from '../../../../plugins/simulator/bank.ts'
import { simulatorGateway, startSimulator } from '../../../../plugins/simulator/gateway.ts'
import { sql, systemContext, type Db } from '../../../platform/db.ts'
import { createApp } from '../../../platform/http.ts'
import { newId } from '../../../platform/id.ts'
import { drainEvents } from '../../../platform/jobs.ts'
import { createLog } from '../../../platform/log.ts'
import { inReverse, testDatabase, type Cleanup } from '../../../platform/testing.ts'
import { authorize } from '../authorize.ts'
import {
  paymentSetup, type ChargeOutcome, type ChargeRequest, type Gateway, type PaymentMethod,
} from '../gateway.ts'
import { paymentsOf } from '../get-payment.ts'
import { handlers } from '../jobs.ts'
import { openPayment } from '../open-payment.ts'
import { operate } from '../operate-payment.ts'
import type { OperationOrder } from '../operations.ts'
import { PaymentAlert, paymentListener, type Payment, type PaymentResult } from '../payments.ts'
import { workWaitingWebhooks } from '../receive-webhook.ts'
import { recoverPayments } from '../settle-payment.ts'
import { storeRoutes } from '../store-api.ts'

// Short enough for a test, and long enough for a busy machine; a slow bank is slower than the adapter's patience.
const PATIENCE_MS = 3_000
const A_WHILE_MS = 4_000

const methodsOf = ({ code: gateway }: Gateway) => [
  { code: 'card', gateway, title: 'Card', capture: 'automatic' },
  { code: 'card-later', gateway, title: 'Card, charged later', capture: 'manual' },
  { code: 'transfer', gateway: 'manual', title: 'Transfer', capture: 'manual' },
] as const

/** A card that others serve when the simulated bank cannot. */
export const failoverMethods = (...others: string[]): PaymentMethod[] => [{
  code: 'card', title: 'Card', capture: 'automatic',
  gateway: [{ shares: { simulator: 1, ...Object.fromEntries(others.map((code) => [code, 0])) } }],
}]

/** Another gateway at the same bank: it says what it was asked, and can be told what to answer instead of charging. */
export class OtherGateway {
  readonly asked: ChargeRequest[] = []
  answer: ChargeOutcome | undefined
  readonly gateway: Gateway
  constructor(url: string, code: string) {
    const real = simulatorGateway({ url, code, properties: { timeoutMs: PATIENCE_MS } })
    this.gateway = {
      ...real,
      charge: async (request) => {
        this.asked.push(request)
        return this.answer ?? real.charge({ ...request, data: { fault: 'webhook_never' } })
      },
    }
  }
}

const here = { publicUrl: 'http://shop.test', storefronts: [] }

export class TestPayments {
  readonly db: Db
  readonly gateway: Gateway
  readonly bankUrl: string
  readonly #gateways: Map<string, Gateway>
  /** What the order was told, as `paid <order>` and `failed <order>`. */
  readonly told: string[] = []
  /** Orders that take no money any more. */
  readonly refusing = new Set<string>()
  readonly alerts: string[] = []
  constructor(db: Db, gateway: Gateway, bankUrl: string) {
    this.db = db
    this.gateway = gateway
    this.bankUrl = bankUrl
    this.#gateways = new Map([[gateway.code, gateway], ['manual', manual]])
    paymentSetup.set(db, { gateways: this.#gateways, methods: methodsOf(gateway), ...here })
    paymentListener.set(db, {
      lock: async () => {},
      paid: async (_, { orderId }) => {
        if (this.refusing.has(orderId)) return 'refused'
        this.told.push(`paid ${orderId}`)
        return 'accepted'
      },
      failed: async (_, orderId) => void this.told.push(`failed ${orderId}`),
      ofChannels: () => sql`false`,
    })
  }

  /** Other methods instead of the usual ones, and other gateways beside the bank's. */
  serve(methods: PaymentMethod[], codes: string[]): OtherGateway[] {
    const others = codes.map((code) => new OtherGateway(this.bankUrl, code))
    for (const { gateway } of others) this.#gateways.set(gateway.code, gateway)
    paymentSetup.set(this.db, { gateways: this.#gateways, methods, ...here })
    return others
  }

  /** An order that has to be paid. */
  async order(amountMinor = 1_000, where: { country?: string; channel?: string } = {}): Promise<string> {
    const orderId = newId()
    await this.db.transaction(systemContext(), (tx) =>
      openPayment(tx, { paymentId: newId(), orderId, amountMinor, currency: 'EUR', ...where }))
    return orderId
  }

  pay(orderId: string, fault: string | Record<string, unknown> = '', method = 'card'): Promise<PaymentResult> {
    const data = typeof fault === 'string' ? { fault } : fault
    return authorize(this.db, systemContext(), { orderId, method, data })
  }

  /** An order that is paid; by default it is authorised and not captured. */
  async paid(amountMinor = 1_000, method = 'card-later'): Promise<Payment> {
    const orderId = await this.order(amountMinor)
    await this.pay(orderId, 'webhook_never', method)
    return this.payment(orderId)
  }

  async payment(orderId: string): Promise<Payment> {
    return (await paymentsOf(this.db, orderId))[0]!
  }

  operate(paymentId: string, kind: OperationOrder['kind'], amountMinor?: number): Promise<Payment> {
    return operate(this.db, systemContext(), paymentId, { kind, amountMinor })
  }

  /** The next operation at the bank goes wrong. */
  async nextOperation(fault: string): Promise<void> {
    const answer = await fetch(`${this.bankUrl}/faults`, { method: 'POST', body: JSON.stringify({ fault }) })
    assert.equal(answer.status, 200)
  }

  async charges(): Promise<Charge[]> {
    return (await fetch(`${this.bankUrl}/charges`)).json() as Promise<Charge[]>
  }

  async bankOperations(): Promise<BankOperation[]> {
    return (await fetch(`${this.bankUrl}/operations`)).json() as Promise<BankOperation[]>
  }

  /** Lets the time of everything that waits pass, and works what is due then. */
  async later(seconds = 0): Promise<void> {
    const past = sql`created_at = created_at - make_interval(secs => ${seconds})`
    // All attempts of a payment grow older together, so that they keep their order.
    await this.db.run(sql`update payments.attempt set ${past} where payment_id in (
      select payment_id from payments.attempt where next_check_at is not null)`)
    await this.db.run(sql`update payments.attempt set next_check_at = now() where next_check_at is not null`)
    await this.db.run(sql`update payments.operation
      set next_check_at = now(), ${past} where next_check_at is not null`)
    await this.db.run(sql`update payments.webhook_event set next_try_at = now() - interval '3 seconds'
      where next_try_at is not null`)
    await this.work()
    await recoverPayments(this.db)
    await workWaitingWebhooks(this.db)
    await this.work()
  }

  /** As if our process had died before it wrote what the gateway answered to the charge. */
  async forgetOutcome(orderId: string): Promise<void> {
    await this.db.transaction(systemContext(), async (tx) => {
      await tx.run(sql`set local session_replication_role = replica`)   // the ledger forgets nothing by itself
      await tx.run(sql`delete from payments.ledger_line where entry_id in (
        select id from payments.ledger_entry where order_id = ${orderId})`)
      await tx.run(sql`delete from payments.ledger_entry where order_id = ${orderId}`)
      await tx.run(sql`update payments.payment set authorized_minor = 0, captured_minor = 0
        where order_id = ${orderId}`)
      await tx.run(sql`update payments.attempt set state = 'sending', reference = null, next_check_at = now()
        where payment_id in (select id from payments.payment where order_id = ${orderId})`)
    })
  }

  /** Works the events that wait: webhooks come in, alerts go out. */
  async work(): Promise<void> {
    await drainEvents(this.db, [...handlers, {
      event: PaymentAlert.type, name: 'test', run: async (_, { reason }) => void this.alerts.push(reason),
    }])
  }

  /** Compares the payment with the bank's log: the same money, one charge at most, nothing unfinished. */
  async agreesWithTheBank(orderId: string): Promise<void> {
    const payment = await this.payment(orderId)
    const keys = new Set(payment.attempts.map(({ id }) => id))
    const charges = (await this.charges()).filter(({ key }) => keys.has(key))
    const good = charges.filter(({ state }) => state === 'authorized' || state === 'captured')
    assert.ok(good.length <= 1, 'charged twice')
    for (const { id, state } of payment.attempts) {
      assert.equal(state, charges.find(({ key }) => key === id)?.state ?? state)
    }
    assert.deepEqual(
      [payment.authorizedMinor, payment.capturedMinor, payment.refundedMinor],
      [good[0]?.amountMinor ?? 0, good[0]?.capturedMinor ?? 0, good[0]?.refundedMinor ?? 0])
    assert.deepEqual([payment.capturingMinor, payment.refundingMinor], [0, 0])
    assert.deepEqual(payment.operations.filter(({ state }) => state !== 'done' && state !== 'failed'), [])
  }
}

/** `properties`: as if the bank had other habits. */
export async function testPayments(
  t: Cleanup, { properties = {} }: { properties?: Partial<Gateway['properties']> } = {},
): Promise<TestPayments> {
  const ending = inReverse(t)
  const db = await testDatabase(ending, { max: 30 })
  const dataDir = mkdtempSync(join(tmpdir(), 'kontor-bank-'))
  const bank = await startSimulator({ dataDir, whileMs: A_WHILE_MS })
  const payments = new TestPayments(
    db, simulatorGateway({ url: bank.url, properties: { timeoutMs: PATIENCE_MS, ...properties } }), bank.url)
  const app = await openApp(db)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  await fetch(`${bank.url}/webhook-url`, { method: 'POST', body: JSON.stringify({ url: `${url}/webhooks/simulator` }) })
  ending.after(async () => {
    await bank.stop()
    await app.close()
    rmSync(dataDir, { recursive: true })
  })
  return payments
}

/** What serves the webhooks. */
export const openApp = (db: Db): Promise<FastifyInstance> => createApp({
  db, routes: storeRoutes, log: createLog('silent'), authenticate: async () => { throw new Error('Nobody signs in') },
})
