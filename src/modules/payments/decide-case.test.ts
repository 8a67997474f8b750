// People decide what no rule can: each case says all that there is to know, each decision does what it says once, with
// who made it and why; the gateway's own answer comes first.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Type } from 'typebox'
import { LimitExceeded } from '../../platform/authority.ts'
import { sql, systemContext, type Actor } from '../../platform/db.ts'
import { isProblem } from '../../platform/problem.ts'
import { testShop, type TestShop } from '../../testing.ts'
import { CaseDecided, CaseNotFound, decideCase, EvidenceMissing } from './decide-case.ts'
import { findPayment, paymentsOf } from './get-payment.ts'
import { testPayments, type TestPayments } from './internal/test-payments.ts'
import { NotPossible, type Payment } from './payments.ts'

const decide = ({ db }: TestPayments, caseId: string, decision: string, evidence?: string) =>
  decideCase(db, systemContext(), caseId, { decision, ...evidence ? { evidence } : {} } as never)

const refused = (problem: Parameters<typeof isProblem>[1]) => (error: unknown) => isProblem(error, problem)

/** An attempt that the gateway cannot be asked about: nobody repeats it, and nobody can look it up. */
async function stuck(payments: TestPayments): Promise<Payment> {
  const orderId = await payments.order()
  payments.gateway.charge = async () => { throw new Error('connection reset') }
  await payments.pay(orderId)
  return payments.payment(orderId)
}

test('an attempt beyond every rule: its charge was made, or it was not, with what people saw', async (t) => {
  const payments = await testPayments(t, { properties: { lookUp: 'none', keyLifetimeHours: 1 } })
  const [made, not] = [await stuck(payments), await stuck(payments)]
  for (const hours of [1, 1]) await payments.later(hours * 3_601)
  const [one, other] = [made.attempts[0]!.id, not.attempts[0]!.id]
  await assert.rejects(decide(payments, one, 'happened'), refused(EvidenceMissing))
  await assert.rejects(decide(payments, one, 'dismiss', 'x'), refused(NotPossible))
  assert.equal((await decide(payments, one, 'ask_again')).decision, 'ask_again')
  assert.equal((await decide(payments, one, 'happened', 'in the export of the bank, line 7')).about,
    'the key has expired: compare with the gateway')
  assert.equal((await payments.payment(made.orderId)).capturedMinor, 1_000)
  await decide(payments, other, 'did_not_happen', 'not in the export of that week')
  assert.equal((await payments.payment(not.orderId)).attempts[0]!.state, 'declined')
  assert.deepEqual(payments.told, [`paid ${made.orderId}`, `failed ${not.orderId}`])
  // asked again it answers the same; the opposite is refused, and so is what was never a case
  assert.equal((await decide(payments, one, 'happened', 'again')).evidence, 'in the export of the bank, line 7')
  await assert.rejects(decide(payments, one, 'did_not_happen', 'y'), refused(CaseDecided))
  await assert.rejects(decide(payments, randomUUID(), 'dismiss'), refused(CaseNotFound))
})

test('two people at once, of two minds: one decision', async (t) => {
  const payments = await testPayments(t, { properties: { lookUp: 'none', keyLifetimeHours: 1 } })
  const { orderId, attempts: [attempt] } = await stuck(payments)
  await payments.later(3_601)
  const both = await Promise.allSettled(Array.from({ length: 8 }, (_, index) =>
    decide(payments, attempt!.id, index % 2 ? 'happened' : 'did_not_happen', 'seen')))
  const done = both.flatMap((one) => one.status === 'fulfilled' ? [one.value.decision] : [])
  assert.equal(new Set(done).size, 1)
  for (const one of both) {
    assert.ok(one.status === 'fulfilled'
      || [CaseDecided, NotPossible].some((problem) => isProblem(one.reason, problem)))
  }
  const { capturedMinor } = await payments.payment(orderId)
  assert.equal(capturedMinor, done[0] === 'happened' ? 1_000 : 0)
})

test('the gateway is asked before a person is believed', async (t) => {
  const payments = await testPayments(t)
  const orderId = await payments.order()
  await payments.pay(orderId, 'charge_then_drop,webhook_never')
  const { attempts: [attempt] } = await payments.payment(orderId)
  await assert.rejects(decide(payments, attempt!.id, 'did_not_happen', 'I saw nothing'), refused(NotPossible))
  assert.equal((await payments.payment(orderId)).capturedMinor, 1_000)
  await payments.agreesWithTheBank(orderId)
})

