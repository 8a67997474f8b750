// Everything of a shop that there is only so much of. Each is made fresh for a race, wanted by more than there are, and
// says how many may succeed, and which refusals are honest.
import { Type } from 'typebox'
import type { Answer, Connection } from '../bench/connection.ts'
import type { Random } from '../bench/random.ts'
import { saveProducts } from '../src/modules/catalog/save-products.ts'
import { addStaff } from '../src/modules/identity/issue-password.ts'
import { setBackorderLimits, setStock } from '../src/modules/inventory/set-stock.ts'
import { issueGiftCard } from '../src/modules/payments/gift-cards.ts'
import { createCoupon } from '../src/modules/pricing/coupons.ts'
import { savePromotion } from '../src/modules/pricing/promotions.ts'
import { setPrices } from '../src/modules/pricing/set-prices.ts'
import { sql, systemContext, type Tx } from '../src/platform/db.ts'
import { newId } from '../src/platform/id.ts'
import { sendToken } from '../src/modules/identity/send-token.ts'
import type { Stage } from './stage.ts'

export type Race = {
  /** How many may succeed, however many want. */
  limit: number
  /** What each of them does at the same moment. */
  want: (connection: Connection, index: number) => Promise<Answer>
  accepted: (answer: Answer) => boolean
  /** Codes of the problems that a loser may be told. */
  refusals: readonly string[]
  /** What is broken afterwards beyond the counts, if anything. */
  verdict?: (accepted: Answer[]) => Promise<string | undefined> | string | undefined
}

export type Resource = { name: string; race: (stage: Stage, demand: number, random: Random) => Promise<Race> }

const JSON_TYPE = 'content-type: application/json\r\n'
export const PRICE = 1_000

const write = <T>({ db }: Stage, fn: (tx: Tx) => Promise<T>): Promise<T> => db.transaction(systemContext(), fn)

/** A fresh thing with so much of it in the first and the second place, and so many promises beyond it. */
export async function thing(stage: Stage, [here, there = 0]: readonly number[], backorder = 0): Promise<string> {
  const { channelId, locations } = stage.terms
  const handle = `raced-${newId()}`
  return write(stage, async (tx) => {
    const [saved] = await saveProducts(tx, [{
      handle, title: 'Raced', status: 'active', channelIds: [channelId], options: [],
      variants: [{ options: {}, sku: handle, weightGrams: 100 }],
    }])
    const { variantId } = saved!.variants[0]!
    await setPrices(tx, [{ variantId, channelId, currency: 'EUR', unitMinor: PRICE }])
    await setStock(tx, [
      { variantId, locationId: locations[0], onHand: here! }, { variantId, locationId: locations[1], onHand: there },
    ])
    if (backorder > 0) await setBackorderLimits(tx, [{ variantId, locationId: locations[0], limit: backorder }])
    return variantId
  })
}

const keyLine = ({ terms }: Stage): string => `x-publishable-key: ${terms.key}\r\n`
const staffLine = ({ terms }: Stage): string => `authorization: Bearer ${terms.secretKey}\r\n`
export const address = { name: 'Ada', line1: 'Street 1', postalCode: '10117', city: 'Berlin', country: 'DE' }

type Purchase = {
  variantId: string; couponCode?: string; email?: string; key?: string; totalMinor?: number
  method?: 'transfer' | 'card'; giftCard?: string
}

/** One checkout in one call. */
export function buy(stage: Stage, connection: Connection, purchase: Purchase): Promise<Answer> {
  const { variantId, couponCode, email = `${newId()}@example.com`, key = newId(), giftCard } = purchase
  const payment = giftCard ? { giftCards: [giftCard] } : { method: purchase.method ?? 'transfer' }
  const totalMinor = purchase.totalMinor ?? PRICE + 490
  return connection.request('POST', '/store/checkout', `${keyLine(stage)}${JSON_TYPE}idempotency-key: ${key}\r\n`,
    JSON.stringify({
      currency: 'EUR', lines: [{ variantId, quantity: 1 }], email, shippingAddress: address,
      shippingMethodId: stage.terms.methodId, ...couponCode ? { couponCodes: [couponCode] } : {},
      expectedTotal: { amount: totalMinor, currency: 'EUR' }, payment,
    }))
}

