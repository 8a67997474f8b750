// A shop of ours as the race for any shop sees it: nothing but its HTTP interface, found by three variables.
//   SHOP_URL=http://127.0.0.1:3000 PUBLISHABLE_KEY=pk_… SECRET_KEY=sk_… \
//     npm run chaos -- races --shop chaos/adapters/kontor.ts
// The secret key reads and writes catalogue, prices and stock, and reads orders and payments. METHOD is how buyers pay:
// `card` unless told.
import { randomUUID } from 'node:crypto'
import type { ShopAdapter } from '../any-shop.ts'

type Item = { variantId: string; email: string }
type Cart = { path: string; token: string; expectedTotal: { amount: number; currency: string } }
type ShopAt = { url: string; publishableKey: string; secretKey: string; method?: string }

const address = { name: 'Ada', line1: 'Street 1', postalCode: '10117', city: 'Berlin' }

export async function adapter(): Promise<ShopAdapter> {
  const named = (name: string): string => {
    const value = process.env[name]
    if (value) return value
    throw new Error(`${name} is not set: say where the shop is (SHOP_URL), and its PUBLISHABLE_KEY and SECRET_KEY`)
  }
  const shop = await shopAt({
    url: named('SHOP_URL'), publishableKey: named('PUBLISHABLE_KEY'), secretKey: named('SECRET_KEY'),
    method: process.env['METHOD'] ?? 'card',
  })
  return shop as ShopAdapter
}

async function shopAt(where: ShopAt): Promise<ShopAdapter<Item, Cart>> {
  const { must, ask } = client(where)
  const { id: channelId, defaultCurrency: currency, country } = await must('GET', '/store/channel')
  const lists = await must('GET', '/admin/price-lists?limit=100')
  const base = lists.items.find((one: any) => one.channelId === channelId && one.currency === currency && !one.priority)
  const [{ id: locationId }] = (await must('GET', '/admin/inventory/locations')).items
  return {
    name: 'Kontor',
    async list(units) {
      const handle = `raced-${randomUUID()}`
      const product = await must('POST', '/admin/products', {
        handle, title: 'Raced', status: 'active', channelIds: [channelId],
        variants: [{ options: {}, weightGrams: 100 }],
      })
      const variantId = product.variants[0].id
      await must('PUT', `/admin/price-lists/${base.id}/prices`, {
        items: [{ variantId, prices: [{ unitMinor: 1_000 }] }],
      })
      await must('POST', '/admin/inventory/adjustments', {
        adjustments: [{ variantId, locationId, reason: 'receipt', quantity: units }],
      })
      return { variantId, email: `${handle}@example.com` }
    },
    async cart({ variantId, email }) {
      const { cart, token } = await must('POST', '/store/carts', {
        currency, lines: [{ variantId, quantity: 1 }], email, shippingAddress: { ...address, country },
      })
      const path = `/store/carts/${cart.id}`
      const options = await must('GET', `${path}/shipping-options`, undefined, token)
      const changed = await must('PATCH', path, { shippingMethodId: options.items[0].methodId }, token)
      return { path, token, expectedTotal: { amount: changed.quote.totalMinor, currency } }
    },
    async complete({ path, token, expectedTotal }, key) {
      const { status, body } = await ask('POST', `${path}/complete`, {
        expectedTotal, payment: { method: where.method ?? 'card' },
      }, token, key)
      if (status < 300) return 'sold'
      if (status >= 500 || status === 429 || body.type.endsWith('in-flight')) return 'again'
      if (body.type.endsWith('out-of-stock')) return 'refused'
      throw new Error(`${path}/complete answered ${status}: ${JSON.stringify(body)}`)
    },
    async count({ email }) {
      let [orders, payments, cursor] = [0, 0, '']
      do {
        const page = await must('GET', `/admin/orders?limit=100&email=${encodeURIComponent(email)}${cursor}`)
        const sold = page.items.filter((one: any) => one.placedAt)
        orders += sold.length
        for (const { id } of sold) {
          const { items } = await must('GET', `/admin/orders/${id}/payments`)
          payments += items.flatMap((payment: any) => payment.attempts)
            .filter((attempt: any) => ['authorized', 'captured'].includes(attempt.state)).length
        }
        cursor = page.nextCursor ? `&cursor=${encodeURIComponent(page.nextCursor)}` : ''
      } while (cursor)
      return { orders, payments }
    },
  }
}

function client({ url, publishableKey, secretKey }: ShopAt) {
  const ask = async (method: string, path: string, body?: unknown, token?: string, key: string = randomUUID()) => {
    const staff = path.startsWith('/admin')
    const answer = await fetch(url + path, {
      method, headers: {
        ...method === 'GET' ? {} : { 'idempotency-key': key },
        ...body === undefined ? {} : { 'content-type': 'application/json' },
        ...staff ? {} : { 'x-publishable-key': publishableKey },
        ...staff || token ? { authorization: `Bearer ${staff ? secretKey : token}` } : {},
      }, ...body === undefined ? {} : { body: JSON.stringify(body) },
    })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  const must = async (method: string, path: string, body?: unknown, token?: string) => {
    const answer = await ask(method, path, body, token)
    if (answer.status < 300) return answer.body
    throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  }
  return { ask, must }
}
