set local lock_timeout = '5s';

alter table orders."order" add column refunded_shipping_minor bigint not null default 0
  constraint order_refunded_shipping_within_delivery check (
    refunded_shipping_minor between 0 and coalesce((delivery ->> 'totalMinor')::bigint, 0));

alter table orders.line
  add column refunded_quantity integer not null default 0
    constraint line_refunded_within_quantity check (refunded_quantity between 0 and quantity),
  add column refunded_minor bigint not null default 0
    constraint line_refunded_within_total check (refunded_minor between 0 and total_minor);

create table orders.refund (
  id uuid constraint refund_pkey primary key,
  order_id uuid not null constraint refund_order_fkey references orders."order" (id) on delete cascade,
  state text not null constraint refund_state_known check (state in ('sending', 'done', 'failed')),
  shipping_minor bigint not null constraint refund_shipping_not_negative check (shipping_minor >= 0),
  amount_minor bigint not null constraint refund_amount_positive check (amount_minor > 0),
  created_at timestamptz not null default now()
);
create index refund_of_order on orders.refund (order_id, created_at);

create table orders.refund_line (
  refund_id uuid not null constraint refund_line_refund_fkey references orders.refund (id) on delete cascade,
  position integer not null,
  quantity integer not null constraint refund_line_quantity_positive check (quantity > 0),
  amount_minor bigint not null constraint refund_line_amount_not_negative check (amount_minor >= 0),
  constraint refund_line_pkey primary key (refund_id, position)
);