test('a failed refund is made anew or dismissed; an unclear one is said to be done, or not', async (t) => {
  const payments = await testPayments(t, { properties: { lookUp: 'none', keyLifetimeHours: 1 } })
  const failed = async () => {
    const paid = await payments.paid(1_000, 'card')
    await payments.nextOperation('refuse')
    const { operations: [operation] } = await payments.operate(paid.id, 'refund', 300)
    return { ...paid, caseId: operation!.id }
  }
  const again = await failed()
  await assert.rejects(decide(payments, again.caseId, 'try_again'), refused(NotPossible))
  await payments.operate(again.id, 'refund', 300)
  assert.equal((await payments.payment(again.orderId)).refundedMinor, 300)
  await assert.rejects(decide(payments, again.caseId, 'dismiss'), refused(CaseNotFound), 'the next one has closed it')
  await decide(payments, (await failed()).caseId, 'dismiss', 'sent back by bank transfer')
  for (const [decision, refundedMinor] of [['happened', 300], ['did_not_happen', 0]] as const) {
    const paid = await payments.paid(1_000, 'card')
    const refund = payments.gateway.refund
    payments.gateway.refund = async () => { throw new Error('connection reset') }
    const { operations: [operation] } = await payments.operate(paid.id, 'refund', 300)
    await payments.later(3_601)
    payments.gateway.refund = refund
    await decide(payments, operation!.id, decision, 'in the export')
    const after = await payments.payment(paid.orderId)
    assert.deepEqual([after.refundedMinor, after.refundingMinor], [refundedMinor, 0])
  }
})

test('a failed capture is tried again, once by however many people', async (t) => {
  const payments = await testPayments(t)
  const { id, orderId } = await payments.paid(1_000, 'card-later')
  await payments.nextOperation('refuse')
  const { operations: [operation] } = await payments.operate(id, 'capture', 400)
  await Promise.all([1, 2, 3].map(() => decide(payments, operation!.id, 'try_again')))
  const { capturedMinor, capturingMinor, operations } = await payments.payment(orderId)
  assert.deepEqual([capturedMinor, capturingMinor, operations.length], [400, 0, 2])
  await assert.rejects(decide(payments, operation!.id, 'dismiss'), refused(CaseDecided))
  await payments.agreesWithTheBank(orderId)
})

test('whoever gives back stays within their limit of refunds', async (t) => {
  const shop = await testShop(t)
  const { orderId } = await shop.complete(
    await shop.cart([{ variantId: await shop.variant({ price: 1_000 }), quantity: 1 }]), {}, 'card')
  const [{ attempts: [attempt], id }] = await paymentsOf(shop.db, orderId) as [Payment]
  await shop.db.run(sql`insert into payments.webhook_event (gateway, event_id, about, reference, state, reason,
    next_try_at) values ('simulator', 'wrong', 'charge', ${attempt!.reference}, 'quarantined', 'wrong', null)`)
  const [{ id: caseId }] = await shop.db.many(Type.Object({ id: Type.String() }), sql`
    select md5(gateway || ' ' || event_id)::uuid as id from payments.webhook_event`) as [{ id: string }]
  const limits = { refund: [{ currency: 'EUR', amountMinor: 1_000 }] }
  const clerk = { kind: 'key', id: randomUUID(), permissions: ['payments:write'], limits } as unknown as Actor
  const give = (actor: Actor) => decideCase(shop.db, { ...systemContext(), actor }, caseId, { decision: 'give_back' })
  await assert.rejects(give(clerk), refused(LimitExceeded))
  assert.equal((await findPayment(shop.db, systemContext().actor, id)).refundedMinor, 0)
  assert.equal((await give(systemContext().actor)).decision, 'give_back')
  assert.equal((await findPayment(shop.db, systemContext().actor, id)).refundedMinor, 1_490)
})

async function staff(shop: TestShop) {
  const app = await shop.app()
  const { secret } = await shop.keys()
  return async (method: 'GET' | 'POST', url: string, payload?: object) => {
    const answer = await app.inject({
      method, url, headers: { authorization: `Bearer ${secret}` }, ...(payload ? { payload } : {}),
    })
    return { status: answer.statusCode, body: answer.json() }
  }
}

