-- Browse: what lists sort and filter by that the catalogue does not know: prices and stock of a product, brought
-- together from pricing and inventory. All of it is derived, follows their events, and is checked in turn
-- (refresh-offers.ts): what is sold, and at what price, is never decided here.
create schema browse;

-- One row for each product that was ever announced. Whoever rewrites its offers holds this row's lock and computes
-- after it, so that the last writer has seen every change.
create table browse.offered_product (
  product_id uuid constraint offered_product_pkey primary key,
  checked_at timestamptz not null
);
-- The check: those that were looked at longest ago.
create index offered_product_by_check on browse.offered_product (checked_at);

-- What a product costs in a channel and currency, whether it is published there or not. A price is that of one unit of
-- a variant that is for sale; each is a point of a multirange, which makes "does one of them lie between" an operator.
create table browse.offer (
  product_id uuid not null constraint offer_of_product references browse.offered_product on delete cascade,
  channel_id uuid not null,
  currency text not null,
  prices nummultirange not null constraint offer_has_a_price check (not isempty(prices)),
  -- Of those variants that can be had now.
  prices_in_stock nummultirange not null constraint offer_in_stock_has_a_price check (prices @> prices_in_stock),
  lowest numeric not null generated always as (lower(prices)) stored,
  highest numeric not null generated always as (upper(prices)) stored,
  in_stock boolean not null generated always as (not isempty(prices_in_stock)) stored,
  constraint offer_pkey primary key (product_id, channel_id, currency)
);
-- Sorted by price: the walk that a page ends early. The highest price lets it pass over what is too cheap.
create index offer_by_price on browse.offer (channel_id, currency, lowest, product_id, highest);
-- What is sold out: few, as a rule.
create index offer_sold_out on browse.offer (channel_id, currency, product_id) where not in_stock;

-- What browse.offer should say: the truth, for the products that are asked for (`where product_id = any(…)`). Variants
-- are looked up one by one (`offset 0`): as a join, the views of the others would be read whole.
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
