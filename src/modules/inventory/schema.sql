-- Inventory: what lies where, what is promised to whom, and how it came to be so.
--
-- One row of inventory.stock is the only place where a unit is sold: whoever makes a unit sold, or unsold, holds the
-- lock of that row, always taken in the order (variant_id, location_id), and touches reservations only after it. Two
-- columns make the rest simple:
--   on_hand          units that lie there = the sum of the movements
--   reserved         units promised       = the sum of the live reservations (held or claimed)
--   backorder_limit  units that may be promised beyond what lies there (0: none)
-- A row may promise up to on_hand + backorder_limit. When goods arrive, promises beyond stock are backed without
-- another step.

create schema inventory;

create table inventory.location (
  id uuid primary key,
  code text not null constraint location_code_unique unique
    constraint location_code_form check (code ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  name text not null constraint location_name_length check (length(name) between 1 and 200),
  -- Among locations with as much free stock, the smaller number serves first.
  priority integer not null default 100 constraint location_priority_range check (priority between 0 and 10000),
  -- An inactive location sells nothing; what it has promised already still ships.
  active boolean not null default true,
  created_at timestamptz not null default now()
);

-- One row per variant that inventory knows. A variant without a row is tracked and has no stock: nothing is sold by
-- forgetting.
create table inventory.item (
  variant_id uuid primary key,
  -- An untracked variant (a service, a download) is always available and is never counted.
  tracked boolean not null default true
);

-- Hot: no index on on_hand or reserved and half of each page left free, so that an update stays on its page and touches
-- no index (HOT).
create table inventory.stock (
  variant_id uuid not null constraint stock_item references inventory.item,
  location_id uuid not null constraint stock_location references inventory.location,
  on_hand integer not null default 0 constraint stock_on_hand_not_negative check (on_hand >= 0),
  reserved integer not null default 0,
  backorder_limit integer not null default 0
    constraint stock_backorder_limit_range check (backorder_limit between 0 and 1000000),
  primary key (variant_id, location_id),
  -- The second wall behind the reserve statement.
  constraint stock_reserved_within_on_hand check (reserved between 0 and on_hand + backorder_limit)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
-- What a location holds: told when it opens or closes, and for its foreign key.
create index stock_by_location on inventory.stock (location_id, variant_id);

-- held --claim--> claimed --ship--> shipped          held or claimed --release--> released
-- held --its time is over--> expired (logically at once, swept within a second)
-- held or claimed --stock was lost--> short --stock came back--> claimed
-- Live are held and claimed: stock.reserved counts their quantity - shipped. A short unit has no stock behind it and is
-- counted nowhere; one with expires_at was only held, one without belongs to an order that waits for it.
create table inventory.reservation (
  order_id uuid not null,
  -- A sequence, since the reserve statement decides in SQL how many rows a line becomes. It also says which promise is
  -- older.
  id bigint generated always as identity,
  variant_id uuid not null,
  location_id uuid not null,
  quantity integer not null constraint reservation_quantity_positive check (quantity > 0),
  shipped integer not null default 0
    constraint reservation_shipped_within_quantity check (shipped between 0 and quantity),
  state text not null
    constraint reservation_state check (state in ('held', 'claimed', 'shipped', 'short', 'released', 'expired')),
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (order_id, id),
  constraint reservation_stock foreign key (variant_id, location_id) references inventory.stock,
  constraint reservation_held_expires check (state <> 'held' or expires_at is not null),
  constraint reservation_shipped_whole check ((state = 'shipped') = (shipped = quantity))
-- Never HOT: being held, open or short is a place in a queue below. Analysed often, because a cached plan believes in
-- the size that a queue had when it was made.
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.01);
-- The sweep of holds that are over. "is not null" is true of each, and keeps the planner from walking this queue for
-- "order_id = … and state = 'held'", which the key answers.
create index reservation_held_by_expiry on inventory.reservation (expires_at)
  where state = 'held' and expires_at is not null;
-- What is promised of a variant: stocktaking cuts it, staff list it.
create index reservation_open_by_stock on inventory.reservation (variant_id, location_id, id)
  where state in ('held', 'claimed', 'short');
-- Stock came back: who has waited longest.
create index reservation_short_by_variant on inventory.reservation (variant_id, created_at, id) where state = 'short';

-- The ledger: each change of on_hand, why, by whom, on whose behalf. Rows are added and never changed.
create table inventory.movement (
  id bigint generated always as identity primary key,
  variant_id uuid not null,
  location_id uuid not null,
  quantity integer not null constraint movement_quantity_not_zero check (quantity <> 0),
  cause text not null constraint movement_cause check (
    cause in ('count', 'receipt', 'damage', 'correction', 'import', 'transfer', 'shipment', 'return')),
  actor text not null constraint movement_actor_length check (length(actor) between 1 and 200),
  -- The order, delivery note or file behind it.
  reference text constraint movement_reference_length check (length(reference) between 1 and 200),
  created_at timestamptz not null default now(),
  constraint movement_stock foreign key (variant_id, location_id) references inventory.stock
);
-- The ledger of a variant.
create index movement_by_variant on inventory.movement (variant_id, id);
-- The movements of an order or a delivery.
create index movement_by_reference on inventory.movement (reference) where reference is not null;

create function inventory.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'inventory.movement is append-only: book a correction instead';
end $$;
create trigger movement_append_only before update or delete or truncate on inventory.movement
  for each statement execute function inventory.refuse_change();

-- Variants whose shown availability changed since the last sweep. Buyers add rows here (and only when few units are
-- left), the sweep turns a second's worth of them into one StockChanged event: an order costs no event of its own.
create table inventory.stock_change (
  id bigint generated always as identity primary key,
  variant_id uuid not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Published. available: units that lie free at active locations. backorder: more may be promised than that.
-- A variant that is missing here is tracked and not available. A join reads it whole; for a few variants name them
-- (`where variant_id = any(…)`), which PostgreSQL pushes down into the grouping.
create view inventory.variant_availability as
select item.variant_id, item.tracked,
  coalesce(bool_or(stock.on_hand + stock.backorder_limit > greatest(stock.on_hand, stock.reserved)), false) as backorder,
  coalesce(sum(greatest(stock.on_hand - stock.reserved, 0)), 0)::integer as available
from inventory.item
left join (
  inventory.stock join inventory.location on location.id = stock.location_id and location.active
) on stock.variant_id = item.variant_id
group by item.variant_id;
