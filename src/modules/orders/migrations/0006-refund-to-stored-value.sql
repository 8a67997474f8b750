-- Of a refund: what went to gift cards and store credit, at once.
set local lock_timeout = '5s';
alter table orders.refund add column stored_minor bigint not null default 0
  constraint refund_stored_within_amount check (stored_minor between 0 and amount_minor);