test('messages that contradict us are listed with what they say; given back or dismissed, on record', async (t) => {
  const shop = await testShop(t)
  const call = await staff(shop)
  const { orderId } = await shop.complete(
    await shop.cart([{ variantId: await shop.variant({ price: 1_000 }), quantity: 1 }]), {}, 'card')
  const [payment] = (await call('GET', `/admin/orders/${orderId}/payments`)).body.items
  const { reference } = payment.attempts[0]
  for (const [eventId, of] of [['wrong', reference], ['stray', 'sim_nobody']]) {
    await shop.db.run(sql`insert into payments.webhook_event
      (gateway, event_id, about, reference, amount_minor, currency, state, reason, next_try_at)
      values ('simulator', ${eventId}, 'charge', ${of}, 1, 'EUR', 'quarantined', 'it speaks of 1 EUR', null)`)
  }
  const cases = async () => (await call('GET', '/admin/payment-cases')).body.items
  const wrong = (await cases()).find((one: any) => one.message.eventId === 'wrong')
  assert.deepEqual([wrong.orderId, wrong.amountMinor, wrong.message.amountMinor, wrong.capturedMinor],
    [orderId, 1_490, 1, 1_490])
  assert.deepEqual(wrong.decisions.map((one: any) => one.decision), ['ask_again', 'give_back', 'dismiss'])
  assert.ok(wrong.decisions.every((one: any) => one.meaning.length > 20))
  const path = ({ id }: { id: string }) => `/admin/payment-cases/${id}/decisions`
  const given = await call('POST', path(wrong), { decision: 'give_back', evidence: 'charged twice, says the bank' })
  assert.equal(given.status, 200, JSON.stringify(given.body))
  assert.equal((await call('GET', `/admin/payments/${payment.id}`)).body.refundedMinor, 1_490)
  const [stray] = await cases()
  assert.deepEqual([stray.paymentId, stray.decisions.map((one: any) => one.decision)], [null, ['ask_again', 'dismiss']])
  assert.equal((await call('POST', path(stray), { decision: 'give_back' })).status, 409)
  for (let time = 0; time < 2; time++) {
    assert.equal((await call('POST', path(stray), { decision: 'dismiss' })).status, 200)
  }
  assert.deepEqual(await cases(), [])
  const { items } = (await call('GET', '/admin/payment-decisions')).body
  assert.deepEqual(items.map((one: any) => [one.decision, one.evidence, one.actorKind]),
    [['dismiss', null, 'key'], ['give_back', 'charged twice, says the bank', 'key']])
  assert.equal((await call('GET', `/admin/payment-decisions?orderId=${orderId}`)).body.items.length, 1)
})

test('asked again, a message that came too early finds its payment; what it says to people stays', async (t) => {
  const shop = await testShop(t)
  const call = await staff(shop)
  const { orderId } = await shop.complete(
    await shop.cart([{ variantId: await shop.variant({ price: 1_000 }), quantity: 1 }]), {}, 'card')
  const [payment] = (await call('GET', `/admin/orders/${orderId}/payments`)).body.items
  await shop.db.run(sql`insert into payments.webhook_event (gateway, event_id, about, reference, state, reason, tries,
    next_try_at, received_at) values ('simulator', 'early', 'charge', ${payment.attempts[0].reference}, 'quarantined',
    'no payment of ours has this reference', 15, null, now() - interval '3 minutes')`)
  const [early] = (await call('GET', '/admin/payment-cases')).body.items
  await call('POST', `/admin/payment-cases/${early.id}/decisions`, { decision: 'ask_again' })
  assert.deepEqual((await call('GET', '/admin/payment-cases')).body.items, [])
  await shop.db.run(sql`insert into payments.webhook_event (gateway, event_id, about, reference, state, reason, note,
    next_try_at) values ('simulator', 'told', 'charge', ${payment.attempts[0].reference}, 'quarantined',
    'it belongs to the account of_another, ours is sim_account', 'the refund came back', null)`)
  const [told] = (await call('GET', '/admin/payment-cases')).body.items
  await call('POST', `/admin/payment-cases/${told.id}/decisions`, { decision: 'ask_again' })
  const [again] = (await call('GET', '/admin/payment-cases')).body.items
  assert.deepEqual([again.id, again.reason], [told.id, 'the refund came back'])
})

test('staff see how the gateways are', async (t) => {
  const shop = await testShop(t)
  const call = await staff(shop)
  for (const data of [{}, { fault: 'decline' }, { fault: 'unavailable' }] as Record<string, string>[]) {
    const cart = await shop.cart([{ variantId: await shop.variant({ price: 1_000 }), quantity: 1 }])
    await shop.complete(cart, data, 'card')
  }
  await shop.db.run(sql`insert into payments.circuit (gateway, state, reason, try_at)
    values ('simulator', 'open', 'no answer within 10000 ms', now() + interval '15 seconds')`)
  const { items } = (await call('GET', '/admin/payment-gateways')).body
  const { openedAt, tryAt, ...bank } = items.find((one: any) => one.gateway === 'simulator')
  assert.ok(openedAt && tryAt)
  assert.deepEqual(bank, {
    gateway: 'simulator', methods: ['card', 'card-later'], circuit: 'open', reason: 'no answer within 10000 ms',
    attempts: 3, succeeded: 1, declined: 1, technical: 1, unclear: 0,
  })
})
