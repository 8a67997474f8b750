-- Shipping: where the shop delivers to, how, and for how much. A zone is a set of countries, a method belongs to one
-- zone, and a method's rates are steps. Another module's rows are named by id without a foreign key: borders between
-- modules stay soft.
create schema shipping;

create table shipping.zone (
  id uuid constraint zone_pkey primary key,
  name text not null,
  created_at timestamptz not null default now(),
  constraint zone_name_length check (length(name) between 1 and 100)
);

-- A country lies in one zone at most, so that an address is never priced by two zones. A country in none is not
-- delivered to.
create table shipping.zone_country (
  country text constraint zone_country_pkey primary key,
  zone_id uuid not null constraint zone_country_zone_fkey references shipping.zone (id) on delete cascade,
  constraint zone_country_is_iso check (country ~ '^[A-Z]{2}$')
);
-- The countries of a zone.
create index zone_country_of_zone on shipping.zone_country (zone_id);

-- kind says what the steps of its rates count: nothing (flat), grams (weight) or minor units of goods before
-- discounts (subtotal).
create table shipping.method (
  id uuid constraint method_pkey primary key,
  zone_id uuid not null constraint method_zone_fkey references shipping.zone (id) on delete cascade,
  channel_id uuid,                                  -- null: offered in every channel
  code text not null,
  name text not null,
  description text,
  kind text not null,
  tax_class text not null default 'standard',
  position integer not null default 0,              -- order in which a shopper sees methods of the same price
  active boolean not null default true,
  created_at timestamptz not null default now(),
  constraint method_code_unique unique (zone_id, code),
  constraint method_code_form check (code ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  constraint method_name_length check (length(name) between 1 and 100),
  constraint method_description_length check (length(description) <= 500),
  constraint method_tax_class_length check (length(tax_class) between 1 and 60),
  constraint method_kind_known check (kind in ('flat', 'weight', 'subtotal'))
);

-- One step: from this weight or order value up to, not including, the next step of the same method and currency.
-- Storing only where a step begins makes overlaps and gaps impossible. Below the first step, and where amount_minor
-- is null, the method is not offered; the last step has no end. A flat method has the one step 0.
create table shipping.rate (
  method_id uuid not null constraint rate_method_fkey references shipping.method (id) on delete cascade,
  currency text not null,
  from_value bigint not null default 0,
  amount_minor bigint,
  constraint rate_pkey primary key (method_id, currency, from_value),
  constraint rate_currency_form check (currency ~ '^[A-Z]{3}$'),
  constraint rate_from_value_range check (from_value between 0 and 1000000000000000),
  constraint rate_amount_range check (amount_minor between 0 and 1000000000000000)
);

-- Published: what may be offered, one row for each country and step. A maximum is exclusive; null is no bound.
create view shipping.offered_rate as
select method.id as method_id, method.channel_id, method.code, method.name, method.description, method.position,
  method.tax_class, zone_country.country, step.currency, method.kind,
  case method.kind when 'weight' then step.from_value end as min_weight_grams,
  case method.kind when 'weight' then step.to_value end as max_weight_grams,
  case method.kind when 'subtotal' then step.from_value end as min_subtotal_minor,
  case method.kind when 'subtotal' then step.to_value end as max_subtotal_minor,
  step.amount_minor
from shipping.method
join shipping.zone_country on zone_country.zone_id = method.zone_id
join (
  select method_id, currency, from_value, amount_minor,
    lead(from_value) over (partition by method_id, currency order by from_value) as to_value
  from shipping.rate
) step on step.method_id = method.id
where method.active and step.amount_minor is not null;

-- What a quote rests on: see pricing/internal/kept-facts.ts.
create trigger zone_country_terms after insert or update or delete on shipping.zone_country
  for each row execute function platform.note_terms();
create trigger method_terms after insert or update or delete on shipping.method
  for each row execute function platform.note_terms();
create trigger rate_terms after insert or update or delete on shipping.rate
  for each row execute function platform.note_terms();
