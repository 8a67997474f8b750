// A shop for a test: a database of its own, one channel, two locations, delivery and tax, the simulated bank as a
// process, and the few things that tests do over and over. Everything is done through the public functions of the
// modules, as anybody else would.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { manual } from '../plugins/manual/manual.ts'
import { simulatorGateway, startSimulator, type RunningSimulator } from '../plugins/simulator/gateway.ts'
import { createAccount } from './modules/accounts/create-account.ts'
import { findSession, openSession } from './modules/accounts/session.ts'
import { saveChannel } from './modules/catalog/channels.ts'
import { saveProducts } from './modules/catalog/save-products.ts'
import { createCart } from './modules/checkout/cart.ts'
import { placeOrder, type PlacedOrder } from './modules/checkout/place-order.ts'
import type { Cart, CartLine } from './modules/checkout/checkout.ts'
import { subjectOf } from './modules/customers/people.ts'
import { createPublishableKey, createSecretKey } from './modules/identity/api-keys.ts'
import { permissions } from './modules/identity/identity.ts'
import { addLocation } from './modules/inventory/locations.ts'
import { setStock } from './modules/inventory/set-stock.ts'
import { createCoupon } from './modules/pricing/coupons.ts'
import { savePromotion } from './modules/pricing/promotions.ts'
import { setPrices } from './modules/pricing/set-prices.ts'
import { setTaxRates } from './modules/pricing/tax-rates.ts'
import { saveMethod } from './modules/shipping/methods.ts'
import { saveZone } from './modules/shipping/zones.ts'
import { sql, systemContext, type Context, type Db } from './platform/db.ts'
import { hashToken, newId } from './platform/id.ts'
import { readConfig } from './platform/config.ts'
import { drainEvents } from './platform/jobs.ts'
import { createLog } from './platform/log.ts'
import { inReverse, testDatabase, type Cleanup, type TestDatabaseOptions } from './platform/testing.ts'
import type { ShopConfig } from './plugin.ts'
import { openShop, type Shop } from './shop.ts'

export type TestCart = { cart: Cart; context: Context }

export class TestShop {
  readonly db: Db
  readonly bank: RunningSimulator
  readonly channelId = newId()
  readonly methodId = newId()
  readonly locations: string[] = []
  readonly opened: Shop
  constructor(db: Db, bank: RunningSimulator, opened: Shop) {
    this.db = db
    this.bank = bank
    this.opened = opened
  }

  #app: Promise<FastifyInstance> | undefined

  /** The shop's HTTP application, without listening. */
  app(): Promise<FastifyInstance> {
    this.#app ??= this.opened.app()
    return this.#app
  }

  /** A publishable key of the channel and a secret key that may do everything. */
  async keys(): Promise<{ publishable: string; secret: string }> {
    return this.db.transaction(systemContext(), async (tx) => ({
      publishable: await createPublishableKey(tx, newId(), { name: 'Test', channelId: this.channelId }),
      secret: await createSecretKey(tx, newId(), { name: 'Test', permissions: Object.keys(permissions) }),
    }))
  }

  /** Delivers the events that wait to their handlers. */
  drain(): Promise<number> {
    return drainEvents(this.db, this.opened.handlers)
  }

  /** A product with one variant; answers the variant's id. Stock by location, in the order of `locations`. */
  async variant(
    { price = 990, stock = [10], weightGrams = 300 }: { price?: number; stock?: number[]; weightGrams?: number } = {}
  ): Promise<string> {
    const handle = `product-${newId()}`
    return this.db.transaction(systemContext(), async (tx) => {
      const [saved] = await saveProducts(tx, [{
        handle, title: `Mug ${handle.slice(-4)}`, status: 'active', channelIds: [this.channelId], options: [],
        variants: [{ options: {}, sku: handle, weightGrams }],
      }])
      const { variantId } = saved!.variants[0]!
      await setPrices(tx, [{ variantId, channelId: this.channelId, currency: 'EUR', unitMinor: price }])
      await setStock(tx, stock.map((onHand, index) => ({ variantId, locationId: this.locations[index]!, onHand })))
      return variantId
    })
  }

  /** A coupon that takes a share off. */
  async coupon({ code, useLimit, ratePpm }: { code: string; useLimit: number; ratePpm: number }): Promise<void> {
    const promotionId = newId()
    await this.db.transaction(systemContext(), async (tx) => {
      await savePromotion(
        tx, promotionId, { name: code, automatic: false, discount: { kind: 'percentage', ratePpm }, useLimit }
      )
      await createCoupon(tx, newId(), promotionId, { code })
    })
  }

  /** A shopper with a token of their own. */
  shopper(token: string): Context {
    return { requestId: newId(), actor: {
      kind: 'shopper', channelId: this.channelId, keyId: 'test', tokenHash: hashToken(token),
    } }
  }

