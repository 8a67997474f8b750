// A shop that sold before there was a ledger: the migrations open its books, so that they agree with what it has.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findBroken } from '../../invariants.ts'
import { allMigrations } from '../../migrations.ts'
import { systemContext } from '../../platform/db.ts'
import { migrate } from '../../platform/migrate.ts'
import { testShop } from '../../testing.ts'
import { cancelOrder } from '../orders/cancel-order.ts'
import { paymentsOf } from './get-payment.ts'
import { balancesOf } from './list-ledger.ts'
import { operate } from './operate-payment.ts'

const own = ['0002-ledger.sql', '0003-book-sales.sql']

test('a shop that sold before opens its books by the migrations', async (t) => {
  const shop = await testShop(t)
  const buy = async (method: string) => {
    const variantId = await shop.variant({ price: 1_190 })
    const { orderId } = await shop.complete(await shop.cart([{ variantId, quantity: 1 }]), {}, method)
    return { orderId, paymentId: (await paymentsOf(shop.db, orderId))[0]!.id }
  }
  const refund = (paymentId: string) =>
    operate(shop.db, systemContext(), paymentId, { kind: 'refund', amountMinor: 300 })
  await refund((await buy('card')).paymentId)
  await buy('card-later')
  await buy('transfer')
  const cancelled = await buy('card')
  await refund(cancelled.paymentId)
  await cancelOrder(shop.db, systemContext(), cancelled.orderId, 'customer')
  await shop.drain()
  const before = await balancesOf(shop.db, {})
  const client = await shop.db.dedicated()
  t.after(() => client.end())
  await client.query(`drop table payments.ledger_line, payments.ledger_entry;
    drop function payments.refuse_unbalanced_entry, payments.refuse_ledger_change, payments.book_opening_sale`)
  await client.query('delete from platform.migration where name = any($1)', [own])
  assert.equal(await migrate(shop.db, allMigrations()), own.length)
  assert.deepEqual(await findBroken(shop.db, { name: /^I[3-6] / }), [])
  const feeless = (rows: typeof before) => rows.filter(({ account }) => !/^(fee|clearing)/.test(account))
    .map(({ account, balanceMinor }) => [account, balanceMinor]).filter(([, balance]) => balance !== 0)
  assert.deepEqual(feeless(await balancesOf(shop.db, {})), feeless(before))
})
