-- Where a payment is made decides who serves it; an attempt that failed for no reason of the shopper's may be followed
-- by one at another gateway; and what processes find out about the health of a gateway is known to all of them.
set local lock_timeout = '5s';
alter table payments.payment add column country text, add column channel text;
alter table payments.attempt add column technical boolean not null default false;
create table payments.circuit (
  gateway text constraint circuit_pkey primary key,
  state text not null constraint circuit_state_known check (state in ('open', 'half_open', 'closed')),
  reason text,
  times integer not null default 1,
  opened_at timestamptz not null default now(),
  try_at timestamptz not null
);
