-- Payments: what a buyer owes for an order, every attempt to collect it, every capture, refund and void. The gateway may
-- lie, be late or fall silent: a row and its key are committed before each call, and a row that is not finished has a
-- time at which it is looked at again.
create schema payments;

-- Money that a customer paid before, or was given: a gift card, or the credit of a customer. The CHECK keeps two orders
-- at once from spending more than there is.
create table payments.stored_value (
  id uuid constraint stored_value_pkey primary key,
  kind text not null constraint stored_value_kind_known check (kind in ('gift_card', 'store_credit')),
  currency text not null constraint stored_value_currency_form check (currency ~ '^[A-Z]{3}$'),
  balance_minor bigint not null constraint stored_value_not_negative check (balance_minor >= 0),
  -- Of a gift card: who has the code spends it. Of it we keep what finds it, and its end, which people may see.
  code_hash bytea constraint stored_value_code_unique unique,
  ending text,
  -- Whose credit it is, one in each currency; null when that customer was erased.
  customer_id uuid,
  active boolean not null default true,
  expires_at timestamptz,
  note text constraint stored_value_note_length check (length(note) between 1 and 500),
  created_at timestamptz not null default now(),
  constraint stored_value_is_a_card_or_of_a_customer check (
    case kind when 'gift_card' then code_hash is not null and ending is not null and customer_id is null
      else code_hash is null and ending is null and expires_at is null end)
) with (fillfactor = 70);
create unique index stored_value_of_customer on payments.stored_value (customer_id, currency)
  where customer_id is not null;
create index stored_value_gift_cards on payments.stored_value (id) where kind = 'gift_card';

-- Every change of a balance: their sum is the balance. Spent for an order, returned when it ended or was refunded.
create table payments.stored_value_entry (
  id uuid constraint stored_value_entry_pkey primary key,
  stored_value_id uuid not null constraint stored_value_entry_value_fkey references payments.stored_value (id),
  kind text not null constraint stored_value_entry_kind_known check (
    kind in ('issued', 'adjusted', 'spent', 'returned')),
  amount_minor bigint not null constraint stored_value_entry_amount_not_zero check (amount_minor <> 0),
  order_id uuid,
  note text constraint stored_value_entry_note_length check (length(note) between 1 and 500),
  at timestamptz not null default now()
);
create index stored_value_entry_of_value on payments.stored_value_entry (stored_value_id, at desc, id desc);

-- Amounts move under the row lock of the payment. *_minor of work that was begun and not finished counts as if it succeeded, so what two callers
-- may take together is decided before either calls the gateway.
create table payments.payment (
  id uuid constraint payment_pkey primary key,
  order_id uuid not null,
  currency text not null constraint payment_currency_form check (currency ~ '^[A-Z]{3}$'),
  amount_minor bigint not null constraint payment_amount_positive check (amount_minor > 0),
  -- Closed: no attempt may begin; an attempt that succeeds late is given back.
  closed boolean not null default false,
  authorized_minor bigint not null default 0,
  capturing_minor bigint not null default 0,
  captured_minor bigint not null default 0,
  refunding_minor bigint not null default 0,
  refunded_minor bigint not null default 0,
  created_at timestamptz not null default now(),
  -- Where it is made: the country of the delivery and the code of the channel, where anybody asked for them.
  country text,
  channel text,
  -- Paid with a gift card or store credit, in the transaction that ordered; otherwise through a gateway, after it.
  stored_value_id uuid constraint payment_stored_value_fkey references payments.stored_value (id),
  constraint payment_authorized_within_amount check (authorized_minor between 0 and amount_minor),
  constraint payment_captured_within_authorized check (
    capturing_minor >= 0 and captured_minor >= 0 and captured_minor + capturing_minor <= authorized_minor),
  constraint payment_refunded_within_captured check (
    refunding_minor >= 0 and refunded_minor >= 0 and refunded_minor + refunding_minor <= captured_minor)
) with (fillfactor = 70);
-- The payments of an order.
create index payment_of_order on payments.payment (order_id);

