// Shop and model (model.ts) are driven by the same events, up to three of them at once. What the shop answered and
// where it stands must be what the model comes to in one of the orders in which those events can have happened; a
// sequence that fails is made as short as it still fails.
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { Type } from 'typebox'
import { lapseOrders } from '../../src/modules/orders/lapse-orders.ts'
import { createCoupon } from '../../src/modules/pricing/coupons.ts'
import { savePromotion } from '../../src/modules/pricing/promotions.ts'
import { sql, systemContext } from '../../src/platform/db.ts'
import { newId } from '../../src/platform/id.ts'
import { address, PRICE, thing } from '../bounded.ts'
import { judge } from '../check.ts'
import { reserved, step, totalOf, type Answer, type Event, type Shop } from '../model.ts'
import type { Programme } from '../programme.ts'
import { openStage, type Stage } from '../stage.ts'

const SEQUENCES_A_ROUND = 5
const REST_WITHIN_MS = 20_000

export const model: Programme = {
  name: 'model', about: 'events at once, compared with a pure model of orders, payments, stock and coupons',
  unit: 'sequences', counts: { full: 500, quick: 10 },
  async open(sabotage) {
    const stage = await openStage(12, sabotage)
    await stage.startShop()
    return {
      async round(seed) {
        let events = 0
        const property = fc.asyncProperty(start, batches, async (begin, wishes) => {
          const play = await Play.begin(stage, begin)
          for (const wish of wishes) events += await play.turn(wish)
        })
        const { failed, counterexample, errorInstance } =
          await fc.check(property, { seed, numRuns: SEQUENCES_A_ROUND, interruptAfterTimeLimit: 60_000 })
        return {
          count: SEQUENCES_A_ROUND, figures: { events },
          violations: [
            ...failed ? [`${(errorInstance as Error)?.message}; the shortest: ${JSON.stringify(counterexample)}`] : [],
            ...await judge(stage),
          ],
        }
      },
      close: () => stage.close(),
    }
  },
}

const start = fc.record({ onHand: fc.integer({ min: 0, max: 6 }), couponLimit: fc.integer({ min: 1, max: 3 }) })
// What somebody wants to do; to which order is decided when it is known which there are.
const wish = fc.record({
  kind: fc.constantFrom('place', 'place', 'place', 'pay', 'cancel', 'capture', 'refund', 'receive', 'lapse', 'restock'),
  of: fc.nat(20), share: fc.integer({ min: 1, max: 100 }), quantity: fc.integer({ min: 1, max: 3 }),
  coupon: fc.boolean(), method: fc.constantFrom('card', 'card-later', 'transfer'), declined: fc.boolean(),
})
type Wish = ReturnType<typeof wish.generate>['value']
const batch = fc.array(wish, { minLength: 1, maxLength: 3, size: 'max' })
const batches = fc.array(batch, { minLength: 3, maxLength: 12, size: 'max' })

type Known = { id: string; token: string }

class Play {
  readonly #stage: Stage
  readonly #variantId: string
  readonly #code: string
  readonly #orders = new Map<number, Known>()
  #shop: Shop
  #events = 0
  #now = 0

  private constructor(stage: Stage, variantId: string, code: string, shop: Shop) {
    this.#stage = stage
    this.#variantId = variantId
    this.#code = code
    this.#shop = shop
  }

  static async begin(stage: Stage, { onHand, couponLimit }: Pick<Shop, 'onHand' | 'couponLimit'>): Promise<Play> {
    const code = `M${newId().replaceAll('-', '').slice(-12).toUpperCase()}`
    await stage.db.transaction(systemContext(), async (tx) => {
      const promotionId = newId()
      await savePromotion(tx, promotionId, { name: code, automatic: false, useLimit: couponLimit,
        discount: { kind: 'percentage', ratePpm: 100_000 } })
      await createCoupon(tx, newId(), promotionId, { code })
    })
    return new Play(stage, await thing(stage, [onHand]), code, { onHand, couponLimit, couponUses: 0, orders: [] })
  }

