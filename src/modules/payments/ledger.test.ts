// The ledger: every way that money takes leaves entries that balance, an entry comes once and stays, and who asks too
// much of it is refused. What it must agree with is checked at the end of every test (I5).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { sql, systemContext } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { testDatabase } from '../../platform/testing.ts'
import { testShop, type TestShop } from '../../testing.ts'
import { cancelOrder } from '../orders/cancel-order.ts'
import { writeLedger } from './export-ledger.ts'
import { paymentsOf } from './get-payment.ts'
import { post, type LedgerEntry } from './ledger.ts'
import { balancesOf } from './list-ledger.ts'
import { operate } from './operate-payment.ts'

const balances = async (shop: TestShop, from?: string): Promise<Record<string, number>> => Object.fromEntries(
  (await balancesOf(shop.db, from ? { from } : {})).filter(({ balanceMinor }) => balanceMinor !== 0)
    .map(({ account, balanceMinor }) => [account, balanceMinor]))

async function buy(shop: TestShop, method = 'card', coupon?: string) {
  const mug = await shop.variant({ price: 1_190 })
  const cart = await shop.cart([{ variantId: mug, quantity: 1 }], coupon ? { couponCodes: [coupon] } : {})
  const { orderId } = await shop.complete(cart, {}, method)
  return { orderId, paymentId: (await paymentsOf(shop.db, orderId))[0]!.id }
}

const refund = (shop: TestShop, paymentId: string, amountMinor: number) =>
  operate(shop.db, systemContext(), paymentId, { kind: 'refund', amountMinor })

test('a sale with a discount, its capture and a refund: net of tax, less fees, nothing is owed', async (t) => {
  const shop = await testShop(t)
  await shop.coupon({ code: 'TEN', useLimit: 5, ratePpm: 100_000 })
  const { paymentId } = await buy(shop, 'card', 'TEN')
  // 11.90 less 10 %, and 4.90 of delivery: 19 % is in both.
  const sold = { discount: 119, revenue: -1_019, shipping: -412, tax: -249 }
  assert.deepEqual(await balances(shop), { 'clearing:simulator': 1_561 - 47, fee: 47, ...sold })
  await refund(shop, paymentId, 561)
  assert.deepEqual(await balances(shop), { 'clearing:simulator': 1_000 - 47, fee: 47, refund: 561, ...sold })
})

test('an order that is paid later is owed until then, and one that is captured in parts until the last', async (t) => {
  const shop = await testShop(t)
  const { paymentId } = await buy(shop, 'card-later')
  assert.equal((await balances(shop))['receivable'], 1_680)
  await operate(shop.db, systemContext(), paymentId, { kind: 'capture', amountMinor: 680 })
  assert.equal((await balances(shop))['receivable'], 1_000)
  await operate(shop.db, systemContext(), paymentId, { kind: 'capture' })
  assert.equal((await balances(shop))['receivable'], undefined)
})

test('a cancelled order leaves nothing but fees, also when a part was refunded before', async (t) => {
  const shop = await testShop(t)
  const { orderId, paymentId } = await buy(shop)
  await refund(shop, paymentId, 300)
  await cancelOrder(shop.db, systemContext(), orderId, 'customer')
  assert.equal((await balances(shop))['receivable'], -1_680, 'the sale is gone, the money is not yet')
  await shop.drain()
  await shop.drain()
  assert.deepEqual(await balances(shop), { 'clearing:simulator': -49, fee: 49 })
  const free = await buy(shop, 'card-later')
  await cancelOrder(shop.db, systemContext(), free.orderId, 'fraud')
  await shop.drain()
  assert.deepEqual(await balances(shop), { 'clearing:simulator': -49, fee: 49 }, 'a void moves no money')
})

test('the database takes no entry that does not balance, that comes twice, or that changes an old one', async (t) => {
  const db = await testDatabase(t)
  const id = newId()
  const book = (lines: LedgerEntry['lines'], kind = 'correction') => db.transaction(systemContext(), (tx) =>
    post(tx, { source: { type: 'staff', id }, kind, currency: 'EUR', lines }))
  const broken = (rule: string) => (error: any) => error.extra?.rule === rule
  await assert.rejects(book({ bank: 100, fee: -99 }), /does not balance/)
  await assert.rejects(book({ petty: 100, bank: -100 } as object), broken('ledger_line_account_known'))
  await book({ bank: 100, 'clearing:simulator': -100 })
  await assert.rejects(book({ bank: 100, 'clearing:simulator': -100 }), broken('ledger_entry_once'))
  await book({ bank: 0, fee: 0 }, 'nothing')
  for (const change of [
    sql`update payments.ledger_line set amount_minor = amount_minor * 2`, sql`delete from payments.ledger_entry`,
    sql`truncate payments.ledger_entry cascade`,
  ]) await assert.rejects(db.run(change), /append-only/)
  await assert.rejects(db.run(sql`insert into payments.ledger_line (entry_id, account, amount_minor)
    select id, 'write_off', 1 from payments.ledger_entry`), /does not balance/)
  const { entries } = await db.one(Type.Object({ entries: Type.Integer() }),
    sql`select count(*) as entries from payments.ledger_entry`)
  assert.equal(entries, 1)
})

