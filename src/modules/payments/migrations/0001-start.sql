set local lock_timeout = '5s';

create schema payments;

create table payments.payment (
  id uuid constraint payment_pkey primary key,
  order_id uuid not null,
  currency text not null constraint payment_currency_form check (currency ~ '^[A-Z]{3}$'),
  amount_minor bigint not null constraint payment_amount_positive check (amount_minor > 0),
  closed boolean not null default false,
  authorized_minor bigint not null default 0,
  capturing_minor bigint not null default 0,
  captured_minor bigint not null default 0,
  refunding_minor bigint not null default 0,
  refunded_minor bigint not null default 0,
  created_at timestamptz not null default now(),
  constraint payment_authorized_within_amount check (authorized_minor between 0 and amount_minor),
  constraint payment_captured_within_authorized check (
    capturing_minor >= 0 and captured_minor >= 0 and captured_minor + capturing_minor <= authorized_minor),
  constraint payment_refunded_within_captured check (
    refunding_minor >= 0 and refunded_minor >= 0 and refunded_minor + refunding_minor <= captured_minor)
) with (fillfactor = 70);
create index payment_of_order on payments.payment (order_id);

create table payments.attempt (
  id uuid constraint attempt_pkey primary key,
  payment_id uuid not null constraint attempt_payment_fkey references payments.payment (id),
  method text not null,
  gateway text not null,
  state text not null constraint attempt_state_known check (state in (
    'sending', 'requires_action', 'pending', 'unknown', 'authorized', 'captured', 'declined', 'voided', 'expired')),
  capture boolean not null,
  data jsonb not null default '{}',
  reference text,
  action_url text,
  reason text,
  next_check_at timestamptz,
  checks integer not null default 0,
  created_at timestamptz not null default now(),
  constraint attempt_unfinished_is_checked check (state not in ('sending', 'requires_action', 'unknown') or next_check_at is not null)
) with (fillfactor = 70);
create unique index attempt_one_live on payments.attempt (payment_id) where state not in ('declined', 'voided', 'expired');
create index attempt_of_payment on payments.attempt (payment_id, created_at);
create index attempt_by_reference on payments.attempt (gateway, reference) where reference is not null;
create index attempt_to_check on payments.attempt (next_check_at) where next_check_at is not null;

create table payments.operation (
  id uuid constraint operation_pkey primary key,
  payment_id uuid not null constraint operation_payment_fkey references payments.payment (id),
  attempt_id uuid not null constraint operation_attempt_fkey references payments.attempt (id),
  kind text not null constraint operation_kind_known check (kind in ('capture', 'refund', 'void')),
  amount_minor bigint not null constraint operation_amount_positive check (amount_minor > 0),
  state text not null constraint operation_state_known check (state in ('sending', 'unknown', 'done', 'failed')),
  note text,
  reason text,
  reference text,
  next_check_at timestamptz,
  checks integer not null default 0,
  created_at timestamptz not null default now(),
  constraint operation_unfinished_is_checked check (state not in ('sending', 'unknown') or next_check_at is not null)
) with (fillfactor = 70);
create unique index operation_one_void on payments.operation (attempt_id) where kind = 'void' and state <> 'failed';
create index operation_of_attempt on payments.operation (attempt_id);
create index operation_of_payment on payments.operation (payment_id, created_at);
create index operation_to_check on payments.operation (next_check_at) where next_check_at is not null;
create index operation_failed on payments.operation (created_at) where state = 'failed';

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
  constraint webhook_event_pkey primary key (gateway, event_id),
  constraint webhook_event_waiting_is_tried check (state not in ('received', 'parked') or next_try_at is not null)
);
create index webhook_event_to_try on payments.webhook_event (next_try_at) where next_try_at is not null;
create index webhook_event_retention on payments.webhook_event (received_at) where state = 'done';
create index webhook_event_for_people on payments.webhook_event (received_at) where state in ('parked', 'quarantined');
