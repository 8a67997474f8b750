set local lock_timeout = '5s';

create table customers.purchase (
  order_id uuid constraint purchase_pkey primary key,
  customer_id uuid not null constraint purchase_customer references customers.customer on delete cascade,
  currency text not null,
  total_minor bigint not null,
  placed_at timestamptz not null
);
create index purchase_last on customers.purchase (customer_id, currency, placed_at);

alter table customers.purchase_total
  add constraint purchase_total_orders check (orders >= 0),
  add constraint purchase_total_spent check (spent_minor >= 0);
alter table customers.purchase_total set (fillfactor = 50);
