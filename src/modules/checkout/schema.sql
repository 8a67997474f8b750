-- Checkout: carts. A cart belongs to one shopper, is read and written as a whole, and every write takes its row lock:
-- so its lines are a document in the row, and a change of a hundred lines is one update of one row. Prices are never
-- stored here: a quote is made when asked for.
create schema checkout;

create table checkout.cart (
  id uuid constraint cart_pkey primary key,
  channel_id uuid not null,
  -- SHA-256 of the bearer token that the shopper got once.
  token_hash bytea not null constraint cart_token_hash_length check (length(token_hash) = 32),
  currency text not null constraint cart_currency_form check (currency ~ '^[A-Z]{3}$'),
  -- [{"variantId", "quantity"}] in the order of adding; one entry a variant.
  lines jsonb not null default '[]' constraint cart_lines_form check (jsonb_typeof(lines) = 'array' and jsonb_array_length(lines) <= 200),
  email text constraint cart_email_length check (length(email) between 3 and 254),
  shipping_address jsonb,
  billing_address jsonb,
  shipping_method_id uuid,
  coupon_codes text[] not null default '{}' constraint cart_coupon_codes_count check (cardinality(coupon_codes) <= 10),
  -- The order that this cart became. Set in the transaction that creates the order; emptied when that order lapses.
  order_id uuid constraint cart_order_once unique,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '60 days',
  -- Whose it is, once they are signed in; then the token opens nothing.
  customer_id uuid
-- Room for the next version of a line change on the same page, and no index on what it changes: HOT. Carts that were
-- never ordered are found by their id, which is in order of time.
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
-- The carts of a customer.
create index cart_by_customer on checkout.cart (customer_id, id) where customer_id is not null;