-- sending → unknown → requires_action → pending → authorized → captured, any step of it left out; from each but the
-- last → voided | expired, and → declined before it is authorized. There is no way back (attemptTransitions).
-- The attempt's id is its key at the gateway: a repeat with it cannot charge twice.
create table payments.attempt (
  id uuid constraint attempt_pkey primary key,
  payment_id uuid not null constraint attempt_payment_fkey references payments.payment (id),
  method text not null,
  gateway text not null,
  state text not null constraint attempt_state_known check (state in (
    'sending', 'requires_action', 'pending', 'unknown', 'authorized', 'captured', 'declined', 'voided', 'expired')),
  capture boolean not null,
  -- What the gateway's own form returned (a token of a method, never a card), needed to repeat the call.
  data jsonb not null default '{}',
  reference text,
  action_url text,
  -- Where the storefront wants its shopper back after a page of the gateway.
  return_url text,
  reason text,
  next_check_at timestamptz,
  checks integer not null default 0,
  created_at timestamptz not null default now(),
  -- When the call was last repeated. Lost: nobody repeats it any more, since it is held for never having arrived.
  sent_again_at timestamptz,
  lost boolean not null default false,
  -- Declined for no reason of the shopper's or of their bank's: another gateway may do it.
  technical boolean not null default false,
  constraint attempt_unfinished_is_checked check (state not in ('sending', 'requires_action', 'unknown') or next_check_at is not null)
) with (fillfactor = 70);
-- The wall against double charges: at most one attempt of a payment is live or has succeeded.
create unique index attempt_one_live on payments.attempt (payment_id) where state not in ('declined', 'voided', 'expired');
-- The attempts of a payment in their order.
create index attempt_of_payment on payments.attempt (payment_id, created_at);
-- Who still has to send money, proposed for a transfer of that amount.
create index attempt_pending on payments.attempt (payment_id) where state = 'pending';
-- A webhook names its charge by the reference of the gateway.
create index attempt_by_reference on payments.attempt (gateway, reference) where reference is not null;
-- The recovery job: what is due to be asked about.
create index attempt_to_check on payments.attempt (next_check_at) where next_check_at is not null;

-- Whether a gateway is asked while there is another one: open → half_open → closed, or open again. Any process opens it,
-- all of them read it, and while it is half open one attempt at a time is let through. No row: closed.
create table payments.circuit (
  gateway text constraint circuit_pkey primary key,
  state text not null constraint circuit_state_known check (state in ('open', 'half_open', 'closed')),
  reason text,
  -- How often it opened with hardly a pause between: it stays open for longer each time.
  times integer not null default 1,
  opened_at timestamptz not null default now(),
  -- Open: when it is probed. Half open: when the next attempt is let through.
  try_at timestamptz not null
);

-- A capture, refund or void: sending → done | failed | unknown; unknown → done | failed. Its id is its key at the gateway.
create table payments.operation (
  id uuid constraint operation_pkey primary key,
  payment_id uuid not null constraint operation_payment_fkey references payments.payment (id),
  attempt_id uuid not null constraint operation_attempt_fkey references payments.attempt (id),
  kind text not null constraint operation_kind_known check (kind in ('capture', 'refund', 'void')),
  amount_minor bigint not null constraint operation_amount_positive check (amount_minor > 0),
  state text not null constraint operation_state_known check (state in ('sending', 'unknown', 'done', 'failed')),
  note text,
  -- Why money was given back, of a refund that staff began.
  cause text constraint operation_cause_known check (
    cause in ('returned', 'damaged', 'missing', 'wrong', 'late', 'price', 'goodwill', 'duplicate', 'fraud', 'other')),
  reason text,
  reference text,
  next_check_at timestamptz,
  checks integer not null default 0,
  created_at timestamptz not null default now(),
  constraint operation_unfinished_is_checked check (state not in ('sending', 'unknown') or next_check_at is not null)
) with (fillfactor = 70);
-- At most one void of an attempt.
create unique index operation_one_void on payments.operation (attempt_id) where kind = 'void' and state <> 'failed';
-- Whether something of an attempt is on its way: asked with every outcome.
create index operation_of_attempt on payments.operation (attempt_id);
-- The operations of a payment in their order.
create index operation_of_payment on payments.operation (payment_id, created_at);
-- The recovery job, as for attempts.
create index operation_to_check on payments.operation (next_check_at) where next_check_at is not null;
-- What staff should look at: failures, quarantined and parked webhooks.
create index operation_failed on payments.operation (created_at) where state = 'failed';

