// The judgement sees what it looks for: each kind of damage is done to a shop that was sound, and named.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../bench/random.ts'
import { newId } from '../src/platform/id.ts'
import { judge } from './check.ts'
import { Crowd } from './customers.ts'
import { openStage, type Stage } from './stage.ts'

const damage: [what: string, harm: string | ((stage: Stage) => unknown), noticed: RegExp][] = [
  ['a unit that nobody booked', 'update inventory.stock set on_hand = on_hand + 1', /^I1 on hand/],
  ['goods of an order that are nobody’s', `update inventory.reservation set state = 'released' where (order_id, id) = (
    select order_id, id from inventory.reservation where state = 'claimed' limit 1)`, /^I2 an order that is placed/],
  ['a second charge that is alive', `drop index payments.attempt_one_live; insert into payments.attempt
    (id, payment_id, method, gateway, state, capture) select gen_random_uuid(), payment_id, method, gateway, 'captured',
    true from payments.attempt where state = 'captured' limit 1`, /^I3 /],
  ['money of which the books know nothing', ({ bank }) => fetch(`${bank.url}/charges`, {
    method: 'POST', body: JSON.stringify({ key: newId(), amountMinor: 700, currency: 'EUR', capture: true }),
  }), /^I4 the bank has a charge/],
  ['an entry that does not balance', `alter table payments.ledger_line disable trigger user;
    insert into payments.ledger_line select entry_id, 'write_off', 1 from payments.ledger_line limit 1`,
    /^I5 the lines of an entry/],
  ['money that moved past the ledger', `alter table payments.ledger_line disable trigger user;
    update payments.ledger_line set amount_minor = amount_minor + 1
      where account in ('clearing:simulator', 'receivable') and entry_id = (
        select id from payments.ledger_entry where kind = 'capture' limit 1)`,
    /^I5 what the ledger holds for a payment/],
  ['money at the bank of which the ledger does not know', `alter table payments.ledger_line disable trigger user;
    update payments.ledger_line set account = 'bank' where account = 'clearing:simulator'`,
    /^I5 by the ledger/],
  ['a sale that was not booked', `alter table payments.ledger_line disable trigger user;
    delete from payments.ledger_line where account = 'receivable' and amount_minor > 0`, /^I5 by the ledger a placed/],
  ['a refund that nobody began', `update payments.payment set refunded_minor = captured_minor where id = (
    select id from payments.payment where captured_minor > 0 and refunded_minor = 0 limit 1)`, /^I6 /],
  ['a coupon that was counted twice', 'update pricing.use_count set used = used + 1', /^I8 /],
  ['an order that a client was told of', ({ journal }) => journal.note(
    { key: newId(), what: 'complete', status: 201, orderId: newId(), cartId: newId() }), /^I9 a client was told/],
  ['a cart that became two orders', ({ journal }) => {
    const told = journal.read().find(({ what, status }) => what === 'complete' && status === 201)!
    journal.note({ ...told, orderId: newId() })
  }, /^I10 /],
  ['an audit entry that was rewritten', `set session_replication_role = replica;
    update platform.audit_log set actor_id = gen_random_uuid() where id = (
      select entry_id from platform.audit_seal order by number limit 1);
    reset session_replication_role`, /^I13 each sealed entry/],
  ['a line that costs more than was paid', 'update orders.line set total_minor = total_minor + 1', /^I14 /],
]

test('the judgement names each kind of damage', { timeout: 120_000 }, async (t) => {
  const stage = await openStage(1)
  t.after(() => stage.close())
  await stage.startShop()
  const crowd = new Crowd(stage, randomFrom(1), { coupons: 0.5, staff: 0.2 })
  crowd.start(4)
  for (const end = Date.now() + 30_000; crowd.orders < 12 && Date.now() < end;) await sleep(50)
  await crowd.stop()
  assert.deepEqual([...crowd.complaints, ...await judge(stage)], [], 'it is sound before')
  await stage.stopShop()
  const client = await stage.db.dedicated()
  t.after(() => client.end())
  for (const [what, harm, noticed] of damage) {
    if (typeof harm === 'string') await client.query(harm)
    else await harm(stage)
    const found = await judge(stage)
    assert.ok(found.some((one) => noticed.test(one)), `${what}: it found ${found.join('\n')}`)
  }
})
