// The shop under attack: everything in it belongs to somebody, and each attacker is somebody else. Ids are real ones,
// so that a refusal is a refusal and no typing error.
import type { FastifyInstance, InjectOptions } from 'fastify'
import { Type } from 'typebox'
import { saveChannel } from '../src/modules/catalog/channels.ts'
import { createPublishableKey, createSecretKey } from '../src/modules/identity/api-keys.ts'
import { permissions } from '../src/modules/identity/identity.ts'
import { addStaff } from '../src/modules/identity/issue-password.ts'
import { EVERYWHERE, type Reach } from '../src/modules/identity/reach.ts'
import { openSession } from '../src/modules/identity/sign-in.ts'
import { sql, systemContext, type Tx } from '../src/platform/db.ts'
import type { Route } from '../src/platform/http.ts'
import { newId } from '../src/platform/id.ts'
import type { Cleanup } from '../src/platform/testing.ts'
import { address, testShop, type TestShop } from '../src/testing.ts'

export type Headers = Record<string, string>
export type Answer = { status: number; text: string; headers: Record<string, unknown> }

/** A cart and the order of another one, with the token that opens them. */
export type Shopper = { cartId: string; orderId: string; cartToken: string; orderToken: string }

/** A customer with a session; the cart and the order are theirs, so the token that came with them opens nothing. */
export type Customer = Shopper & {
  headers: Headers; cookie: string; addressId: string; sessionId: string; passkeyId: string
}

export type Ground = {
  shop: TestShop
  app: FastifyInstance
  /** What a name in a path stands for: a thing of this shop. */
  ids: Record<string, string>
  keys: { own: string; otherChannel: string; revoked: string }
  victim: Shopper
  other: Shopper
  /** Customers who signed in: the victim, one like the staff below, who has bought nothing, and a new one each time. */
  victimCustomer: Customer
  customer: () => Promise<Headers>
  newCustomer: () => Promise<Customer>
  /** The victim's name: where it stands, there is something of the victim's. */
  secret: string
  /** Staff or a key with every permission, or with every one but this. */
  staff: (without?: string) => Promise<Headers>
  key: (without?: string) => Promise<Headers>
  /** A key with every permission, in a channel where nothing is the victim's. */
  kept: () => Promise<Headers>
  /** Customers, staff and keys that are asked for from now on are new ones. */
  renew: () => void
  /** Those who were somebody once. */
  gone: Record<string, Headers>
  ask: (options: InjectOptions) => Promise<Answer>
}

const EVERYTHING = Object.keys(permissions)
/** A browser that shows a page of this server. */
export const HERE: Headers = { host: 'localhost:8000', 'sec-fetch-site': 'same-origin' }
const SECRET = 'Zyxelgrim'

/** Asks an application without a network between. */
export const asking = (app: FastifyInstance): Ground['ask'] => async (options) => {
  const { statusCode, body, headers } = await app.inject(options)
  return { status: statusCode, text: body, headers }
}

export async function openGround(t: Cleanup): Promise<Ground> {
  const shop = await testShop(t, { max: 12 })
  const app = await shop.app()
  const ask = asking(app)
  const keys = await makeKeys(shop)
  const variantId = await shop.variant({ stock: [100] })
  const become = (name: string): Promise<Shopper> => shopFor({ shop, ask, key: keys.own, variantId, name })
  const [victim, other] = [await become(SECRET), await become('Anna')]
  const newCustomer = (name = 'Berta') => customerFor({ shop, ask, key: keys.own, variantId, name })
  const victimCustomer = await newCustomer(SECRET)
  const left = await newCustomer()
  await ask({ method: 'DELETE', url: '/store/account/session', headers: left.headers })
  const people = peopleOf(shop)
  let regular: Promise<Headers> | undefined
  return {
    shop, app, keys, victim, other, victimCustomer, ask, secret: SECRET, staff: people.staff, key: people.key,
    kept: people.kept,
    newCustomer: () => newCustomer(),
    customer: () => (regular ??= signedIn({ shop, key: keys.own, name: 'Clara' }).then(({ headers }) => headers)),
    renew() {
      people.renew()
      regular = undefined
    },
    gone: { ...await people.gone(), 'a customer who signed out': left.headers },
    ids: { ...await idsOf(shop), ...victim, variantId },
  }
}

const write = <T>({ db }: TestShop, fn: (tx: Tx) => Promise<T>): Promise<T> => db.transaction(systemContext(), fn)