  /** Somebody with an account, signed in: as the context of what they do, and as the bearer token that says so. */
  async customer(
    { email = 'anna@example.com', name = null as string | null, emailProven = true } = {},
  ): Promise<{ id: string; context: Context; token: string }> {
    const subject = await subjectOf(this.db, email)
    const device = { address: '127.0.0.1', userAgent: 'test' }
    const { id, token } = await this.db.transaction(systemContext(), async (tx) => {
      const id = (await createAccount(tx, { email, subject, name, passwordHash: null, emailProven }))!
      return { id, token: (await openSession(tx, { id, passwordHash: null }, device))! }
    })
    const customer = (await findSession(this.db, hashToken(token)))!
    const actor = { kind: 'shopper' as const, channelId: this.channelId, keyId: 'test', customer }
    return { id, context: { requestId: newId(), actor }, token: `session_${token}` }
  }

  /** A cart that lacks nothing. */
  async cart(lines: CartLine[], more: { couponCodes?: string[]; email?: string } = {}): Promise<TestCart> {
    const { cart, token } = await createCart(this.db, systemContext(), this.channelId, {
      lines, email: 'anna@example.com', shippingMethodId: this.methodId, shippingAddress: address, ...more,
    })
    return { cart, context: this.shopper(token) }
  }

  /** Completes a cart with the total that it showed. */
  complete({ cart, context }: TestCart, data: Record<string, string> = {}, method = 'card'): Promise<PlacedOrder> {
    return placeOrder(this.db, context, {
      cartId: cart.id, expectedTotal: {
        amount: cart.quote!.totalMinor, currency: cart.currency,
      }, payment: { method, data },
    })
  }

  /** What lies there and what is promised, over all locations. */
  stock(variantId: string): Promise<{ onHand: number; reserved: number }> {
    return this.db.one(Type.Object({ onHand: Type.Integer(), reserved: Type.Integer() }), sql`
      select sum(on_hand)::int as "onHand", sum(reserved)::int as reserved from inventory.stock
        where variant_id = ${variantId}`)
  }

  /** What the bank did, by its own log. */
  async charges(): Promise<{
    key: string; state: string; amountMinor: number; capturedMinor: number; refundedMinor: number,
  }[]> {
    return (await fetch(`${this.bank.url}/charges`)).json() as any
  }
}

export const address = { name: 'Anna Holm', line1: 'Kai 7', postalCode: '20457', city: 'Hamburg', country: 'DE' }

const config: ShopConfig = {
  roles: ['store', 'admin', 'worker'], plugins: [],
  paymentMethods: [
    { code: 'card', gateway: 'simulator', title: 'Card', capture: 'automatic' },
    { code: 'card-later', gateway: 'simulator', title: 'Card, charged later', capture: 'manual' },
    {
      code: 'transfer', gateway: 'manual', title: 'Transfer', capture: 'manual',
      instructions: 'To DE02 1203 0000 0000 2020 51',
    },
  ],
}

/** Opens a shop for a test, put together as any other; everything ends with the test. */
export async function testShop(t: Cleanup, options: TestDatabaseOptions = {}): Promise<TestShop> {
  const ending = inReverse(t)
  const db = await testDatabase(ending, options)
  const dataDir = mkdtempSync(join(tmpdir(), 'kontor-test-'))
  ending.after(() => rmSync(dataDir, { recursive: true }))
  const bank = await startSimulator({ dataDir })
  ending.after(() => bank.stop())
  const opened = await openShop(db, {
    ...config, plugins: [{ name: 'test', setup(kit) {
      kit.addGateway(manual)
      kit.addGateway(simulatorGateway({ url: bank.url }))
    } }],
  }, { log: createLog('silent'), dataDir, config: readConfig({}) })
  ending.after(() => opened.stop())
  const shop = new TestShop(db, bank, opened)
  await furnish(shop)
  return shop
}

async function furnish(shop: TestShop): Promise<void> {
  const context = systemContext()
  const zoneId = newId()
  await shop.db.transaction(context, async (tx) => {
    await saveChannel(tx, shop.channelId, {
      code: `test-${newId()}`, name: 'Test', currencies: ['EUR', 'USD'], defaultCurrency: 'EUR', defaultLocale: 'en',
      country: 'DE', pricesIncludeTax: true,
    })
    await saveZone(tx, zoneId, { name: 'Germany', countries: ['DE'] })
    await saveMethod(tx, shop.methodId, {
      zoneId, code: 'parcel', name: 'Parcel', kind: 'flat', rates: [{ currency: 'EUR', from: 0, amountMinor: 490 }],
    })
    await setTaxRates(tx, [{ country: 'DE', taxClass: 'standard', ratePpm: 190_000, name: 'VAT' }])
  })
  await shop.db.transaction(context, async (tx) => {
    for (const code of ['hamburg', 'lyon']) {
      shop.locations.push((await addLocation(tx, newId(), { code, name: code })).id)
    }
  })
}