  /** All of them at once; throws when no order of them explains what came of it. Answers how many there were. */
  async turn(wishes: readonly Wish[]): Promise<number> {
    this.#now++
    const events = wishes.map((one) => this.#eventOf(one))
    const answers = await Promise.all(events.map((event) => this.#send(event)))
    await this.#rest()
    const stands = await this.#read()
    const tried: string[] = []
    for (const order of permutations(events.map((_, index) => index))) {
      let shop = this.#shop
      const fits = order.map((index) => {
        const taken = step(shop, events[index]!, this.#now * 60)
        shop = taken.shop
        return explains(taken.answer, answers[index]!)
      })
      const seen = visible(shop)
      if (fits.every(Boolean) && seen === stands) {
        this.#shop = shop
        return events.length
      }
      tried.push(`${order.map((index) => index + 1).join(', ')} answers ${fits.join(' ')}: ${seen}`)
    }
    throw new Error(`${JSON.stringify(events)} were answered ${JSON.stringify(answers)} and led to ${stands}; ` +
      `one after the other they lead to ${tried.join(' or ')}`)
  }

  #eventOf({ kind, of, share, quantity, coupon, method, declined }: Wish): Event {
    const ids = this.#shop.orders.map(({ id }) => id)
    if (kind === 'lapse') return { kind }
    if (kind === 'restock') return { kind, units: quantity }
    const order = ids[of % Math.max(1, ids.length)]
    if (kind === 'place' || order === undefined) {
      return { kind: 'place', id: this.#events++, quantity, coupon, method, declined } as Event
    }
    const { total } = this.#shop.orders.find(({ id }) => id === order)!
    return { kind, order, amount: Math.max(1, Math.round(total * share / 100)) } as Event
  }

  async #send(event: Event): Promise<Answer> {
    if (event.kind === 'lapse') return this.#lapse()
    const { terms } = this.#stage
    const staff = terms.secretKey
    switch (event.kind) {
      case 'restock': return this.#ask('POST', '/admin/inventory/adjustments', { adjustments: [{
        variantId: this.#variantId, locationId: terms.locations[0], reason: 'receipt', quantity: event.units,
      }] }, staff)
      case 'place': return this.#place(event)
      case 'cancel': return this.#ask('POST', `/admin/orders/${this.#of(event).id}/cancel`, { reason: 'other' }, staff)
      case 'pay': return this.#ask('POST', `/store/orders/${this.#of(event).id}/pay`, {
        payment: { method: this.#shop.orders.find(({ id }) => id === event.order)!.method },
      }, this.#of(event).token)
      default: return this.#ask('POST', `/admin/payments/${await this.#paymentOf(this.#of(event).id)}/` +
        (event.kind === 'receive' ? 'receipt' : event.kind), event.kind === 'receive' ? {} : {
        amountMinor: event.amount }, staff)
    }
  }

  #of = ({ order }: { order: number }): Known => this.#orders.get(order)!

  async #place({ id, quantity, coupon, method, declined }: Event & { kind: 'place' }): Promise<Answer> {
    return this.#ask('POST', '/store/checkout', {
      currency: 'EUR', lines: [{ variantId: this.#variantId, quantity }], email: `${newId()}@example.com`,
      shippingAddress: address, shippingMethodId: this.#stage.terms.methodId,
      ...coupon ? { couponCodes: [this.#code] } : {},
      expectedTotal: { amount: totalOf(quantity, coupon), currency: 'EUR' },
      payment: { method, data: declined && method !== 'transfer' ? { fault: 'decline' } : {} },
    }, undefined, ({ order, token }) => { this.#orders.set(id, { id: order.id, token }) })
  }

  async #ask(
    method: string, path: string, body: unknown, bearer?: string, accepted?: (body: any) => void,
  ): Promise<Answer> {
    const key = newId()
    for (;;) {
      const answer = await fetch(this.#stage.url + path, {
        method, headers: {
          'content-type': 'application/json', 'x-publishable-key': this.#stage.terms.key, 'idempotency-key': key,
          ...bearer ? { authorization: `Bearer ${bearer}` } : {},
        }, body: JSON.stringify(body),
      })
      const said = await answer.json() as any
      if (answer.status < 300) {
        accepted?.(said)
        return []
      }
      const code = String(said.type).split('/').at(-1)!
      if (answer.status !== 503) return [answer.status >= 500 ? `${answer.status}` : code]
      await sleep(30)
    }
  }

  async #lapse(): Promise<Answer> {
    const { db } = this.#stage
    const ids = [...this.#orders.values()].map(({ id }) => id)
    await db.transaction(systemContext(), async (tx) => {
      await tx.run(sql`select from orders.order where id = any(${ids}::uuid[]) order by id for update`)
      await tx.run(sql`update orders.order set holds_until = now() - interval '1 second'
        where id = any(${ids}::uuid[]) and state = 'awaiting_payment'`)
      await tx.run(sql`update inventory.reservation set expires_at = now() - interval '1 second'
        where order_id = any(${ids}::uuid[]) and state = 'held'`)
    })
    // One that somebody holds at this moment is passed over, and its turn comes with the next sweep.
    for (;;) {
      await lapseOrders(db)
      const { due } = await db.one(Type.Object({ due: Type.Boolean() }), sql`
        select exists (select from orders.order where id = any(${ids}::uuid[]) and state = 'awaiting_payment'
          and holds_until <= now()) as due`)
      if (!due) return []
    }
  }

  async #paymentOf(orderId: string): Promise<string> {
    return (await this.#stage.db.one(Type.Object({ id: Type.String() }), sql`
      select id from payments.payment where order_id = ${orderId}`)).id
  }

  async #rest(): Promise<void> {
    for (const deadline = Date.now() + REST_WITHIN_MS; ; await sleep(10)) {
      const left = await this.#stage.underWay()
      if (Object.keys(left).length === 0) return
      if (Date.now() > deadline) throw new Error(`The shop does not come to rest: ${JSON.stringify(left)}`)
    }
  }

  /** Where the shop stands, in the words of `visible`. */
  async #read(): Promise<string> {
    const ids = [...this.#orders].sort(([one], [other]) => one - other)
    const { onHand, promised, uses } = await this.#stage.db.one(Stands, sql`
      select sum(on_hand) as "onHand", sum(reserved) as promised, (select coalesce(sum(used), 0) from pricing.use_count
        join pricing.promotion on promotion.id = promotion_id where name = ${this.#code} and scope = 'all') as uses
      from inventory.stock where variant_id = ${this.#variantId}`)
    const orders = await this.#stage.db.many(Stood, sql`
      select "order".id, "order".state, coalesce(attempt.state, 'none') as payment, captured_minor as captured,
        refunded_minor as refunded
      from orders.order join payments.payment on order_id = "order".id
      left join lateral (select state from payments.attempt where payment_id = payment.id
        order by created_at desc, id desc limit 1) as attempt on true
      where "order".id = any(${ids.map(([, { id }]) => id)}::uuid[])`)
    const lines = ids.map(([number, { id }]) => {
      const { state, payment, captured, refunded } = orders.find((one) => one.id === id)!
      return `${number} ${state} ${payment} ${captured} ${refunded}`
    })
    return [`${onHand} there, ${promised} promised, ${uses} coupons`, ...lines].join('; ')
  }
}

const Stands = Type.Object({ onHand: Type.Integer(), promised: Type.Integer(), uses: Type.Integer() })
const Stood = Type.Object({
  id: Type.String(), state: Type.String(), payment: Type.String(), captured: Type.Integer(), refunded: Type.Integer(),
})

const visible = (shop: Shop): string => [
  `${shop.onHand} there, ${reserved(shop)} promised, ${shop.couponUses} coupons`,
  ...shop.orders.toSorted((one, other) => one.id - other.id)
    .map(({ id, state, payment, captured, refunded }) => `${id} ${state} ${payment} ${captured} ${refunded}`),
].join('; ')

const explains = (allowed: Answer, [said]: Answer): boolean =>
  (allowed.length === 0 ? said === undefined : said !== undefined && allowed.includes(said))

function* permutations(items: readonly number[]): Generator<number[]> {
  if (items.length === 0) yield []
  for (const item of items) {
    for (const rest of permutations(items.filter((other) => other !== item))) yield [item, ...rest]
  }
}

if (PRICE + 490 !== totalOf(1, false)) throw new Error('The model and the stage disagree about what a thing costs')
