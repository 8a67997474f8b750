// The part of the gateway contract that takes payments themselves: an adapter's webhooks come over HTTP, twice, late,
// in any order, before our own write and with lies in them, and there is one end of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { sql } from '../../../platform/db.ts'
import { newId } from '../../../platform/id.ts'
import { testDatabase, type Cleanup } from '../../../platform/testing.ts'
import type { Message, Subject, Told } from '../gateway-contract.ts'
import type { Payment } from '../payments.ts'
import { openApp, TestPayments } from './test-payments.ts'

type Open = (t: Cleanup) => Promise<Subject>
type Webhook = NonNullable<Subject['webhook']>

class Listening {
  readonly payments: TestPayments
  readonly webhook: Webhook
  readonly good: Record<string, unknown>
  readonly #app: Awaited<ReturnType<typeof openApp>>
  readonly #code: string
  constructor(payments: TestPayments, { webhook, data, gateway }: Subject, app: Awaited<ReturnType<typeof openApp>>) {
    this.payments = payments
    this.webhook = webhook!
    this.good = data.good
    this.#code = gateway.code
    this.#app = app
  }

  /** The status that the gateway gets. */
  async post({ raw, headers }: Message): Promise<number> {
    const answer = await this.#app.inject({
      method: 'POST', url: `/webhooks/${this.#code}`, payload: raw,
      headers: { ...headers, 'content-type': 'application/json' },
    })
    return answer.statusCode
  }

  /** A payment that is captured, and how webhooks speak of it. */
  async paid(): Promise<{ orderId: string; told: Told }> {
    const orderId = await this.payments.order()
    assert.equal((await this.payments.pay(orderId, this.good)).kind, 'captured')
    return { orderId, told: toldOf(await this.payments.payment(orderId)) }
  }

  /** What is in the inbox, by state. */
  async inbox(): Promise<Record<string, number>> {
    const rows = await this.payments.db.many(Type.Object({ state: Type.String(), count: Type.Integer() }), sql`
      select state, count(*)::int from payments.webhook_event group by state`)
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]))
  }
}

const toldOf = ({ attempts: [attempt] }: Payment): Told => ({ key: attempt!.id, reference: attempt!.reference! })

async function listen(t: Cleanup, open: Open): Promise<Listening | undefined> {
  const subject = await open(t)
  if (!subject.webhook) return undefined
  const payments = new TestPayments(await testDatabase(t, { max: 12 }), subject.gateway, '')
  const app = await openApp(payments.db)
  t.after(() => app.close())
  return new Listening(payments, subject, app)
}

export function webhookContract(open: Open): void {
  test('a webhook that comes ten times is kept once, and changes nothing that is true already', async (t) => {
    const here = await listen(t, open)
    if (!here) return t.skip('it sends no webhooks')
    const { orderId, told } = await here.paid()
    const message = here.webhook(told)
    const answers = await Promise.all(Array.from({ length: 10 }, () => here.post(message)))
    assert.deepEqual([...new Set(answers)], [200])
    await here.payments.later()
    assert.deepEqual(await here.inbox(), { done: 1 })
    assert.deepEqual(here.payments.told, [`paid ${orderId}`])
  })

  test('webhooks before our own write wait, and whatever their order they end alike', async (t) => {
    const here = await listen(t, open)
    if (!here) return t.skip('it sends no webhooks')
    const { payments } = here
    for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2, 1, 0]]) {
      const orderId = await payments.order()
      // The gateway has the charge, our process died before it wrote the answer: `sending` is all that we know.
      assert.equal((await payments.pay(orderId, here.good)).kind, 'captured')
      const told = toldOf(await payments.payment(orderId))
      await payments.forgetOutcome(orderId)
      const messages: Message[] = [0, 1, 2].map(() => here.webhook(told))
      for (const index of order) assert.equal(await here.post(messages[index]!), 200)
      await payments.later()
      const { attempts: [attempt], capturedMinor } = await payments.payment(orderId)
      assert.deepEqual([attempt!.state, attempt!.reference, capturedMinor], ['captured', told.reference, 1_000])
    }
    assert.deepEqual(await here.inbox(), { done: 9 })
  })

  test('a webhook for a charge that nobody knows here waits', async (t) => {
    const here = await listen(t, open)
    if (!here) return t.skip('it sends no webhooks')
    assert.equal(await here.post(here.webhook({ key: newId(), reference: `ch_${newId()}` })), 200)
    await here.payments.work()
    assert.deepEqual(await here.inbox(), { parked: 1 })
  })

  test('forged: refused; for another account, amount or currency: kept for people, and nothing changes', async (t) => {
    const here = await listen(t, open)
    if (!here) return t.skip('it sends no webhooks')
    const { orderId, told } = await here.paid()
    const before = await here.payments.payment(orderId)
    const genuine = here.webhook(told)
    const headers = Object.fromEntries(Object.entries(genuine.headers).map(([name, value]) => [name, `${value}1`]))
    assert.equal(await here.post({ raw: genuine.raw, headers }), 400)
    assert.equal(await here.post({ raw: Buffer.from('{"id":"evt_1"}'), headers: genuine.headers }), 400)
    const lies: Partial<Told>[] = [{ account: 'acct_of_another' }, { amountMinor: 1 }, { currency: 'USD' }]
    for (const lie of lies) {
      assert.equal(await here.post(here.webhook({ amountMinor: 1_000, currency: 'EUR', ...told, ...lie })), 200)
    }
    await here.payments.later()
    await here.payments.later()
    assert.deepEqual(await here.inbox(), { quarantined: lies.length })
    assert.equal(here.payments.alerts.length, lies.length, here.payments.alerts.join('; '))
    assert.deepEqual(await here.payments.payment(orderId), before)
  })
}
