set local lock_timeout = '5s';

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
create index transfer_newest on payments.transfer (booked_on desc, id desc);
create index transfer_open on payments.transfer (booked_on desc, id desc)
  where applied_minor + returned_minor < amount_minor;

create table payments.transfer_use (
  id uuid constraint transfer_use_pkey primary key,
  transfer_id uuid not null constraint transfer_use_transfer_fkey references payments.transfer (id),
  payment_id uuid constraint transfer_use_payment_fkey references payments.payment (id),
  amount_minor bigint not null constraint transfer_use_amount_positive check (amount_minor > 0),
  note text,
  created_at timestamptz not null default now()
);
create index transfer_use_of_transfer on payments.transfer_use (transfer_id, created_at);

create index attempt_pending on payments.attempt (payment_id) where state = 'pending';
