// Who shops while things break: customers who insist (the same request under the same Idempotency-Key until they know),
// and staff who capture, refund and cancel what was ordered. They believe nothing but definite answers, and write each
// of them down.
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '../src/platform/id.ts'
import { oneOf, type Random } from '../bench/random.ts'
import type { Entry } from './journal.ts'
import { COUPON, type Stage } from './stage.ts'

export type Habits = {
  /** Faults that they ask of the bank with a payment, each as often as it stands here; '' for none. */
  faults?: readonly string[]
  /** Shares of: orders of the scarce thing, orders with a coupon, orders that staff do something about. */
  scarce?: number
  coupons?: number
  staff?: number
  /** What they send along with a payment that has this fault. */
  data?: (fault: string) => Record<string, unknown>
  /** What they do on a page of the bank to which they are sent. */
  visit?: (url: string) => Promise<unknown>
}

/** Where they shop, and where they note what they were told. */
type Market = Pick<Stage, 'url' | 'terms' | 'journal'>
type Answer = { status: number; body: any }
type Asked = { method: string; path: string; body?: unknown; bearer?: string; what: string; note?: Partial<Entry> }

const ANSWER_WITHIN_MS = 8_000
const GIVE_UP_AFTER_MS = 60_000
const PAUSE_MS = 40

export class Crowd {
  readonly #stage: Market
  readonly #random: Random
  readonly #habits: Required<Habits>
  #stopped = false
  #customers: Promise<void>[] = []
  /** Answers that no shop may give, and waits without end. */
  readonly complaints: string[] = []
  /** Requests without an answer, or with one that only asks for patience: allowed while things break. */
  readonly failures: string[] = []
  /** Orders that were acknowledged, and when the last request that succeeded was sent and answered. */
  orders = 0
  success = { sentAt: 0, answeredAt: 0 }

  constructor(stage: Market, random: Random, habits: Habits = {}) {
    this.#stage = stage
    this.#random = random
    this.#habits = {
      faults: [''], scarce: 0.3, coupons: 0.2, staff: 0.4, data: (fault) => ({ fault }), visit: async () => {},
      ...habits,
    }
  }

  /** So many shop at once, until they are asked to stop. */
  start(customers: number): void {
    this.#customers = Array.from({ length: customers }, async () => {
      while (!this.#stopped) await this.buy()
    })
  }

  /** They finish what they began: who does not know yet whether he ordered asks until he does. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#customers)
  }

  async buy(): Promise<void> {
    const { faults, scarce, coupons, staff, data, visit } = this.#habits
    const { terms } = this.#stage
    const random = this.#random
    const variantId = random() < scarce ? terms.scarce : oneOf(terms.plenty, random)
    const begun = await this.#insist({ method: 'POST', path: '/store/carts', what: 'cart', body: {
      currency: 'EUR', lines: [{ variantId, quantity: 1 + Math.floor(random() * 2) }], email: 'ada@example.com',
      shippingAddress: { name: 'Ada', line1: 'Street 1', postalCode: '10117', city: 'Berlin', country: 'DE' },
      shippingMethodId: terms.methodId, ...random() < coupons ? { couponCodes: [COUPON] } : {},
    } })
    if (begun?.status !== 201 || !begun.body.cart.quote) return
    const { cart, token } = begun.body
    const method = oneOf(['card', 'card', 'card-later'], random)
    const fault = oneOf(faults, random)
    const placed = await this.#insist({
      method: 'POST', path: `/store/carts/${cart.id}/complete`, bearer: token, what: 'complete',
      note: { cartId: cart.id }, body: {
        expectedTotal: { amount: cart.quote.totalMinor, currency: 'EUR' }, payment: { method, data: data(fault) },
      },
    })
    if (placed?.status !== 201) return
    this.orders++
    // The bank may be away, or the page closed: whoever is on a page shops again, and the shop finds out by itself.
    if (placed.body.payment.kind === 'action') await visit(placed.body.payment.url).catch(() => {})
    if (random() < staff) await this.#attend(placed.body.order.id, method)
  }

  async #attend(orderId: string, method: string): Promise<void> {
    if (this.#random() < 0.3) {
      await this.#asStaff('POST', `/admin/orders/${orderId}/cancel`, { reason: 'customer' }, { orderId })
      return
    }
    const found = await this.#asStaff('GET', `/admin/orders/${orderId}/payments`)
    const payment = found?.body.items?.[0]
    if (!payment) return
    const kind = method === 'card-later' ? 'capture' : 'refund'
    const amountMinor = 1 + Math.floor(this.#random() * payment.amountMinor)
    await this.#asStaff('POST', `/admin/payments/${payment.id}/${kind}`, { amountMinor }, {
      orderId, operation: { paymentId: payment.id, kind, amountMinor },
    })
  }

  #asStaff(method: string, path: string, body?: unknown, note?: Partial<Entry>): Promise<Answer | undefined> {
    return this.#insist({ method, path, body, bearer: this.#stage.terms.secretKey, what: 'staff', ...note && { note } })
  }

  /** Asks until there is a definite answer; undefined when there never was one. */
  async #insist({ method, path, body, bearer, what, note = {} }: Asked): Promise<Answer | undefined> {
    const key = newId()
    const entry: Entry = { key, what, ...note }
    if (method !== 'GET') this.#stage.journal.note(entry)
    let said = 'nothing'
    for (const deadline = Date.now() + GIVE_UP_AFTER_MS; Date.now() < deadline;) {
      const sentAt = performance.now()
      const answer = await this.#send({ method, path, body, bearer, key }).catch((error: Error) => {
        said = `${error.message} (${(error.cause as Error | undefined)?.message ?? 'no cause'})`
        this.failures.push(`${method} ${path}: ${said}`)
        return undefined
      })
      if (answer) {
        const { status } = answer
        const code = String(answer.body?.type ?? '').split('/').at(-1)
        said = `${status} ${code}`
        if (status > 500) this.failures.push(`${method} ${path}: ${said}`)
        if (status === 500) this.complaints.push(`${method} ${path} answered 500`)
        const later = code === 'idempotency-key-in-flight' || status === 429
        if (status < 300) this.success = { sentAt, answeredAt: performance.now() }
        if (status < 500 && !later) return this.#know(entry, answer, method)
      }
      await sleep(PAUSE_MS * (0.5 + Math.random()))
    }
    this.complaints.push(`${method} ${path} was never decided, the last answer: ${said}`)
    return undefined
  }

  #know(entry: Entry, answer: Answer, method: string): Answer {
    const { order, payment } = answer.body ?? {}
    if (method !== 'GET') this.#stage.journal.note({
      ...entry, status: answer.status, ...order ? { orderId: order.id } : {},
      ...payment ? { payment: payment.kind } : {},
    })
    return answer
  }

  async #send(
    { method, path, body, bearer, key }: Omit<Asked, 'what' | 'note'> & { bearer: string | undefined; key: string },
  ): Promise<Answer> {
    const { url, terms } = this.#stage
    const answer = await fetch(url + path, {
      method, signal: AbortSignal.timeout(ANSWER_WITHIN_MS), headers: {
        'x-publishable-key': terms.key, ...method === 'GET' ? {} : { 'idempotency-key': key },
        ...bearer ? { authorization: `Bearer ${bearer}` } : {},
        ...body === undefined ? {} : { 'content-type': 'application/json' },
      }, ...body === undefined ? {} : { body: JSON.stringify(body) },
    })
    return { status: answer.status, body: await answer.json() }
  }
}