async function makeKeys(shop: TestShop): Promise<Ground['keys']> {
  const second = newId()
  return write(shop, async (tx) => {
    await saveChannel(tx, second, {
      code: 'second', name: 'Second', currencies: ['EUR'], defaultCurrency: 'EUR', defaultLocale: 'en', country: 'DE',
      pricesIncludeTax: true,
    })
    const make = (channelId: string) => createPublishableKey(tx, newId(), { name: 'key', channelId })
    const keys = {
      own: await make(shop.channelId), otherChannel: await make(second), revoked: await make(shop.channelId),
    }
    await tx.run(sql`update identity.publishable_key set revoked_at = now() where key = ${keys.revoked}`)
    return keys
  })
}

type Someone = { shop: TestShop; ask: Ground['ask']; key: string; variantId: string; name: string; session?: string }

/** Leaves an open cart, and an order that is paid but not captured; of a customer, where there is a session. */
async function shopFor({ shop, ask, key, variantId, name, session }: Someone): Promise<Shopper> {
  const headers: Headers = { 'x-publishable-key': key, ...session ? { authorization: `Bearer ${session}` } : {} }
  const cart = async (): Promise<{ cart: any; token: string }> => JSON.parse((await ask({
    method: 'POST', url: '/store/carts', headers, payload: {
      lines: [{ variantId, quantity: 1 }], email: `${name}@example.com`, shippingAddress: { ...address, name },
      shippingMethodId: shop.methodId,
    },
  })).text)
  const [open, ordered] = [await cart(), await cart()]
  const placed = await ask({
    method: 'POST', url: `/store/carts/${ordered.cart.id}/complete`,
    headers: { authorization: `Bearer ${ordered.token}`, ...headers }, payload: {
      expectedTotal: { amount: ordered.cart.quote.totalMinor, currency: 'EUR' }, payment: { method: 'card-later' },
    },
  })
  if (placed.status !== 201) throw new Error(`The ground is not ready: ${placed.text}`)
  return {
    cartId: open.cart.id, cartToken: open.token, orderId: JSON.parse(placed.text).order.id, orderToken: ordered.token,
  }
}

/** Somebody with a session and nothing else: it works whatever staff have made of the shop. */
async function signedIn({ shop, key, name }: Pick<Someone, 'shop' | 'key' | 'name'>) {
  const { id, token } = await shop.customer({ email: `${name}-${newId()}@example.com`.toLowerCase(), name })
  return { id, token, headers: { 'x-publishable-key': key, authorization: `Bearer ${token}` } }
}

/** A customer who has what a customer can have. */
async function customerFor(someone: Someone): Promise<Customer> {
  const { shop, ask, name } = someone
  const { id, token, headers } = await signedIn(someone)
  const passkeyId = newId()
  await shop.db.run(sql`
    insert into accounts.passkey (id, customer_id, credential_id, public_key, counter, transports, name, synced)
    values (${passkeyId}, ${id}, ${passkeyId}, '', 0, '{}', ${name}, false)`)
  const saved = await ask({
    method: 'POST', url: '/store/account/addresses', headers, payload: { address: { ...address, name } },
  })
  const sessions = await ask({ method: 'GET', url: '/store/account/sessions', headers })
  if (saved.status !== 201) throw new Error(`The ground is not ready: ${saved.text}`)
  return {
    ...await shopFor({ ...someone, session: token }), headers,
    cookie: `kontor_customer=${token.slice('session_'.length)}`,
    passkeyId, addressId: JSON.parse(saved.text).id, sessionId: JSON.parse(sessions.text).items[0].id,
  }
}

type People = Pick<Ground, 'staff' | 'key' | 'kept' | 'renew'> & { gone: () => Promise<Ground['gone']> }