const placed = ({ status }: Answer): boolean => status === 201
const drawn = (random: Random, most: number): number => 1 + Math.floor(random() * most)

function stockRace(shares: (limit: number) => { stock: readonly number[]; backorder?: number }): Resource['race'] {
  return async (stage, demand, random) => {
    const limit = drawn(random, demand - 5)
    const { stock, backorder } = shares(limit)
    const variantId = await thing(stage, stock, backorder)
    return {
      limit, accepted: placed, refusals: ['out-of-stock'], want: (connection) => buy(stage, connection, { variantId }),
      async verdict() {
        const { held } = await stage.db.one(Type.Object({ held: Type.Integer() }), sql`
          select coalesce(sum(quantity), 0)::int as held from inventory.reservation
          where variant_id = ${variantId} and state in ('held', 'claimed')`)
        return held === limit ? undefined : `${held} units are promised`
      },
    }
  }
}

/** Half off, so that the total tells who had the coupon: a tenth of nothing would not. */
async function coupon(stage: Stage, limits: { useLimit?: number; useLimitPerCustomer?: number; codeLimit?: number }) {
  const { codeLimit, ...promotion } = limits
  const code = `R${newId().replaceAll('-', '').slice(-12).toUpperCase()}`
  await write(stage, async (tx) => {
    const promotionId = newId()
    await savePromotion(tx, promotionId, {
      name: code, automatic: false, discount: { kind: 'percentage', ratePpm: 500_000 }, ...promotion,
    })
    await createCoupon(tx, newId(), promotionId, { code, ...codeLimit ? { useLimit: codeLimit } : {} })
  })
  return code
}

function couponRace(
  limits: (limit: number) => Parameters<typeof coupon>[1], options: { limit?: number; email?: string } = {},
): Resource['race'] {
  return async (stage, demand, random) => {
    const limit = options.limit ?? drawn(random, demand - 5)
    const [variantId, couponCode] = [await thing(stage, [1_000]), await coupon(stage, limits(limit))]
    const email = options.email ? { email: `${newId()}@example.com` } : {}
    return {
      limit, accepted: placed, refusals: ['coupon-exhausted', 'coupon-not-applicable', 'cart-changed'],
      want: (connection) => buy(stage, connection, { variantId, couponCode, totalMinor: PRICE / 2 + 490, ...email }),
    }
  }
}

/** An order that is authorised and not captured, or captured, of `parts` equal parts. */
async function payment(stage: Stage, { parts, captured }: { parts: number; captured: boolean }): Promise<string> {
  const variantId = await thing(stage, [1_000])
  const amount = PRICE + 490
  const answer = await fetch(`${stage.url}/store/checkout`, {
    method: 'POST', headers: { 'content-type': 'application/json', 'x-publishable-key': stage.terms.key },
    body: JSON.stringify({
      currency: 'EUR', lines: [{ variantId, quantity: 1 }], email: 'ada@example.com', shippingAddress: address,
      shippingMethodId: stage.terms.methodId, expectedTotal: { amount, currency: 'EUR' },
      payment: { method: captured ? 'card' : 'card-later' },
    }),
  })
  const { order } = await answer.json() as { order: { id: string } }
  const { id } = await stage.db.one(Type.Object({ id: Type.String() }), sql`
    select id from payments.payment where order_id = ${order.id}`)
  if (parts > amount) throw new Error('more parts than cents')
  return id
}

function moneyRace(kind: 'capture' | 'refund'): Resource['race'] {
  return async (stage, demand, random) => {
    const limit = drawn(random, demand - 5)
    const paymentId = await payment(stage, { parts: limit, captured: kind === 'refund' })
    const amountMinor = Math.floor((PRICE + 490) / limit)
    // What is left over after `limit` parts is less than one part.
    return {
      limit: Math.floor((PRICE + 490) / amountMinor), accepted: ({ status }) => status === 200,
      refusals: ['amount-not-available', 'not-possible'],
      want: (connection) => connection.request('POST', `/admin/payments/${paymentId}/${kind}`,
        `${staffLine(stage)}${JSON_TYPE}idempotency-key: ${newId()}\r\n`, JSON.stringify({ amountMinor })),
    }
  }
}

const orderIds = (answers: Answer[]): Set<string> => new Set(answers.map((answer) => answer.json().order.id as string))
const oneOrder = (answers: Answer[]): string | undefined =>
  (orderIds(answers).size === 1 ? undefined : `${orderIds(answers).size} orders were made`)

