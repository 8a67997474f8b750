-- Customers: the people who buy, known by their mail address, whether they have an account or not. What they bought is
-- counted here after each order, so that lists and segments need no look at the orders.
create schema customers;

create table customers.customer (
  id uuid primary key,
  email text not null constraint customer_email_unique unique
    constraint customer_email_form check (email = lower(email) and length(email) between 3 and 254),
  name text constraint customer_name_length check (length(name) between 1 and 200),
  phone text constraint customer_phone_length check (length(phone) between 1 and 40),
  note text constraint customer_note_length check (length(note) between 1 and 5000),
  tags text[] not null default '{}' constraint customer_tags_count check (cardinality(tags) <= 50),
  -- A mark made of the address and the secret of the shop: it leads from the person to their consents, and not back.
  subject text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
-- Those with a tag.
create index customer_by_tag on customers.customer using gin (tags);

-- Postal addresses. The position is one of twenty, so that two who add at once do not add a twenty-first.
create table customers.address (
  id uuid primary key,
  customer_id uuid not null constraint address_customer references customers.customer on delete cascade,
  position integer not null constraint address_limit check (position between 1 and 20),
  label text constraint address_label_length check (length(label) between 1 and 100),
  address jsonb not null,
  default_shipping boolean not null default false,
  default_billing boolean not null default false,
  constraint address_position unique (customer_id, position)
);
-- One of each customer is the first to be offered.
create unique index address_default_shipping on customers.address (customer_id) where default_shipping;
create unique index address_default_billing on customers.address (customer_id) where default_billing;
-- Who has an address in a country.
create index address_by_country on customers.address ((address ->> 'country'), customer_id);

create table customers."group" (
  id uuid constraint group_pkey primary key,
  code text not null constraint group_code_unique unique constraint group_code_form check (code ~ '^[a-z][a-z0-9-]{0,39}$'),
  name text not null constraint group_name_length check (length(name) between 1 and 100)
);
create table customers.membership (
  group_id uuid not null constraint membership_group references customers."group" (id) on delete cascade,
  customer_id uuid not null constraint membership_customer references customers.customer on delete cascade,
  primary key (group_id, customer_id)
);
-- The groups of a customer.
create index membership_of_customer on customers.membership (customer_id);

-- A segment is a question about customers (segment-rule.ts), answered anew each time.
create table customers.segment (
  id uuid primary key,
  name text not null constraint segment_name_unique unique constraint segment_name_length check (length(name) between 1 and 100),
  rule jsonb not null
);

-- The placed orders that are counted, each once.
create table customers.purchase (
  order_id uuid constraint purchase_pkey primary key,
  customer_id uuid not null constraint purchase_customer references customers.customer on delete cascade,
  currency text not null,
  total_minor bigint not null,
  placed_at timestamptz not null
);
-- When a customer bought last, and who bought what (the foreign key).
create index purchase_last on customers.purchase (customer_id, currency, placed_at);

-- What a customer bought: the sum of the above.
create table customers.purchase_total (
  customer_id uuid not null constraint purchase_total_customer references customers.customer on delete cascade,
  currency text not null,
  orders integer not null constraint purchase_total_orders check (orders >= 0),
  spent_minor bigint not null constraint purchase_total_spent check (spent_minor >= 0),
  last_at timestamptz not null,
  primary key (customer_id, currency)
) with (fillfactor = 50);

-- Who agreed to what, when and in which words: rows are added and never changed, so that a consent can be proven after
-- it was withdrawn. The newest of a purpose counts. The subject is the mark of a person: see customers.customer.
create table customers.consent (
  id uuid primary key,
  subject text not null,
  purpose text not null constraint consent_purpose_form check (purpose ~ '^[a-z][a-z0-9-]{0,39}$'),
  granted boolean not null,
  wording text not null constraint consent_wording_length check (length(wording) between 1 and 5000),
  source text not null constraint consent_source_length check (length(source) between 1 and 100),
  at timestamptz not null default now()
);
-- What a person agreed to.
create index consent_of_subject on customers.consent (subject, purpose, at desc, id desc);

create function customers.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'customers.consent is append-only: add what is true now';
end $$;
create trigger consent_append_only before update or delete or truncate on customers.consent
  for each statement execute function customers.refuse_change();
