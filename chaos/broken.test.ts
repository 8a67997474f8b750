// A programme that cannot see a violation is worthless: each is run on a shop from which one guard was taken away, and
// has to notice. The guards are taken away in the database, below the code.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Programme } from './programme.ts'
import { clock } from './programmes/clock.ts'
import { commit } from './programmes/commit.ts'
import { database } from './programmes/database.ts'
import { failpointsProgramme } from './programmes/failpoints.ts'
import { gateway } from './programmes/gateway.ts'
import { jobs } from './programmes/jobs.ts'
import { kill } from './programmes/kill.ts'
import { link } from './programmes/link.ts'
import { model } from './programmes/model.ts'
import { overload } from './programmes/overload.ts'
import { payment } from './programmes/payment.ts'
import { races } from './programmes/races.ts'
import { restore } from './programmes/restore.ts'
import { sale } from './programmes/sale.ts'
import { upgrade } from './programmes/upgrade.ts'
import { webhooks } from './programmes/webhooks.ts'

const trigger = (table: string, when: string, body: string): string[] => [
  `create function public.sabotage() returns trigger language plpgsql as $$ begin ${body} end $$`,
  `create trigger aaa_sabotage ${when} on ${table} for each row execute function public.sabotage()`,
]

const broken: [what: string, programme: Programme, sabotage: string[], noticed: RegExp][] = [
  ['keys are not remembered', commit,
    trigger('platform.idempotency_key', 'before insert', 'return null;'), /^I10 .*asked 1 times and begun/],
  ['what is sold is not counted', kill,
    trigger('inventory.stock', 'before update', 'new.reserved := old.reserved; return new;'), /^I1 reserved is/],
  ['commits are acknowledged before they are on disk', database,
    [
      'alter system set synchronous_commit = off', "alter system set wal_writer_delay = '10s'",
      'select pg_reload_conf()',
    ],
    /^I9 /],
  ['nobody asks the bank again', gateway,
    trigger('payments.attempt', 'before update', `if new.state in ('sending', 'unknown') then
      new.next_check_at := now() + interval '1 year'; end if; return new;`), /^I11 the shop does not come to rest/],
  ['a charge is not written down before it is made', gateway,
    trigger('payments.attempt', 'before insert', 'return null;'), /^I4 the bank has a charge/],
  ['a charge that nobody heard the end of is forgotten', payment,
    trigger('payments.attempt', 'before update', `if new.state in ('sending', 'unknown') then
      new.next_check_at := now() + interval '1 year'; end if; return new;`), /^I11 the shop does not come to rest/],
  ['staff is not told that the bank refuses to give money back', gateway,
    trigger('platform.event', 'before insert', `if new.type = 'payment.alert' then return null; end if; return new;`),
    /^I4 the order .* and the bank still holds its money/],
  ['uses of coupons are not counted', failpointsProgramme,
    trigger('pricing.use_count', 'before update', 'new.used := old.used; return new;'), /^I8 a count is/],
  ['a hold is for less than the order says', link,
    trigger('orders.line', 'before insert', 'new.quantity := new.quantity + 1; return new;'),
    /^I2 an order that is placed has its goods promised/],
  ['a job is run again although it was done', jobs,
    trigger('platform.job', 'after delete', `if old.attempts = 1 then insert into platform.job values (old.*); end if;
      return null;`), /^I7 .* 2 times/],
  // An id begins with the time of the clock of whoever made it.
  ["the shop's clock decides when a hold ends", clock,
    trigger('orders.order', 'before insert', `new.holds_until := uuid_extract_timestamp(new.id) + interval '15 minutes';
      return new;`), /^I11 .* have a holds_until of another clock/],
  ['a backup forgets the orders', restore, ['truncate orders."order" cascade'],
    /^after the restore: I9 a client was told of the order/],
  ['sold units are not counted', races,
    trigger('inventory.stock', 'before update', 'new.reserved := old.reserved; return new;'),
    /^stock in one place, wanted by 50: 50 were accepted/],
  ['more is sold than there is', sale,
    ['create sequence public.forgotten', ...trigger('inventory.stock', 'before update', `
      if new.reserved > 90 and nextval('public.forgotten') < 10 then new.reserved := old.reserved; end if;
      return new;`)], /^winners: \d+, and there were 100 units/],
  ['a coupon is never free again', model,
    trigger('pricing.use_count', 'before update', 'if new.used < old.used then return null; end if; return new;'),
    /coupons.*the shortest: /s],
  ['a message about another amount is taken for true', webhooks,
    trigger('payments.webhook_event', 'before insert', 'new.amount_minor := null; return new;'),
    /^I7 a message \(other amount\) is done/],
  ['nobody can order after a storm', overload,
    trigger('orders.order', 'before insert', 'perform pg_sleep(11); return new;'),
    /^nobody could order for .* ms after the storm/],
  ['a shop that has just started refuses', upgrade,
    trigger('checkout.cart', 'before insert', `
      if (select backend_start from pg_stat_activity where pid = pg_backend_pid()) > now() - interval '1 second' then
        raise exception 'not yet' using errcode = '53300';
      end if;
      return new;`), /^a request failed during a change of versions/],
]

const ROUNDS = 4       // chance decides what a round meets

for (const [what, programme, sabotage, noticed] of broken) {
  test(`${programme.name} notices that ${what}`, { timeout: 600_000 }, async (t) => {
    const opened = await programme.open(sabotage)
    t.after(() => opened.close())
    const found: string[] = []
    for (let seed = 1; seed <= ROUNDS && !found.some((one) => noticed.test(one)); seed++) {
      found.push(...(await opened.round(seed)).violations)
    }
    assert.ok(found.some((one) => noticed.test(one)), `it found ${found.join('\n')}`)
  })
}
