// What a developer reads after `npm start`: where everything is, how to get in, and one line that buys something.
import type { FastifyInstance } from 'fastify'
import { getChannel } from './modules/catalog/channels.ts'
import { listPublishableKeys } from './modules/identity/api-keys.ts'
import type { SignIn } from './modules/identity/issue-password.ts'
import { quote } from './modules/pricing/quote.ts'
import { shippingOptions } from './modules/shipping/shipping-options.ts'
import type { Db } from './platform/db.ts'
import { displayAmount } from './platform/money.ts'
import type { RoleName } from './plugin.ts'

type Facts = {
  db: Db; app: FastifyInstance; url: string; roles: readonly RoleName[]
  owner: SignIn | undefined; secretKey?: string; customer?: SignIn
}

/** The text to print. Passwords and secret keys are in it only when they were made just now: they are not kept. */
export async function welcome({ db, app, url, roles, owner, secretKey, customer }: Facts): Promise<string> {
  const key = (await listPublishableKeys(db))[0]
  // A line less is better than a shop less: whatever is on sale there, or not, the shop starts.
  const purchase = key && roles.includes('store') && await purchaseLine(db, app, url, key).catch(() => undefined)
  const lines = [
    '', 'Kontor is ready.', '',
    ...(roles.includes('store') ? [`  Store API        ${url}/store`] : []),
    ...(roles.includes('admin') ? [`  Admin API        ${url}/admin`] : []),
    `  API reference    ${url}/docs`,
    owner ? `  Owner            ${owner.email}   password: ${owner.password}   (shown this once)`
      : '  Owner            as printed at the first start; a new password: npm run kontor -- user password EMAIL',
    ...(customer ? [`  Customer         ${customer.email}   password: ${customer.password}   (shown this once)`] : []),
    ...(key ? [`  Publishable key  ${key.key}`] : []),
    secretKey ? `  Secret key       ${secretKey}   (shown this once)`
      : '  Secret key       make one: npm run kontor -- key create --secret "my program"',
    ...(purchase ? ['', purchase.said, '', purchase.line] : []),
    '', 'Ctrl-C stops all of it.', '',
  ]
  return lines.join('\n')
}

const THERE = ['in_stock', 'low_stock']

async function purchaseLine(
  db: Db, app: FastifyInstance, url: string, { key, channelId }: { key: string; channelId: string },
): Promise<{ said: string; line: string } | undefined> {
  const headers = { 'x-publishable-key': key }
  const { defaultCurrency: currency, country } = await getChannel(db, channelId)
  const list = await app.inject({ url: '/store/products?limit=100&sort=newest', headers })
  const card = list.json().items?.find((one: any) => one.from && THERE.includes(one.stock.status))
  if (!card) return undefined
  const product = (await app.inject({ url: `/store/products/${card.id}`, headers })).json()
  const variant = product.variants?.find((one: any) =>
    one.prices.length > 0 && THERE.includes(one.stock.status))
  if (!variant) return undefined
  const request = { channelId, currency, country, lines: [{ variantId: variant.id, quantity: 1 }], couponCodes: [] }
  const priced = await quote(db, request)
  const [line] = priced.lines
  const parcel = { channelId, currency, country, subtotalMinor: priced.subtotalMinor, weightGrams: line!.weightGrams }
  const [delivery] = line!.requiresShipping ? await shippingOptions(db, parcel) : []
  if (line!.requiresShipping && !delivery) return undefined
  const { totalMinor } = delivery ? await quote(db, { ...request, shippingMethodId: delivery.methodId }) : priced
  const body = {
    currency, lines: request.lines, email: 'you@example.com',
    ...(delivery ? { shippingMethodId: delivery.methodId } : {}),
    shippingAddress: { name: 'You', line1: 'Kai 7', postalCode: '20457', city: 'Hamburg', country },
    expectedTotal: { amount: totalMinor, currency }, payment: { method: 'card' },
  }
  const how = delivery ? ` (${delivery.name})` : ''
  return {
    said: `Buy a ${product.title} for ${displayAmount(totalMinor, currency)}${how}: paste this.`,
    line: `curl -s ${url}/store/checkout -H 'x-publishable-key: ${key}' -H 'content-type: application/json' ` +
      `-d '${JSON.stringify(body)}'`,
  }
}