export const resources: readonly Resource[] = [
  { name: 'stock in one place', race: stockRace((limit) => ({ stock: [limit] })) },
  {
    name: 'stock in two places',
    race: stockRace((limit) => ({ stock: [Math.ceil(limit / 2), Math.floor(limit / 2)] })),
  },
  { name: 'promises beyond stock', race: stockRace((limit) => ({ stock: [0], backorder: limit })) },
  { name: 'uses of a promotion', race: couponRace((useLimit) => ({ useLimit })) },
  { name: 'uses of a code', race: couponRace((codeLimit) => ({ codeLimit })) },
  { name: 'a single-use code', race: couponRace(() => ({ codeLimit: 1 }), { limit: 1 }) },
  {
    name: 'uses by one customer',
    race: couponRace(() => ({ useLimitPerCustomer: 2 }), { limit: 2, email: 'the same' }),
  },
  {
    name: 'the balance of a gift card', async race(stage, demand, random) {
      const limit = drawn(random, demand - 5)
      const [variantId, { giftCard, code }] = [await thing(stage, [1_000]), await issueGiftCard(
        stage.db, systemContext(), { amountMinor: limit * (PRICE + 490), currency: 'EUR', paid: true })]
      return {
        limit, accepted: placed, refusals: ['stored-value-spent', 'stored-value-not-usable'],
        want: (connection) => buy(stage, connection, { variantId, giftCard: code }),
        async verdict() {
          const { left } = await stage.db.one(Type.Object({ left: Type.Integer() }), sql`
            select balance_minor as left from payments.stored_value where id = ${giftCard.id}`)
          return left === 0 ? undefined : `${left} cents are left on it`
        },
      }
    },
  },
  { name: 'what can be captured', race: moneyRace('capture') },
  { name: 'what can be refunded', race: moneyRace('refund') },
  {
    name: 'an Idempotency-Key', async race(stage, demand) {
      const [variantId, key, email] = [await thing(stage, [1_000]), newId(), 'ada@example.com']
      return {
        limit: demand, accepted: placed, refusals: ['idempotency-key-in-flight'], verdict: oneOrder,
        want: (connection) => buy(stage, connection, { variantId, key, email }),
      }
    },
  },
  {
    name: 'a cart', async race(stage, demand) {
      const variantId = await thing(stage, [1_000])
      const headers = { 'content-type': 'application/json', 'x-publishable-key': stage.terms.key }
      const begun = await (await fetch(`${stage.url}/store/carts`, { method: 'POST', headers, body: JSON.stringify({
        currency: 'EUR', lines: [{ variantId, quantity: 1 }], email: 'ada@example.com', shippingAddress: address,
        shippingMethodId: stage.terms.methodId,
      }) })).json() as { cart: { id: string }; token: string }
      return {
        limit: demand, accepted: placed, refusals: [], verdict: oneOrder,
        want: (connection) => connection.request('POST', `/store/carts/${begun.cart.id}/complete`,
          `${keyLine(stage)}${JSON_TYPE}authorization: Bearer ${begun.token}\r\nidempotency-key: ${newId()}\r\n`,
          JSON.stringify({
            expectedTotal: { amount: PRICE + 490, currency: 'EUR' }, payment: { method: 'card' },
          })),
      }
    },
  },
  {
    name: 'a link to set a password', async race(stage) {
      const email = `${newId()}@example.com`
      await addStaff(stage.db, { email, name: 'Raced', role: 'support' })
      const { id } = await stage.db.one(Type.Object({ id: Type.String() }), sql`
        select id from identity.staff where email = ${email}`)
      await write(stage, (tx) => sendToken(tx, { id, email, name: 'Raced' }, 'password-reset'))
      const { token } = await stage.db.one(Type.Object({ token: Type.String() }), sql`
        select data ->> 'token' as token from notifications.message
        where recipient = ${email} and template = 'password-reset' order by id desc limit 1`)
      return {
        limit: 1, accepted: ({ status }) => status === 204, refusals: ['token-refused', 'busy', 'too-many-requests'],
        want: (connection, index) => connection.request('PUT', '/admin/password-reset', JSON_TYPE,
          JSON.stringify({ token, password: `a long password of number ${index}` })),
      }
    },
  },
]
