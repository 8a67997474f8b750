-- What must be true of a shop at any moment. Each statement answers the rows that break it: none, if all is well.
-- `kontor doctor` runs them, and so do the races of the tests and the fault programme when they end. The numbers are
-- those of RELIABILITY.md. A statement stands below its own comment: the module, the number, and the sentence that holds.

-- inventory: I1 on hand is the sum of the movements
select stock.variant_id, stock.location_id, on_hand, coalesce(sum(movement.quantity), 0) as moved
from inventory.stock left join inventory.movement using (variant_id, location_id)
group by stock.variant_id, stock.location_id having on_hand <> coalesce(sum(movement.quantity), 0);

-- inventory: I1 reserved is the sum of the live reservations
select stock.variant_id, stock.location_id, reserved, coalesce(live.units, 0) as live
from inventory.stock left join (
  select variant_id, location_id, sum(quantity - shipped) as units
  from inventory.reservation where state in ('held', 'claimed') group by variant_id, location_id
) as live using (variant_id, location_id)
where reserved <> coalesce(live.units, 0);

-- inventory: I1 nothing is below zero, I2 promises beyond stock stay within the backorder limit
select variant_id, location_id, on_hand, reserved, backorder_limit from inventory.stock
where on_hand < 0 or reserved < 0 or reserved > on_hand + backorder_limit;

-- inventory: I2 shipped is no more than what came in
select variant_id, sum(quantity) as left_over
from inventory.movement group by variant_id having sum(quantity) < 0;

-- inventory: I2 what orders shipped is what the ledger says was shipped
select variant_id, promised.units as shipped, moved.units as moved
from (
  select variant_id, sum(shipped) as units from inventory.reservation where shipped > 0 group by variant_id
) as promised full join (
  select variant_id, -sum(quantity) as units from inventory.movement where cause = 'shipment' group by variant_id
) as moved using (variant_id)
where coalesce(promised.units, 0) <> coalesce(moved.units, 0);

-- A minute is sixty turns of the sweep: by then a hold that is over has given its units back, unless no worker runs.
-- inventory: I2 no hold is long over and still not swept
select order_id, variant_id, quantity, expires_at from inventory.reservation
where state = 'held' and expires_at < now() - interval '1 minute';

-- inventory: I2 no order has waited a minute for stock that lies free
select order_id, reservation.variant_id, quantity, on_hand, reserved from inventory.reservation
join inventory.stock on stock.variant_id = reservation.variant_id and on_hand + backorder_limit > reserved
join inventory.location on location.id = stock.location_id and location.active
where state = 'short' and expires_at is null and reservation.created_at < now() - interval '1 minute';

-- Short units are promised too, for as long as they wait for stock.
-- orders: I2 an order that is placed has its goods promised, and one that ended has none
select id, number, state, variant_id, ordered, promised
from orders."order"
join (
  select order_id, variant_id, sum(quantity) as ordered from orders.line group by order_id, variant_id
) as line on line.order_id = id
left join inventory.item using (variant_id)
left join (
  select order_id, variant_id, sum(quantity) as promised from inventory.reservation
  where state in ('claimed', 'shipped', 'short') group by order_id, variant_id
) as reservation using (order_id, variant_id)
where state in ('placed', 'cancelled', 'lapsed') and coalesce(tracked, true)
  and coalesce(promised, 0) <> case state when 'placed' then ordered else 0 end;

-- payments: I3 at most one attempt of a payment is live or has succeeded
select payment_id, count(*) as attempts from payments.attempt
where state not in ('declined', 'voided', 'expired') group by payment_id having count(*) > 1;

-- payments: I4 an order is placed if and only if its money is there, or it was to be paid later
select placed.id, number, placed.state, attempt.state as attempt
from orders."order" placed
join payments.payment on payment.order_id = placed.id
left join payments.attempt on attempt.payment_id = payment.id and attempt.state in ('authorized', 'captured', 'pending')
where payment.stored_value_id is null and (placed.state = 'placed') <> (attempt.id is not null)
  and placed.state in ('placed', 'awaiting_payment')
  and payment.created_at < now() - interval '1 minute'
  and not exists (select from platform.job join platform.event on event.id = event_id
    where payload ->> 'orderId' = placed.id::text)
  and not exists (select from payments.operation where operation.payment_id = payment.id);

