// Bank transfers: recorded once, proposed by what the payer wrote or sent, applied never beyond what is owed or there;
// too little leaves a debt, too much is ours to give back, and the ledger says so.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemContext } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { isProblem } from '../../platform/problem.ts'
import { testShop, type TestShop } from '../../testing.ts'
import { cancelOrder } from '../orders/cancel-order.ts'
import { paymentsOf } from './get-payment.ts'
import { balancesOf } from './list-ledger.ts'
import { findTransfer, proposalsFor, TransferNotFound } from './list-transfers.ts'
import { matchTransfer, returnTransfer } from './match-transfer.ts'
import { AmountNotAvailable, NotPossible } from './payments.ts'
import { recordTransfers, type NewTransfer } from './record-transfers.ts'
import { referencesIn, transferReference } from './transfer-reference.ts'

async function owe(shop: TestShop, method = 'transfer') {
  const mug = await shop.variant({ price: 1_000 })
  const { orderId, payment } = await shop.complete(await shop.cart([{ variantId: mug, quantity: 1 }]), {}, method)
  return { orderId, paymentId: (await paymentsOf(shop.db, orderId))[0]!.id, reference: payment.reference }
}

async function receive(shop: TestShop, amountMinor: number, more: Partial<NewTransfer> = {}): Promise<string> {
  const [recorded] = await recordTransfers(shop.db, systemContext(), [{
    bankReference: newId(), bookedOn: '2026-11-23', currency: 'EUR', amountMinor, ...more,
  }])
  return recorded!.id
}

const match = (shop: TestShop, transferId: string, paymentId: string, amountMinor?: number) =>
  matchTransfer(shop.db, systemContext(), { transferId, paymentId, amountMinor })
const balance = async (shop: TestShop, of: string) =>
  (await balancesOf(shop.db, {})).find(({ account }) => account === of)?.balanceMinor ?? 0
const short = (availableMinor: number) => (error: any) =>
  isProblem(error, AmountNotAvailable) && error.extra['availableMinor'] === availableMinor

test('a reference is found however it was written, and a misspelt one is not', () => {
  for (let round = 0; round < 200; round++) {
    const reference = transferReference(newId())
    assert.match(reference, /^RF\d\d[0-9A-Z]{12}$/)
    const spaced = reference.replaceAll(/(.{4})/g, '$1 ').toLowerCase()
    assert.deepEqual(referencesIn(`Invoice, ref.\n${spaced}/ thank you RF`), [reference])
    const at = 4 + round % 12
    const [one, another] = /\d/.test(reference[at]!) ? ['7', '8'] : ['K', 'L']
    const other = reference[at] === one ? another : one
    assert.deepEqual(referencesIn(`${reference.slice(0, at)}${other}${reference.slice(at + 1)}`), [])
  }
})

test('the shopper hears the reference; who names it is proposed first, then those of the amount', async (t) => {
  const shop = await testShop(t)
  const [first, second] = [await owe(shop), await owe(shop), await owe(shop)]
  const id = await receive(shop, 1_490, { remittance: `Ihre Bestellung ${first.reference}`, payer: 'Anna Holm' })
  const proposals = await proposalsFor(shop.db, ['manual'], await findTransfer(shop.db, id))
  assert.deepEqual(proposals[0]!.because, ['reference', 'amount'])
  assert.equal(proposals[0]!.paymentId, first.paymentId)
  assert.deepEqual(proposals.slice(1).map(({ because }) => because.join()), ['amount', 'amount'])
  assert.ok(proposals.some(({ paymentId }) => paymentId === second.paymentId))
  const dollars = await receive(shop, 1_490, { currency: 'USD', remittance: first.reference! })
  assert.deepEqual(await proposalsFor(shop.db, ['manual'], await findTransfer(shop.db, dollars)), [])
})

test('too little leaves a debt, which the next transfer pays; too much waits to be applied or sent back', async (t) => {
  const shop = await testShop(t)
  const { orderId, paymentId } = await owe(shop)
  const small = await receive(shop, 400)
  assert.equal(await balance(shop, 'unapplied'), -400)
  assert.equal((await match(shop, small, paymentId)).openMinor, 0)
  assert.deepEqual([await balance(shop, 'unapplied'), await balance(shop, 'receivable')], [0, 1_090])
  const large = await receive(shop, 2_000)
  await assert.rejects(match(shop, large, paymentId, 1_091), short(1_090))
  const matched = await match(shop, large, paymentId)
  assert.deepEqual([matched.appliedMinor, matched.openMinor, matched.uses.length], [1_090, 910, 1])
  assert.equal((await paymentsOf(shop.db, orderId))[0]!.capturedMinor, 1_490)
  assert.deepEqual([await balance(shop, 'unapplied'), await balance(shop, 'receivable')], [-910, 0])
  await assert.rejects(match(shop, large, paymentId), short(0))
  await assert.rejects(returnTransfer(shop.db, systemContext(), large, { amountMinor: 911 }), short(910))
  await returnTransfer(shop.db, systemContext(), large, { amountMinor: 10, note: 'bank charges' })
  const other = await owe(shop)
  assert.equal((await match(shop, large, other.paymentId)).openMinor, 0)
  assert.deepEqual([await balance(shop, 'unapplied'), await balance(shop, 'clearing:manual')], [0, 2_390])
})

