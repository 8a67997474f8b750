-- Orders: what was sold, to whom, at which price and tax, and what happened to it since. Everything that the buyer
-- agreed to is frozen here: an order reads the same when its product is renamed, repriced or gone.
create schema orders;

-- People see numbers, machines use ids. A number is taken with the order and never given twice; a refused order may
-- leave a gap.
create sequence orders.number start 1001;

-- awaiting_payment → placed | lapsed | cancelled; placed → cancelled.
create table orders."order" (
  id uuid constraint order_pkey primary key,
  number bigint not null default nextval('orders.number') constraint order_number_unique unique,
  channel_id uuid not null,
  state text not null constraint order_state_known check (state in ('awaiting_payment', 'placed', 'lapsed', 'cancelled')),
  currency text not null constraint order_currency_form check (currency ~ '^[A-Z]{3}$'),
  email text not null constraint order_email_length check (length(email) between 3 and 254),
  shipping_address jsonb,
  billing_address jsonb,
  -- The hash of the secret that lets a guest read this order: the token of its cart, or one made for it.
  token_hash bytea not null,
  prices_include_tax boolean not null,
  -- The delivery and the promotions as quoted; read and shown as a whole.
  delivery jsonb,
  promotions jsonb not null default '[]',
  subtotal_minor bigint not null,
  shipping_minor bigint not null,
  discount_minor bigint not null,
  tax_minor bigint not null,
  total_minor bigint not null,
  payment_method text,
  -- Until then its stock and coupon uses are held; the sweep then lets the order lapse, unless its payment is still
  -- undecided.
  holds_until timestamptz not null,
  created_at timestamptz not null default now(),
  placed_at timestamptz,
  closed_at timestamptz,
  -- Of the delivery; refunds that are on their way count.
  refunded_shipping_minor bigint not null default 0
    constraint order_refunded_shipping_within_delivery check (
      refunded_shipping_minor between 0 and coalesce((delivery ->> 'totalMinor')::bigint, 0)),
  -- Whose it is, where they were signed in or have shown since that it is theirs; then the token opens nothing.
  customer_id uuid,
  constraint order_amounts_not_negative check (
    subtotal_minor >= 0 and shipping_minor >= 0 and discount_minor >= 0 and tax_minor >= 0 and total_minor >= 0),
  constraint order_total_adds_up check (
    total_minor = subtotal_minor + shipping_minor - discount_minor + case when prices_include_tax then 0 else tax_minor end),
  constraint order_placed_has_time check (state <> 'placed' or placed_at is not null)
) with (fillfactor = 85);
-- The list of staff, newest first; by state; by e-mail.
create index order_list_newest on orders."order" (created_at desc, id desc);
create index order_list_by_state on orders."order" (state, created_at desc, id desc);
create index order_list_by_email on orders."order" (lower(email), created_at desc, id desc);
-- The orders of a customer.
create index order_list_by_customer on orders."order" (customer_id, created_at desc, id desc) where customer_id is not null;
-- The sweep that lets orders go which nobody paid.
create index order_to_lapse on orders."order" (holds_until) where state = 'awaiting_payment';

-- Published. What each address bought: placed orders, by the address in small letters. The index of the list by e-mail
-- serves it.
create view orders.purchase as
  select lower(email) as email, id, currency, total_minor, placed_at, customer_id from orders."order" where state = 'placed';

create table orders.line (
  order_id uuid not null constraint line_order_fkey references orders."order" (id) on delete cascade,
  position integer not null,
  variant_id uuid not null,
  product_id uuid not null,
  sku text not null,
  product_title text not null,
  variant_title text not null,
  image_url text,
  requires_shipping boolean not null,
  weight_grams integer not null,
  quantity integer not null constraint line_quantity_range check (quantity between 1 and 1000000),
  unit_minor bigint not null,
  per_units integer not null,
  tax_rate_ppm integer not null,
  subtotal_minor bigint not null,
  discount_minor bigint not null,
  tax_minor bigint not null,
  total_minor bigint not null,
  -- What was refunded of it, or is on its way.
  refunded_quantity integer not null default 0
    constraint line_refunded_within_quantity check (refunded_quantity between 0 and quantity),
  refunded_minor bigint not null default 0
    constraint line_refunded_within_total check (refunded_minor between 0 and total_minor),
  constraint line_pkey primary key (order_id, position),
  constraint line_discount_within_subtotal check (discount_minor between 0 and subtotal_minor)
);

-- What happened to an order, for people: added, never changed.
create table orders.timeline_entry (
  order_id uuid not null constraint timeline_entry_order_fkey references orders."order" (id) on delete cascade,
  id bigint generated always as identity,
  at timestamptz not null default clock_timestamp(),
  kind text not null constraint timeline_entry_kind_length check (length(kind) between 1 and 60),
  actor text not null constraint timeline_entry_actor_length check (length(actor) between 1 and 100),
  data jsonb not null default '{}',
  constraint timeline_entry_pkey primary key (order_id, id)
);

-- A refund of lines and delivery: what the money was for. Its id is that of the operation that gives it back: sending → done | failed.
create table orders.refund (
  id uuid constraint refund_pkey primary key,
  order_id uuid not null constraint refund_order_fkey references orders."order" (id) on delete cascade,
  state text not null constraint refund_state_known check (state in ('sending', 'done', 'failed')),
  shipping_minor bigint not null constraint refund_shipping_not_negative check (shipping_minor >= 0),
  amount_minor bigint not null constraint refund_amount_positive check (amount_minor > 0),
  created_at timestamptz not null default now(),
  -- Of it: what went to gift cards and store credit, at once. A gateway gives back the rest, or refuses it.
  stored_minor bigint not null default 0
    constraint refund_stored_within_amount check (stored_minor between 0 and amount_minor)
);
-- The refunds of an order in their order.
create index refund_of_order on orders.refund (order_id, created_at);

create table orders.refund_line (
  refund_id uuid not null constraint refund_line_refund_fkey references orders.refund (id) on delete cascade,
  position integer not null,
  quantity integer not null constraint refund_line_quantity_positive check (quantity > 0),
  amount_minor bigint not null constraint refund_line_amount_not_negative check (amount_minor >= 0),
  constraint refund_line_pkey primary key (refund_id, position)
);