test('the export has a row for each line, decimals of the currency, and no formula', async (t) => {
  const shop = await testShop(t)
  const { orderId, paymentId } = await buy(shop)
  await shop.db.transaction(systemContext(), (tx) => post(tx, {
    source: { type: 'staff', id: newId() }, kind: 'correction', currency: 'JPY', note: '=cmd|" /C calc"!A0',
    lines: { bank: 700, 'clearing:simulator': -700 },
  }))
  const app = await shop.app()
  const { secret } = await shop.keys()
  const answer = await app.inject({
    method: 'GET', url: '/admin/ledger/export', headers: { authorization: `Bearer ${secret}` },
  })
  assert.deepEqual([answer.statusCode, answer.headers['content-type']], [200, 'text/csv; charset=utf-8'])
  const [header, ...rows] = answer.body.trimEnd().split('\r\n').map((line) => line.split(','))
  assert.equal(header!.join(), 'entry_id,booked_at,kind,account,currency,debit,credit,amount_minor,reference,' +
    'order_id,payment_id,source_type,source_id')
  const shown = rows.map(([, , kind, account, currency, debit, credit, , , order, payment]) =>
    [kind, account, currency, debit, credit, order === orderId, payment === paymentId])
  const told = shown.filter(([kind, account]) => kind === 'sale' && ['receivable', 'tax'].includes(account as string))
  assert.deepEqual(told, [
    ['sale', 'receivable', 'EUR', '16.80', '', true, false], ['sale', 'tax', 'EUR', '', '2.68', true, false],
  ])
  assert.deepEqual(shown.at(-1), ['correction', 'clearing:simulator', 'JPY', '', '700', false, false])
  assert.match(answer.body, /"'=cmd\|"" \/C calc""!A0"/)
  assert.ok(rows.slice(0, -2).every((row) => /^order \d+$/.test(row[8]!)), 'each names the number of its order')
})

test('an export of many pages has each line once, and a period those that are in it', async (t) => {
  const db = await testDatabase(t)
  for (let entries = 0; entries < 2_500; entries += 500) {
    await db.transaction(systemContext(), (tx) => Promise.all(Array.from({ length: 500 }, () => post(tx, {
      source: { type: 'staff', id: newId() }, kind: 'correction', currency: 'EUR', lines: { bank: 1, fee: -1 },
    }))))
  }
  const rows = (await Array.fromAsync(writeLedger(db, {}))).join('').trimEnd().split('\r\n').slice(1)
  assert.deepEqual([rows.length, new Set(rows).size], [5_000, 5_000])
  assert.deepEqual((await Array.fromAsync(writeLedger(db, { before: '2020-01-01T00:00:00Z' }))).length, 2)
})

test('staff read balances and entries, and book what the shop cannot know', async (t) => {
  const shop = await testShop(t)
  const { orderId } = await buy(shop)
  const app = await shop.app()
  const { secret } = await shop.keys()
  const call = async (method: 'GET' | 'POST', url: string, payload?: object, key = '') => {
    const headers = { authorization: `Bearer ${secret}`, ...key ? { 'idempotency-key': key } : {} }
    const answer = await app.inject({ method, url: `/admin/ledger/${url}`, headers, ...payload ? { payload } : {} })
    return { status: answer.statusCode, ...answer.json() }
  }
  const payout = { currency: 'EUR', note: 'payout of 23 November', lines: [
    { account: 'bank', amountMinor: 1_000 }, { account: 'clearing:simulator', amountMinor: -1_000 },
  ] }
  const first = await call('POST', 'entries', payout, 'payout')
  assert.deepEqual([first.status, (await call('POST', 'entries', payout, 'payout')).id], [201, first.id])
  const refused = async (lines: object[], more: object = {}) =>
    (await call('POST', 'entries', { ...payout, ...more, lines })).detail
  const uneven = [{ account: 'bank', amountMinor: 2 }, { account: 'fee', amountMinor: -1 }]
  assert.match(await refused(uneven), /add up to 1/)
  const two = (account: string) => [{ account, amountMinor: 5 }, { account: 'bank', amountMinor: -5 }]
  assert.match(await refused(two('bank')), /twice/)
  assert.match(await refused(two('store_credit')), /keeps store_credit/)
  assert.match(await refused(two('receivable'), { orderId }), /follows from its payments/)
  assert.match(await refused(two('fee'), { currency: 'ABC' }), /no currency/)
  assert.match(await refused([{ account: 'bank', amountMinor: 0 }, { account: 'fee', amountMinor: 0 }]), /nothing/)
  const { items, totals } = await call('GET', 'balances')
  assert.equal(items.find((one: any) => one.account === 'bank').balanceMinor, 1_000)
  assert.deepEqual(totals, [{ currency: 'EUR', debitMinor: 4_360, creditMinor: 4_360 }])
  const kinds = async (query: string) =>
    (await call('GET', `entries?${query}`)).items.map((one: any) => one.kind).sort()
  assert.deepEqual(await kinds(`orderId=${orderId}`), ['capture', 'sale'])
  assert.deepEqual(await kinds('account=bank'), ['correction'])
  assert.deepEqual(await kinds(`paymentId=${(await paymentsOf(shop.db, orderId))[0]!.id}`), ['capture'])
  const page = await call('GET', 'entries?limit=2')
  assert.equal((await call('GET', `entries?limit=2&cursor=${page.nextCursor}`)).items.length, 1)
})
