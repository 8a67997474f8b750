set local lock_timeout = '5s';

create schema checkout;

create table checkout.cart (
  id uuid constraint cart_pkey primary key,
  channel_id uuid not null,
  token_hash bytea not null constraint cart_token_hash_length check (length(token_hash) = 32),
  currency text not null constraint cart_currency_form check (currency ~ '^[A-Z]{3}$'),
  lines jsonb not null default '[]' constraint cart_lines_form check (jsonb_typeof(lines) = 'array' and jsonb_array_length(lines) <= 200),
  email text constraint cart_email_length check (length(email) between 3 and 254),
  shipping_address jsonb,
  billing_address jsonb,
  shipping_method_id uuid,
  coupon_codes text[] not null default '{}' constraint cart_coupon_codes_count check (cardinality(coupon_codes) <= 10),
  order_id uuid constraint cart_order_once unique,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '60 days'
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