-- The inbox: what gateways told us, once each, worked later. A reference that we do not know yet waits (a webhook may beat our own write);
-- what contradicts our own record is quarantined for people.
create table payments.webhook_event (
  gateway text not null,
  event_id text not null,
  about text not null constraint webhook_event_about_known check (about in ('charge', 'operation', 'dispute')),
  key text,
  reference text not null,
  account text,
  amount_minor bigint,
  currency text,
  state text not null default 'received' constraint webhook_event_state_known check (state in ('received', 'parked', 'done', 'quarantined')),
  reason text,
  tries integer not null default 0,
  next_try_at timestamptz default now(),
  received_at timestamptz not null default now(),
  -- What the gateway wants people to know. The reason is ours: why it was quarantined.
  note text,
  constraint webhook_event_pkey primary key (gateway, event_id),
  constraint webhook_event_waiting_is_tried check (state not in ('received', 'parked') or next_try_at is not null)
);
-- The job that works what was received or parked.
create index webhook_event_to_try on payments.webhook_event (next_try_at) where next_try_at is not null;
-- The sweep that forgets what was worked a month ago.
create index webhook_event_retention on payments.webhook_event (received_at) where state = 'done';
create index webhook_event_for_people on payments.webhook_event (received_at) where state in ('parked', 'quarantined');

-- What people decided about a case (an attempt, operation or message that no rule can finish), why, and who. A case is
-- decided once; its gateway may be asked as often as one likes.
create table payments.decision (
  id uuid constraint decision_pkey primary key,
  case_id uuid not null,
  kind text not null constraint decision_kind_known check (kind in ('attempt', 'operation', 'webhook')),
  decision text not null constraint decision_known check (
    decision in ('ask_again', 'happened', 'did_not_happen', 'give_back', 'try_again', 'dismiss')),
  -- What they saw that convinced them.
  evidence text constraint decision_evidence_length check (length(evidence) between 1 and 1000),
  -- What the case said at that time.
  about text,
  order_id uuid,
  actor_kind text not null,
  actor_id uuid,
  at timestamptz not null default now()
);
create unique index decision_final on payments.decision (case_id) where decision <> 'ask_again';
create index decision_newest on payments.decision (at desc, id desc);

-- The ledger: double entry, append-only, one currency an entry, debits positive and credits negative. An entry is posted in the transaction of
-- what it books, once for each kind of booking of a source; what was booked wrongly is corrected by another entry.
create table payments.ledger_entry (
  id uuid constraint ledger_entry_pkey primary key,
  source_type text not null constraint ledger_entry_source_known check (
    source_type in ('order', 'payment', 'attempt', 'operation', 'transfer', 'staff', 'stored_value')),
  source_id uuid not null,
  kind text not null constraint ledger_entry_kind_form check (kind ~ '^[a-z_]{1,40}$'),
  currency text not null constraint ledger_entry_currency_form check (currency ~ '^[A-Z]{3}$'),
  order_id uuid,
  payment_id uuid,
  note text constraint ledger_entry_note_length check (length(note) between 1 and 500),
  at timestamptz not null default now(),
  constraint ledger_entry_once unique (source_type, source_id, kind)
);
-- Balances of a period and the export, in the order in which things happened.
create index ledger_entry_by_time on payments.ledger_entry (at, id);
-- What an order owes, and what a payment holds.
create index ledger_entry_of_order on payments.ledger_entry (order_id) where order_id is not null;
create index ledger_entry_of_payment on payments.ledger_entry (payment_id) where payment_id is not null;