test('a transfer that is matched with two payments at once, and a payment with two transfers: used once', async (t) => {
  const shop = await testShop(t, { max: 30 })
  const [one, two] = [await owe(shop), await owe(shop)]
  const transfer = await receive(shop, 1_490)
  const answers = await Promise.allSettled(Array.from({ length: 20 }, (_, index) =>
    match(shop, transfer, index % 2 ? one.paymentId : two.paymentId, 1_490)))
  assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1)
  const { paymentId } = await owe(shop)
  const transfers = await Promise.all(Array.from({ length: 10 }, () => receive(shop, 700)))
  await Promise.allSettled(transfers.map((id) => match(shop, id, paymentId)))
  const open = (await Promise.all(transfers.map((id) => findTransfer(shop.db, id)))).map(({ openMinor }) => openMinor)
  assert.equal(open.reduce((sum, left) => sum + left, 0), 7_000 - 1_490)
})

test('a card payment, another currency, a cancelled order and what is not there take no transfer', async (t) => {
  const shop = await testShop(t)
  const transfer = await receive(shop, 1_490)
  const card = await owe(shop, 'card-later')
  await assert.rejects(match(shop, transfer, card.paymentId), (error) => isProblem(error, NotPossible))
  const { paymentId } = await owe(shop)
  await assert.rejects(match(shop, await receive(shop, 1_490, { currency: 'USD' }), paymentId),
    (error) => isProblem(error, NotPossible))
  await assert.rejects(match(shop, newId(), paymentId), (error) => isProblem(error, TransferNotFound))
  const gone = await owe(shop)
  await match(shop, await receive(shop, 500), gone.paymentId)
  await cancelOrder(shop.db, systemContext(), gone.orderId, 'customer')
  await shop.drain()
  assert.equal((await paymentsOf(shop.db, gone.orderId))[0]!.refundedMinor, 500)
  await assert.rejects(match(shop, transfer, gone.paymentId), (error) => isProblem(error, NotPossible))
})

test('a statement is imported again and again, over HTTP, and each transfer is there once', async (t) => {
  const shop = await testShop(t)
  const app = await shop.app()
  const { secret } = await shop.keys()
  const call = async (method: 'GET' | 'POST', url: string, payload?: object) => {
    const answer = await app.inject({
      method, url: `/admin/transfers${url}`, headers: { authorization: `Bearer ${secret}` },
      ...payload ? { payload } : {},
    })
    return { status: answer.statusCode, ...answer.json() }
  }
  const { paymentId } = await owe(shop)
  const items = [1, 2, 3].map((n) => (
    { bankReference: `S-${n}`, bookedOn: `2026-11-0${n}`, currency: 'EUR', amountMinor: 1_490, remittance: '=1+1' }))
  const outcomes = async (all: object[]) =>
    (await call('POST', '', { items: all })).items.map((one: any) => one.outcome)
  assert.deepEqual(await outcomes([...items, items[0]!]), ['recorded', 'recorded', 'recorded', 'known'])
  assert.deepEqual(await outcomes([items[0]!, { ...items[1], amountMinor: 1 }]), ['known', 'different'])
  assert.equal(await balance(shop, 'clearing:manual'), 3 * 1_490)
  const likeCard = { ...items[0], bankReference: '4242424242424242', bookedOn: '2026-10-01', amountMinor: 1 }
  assert.deepEqual(await outcomes([likeCard]), ['recorded'], 'a bank numbers as it likes')
  const page = await call('GET', '?limit=2')
  assert.deepEqual(page.items.map((one: any) => one.bankReference), ['S-3', 'S-2'])
  const [first] = (await call('GET', `?limit=2&cursor=${page.nextCursor}`)).items
  assert.equal((await call('GET', `/${first.id}/proposals`)).items[0].paymentId, paymentId)
  assert.equal((await call('POST', `/${first.id}/match`, { paymentId })).appliedMinor, 1_490)
  assert.equal((await call('POST', `/${page.items[0].id}/return`, { note: 'not ours' })).returnedMinor, 1_490)
  assert.deepEqual((await call('GET', '?open=true')).items.map((one: any) => one.bankReference),
    ['S-2', likeCard.bankReference])
  assert.equal((await call('GET', `/${newId()}/proposals`)).status, 404)
})
