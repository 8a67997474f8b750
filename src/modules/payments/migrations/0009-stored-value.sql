-- Gift cards and store credit, and the part of an order that they pay.
set local lock_timeout = '5s';
create table payments.stored_value (
  id uuid constraint stored_value_pkey primary key,
  kind text not null constraint stored_value_kind_known check (kind in ('gift_card', 'store_credit')),
  currency text not null constraint stored_value_currency_form check (currency ~ '^[A-Z]{3}$'),
  balance_minor bigint not null constraint stored_value_not_negative check (balance_minor >= 0),
  code_hash bytea constraint stored_value_code_unique unique,
  ending text,
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

alter table payments.payment add column stored_value_id uuid
  constraint payment_stored_value_fkey references payments.stored_value (id);

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

alter table payments.ledger_entry drop constraint ledger_entry_source_known,
  add constraint ledger_entry_source_known check (
    source_type in ('order', 'payment', 'attempt', 'operation', 'transfer', 'staff', 'stored_value'));