-- One row for each account of an entry. ledger.ts says what each account means.
create table payments.ledger_line (
  entry_id uuid not null constraint ledger_line_entry_fkey references payments.ledger_entry (id),
  account text not null constraint ledger_line_account_known check (
    account in ('receivable', 'unapplied', 'revenue', 'shipping', 'discount', 'tax', 'refund', 'fee', 'dispute',
      'gift_card', 'store_credit', 'bank', 'write_off')
    or account ~ '^clearing:[a-z0-9-]{1,40}$'),
  amount_minor bigint not null constraint ledger_line_amount_not_zero check (amount_minor <> 0),
  constraint ledger_line_pkey primary key (entry_id, account)
);

-- Σ debit = Σ credit, checked when the transaction commits: until then the lines of an entry may come one by one.
create function payments.refuse_unbalanced_entry() returns trigger language plpgsql as $$
begin
  if (select sum(amount_minor) from payments.ledger_line where entry_id = new.entry_id) <> 0 then
    raise exception 'the ledger entry % does not balance', new.entry_id;
  end if;
  return null;
end $$;
create constraint trigger ledger_entry_balances after insert on payments.ledger_line
  deferrable initially deferred for each row execute function payments.refuse_unbalanced_entry();

create function payments.refuse_ledger_change() returns trigger language plpgsql as $$
begin
  raise exception 'the ledger is append-only: post an entry that corrects it';
end $$;
create trigger ledger_entry_append_only before update or delete or truncate on payments.ledger_entry
  for each statement execute function payments.refuse_ledger_change();
create trigger ledger_line_append_only before update or delete or truncate on payments.ledger_line
  for each statement execute function payments.refuse_ledger_change();

-- Books the sale of an order that was placed before there was a ledger, for the migration of orders.
create function payments.book_opening_sale(
  sold_order uuid, name text, sold_in text, sold_at timestamptz, total bigint, discount bigint, goods bigint,
  shipping bigint, tax bigint
) returns void language sql as $$
  with entry as (
    insert into payments.ledger_entry (id, source_type, source_id, kind, currency, order_id, note, at)
    values (gen_random_uuid(), 'order', sold_order, 'sale', sold_in, sold_order, name, sold_at) returning id
  )
  insert into payments.ledger_line (entry_id, account, amount_minor)
  select id, account, amount from entry, lateral (values ('receivable', total), ('discount', discount),
    ('revenue', -goods), ('shipping', -shipping), ('tax', -tax)) as line (account, amount) where amount <> 0
$$;

-- Money that came by bank transfer, as the account's statement says; once for each reference of the bank. What of it belongs to payments is
-- applied, what was sent back is returned, and the rest is somebody's whom we owe it.
create table payments.transfer (
  id uuid constraint transfer_pkey primary key,
  bank_reference text not null constraint transfer_bank_reference_unique unique
    constraint transfer_bank_reference_length check (length(bank_reference) between 1 and 200),
  booked_on date not null,
  currency text not null constraint transfer_currency_form check (currency ~ '^[A-Z]{3}$'),
  amount_minor bigint not null constraint transfer_amount_positive check (amount_minor > 0),
  payer text,
  remittance text,
  applied_minor bigint not null default 0,
  returned_minor bigint not null default 0,
  created_at timestamptz not null default now(),
  constraint transfer_used_within_amount check (
    applied_minor >= 0 and returned_minor >= 0 and applied_minor + returned_minor <= amount_minor)
);
-- The list of staff, newest first; those with something left.
create index transfer_newest on payments.transfer (booked_on desc, id desc);
create index transfer_open on payments.transfer (booked_on desc, id desc) where applied_minor + returned_minor < amount_minor;

-- What became of a transfer, in parts: applied to a payment, or sent back (without one).
create table payments.transfer_use (
  id uuid constraint transfer_use_pkey primary key,
  transfer_id uuid not null constraint transfer_use_transfer_fkey references payments.transfer (id),
  payment_id uuid constraint transfer_use_payment_fkey references payments.payment (id),
  amount_minor bigint not null constraint transfer_use_amount_positive check (amount_minor > 0),
  note text,
  created_at timestamptz not null default now()
);
create index transfer_use_of_transfer on payments.transfer_use (transfer_id, created_at);
