// What somebody tries who wants the account or the orders of another person: prepares an account before its owner
// comes, lets the owner open a link for them, uses what is old. A guest's orders are for whoever has shown that the
// mailbox is theirs.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Type } from 'typebox'
import { sql, systemContext } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { subjectOf } from '../customers/people.ts'
import { forgetActors } from '../identity/authenticate.ts'
import { hashPassword } from '../identity/hash-password.ts'
import { startProvider } from '../identity/test-provider.ts'
import { customerSignOns } from '../identity/sign-on-providers.ts'
import { createAccount } from './create-account.ts'
import { NEXT, PASSWORD, testAccounts } from './internal/test-accounts.ts'

const VICTIM = 'anna@example.com'
const kindOf = ({ body }: { body: any }): string => body.type.replace(/.*\//, '')

async function start(t: Parameters<typeof testAccounts>[0]) {
  const started = await testAccounts(t)
  const { shop } = started
  const variantId = await shop.variant({ stock: [100] })
  /** A guest's order. */
  const buy = async (email: string): Promise<string> => {
    const { orderId } = await shop.complete(await shop.cart([{ variantId, quantity: 1 }], { email }))
    await shop.drain()
    return orderId
  }
  /** As an import of another shop makes it, which asked nobody for a proof of the address. */
  const imported = async (email: string, password = PASSWORD): Promise<void> => {
    const [subject, passwordHash] = [await subjectOf(shop.db, email), await hashPassword(password)]
    await shop.db.transaction(systemContext(), (tx) =>
      createAccount(tx, { email, subject, name: null, passwordHash, emailProven: false }))
  }
  const ordersOf = async (who: ReturnType<typeof started.caller>): Promise<string[]> =>
    (await who('GET', '/account/orders')).body.items.map(({ id }: { id: string }) => id)
  return { ...started, buy, imported, ordersOf }
}

test('an account that somebody prepared is theirs no longer when the owner of the mailbox comes', async (t) => {
  const started = await start(t)
  const { shop, buy, imported, signIn, caller, link, ordersOf } = started
  const provider = await startProvider(t, 'https://shop.example/account/signed-on')
  customerSignOns.set(shop.db, [{ code: 'google', title: 'Google', ...provider.settings }])
  const ways: Record<string, (email: string) => Promise<{ status: number; body: any }>> = {
    'a link': async (email) => caller()('PUT', '/account/session', { ...await link(email, 'sign-in'), keep: 'token' }),
    'a provider': async (email) => {
      provider.people.set(email, { email, email_verified: true })
      const { url, browser } = (await caller()('POST', '/account/sign-on/google')).body
      return caller()('PUT', '/account/sign-on/google', {
        query: await provider.visit(url, email), browser, keep: 'token',
      })
    },
    'a new password': async (email) => {
      const { token } = await link(email, 'password-reset')
      assert.equal((await caller()('PUT', '/account/password-reset', { token, password: NEXT })).status, 204)
      return signIn(email, NEXT)
    },
  }
  for (const [way, comeIn] of Object.entries(ways)) {
    const email = `anna-${way.replaceAll(' ', '-')}@example.com`
    const orderId = await buy(email)
    await imported(email)
    const thief = caller((await signIn(email)).body.token)
    assert.deepEqual(await ordersOf(thief), [], way)
    const owner = await comeIn(email)
    assert.equal(owner.status, 200, way)
    assert.deepEqual(await ordersOf(caller(owner.body.token)), [orderId], way)
    assert.deepEqual([(await thief('GET', '/account/orders')).status, (await signIn(email)).status], [401, 401], way)
    assert.equal((await caller(owner.body.token)('GET', '/account')).body.hasPassword, way === 'a new password')
  }
})

test('whoever has not proven an address takes nothing of it along to another', async (t) => {
  const { shop, buy, imported, signIn, caller, mails, ordersOf, register } = await start(t)
  const orderId = await buy(VICTIM)
  await imported(VICTIM)
  await mails()
  const thief = caller((await signIn(VICTIM)).body.token)
  const refused = await thief('POST', '/account/email', { email: 'thief@example.com' })
  assert.deepEqual([refused.status, kindOf(refused)], [403, 'email-unproven'])
  assert.deepEqual(await mails(), [])
  const { whose } = await shop.db.one(Type.Object({ whose: Type.Any() }), sql`
    select customer_id as whose from orders.order where id = ${orderId}`)
  assert.equal(whose, null)
  const { call: other } = await register('thief@example.com')
  assert.deepEqual(await ordersOf(other), [])
})

test('a link to another address is opened by the account that asked: nobody opens it for them', async (t) => {
  const { buy, register, caller, mails, ordersOf, shop } = await start(t)
  const orderId = await buy(VICTIM)
  const { call: thief } = await register('thief@example.com')
  assert.equal((await thief('POST', '/account/email', { email: VICTIM })).status, 202)
  const { token } = (await mails()).find(({ to, token }) => to === VICTIM && token !== '')!
  assert.equal((await caller()('PUT', '/account/email', { token })).status, 401, 'the victim, who has no account')
  const { call: bert } = await register('bert@example.com')
  const asBert = await bert('PUT', '/account/email', { token })
  assert.deepEqual([asBert.status, kindOf(asBert)], [410, 'token-refused'], 'the victim, at another account')
  assert.deepEqual([await ordersOf(thief), await ordersOf(bert)], [[], []])
  const { call: anna } = await register(VICTIM)
  assert.deepEqual(await ordersOf(anna), [orderId])
  const late = await thief('PUT', '/account/email', { token })
  assert.deepEqual([late.status, kindOf(late)], [409, 'account-email-taken'])
  assert.equal(await shop.db.run(sql`select from accounts.former_email`), 0)
})

test('the owner of a mailbox registers while another account takes the address: one has it, whole', async (t) => {
  const { shop, buy, register, mails, link, caller, ordersOf } = await start(t)
  for (let round = 0; round < 8; round++) {
    const wanted = `wanted-${round}@example.com`
    const orderId = await buy(wanted)
    const { call: mover } = await register(`mover-${round}@example.com`)
    await mover('POST', '/account/email', { email: wanted })
    const change = (await mails()).find(({ to, token }) => to === wanted && token !== '')!
    const { token } = await link(wanted, 'registration')
    const [moved, made] = await Promise.all([
      mover('PUT', '/account/email', { token: change.token }),
      caller()('POST', '/account', { token, password: PASSWORD, keep: 'token' }),
    ])
    assert.deepEqual([[204, 410].includes(made.status) || made.status === 201, [204, 409].includes(moved.status)],
      [true, true], `${made.status} ${moved.status} ${JSON.stringify([made.body, moved.body])}`)
    assert.equal(Number(moved.status === 204) + Number(made.status === 201), 1, `${moved.status} ${made.status}`)
    const winner = moved.status === 204 ? mover : caller(made.body.token)
    assert.deepEqual(await ordersOf(winner), [orderId])
    const { customers } = await shop.db.one(Type.Object({ customers: Type.Integer() }), sql`
      select count(*)::int as customers from customers.customer where email = ${wanted}`)
    assert.equal(customers, 1)
  }
})

test('an address is taken while a guest’s order with it is being counted: one customer, every order', async (t) => {
  const { shop, register, mails, ordersOf } = await start(t)
  const variantId = await shop.variant({ stock: [100] })
  for (let round = 0; round < 6; round++) {
    const wanted = `counted-${round}@example.com`
    const { call: anna, id } = await register(`anna-${round}@example.com`)
    await anna('POST', '/account/email', { email: wanted })
    const { token } = (await mails()).find((mail) => mail.to === wanted && mail.token !== '')!
    const { orderId } = await shop.complete(await shop.cart([{ variantId, quantity: 1 }], { email: wanted }))
    const [moved] = await Promise.all([anna('PUT', '/account/email', { token }), shop.drain()])
    assert.equal(moved.status, 204, JSON.stringify(moved.body))
    await shop.drain()
    assert.deepEqual(await ordersOf(anna), [orderId])
    const found = await shop.db.many(Type.Object({ id: Type.String(), orders: Type.Any() }), sql`
      select id, (select sum(orders)::int from customers.purchase_total where customer_id = customer.id) as orders
      from customers.customer where email = ${wanted}`)
    assert.deepEqual(found, [{ id, orders: 1 }])
  }
})

test('a session that is remembered opens nothing once its account is deleted by another process', async (t) => {
  const { shop, register } = await start(t)
  const { call: anna, id } = await register(VICTIM)
  assert.equal((await anna('GET', '/account')).status, 200)
  await shop.db.run(sql`delete from accounts.account where customer_id = ${id}`)
  assert.equal((await anna('GET', '/account')).status, 401)
  forgetActors(shop.db)
  assert.equal((await anna('GET', '/account/orders')).status, 401)
})

test('a page with a session in a cookie is not told its token, whatever it sends beside it', async (t) => {
  const { register, caller, app, publishable } = await start(t)
  await register(VICTIM)
  const here = { 'sec-fetch-site': 'same-origin' }
  const signed = await caller()('POST', '/account/session', { email: VICTIM, password: PASSWORD }, here)
  const cookie = String(signed.headers['set-cookie']).split(';')[0]!
  const answer = await app.inject({
    method: 'PUT', url: '/store/account/proof', payload: { password: PASSWORD },
    headers: { host: 'localhost:8000', 'x-publishable-key': publishable, cookie, ...here,
      authorization: 'Bearer session_x' },
  })
  const cookies = String(answer.headers['set-cookie'])
  assert.deepEqual([answer.statusCode, answer.json().token, /kontor_customer=/.test(cookies)], [200, null, true])
})

test('a session is of the shop’s own making: an id, a customer or a body names nobody', async (t) => {
  const { register, caller } = await start(t)
  const [{ call: anna, id }, { call: bert, token }] = [await register(VICTIM), await register('bert@example.com')]
  const { items } = (await anna('GET', '/account/sessions')).body
  for (const body of [{ name: 'B', customerId: id }, { name: 'B', id }, { name: 'B', email: VICTIM }]) {
    assert.equal((await bert('PATCH', '/account/profile', body)).status, 400, JSON.stringify(body))
  }
  for (const guess of [items[0].id, id, `session_${id}`, `${token}x`, token.toUpperCase(), newId()]) {
    assert.notEqual((await caller(guess)('GET', '/account')).status, 200, guess)
  }
})
