set local lock_timeout = '5s';

create schema browse;

create table browse.offered_product (
  product_id uuid constraint offered_product_pkey primary key,
  checked_at timestamptz not null
);
create index offered_product_by_check on browse.offered_product (checked_at);

create table browse.offer (
  product_id uuid not null constraint offer_of_product references browse.offered_product on delete cascade,
  channel_id uuid not null,
  currency text not null,
  prices nummultirange not null constraint offer_has_a_price check (not isempty(prices)),
  prices_in_stock nummultirange not null constraint offer_in_stock_has_a_price check (prices @> prices_in_stock),
  lowest numeric not null generated always as (lower(prices)) stored,
  highest numeric not null generated always as (upper(prices)) stored,
  in_stock boolean not null generated always as (not isempty(prices_in_stock)) stored,
  constraint offer_pkey primary key (product_id, channel_id, currency)
);
create index offer_by_price on browse.offer (channel_id, currency, lowest, product_id, highest);
create index offer_sold_out on browse.offer (channel_id, currency, product_id) where not in_stock;

create view browse.current_offer as
select product_id, channel_id, currency, range_agg(numrange(unit, unit, '[]')) as prices,
  coalesce(range_agg(numrange(unit, unit, '[]')) filter (where not tracked or available > 0 or backorder), '{}')
    as prices_in_stock
from catalog.active_variant as variant
cross join lateral (
  select channel_id, currency, unit_minor::numeric / per_units as unit from pricing.current_price
  where variant_id = variant.variant_id offset 0
) as price
left join lateral (
  select tracked, available, backorder from inventory.variant_availability
  where variant_id = variant.variant_id offset 0
) as stock on true
group by product_id, channel_id, currency;

insert into browse.offered_product (product_id, checked_at)
select distinct product_id, '-infinity'::timestamptz from catalog.active_variant;
