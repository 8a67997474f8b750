// A limit is a promise to the merchant: however many orders count at once, uses ≤ limit, and = limit when demand
// allows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { findBroken } from '../../invariants.ts'
import { measured, sql, systemContext, type Db } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { isProblem } from '../../platform/problem.ts'
import { testDatabase } from '../../platform/testing.ts'
import { createCoupon } from './coupons.ts'
import { CouponExhausted, type Quote } from './pricing.ts'
import { savePromotion, type NewPromotion } from './promotions.ts'
import { confirmCoupons, releaseCoupons, useCoupons } from './use-coupons.ts'

type Uses = Pick<Quote, 'promotions'>
const Count = Type.Object({ scope: Type.String(), used: Type.Integer() })
const State = Type.Object({ state: Type.String() })

async function promotion(db: Db, values: Partial<NewPromotion> = {}): Promise<string> {
  const id = newId()
  await db.transaction(systemContext(), (tx) => savePromotion(tx, id, {
    name: 'Ten percent', discount: { kind: 'percentage', ratePpm: 100_000 }, automatic: true, ...values }))
  return id
}

const quoteWith = (...promotions: { promotionId: string; code?: string }[]) => ({
  promotions: promotions.map((each) => ({ code: null, ...each, name: '', amountMinor: 1, limited: true })),
})

const hold = (db: Db, orderId: string, quote: Uses, customer: string) =>
  db.transaction(systemContext(), async (tx) => { await tx.commit([useCoupons(tx, orderId, quote, customer)]) })
const confirm = (db: Db, orderId: string) => db.transaction(systemContext(), (tx) => confirmCoupons(tx, orderId))
const release = (db: Db, orderId: string) => db.transaction(systemContext(), (tx) => releaseCoupons(tx, orderId))
const checkInvariants = async (db: Db): Promise<void> =>
  assert.deepEqual(await findBroken(db, { module: 'pricing' }), [])
const counts = (db: Db, promotionId: string) => db.many(Count, sql`
  select split_part(scope, ':', 1) as scope, used from pricing.use_count
  where promotion_id = ${promotionId} order by scope`)
const held = (outcomes: PromiseSettledResult<unknown>[]) => {
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.ok(isProblem(outcome.reason, CouponExhausted), String(outcome.reason))
  }
  return outcomes.filter((outcome) => outcome.status === 'fulfilled').length
}

test('50 orders at once for a few uses: exactly the limit is taken', async (t) => {
  const db = await testDatabase(t, { max: 50 })
  for (const [seed, limit] of [1, 7, 20, 50, 0].entries()) {
    const total = await promotion(db, { useLimit: limit, priority: seed })
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, index) =>
      hold(db, newId(), quoteWith({ promotionId: total }), `${index}@example.com`)))
    assert.equal(held(outcomes), limit)
    assert.deepEqual(await counts(db, total), limit === 0 ? [] : [{ scope: 'all', used: limit }])
  }
  await checkInvariants(db)
})

test('50 orders of two customers at once: the limit per customer holds for each', async (t) => {
  const db = await testDatabase(t, { max: 50 })
  for (const limit of [1, 3, 10]) {
    const id = await promotion(db, { useLimitPerCustomer: limit })
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, index) =>
      hold(db, newId(), quoteWith({ promotionId: id }), index % 2 ? 'ann@example.com' : 'bob@example.com')))
    assert.equal(held(outcomes), 2 * limit)
    assert.deepEqual((await counts(db, id)).map(({ used }) => used), [limit, limit])
  }
  await checkInvariants(db)
})

test('a single-use code, its promotion and its customer are counted together or not at all', async (t) => {
  const db = await testDatabase(t, { max: 50 })
  const id = await promotion(db, { automatic: false, useLimit: 5, useLimitPerCustomer: 1 })
  const codes = Array.from({ length: 25 }, (_, index) => `CODE${index}`)
  await db.transaction(systemContext(), async (tx) => {
    for (const code of codes) await createCoupon(tx, newId(), id, { code, useLimit: 1 })
  })
  const outcomes = await Promise.allSettled([...codes, ...codes].map((code, index) =>
    hold(db, newId(), quoteWith({ promotionId: id, code }), `${index % 30}@example.com`)))
  assert.equal(held(outcomes), 5)
  const all = await counts(db, id)
  for (const scope of ['all', 'code', 'customer']) {
    assert.equal(all.filter((count) => count.scope === scope).reduce((sum, { used }) => sum + used, 0), 5, scope)
  }
})

test('two promotions named in either order do not deadlock', async (t) => {
  const db = await testDatabase(t, { max: 20 })
  const [a, b] = [await promotion(db, { useLimit: 100 }), await promotion(db, { useLimit: 100 })]
  const both = [quoteWith({ promotionId: a }, { promotionId: b }), quoteWith({ promotionId: b }, { promotionId: a })]
  const orders = Array.from({ length: 60 }, (_, index) => hold(db, newId(), both[index % 2]!, 'x'))
  const outcomes = await Promise.allSettled(orders)
  assert.equal(held(outcomes), 60)
  await checkInvariants(db)
})

