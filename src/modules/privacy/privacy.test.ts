// A person is told everything, and gone when they ask for it: proven by a search of every column of every table for
// what was planted where a shop takes data of people.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { json, sql, type Db } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import type { Cleanup } from '../../platform/testing.ts'
import { testShop } from '../../testing.ts'
import { countPurchases } from '../customers/count-purchases.ts'
import { sweeps } from './jobs.ts'

// One word for each place, so that what is left says where it was.
const planted = {
  name: 'Zyxelgrim', company: 'Quonkwerk', line1: 'Vlorpgasse', line2: 'Hinterzwick', city: 'Mumbelfurt',
  phone: '0815471199',
  email: 'wuzzlekamp', label: 'Datscha', note: 'Sauerkohl', payment: 'Knusperdata', customerName: 'Brummelschatz',
}
const EMAIL = `${planted.email}@example.com`
const home = {
  name: planted.name, company: planted.company, line1: planted.line1, line2: planted.line2, city: planted.city,
  phone: planted.phone, postalCode: '20457', country: 'DE',
}

async function open(t: Cleanup) {
  const shop = await testShop(t)
  const [app, { secret, publishable }] = [await shop.app(), await shop.keys()]
  const ask = async (method: 'GET' | 'POST' | 'PATCH', url: string, payload?: object, headers = {}) => {
    const answer = await app.inject({
      method, url, headers: { authorization: `Bearer ${secret}`, 'x-publishable-key': publishable, ...headers },
      ...payload ? { payload } : {},
    })
    return { status: answer.statusCode, body: answer.body ? answer.json() : undefined }
  }
  return { shop, ask, db: shop.db }
}

/** Everything that a shop may learn of somebody. */
async function live({ shop, ask, db }: Awaited<ReturnType<typeof open>>): Promise<string> {
  const lines = [{ variantId: await shop.variant(), quantity: 1 }]
  const body = { lines, email: EMAIL, shippingAddress: home, billingAddress: home, shippingMethodId: shop.methodId }
  const buy = async (): Promise<string> => {
    const { cart, token } = (await ask('POST', '/store/carts', body, { authorization: '' })).body
    const placed = await ask('POST', `/store/carts/${cart.id}/complete`, {
      expectedTotal: { amount: cart.quote.totalMinor, currency: 'EUR' },
      payment: { method: 'card', data: { token: planted.payment } },
    }, { authorization: `Bearer ${token}` })
    assert.equal(placed.status, 201, JSON.stringify(placed.body))
    return placed.body.order.id
  }
  const orderId = await buy()
  await ask('POST', '/store/carts', body, { authorization: '' })
  await shop.drain()
  const { payments: [payment] } = (await ask('GET', `/admin/orders/${orderId}`)).body
  assert.equal((await ask('POST', `/admin/payments/${payment.id}/refund`, {
    amountMinor: 100, note: `${planted.note} ${planted.name}`,
  })).status, 200)
  const [{ id }] = (await ask('GET', `/admin/customers?email=${EMAIL}`)).body.items
  await ask('PATCH', `/admin/customers/${id}`, { name: planted.customerName, phone: planted.phone, note: planted.note })
  await ask('POST', `/admin/customers/${id}/addresses`, { address: home, label: planted.label })
  await ask('POST', `/admin/customers/${id}/consents`, {
    purpose: 'newsletter', granted: true, wording: 'Send me news', source: 'checkout',
  })
  await db.run(sql`insert into platform.event (id, type, payload) values (${newId()}, 'test', ${json({ orderId })})`)
  await db.run(sql`insert into platform.job (event_id, handler, last_error)
    values (${newId()}, 'test', ${`550 no mailbox ${EMAIL}`})`)
  return orderId
}

const Tables = Type.Object({ name: Type.String() })

/** Where a word stands, in any column of any table. */
async function search(db: Db, words: readonly string[]): Promise<string[]> {
  const tables = await db.many(Tables, sql`
    select format('%I.%I', n.nspname, c.relname) as name
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
      and n.nspname not like 'pg\\_%'`)
  const client = await db.dedicated()
  try {
    const found: string[] = []
    for (const { name } of tables) for (const word of words) {
      const { rowCount } = await client.query(`select from ${name} as t where strpos(lower(t::text), $1) > 0
        or strpos(encode(convert_to(t::text, 'UTF8'), 'hex'), $2) > 0 limit 1`,
      [word.toLowerCase(), Buffer.from(word).toString('hex')])
      if (rowCount) found.push(`${name}: ${word}`)
    }
    return found
  } finally {
    await client.end()
  }
}