-- payments: I6 what is refunded, and what is on its way, is the sum of its operations
select payment.id, refunded_minor, refunding_minor, capturing_minor, refunded, refunding, capturing
from payments.payment left join (
  select payment_id,
    sum(amount_minor) filter (where kind = 'refund' and state = 'done') as refunded,
    sum(amount_minor) filter (where kind = 'refund' and state in ('sending', 'unknown')) as refunding,
    sum(amount_minor) filter (where kind = 'capture' and state in ('sending', 'unknown')) as capturing
  from payments.operation group by payment_id
) as done on done.payment_id = payment.id
where (refunded_minor, refunding_minor, capturing_minor)
  <> (coalesce(refunded, 0), coalesce(refunding, 0), coalesce(capturing, 0));

-- payments: I6 refunds are within captures, captures within what was authorised, and that within what is to be paid
select payment.id, refunded_minor, refunding_minor, captured_minor, capturing_minor, authorized_minor, amount_minor
from payments.payment
where refunded_minor + refunding_minor > captured_minor or captured_minor + capturing_minor > authorized_minor
  or authorized_minor > amount_minor;

-- payments: I6 the payments of an order are its total, in its currency
select "order".id, number, total_minor, sum(amount_minor) as payments
from orders."order" left join payments.payment on order_id = "order".id
group by "order".id, number, total_minor, "order".currency
having coalesce(sum(amount_minor), 0) <> total_minor or bool_or(payment.currency <> "order".currency);

-- payments: I8 the balance of a gift card or of credit is the sum of its entries
select stored_value.id, kind, balance_minor, moved
from payments.stored_value left join (
  select stored_value_id, sum(amount_minor) as moved from payments.stored_value_entry group by stored_value_id
) as entry on stored_value_id = stored_value.id
where balance_minor <> coalesce(moved, 0);

-- payments: I5 by the ledger we owe to gift cards and credit what is on them
select currency, kind, balance, owed from (
  select currency, kind, sum(balance_minor) as balance from payments.stored_value group by currency, kind
) as held full join (
  select currency, account as kind, -sum(amount_minor) as owed
  from payments.ledger_entry join payments.ledger_line on entry_id = id
  where account in ('gift_card', 'store_credit') group by currency, account
) as booked using (currency, kind)
where coalesce(balance, 0) <> coalesce(owed, 0);

-- The database refuses it at the commit; this looks whether it did.
-- payments: I5 the lines of an entry of the ledger add up to nothing
select id, source_type, source_id, kind, sum(amount_minor) as sum
from payments.ledger_entry left join payments.ledger_line on entry_id = id
group by id having coalesce(sum(amount_minor), 1) <> 0;

-- Fees are what the gateway kept of it.
-- payments: I5 what the ledger holds for a payment is what was captured and not refunded
select payment.id, captured_minor, refunded_minor, held
from payments.payment left join (
  select payment_id, sum(amount_minor) as held
  from payments.ledger_entry join payments.ledger_line on entry_id = ledger_entry.id
  where payment_id is not null
    and (account like 'clearing:%' or account in ('fee', 'unapplied', 'gift_card', 'store_credit')) group by payment_id
) as entries on payment_id = payment.id
where captured_minor - refunded_minor <> coalesce(held, 0);

-- payments: I5 by the ledger we owe of transfers what was neither applied nor returned
select currency, unused, unapplied from (
  select currency, sum(amount_minor - applied_minor - returned_minor) as unused from payments.transfer group by currency
) as transfers full join (
  select currency, -sum(amount_minor) as unapplied
  from payments.ledger_entry join payments.ledger_line on entry_id = id where account = 'unapplied' group by currency
) as entries using (currency)
where coalesce(unused, 0) <> coalesce(unapplied, 0);

-- payments: I5 what became of a transfer is the sum of its uses
select transfer.id, applied_minor, returned_minor, applied, returned
from payments.transfer left join (
  select transfer_id, sum(amount_minor) filter (where payment_id is not null) as applied,
    sum(amount_minor) filter (where payment_id is null) as returned
  from payments.transfer_use group by transfer_id
) as uses on transfer_id = transfer.id
where (applied_minor, returned_minor) <> (coalesce(applied, 0), coalesce(returned, 0));

