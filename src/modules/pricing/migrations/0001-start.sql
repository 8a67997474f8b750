set local lock_timeout = '5s';

-- Pricing: what a variant costs, which tax it bears, and what is taken off. Settings are small tables that a merchant
-- edits; the only rows that orders write are use_count and coupon_use. Amounts stay below 10^15 minor units, so that
-- an order of them, with tax on top, stays exact in a JavaScript number. Variants, products and channels are named by
-- id, without a foreign key.
create schema pricing;

-- Priority 0 is the base list, one for each channel and currency, without dates. A list above it overrides it for the
-- variants that it prices: the highest priority decides, among equals the newest list (ids are made in order of
-- time). Who may see a list (customer group, company) will be a further column; today every list is for everybody.
create table pricing.price_list (
  id uuid constraint price_list_pkey primary key,
  channel_id uuid not null,
  currency text not null,
  name text not null,
  priority integer not null default 0,
  starts_at timestamptz,
  ends_at timestamptz,                              -- exclusive
  announced_at timestamptz not null default now(),  -- PricesChanged was published for the state at this moment
  created_at timestamptz not null default now(),
  constraint price_list_currency_form check (currency ~ '^[A-Z]{3}$'),
  constraint price_list_name_length check (length(name) between 1 and 100),
  constraint price_list_priority_range check (priority between 0 and 1000),
  constraint price_list_ends_after_start check (ends_at > starts_at),
  constraint price_list_base_has_no_dates check (priority > 0 or (starts_at is null and ends_at is null))
);
create unique index price_list_base on pricing.price_list (channel_id, currency) where priority = 0;

-- The price of one variant from min_quantity upwards. unit_minor buys per_units units, which leaves room for prices
-- finer than a cent (1250 per 1000 screws). The lowest price of the last 30 days will be a history table beside this
-- one, fed where prices are set.
create table pricing.price (
  variant_id uuid not null,
  price_list_id uuid not null constraint price_list_fkey references pricing.price_list (id) on delete cascade,
  min_quantity integer not null default 1,
  unit_minor bigint not null,
  per_units integer not null default 1,
  compare_at_minor bigint,                          -- the price struck through beside it, always above unit_minor
  constraint price_pkey primary key (variant_id, price_list_id, min_quantity),
  constraint price_min_quantity_range check (min_quantity between 1 and 1000000),
  constraint price_unit_range check (unit_minor between 0 and 1000000000000000),
  constraint price_per_units_range check (per_units between 1 and 1000000),
  constraint price_compare_at_above_unit check (compare_at_minor > unit_minor and compare_at_minor <= 1000000000000000)
);
create index price_of_list on pricing.price (price_list_id, variant_id, min_quantity);

-- Prices that count now: the one place that says when a list is live.
create view pricing.live_price as
select price_list.channel_id, price_list.currency, price.variant_id, price.min_quantity, price_list.priority,
  price.price_list_id, price.unit_minor, price.per_units, price.compare_at_minor
from pricing.price
join pricing.price_list on price_list.id = price.price_list_id
where (price_list.starts_at is null or price_list.starts_at <= now())
  and (price_list.ends_at is null or price_list.ends_at > now());

-- Published: the price of one unit, to sort and filter by.
create view pricing.current_price as
select distinct on (channel_id, currency, variant_id)
  channel_id, currency, variant_id, unit_minor, per_units, compare_at_minor
from pricing.live_price
where min_quantity = 1
order by channel_id, currency, variant_id, priority desc, price_list_id desc;

-- The rate of a tax class where the goods go to. A region's rate replaces its country's; a class that the place does
-- not name pays its 'standard' rate; a place without any rate pays none.
create table pricing.tax_rate (
  id uuid constraint tax_rate_pkey primary key,
  country text not null,
  region text,                                      -- ISO 3166-2 without the country: 'BC' of CA-BC
  tax_class text not null,
  rate_ppm integer not null,
  name text not null,
  constraint tax_rate_once unique nulls not distinct (country, region, tax_class),
  constraint tax_rate_country_form check (country ~ '^[A-Z]{2}$'),
  constraint tax_rate_region_form check (region ~ '^[A-Z0-9]{1,3}$'),
  constraint tax_rate_tax_class_length check (length(tax_class) between 1 and 60),
  constraint tax_rate_ppm_range check (rate_ppm between 0 and 1000000),
  constraint tax_rate_name_length check (length(name) between 1 and 100)
);