test('a person is erased: nothing that was planted is anywhere, and the books are what they were', async (t) => {
  const opened = await open(t)
  const { ask, db } = opened
  const orderId = await live(opened)
  const words = Object.values(planted)
  const before = await search(db, words)
  for (const word of words) assert.ok(before.some((one) => one.endsWith(word)), `${word} was planted nowhere`)
  const was = (await ask('GET', `/admin/orders/${orderId}`)).body.order
  const erased = await ask('POST', '/admin/privacy/erasures', { email: ` ${EMAIL.toUpperCase()}`.trim() })
  assert.deepEqual([erased.status, erased.body.counts.customers, erased.body.counts.orders], [200, 1, 1])
  assert.deepEqual(await search(db, words), [])
  const { order } = (await ask('GET', `/admin/orders/${orderId}`)).body
  const nobody = { name: 'Erased', line1: 'Erased', city: 'Erased', country: 'DE', postalCode: '20457' }
  assert.deepEqual(order, { ...was, email: 'erased@erased.invalid', shippingAddress: nobody, billingAddress: nobody })
  const again = await ask('POST', '/admin/privacy/erasures', { email: EMAIL })
  assert.deepEqual(again.body.counts, { customers: 0, orders: 0, carts: 0, messages: 0 })
  await countPurchases(db, orderId)
  assert.deepEqual(await search(db, words), [], 'and nobody comes back by a job that runs late')
  const { items } = (await ask('POST', '/admin/privacy/requests', { email: EMAIL })).body
  assert.deepEqual(items.map(({ kind }: { kind: string }) => kind), ['erasure', 'erasure'])
})

test('an export tells all of it, and that it was made', async (t) => {
  const opened = await open(t)
  const { ask } = opened
  await live(opened)
  const { status, body } = await ask('POST', '/admin/privacy/exports', { email: EMAIL })
  assert.equal(status, 200)
  const text = JSON.stringify(body)
  const { payment, ...told } = planted           // what only a gateway's form said is no word of the person
  for (const [place, word] of Object.entries(told)) assert.ok(text.includes(word), `${place} is not told`)
  assert.deepEqual([body.orders.length, body.carts.length >= 1, body.messages.length >= 1, body.consents.length],
    [1, true, true, 1])
  const nobody = (await ask('POST', '/admin/privacy/exports', { email: 'nobody@example.com' })).body
  assert.deepEqual([nobody.customer, nobody.orders, nobody.carts], [null, [], []])
  const { items } = (await ask('POST', '/admin/privacy/requests', { email: EMAIL })).body
  assert.deepEqual(items.map(({ kind }: { kind: string }) => kind), ['export'])
})

test('whoever still has to pay is not erased', async (t) => {
  const { shop, ask } = await open(t)
  const cart = await shop.cart([{ variantId: await shop.variant(), quantity: 1 }], { email: EMAIL })
  await shop.complete(cart, { fault: 'decline' })
  const answer = await ask('POST', '/admin/privacy/erasures', { email: EMAIL })
  assert.deepEqual([answer.status, answer.body.type.split('/').at(-1)], [409, 'orders-open'])
})

test('erased while what they bought is counted: nobody is left', async (t) => {
  const { shop, ask, db } = await open(t)
  const variantId = await shop.variant({ stock: [50] })
  for (let round = 0; round < 6; round++) {
    const placed = await shop.complete(await shop.cart([{ variantId, quantity: 1 }], { email: EMAIL }))
    const [, erased] = await Promise.all([
      countPurchases(db, placed.orderId), ask('POST', '/admin/privacy/erasures', { email: EMAIL }),
      countPurchases(db, placed.orderId),
    ])
    assert.equal(erased.status, 200)
    assert.deepEqual(await search(db, [planted.email]), [])
  }
})

test('orders that nobody has to know any more forget who it was', async (t) => {
  const { shop, ask, db } = await open(t)
  const old = await shop.complete(await shop.cart([{ variantId: await shop.variant(), quantity: 1 }], { email: EMAIL }))
  const young = await shop.complete(await shop.cart([{ variantId: await shop.variant(), quantity: 1 }]))
  const id = `00${old.orderId.slice(2)}`          // its id is of long ago
  const client = await db.dedicated()
  await client.query(`set session_replication_role = replica; update orders."order" set id = '${id}' where id = '${
    old.orderId}'; update orders.line set order_id = '${id}' where order_id = '${old.orderId}';
    update payments.payment set order_id = '${id}' where order_id = '${old.orderId}'`)
  await client.end()
  for (let time = 0; time < 2; time++) for (const { run } of sweeps) await run(db)
  const emailOf = async (orderId: string) => (await ask('GET', `/admin/orders/${orderId}`)).body.order.email
  assert.deepEqual([await emailOf(id), await emailOf(young.orderId)], ['erased@erased.invalid', 'anna@example.com'])
})