-- What is given back of an order that stays placed is no debt: it lies in the account of refunds.
-- orders: I5 by the ledger a placed order owes its total less what was captured, and an ended one is owed what it paid
select "order".id, number, state, total_minor, captured, returned, owed
from orders."order" left join (
  select order_id, sum(captured_minor) as captured, sum(refunded_minor) filter (where closed) as returned
  from payments.payment group by order_id
) as paid on paid.order_id = "order".id
left join (
  select order_id, sum(amount_minor) as owed
  from payments.ledger_entry join payments.ledger_line on entry_id = ledger_entry.id
  where account = 'receivable' and order_id is not null group by order_id
) as entries on entries.order_id = "order".id
where coalesce(owed, 0) <> case state when 'placed' then total_minor else 0 end
  - coalesce(captured, 0) + coalesce(returned, 0);

-- The recovery job looks every two seconds.
-- payments: I11 no attempt, operation or webhook is five minutes past its next look
select 'attempt' as kind, id::text, state, next_check_at as due from payments.attempt
where next_check_at < now() - interval '5 minutes'
union all select 'operation', id::text, state, next_check_at from payments.operation
where next_check_at < now() - interval '5 minutes'
union all select 'webhook', gateway || ' ' || event_id, state, next_try_at from payments.webhook_event
where next_try_at < now() - interval '5 minutes';

-- pricing: I8 a count is the number of uses that orders hold or spent
select promotion_id, scope, used, count(order_id) as uses
from pricing.use_count left join (
  select * from pricing.coupon_use where state in ('held', 'confirmed')
) as live using (promotion_id, scope)
group by promotion_id, scope having used <> count(order_id);

-- pricing: I8 no count is beyond its limit
select promotion_id, scope, used, use_limit from pricing.use_count where used > use_limit or used < 0;

-- checkout: I10 a cart became one order at most, and an order comes from one cart
select order_id, count(*) as carts from checkout.cart where order_id is not null group by order_id having count(*) > 1;

-- orders: I14 an order's total is the total of its own frozen lines
select id, number, subtotal_minor, shipping_minor, discount_minor, tax_minor, total_minor, lines.total, lines.subtotal
from orders."order" join (
  select order_id, sum(total_minor) as total, sum(subtotal_minor) as subtotal, sum(tax_minor) as tax,
    sum(discount_minor) as discount
  from orders.line group by order_id
) as lines on lines.order_id = id
where lines.subtotal <> subtotal_minor
  or lines.total + coalesce((delivery ->> 'totalMinor')::bigint, 0) <> total_minor
  or lines.tax + coalesce((delivery ->> 'taxMinor')::bigint, 0) <> tax_minor
  or lines.discount + coalesce((delivery ->> 'discountMinor')::bigint, 0) <> discount_minor;

-- What was sealed is sealed again and compared: a changed, added or removed change of an entry shows, and so does a hole.
-- platform: I13 each sealed entry of the audit log is what was sealed, and follows the one before it
select number, seal.entry_id, at, route from (
  select number, entry_id, hash, lag(number, 1, 0::bigint) over place as number_before,
    lag(hash, 1, ''::bytea) over place as hash_before
  from platform.audit_seal window place as (order by number)
) as seal
left join platform.audit_log on audit_log.id = seal.entry_id
where audit_log.id is null or number <> number_before + 1
  or hash <> platform.audit_digest(number, hash_before, audit_log);

-- platform: I13 the chain of the audit log ends at its head
select head.number, head.hash, last.number as last_number, last.hash as last_hash
from platform.audit_head as head
left join (select number, hash from platform.audit_seal order by number desc limit 1) as last on true
where (head.number, head.hash) is distinct from (coalesce(last.number, 0), coalesce(last.hash, ''));

-- platform: I13 the address of an audit entry is the one that was sealed with it
select entry_id, at, route from platform.audit_origin left join platform.audit_log on audit_log.id = entry_id
where origin_mark is distinct from sha256(salt || convert_to(address, 'UTF8'));

-- The job looks twice a second.
-- platform: I13 no entry of the audit log has waited a minute for its seal
select id, at, route from platform.audit_log
where at < now() - interval '1 minute' and not exists (select from platform.audit_seal where entry_id = id);
