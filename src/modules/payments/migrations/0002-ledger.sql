set local lock_timeout = '5s';

create table payments.ledger_entry (
  id uuid constraint ledger_entry_pkey primary key,
  source_type text not null constraint ledger_entry_source_known check (
    source_type in ('order', 'payment', 'attempt', 'operation', 'transfer', 'staff')),
  source_id uuid not null,
  kind text not null constraint ledger_entry_kind_form check (kind ~ '^[a-z_]{1,40}$'),
  currency text not null constraint ledger_entry_currency_form check (currency ~ '^[A-Z]{3}$'),
  order_id uuid,
  payment_id uuid,
  note text constraint ledger_entry_note_length check (length(note) between 1 and 500),
  at timestamptz not null default now(),
  constraint ledger_entry_once unique (source_type, source_id, kind)
);
create index ledger_entry_by_time on payments.ledger_entry (at, id);
create index ledger_entry_of_order on payments.ledger_entry (order_id) where order_id is not null;
create index ledger_entry_of_payment on payments.ledger_entry (payment_id) where payment_id is not null;

create table payments.ledger_line (
  entry_id uuid not null constraint ledger_line_entry_fkey references payments.ledger_entry (id),
  account text not null constraint ledger_line_account_known check (
    account in ('receivable', 'unapplied', 'revenue', 'shipping', 'discount', 'tax', 'refund', 'fee', 'dispute',
      'gift_card', 'store_credit', 'bank', 'write_off')
    or account ~ '^clearing:[a-z0-9-]{1,40}$'),
  amount_minor bigint not null constraint ledger_line_amount_not_zero check (amount_minor <> 0),
  constraint ledger_line_pkey primary key (entry_id, account)
);

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

with opened as (
  insert into payments.ledger_entry (id, source_type, source_id, kind, currency, order_id, payment_id, note)
  select gen_random_uuid(), 'payment', id, 'opening', currency, order_id, id, 'captured before there was a ledger'
  from payments.payment where captured_minor > 0 and not (closed and refunded_minor = captured_minor)
  returning id, payment_id
), amounts as (
  select opened.id as entry_id, 'clearing:' || (
      select gateway from payments.attempt
      where attempt.payment_id = payment.id and state = 'captured') as gateway_account,
    captured_minor, refunded_minor, closed
  from opened join payments.payment on payment.id = opened.payment_id
)
insert into payments.ledger_line (entry_id, account, amount_minor)
select entry_id, account, amount_minor from amounts, lateral (values
  (gateway_account, captured_minor - refunded_minor),
  ('receivable', case when closed then refunded_minor else 0 end - captured_minor),
  ('refund', case when closed then 0 else refunded_minor end)
) as line (account, amount_minor) where amount_minor <> 0;