test('holding, confirming and releasing twice counts once', async (t) => {
  const db = await testDatabase(t)
  const id = await promotion(db, { useLimit: 2 })
  const [first, second] = [newId(), newId()]
  const used = async () => (await counts(db, id))[0]?.used
  await hold(db, first, quoteWith({ promotionId: id }), 'a')
  await hold(db, first, quoteWith({ promotionId: id }), 'a')
  assert.equal(await used(), 1)
  assert.deepEqual([await confirm(db, first), await confirm(db, first)], ['confirmed', 'confirmed'])
  await hold(db, second, quoteWith({ promotionId: id }), 'b')
  await release(db, second)
  await release(db, second)
  assert.equal(await used(), 1)
  await release(db, first)
  assert.equal(await used(), 0, 'a cancelled order gives its use back')
  await checkInvariants(db)
  assert.equal(await confirm(db, newId()), 'confirmed', 'an order without limited promotions')
})

test('a late payment takes its released use again while there is room, and else loses it', async (t) => {
  const db = await testDatabase(t, { max: 30 })
  const id = await promotion(db, { useLimit: 10 })
  const orders = Array.from({ length: 10 }, newId)
  await Promise.all(orders.map((order) => hold(db, order, quoteWith({ promotionId: id }), order)))
  await Promise.all(orders.map((order) => release(db, order)))
  const others = Promise.allSettled(Array.from({ length: 6 },
    () => hold(db, newId(), quoteWith({ promotionId: id }), newId())))
  const late = Promise.all(orders.map((order) => confirm(db, order)))
  const confirmed = (await late).filter((answer) => answer === 'confirmed').length
  assert.equal(confirmed + held(await others), 10)
  assert.deepEqual(await counts(db, id), [{ scope: 'all', used: 10 }])
  const states = await db.many(State, sql`
    select state from pricing.coupon_use where promotion_id = ${id} and state = 'confirmed'`)
  assert.equal(states.length, confirmed)
  await checkInvariants(db)
})

test('a use that comes back while a late payment waits for the counter is its to take', async (t) => {
  const db = await testDatabase(t)
  const id = await promotion(db, { useLimit: 1 })
  const [late, other] = [newId(), newId()]
  await hold(db, late, quoteWith({ promotionId: id }), 'a')
  await release(db, late)
  await hold(db, other, quoteWith({ promotionId: id }), 'b')
  const [given, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const back = db.transaction(systemContext(), async (tx) => {
    await releaseCoupons(tx, other)
    given.resolve()
    await go.promise
  })
  await given.promise
  const answer = confirm(db, late)
  const waiting = sql`
    select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  while ((await db.many(Type.Object({ pid: Type.Integer() }), waiting)).length === 0) { /* not yet */ }
  go.resolve()
  await back
  assert.equal(await answer, 'confirmed')
  await checkInvariants(db)
})

test('limits may be lowered below what was used, raised again, and lifted', async (t) => {
  const db = await testDatabase(t)
  const id = await promotion(db, { useLimit: 2 })
  const save = (useLimit: number | null) => db.transaction(systemContext(), (tx) => savePromotion(tx, id, {
    name: 'x', discount: { kind: 'free_delivery' }, automatic: true, useLimit }))
  const one = () => hold(db, newId(), quoteWith({ promotionId: id }), 'a')
  const first = newId()
  await hold(db, first, quoteWith({ promotionId: id }), 'a')
  await one()
  await save(1)
  await assert.rejects(one(), (error) => isProblem(error, CouponExhausted))
  await release(db, first)
  await assert.rejects(one(), (error) => isProblem(error, CouponExhausted))
  await save(2)
  await one()
  await save(null)
  await one()
  assert.deepEqual(await counts(db, id), [{ scope: 'all', used: 2 }])
  await checkInvariants(db)
})

test('one statement for any number of limits, none without', async (t) => {
  const db = await testDatabase(t)
  const ids = [await promotion(db, { useLimit: 5, useLimitPerCustomer: 1 }), await promotion(db, { useLimit: 5 })]
  const limited = quoteWith(...ids.map((promotionId) => ({ promotionId })))
  const unlimited = { ...limited, promotions: limited.promotions.map((each) => ({ ...each, limited: false })) }
  for (const [quote, statements] of [[limited, 1], [unlimited, 0]] as const) {
    await measured(async (cost) => {
      await hold(db, newId(), quote, 'a')
      assert.deepEqual(cost, { statements: 2 + statements, trips: 1 })   // begin and commit
    })
  }
})