function peopleOf(shop: TestShop): People {
  const made = new Map<string, Promise<Headers>>()
  const once = (name: string, make: () => Promise<Headers>): Promise<Headers> => {
    if (!made.has(name)) made.set(name, make())
    return made.get(name)!
  }
  const but = (without?: string): string[] => EVERYTHING.filter((one) => one !== without)
  const staff = async (without?: string): Promise<Headers> => {
    const code = `r${newId().slice(-12)}`
    await shop.db.run(sql`
      insert into identity.role (code, name, permissions) values (${code}, ${code}, ${but(without)})`)
    const email = `${code}@example.com`
    await addStaff(shop.db, { email, name: code, role: code })
    const account = await shop.db.one(
      Type.Object({ id: Type.String(), passwordHash: Type.String() }),
      sql`select id, password_hash as "passwordHash" from identity.staff where email = ${email}`)
    const opened = await write(shop, (tx) => openSession(tx, account, { address: '127.0.0.1', userAgent: 'test' }))
    return { ...HERE, cookie: `kontor_session=${opened!.token}` }
  }
  const key = async (without?: string, more: { reach?: Reach } = {}): Promise<Headers> => ({
    authorization: `Bearer ${await write(shop, (tx) => createSecretKey(tx, newId(), {
      name: 'key', permissions: but(without), ...more,
    }))}`,
  })
  const last = (table: string): Promise<number> => shop.db.run(table === 'secret_key'
    ? sql`update identity.secret_key set revoked_at = now() where id = (
        select id from identity.secret_key order by created_at desc, id desc limit 1)`
    : sql`delete from identity.session where id = (select id from identity.session order by id desc limit 1)`)
  return {
    staff: (without) => once(`staff ${without}`, () => staff(without)),
    key: (without) => once(`key ${without}`, () => key(without)),
    kept: () => once('kept', () => key(undefined, { reach: { ...EVERYWHERE, channelIds: [newId()] } })),
    renew: () => made.clear(),
    async gone() {
      const revoked = await key()
      await last('secret_key')
      const expired = await key()
      await shop.db.run(sql`update identity.secret_key set expires_at = now() - interval '1 second' where id = (
        select id from identity.secret_key order by created_at desc, id desc limit 1)`)
      const ended = await staff()
      await last('session')
      const dismissed = await staff()
      await shop.db.run(sql`update identity.staff set active = false where id = (
        select staff_id from identity.session order by id desc limit 1)`)
      return {
        'a revoked key': revoked, 'an expired key': expired, 'an ended session': ended, 'somebody dismissed': dismissed,
      }
    },
  }
}

/** The address of a route, with things of this shop in it. */
export function urlOf({ method, path }: Pick<Route, 'method' | 'path'>, ids: Ground['ids']): string {
  return path.replace(/:(\w+)/g, (_, name: string) => {
    if (ids[name] === undefined) throw new Error(`${method} ${path}: the ground knows no ${name}; give it one (idsOf)`)
    return encodeURIComponent(ids[name])
  })
}

/** What a write leaves behind, whoever did it. */
export async function footprint({ shop: { db } }: Ground): Promise<string> {
  const { all } = await db.one(Type.Object({ all: Type.String() }), sql`
    select concat_ws(' ', (select count(*) from platform.audit_log), (select count(*) from platform.event),
      (select count(*) from orders.order), (select max(updated_at) from checkout.cart),
      (select count(*) from payments.operation), (select count(*) from inventory.movement)) as all`)
  return all
}

const Named = Type.Object({ name: Type.String(), id: Type.String() })

/** An id of this shop for each name in a path; where there is no such thing, an id that nothing has. */
async function idsOf(shop: TestShop): Promise<Record<string, string>> {
  const rows = await shop.db.many(Named, sql`
    select * from (
      select 'productId' as name, (select id::text from catalog.product limit 1) as id
      union all select 'channelId', (select id::text from catalog.channel limit 1)
      union all select 'zoneId', (select id::text from shipping.zone limit 1)
      union all select 'methodId', (select id::text from shipping.method limit 1)
      union all select 'locationId', (select id::text from inventory.location limit 1)
      union all select 'priceListId', (select id::text from pricing.price_list limit 1)
      union all select 'taxRateId', (select id::text from pricing.tax_rate limit 1)
      union all select 'paymentId', (select id::text from payments.payment limit 1)
      union all select 'attemptId', (select id::text from payments.attempt limit 1)
      union all select 'handleOrId', (select handle from catalog.product limit 1)
    ) as found where id is not null`)
  const nothing = [
    'passkeyId', 'customerId', 'addressId', 'groupId', 'segmentId',
    'assetId', 'caseId', 'messageId', 'transferId', 'giftCardId',
    'sessionId', 'staffId', 'keyId', 'categoryId', 'collectionId', 'promotionId', 'couponId',
  ]
  return {
    ...Object.fromEntries(nothing.map((name) => [name, newId()])), code: 'support', handle: 'nothing', key: 'nothing',
    name: 'nothing.jpg', provider: 'nothing',
    gateway: 'simulator', ...Object.fromEntries(rows.map(({ name, id }) => [name, id])),
  }
}