-- What is taken off, and when. An automatic promotion applies by itself, another needs one of its coupons. Empty
-- conditions hold for all: products null means every line, channel_id null every channel. Collections will be a
-- condition beside product_ids.
create table pricing.promotion (
  id uuid constraint promotion_pkey primary key,
  name text not null,
  kind text not null,
  rate_ppm integer,                                 -- of percentage
  amount_minor bigint,                              -- of amount
  currency text,                                    -- of the amounts here; alone it is a condition
  automatic boolean not null,
  combines boolean not null default false,          -- may apply beside others; see calculate-quote.ts
  priority integer not null default 0,              -- the higher is taken off first
  channel_id uuid,
  product_ids uuid[],
  minimum_subtotal_minor bigint,                    -- of all goods before discounts
  starts_at timestamptz,
  ends_at timestamptz,
  active boolean not null default true,
  use_limit integer,                                -- orders in all, whatever the code; null: not counted
  use_limit_per_customer integer,
  created_at timestamptz not null default now(),
  constraint promotion_name_length check (length(name) between 1 and 100),
  constraint promotion_kind_fits_value check (
    case kind
      when 'percentage' then rate_ppm between 1 and 1000000 and amount_minor is null
      when 'amount' then amount_minor between 1 and 1000000000000000 and rate_ppm is null
      when 'free_delivery' then rate_ppm is null and amount_minor is null
      else false
    end is true),
  constraint promotion_amount_has_currency check (
    currency is not null or (amount_minor is null and minimum_subtotal_minor is null)),
  constraint promotion_currency_form check (currency ~ '^[A-Z]{3}$'),
  constraint promotion_products_some check (cardinality(product_ids) between 1 and 1000),
  constraint promotion_minimum_range check (minimum_subtotal_minor between 1 and 1000000000000000),
  constraint promotion_priority_range check (priority between 0 and 1000),
  constraint promotion_ends_after_start check (ends_at > starts_at),
  constraint promotion_limits_range check (use_limit >= 0 and use_limit_per_customer >= 0)
);
create index promotion_automatic on pricing.promotion (ends_at) where automatic and active;

-- A code that opens a promotion: one for everybody (SUMMER), or thousands that work once each (use_limit 1). Shoppers
-- type codes in any case; they are kept in upper case.
create table pricing.coupon (
  id uuid constraint coupon_pkey primary key,
  promotion_id uuid not null constraint coupon_promotion_fkey references pricing.promotion (id) on delete cascade,
  code text not null constraint coupon_code_unique unique,
  starts_at timestamptz,
  ends_at timestamptz,
  active boolean not null default true,
  use_limit integer,                                -- orders with this code
  batch_id uuid,                                    -- of codes that were generated together
  created_at timestamptz not null default now(),
  constraint coupon_code_form check (code ~ '^[A-Z0-9][A-Z0-9._-]{1,39}$'),
  constraint coupon_ends_after_start check (ends_at > starts_at),
  constraint coupon_limit_range check (use_limit >= 0)
);
create index coupon_of_promotion on pricing.coupon (promotion_id, id);
create index coupon_of_batch on pricing.coupon (batch_id) where batch_id is not null;

-- How often a limited promotion is in use. scope is what is counted: 'all', 'code:SUMMER', or 'customer:<hash>'
-- (pricing must recognise a customer, not know who it is). use_limit is the merchant's limit at the last use: the
-- CHECK can only see its own row, and it is what makes the limit hold when many orders count at once.
create table pricing.use_count (
  promotion_id uuid not null constraint use_count_promotion_fkey references pricing.promotion (id) on delete cascade,
  scope text not null,
  used integer not null,
  use_limit integer not null,
  constraint use_count_pkey primary key (promotion_id, scope),
  constraint use_count_scope_form check (scope ~ '^(all|code:.{2,40}|customer:[0-9a-f]{64})$'),
  constraint coupon_use_not_negative check (used >= 0),
  constraint coupon_within_limit check (used <= use_limit)
) with (fillfactor = 50);

-- Which order holds which counted use. held → confirmed when it is placed, either → released when it lapses or is
-- cancelled; a late payment turns released into confirmed again while the limit has room.
create table pricing.coupon_use (
  order_id uuid not null,
  promotion_id uuid not null,
  scope text not null,
  state text not null default 'held',
  created_at timestamptz not null default now(),
  constraint coupon_use_pkey primary key (order_id, promotion_id, scope),
  constraint coupon_use_counted foreign key (promotion_id, scope)
    references pricing.use_count (promotion_id, scope) on delete cascade,
  constraint coupon_use_state_known check (state in ('held', 'confirmed', 'released'))
) with (fillfactor = 80);
create index coupon_use_of_count on pricing.coupon_use (promotion_id, scope);

create trigger price_list_terms after insert or update or delete on pricing.price_list
  for each row execute function platform.note_terms();
create trigger price_terms after insert or update or delete on pricing.price
  for each row execute function platform.note_terms();
create trigger tax_rate_terms after insert or update or delete on pricing.tax_rate
  for each row execute function platform.note_terms();
create trigger promotion_terms after insert or update or delete on pricing.promotion
  for each row execute function platform.note_terms();
