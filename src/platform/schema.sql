-- The platform's tables as they are now: what every use case writes in its own transaction beside its effect.

-- Where extensions live: search_path is empty everywhere, so their names are written out (operator(extensions.%)).
create schema extensions;
create extension pg_trgm schema extensions;
create extension unaccent schema extensions;
create extension btree_gin schema extensions;

-- One key of one principal on one route has one effect: the row is committed with the effect or not at all.
-- A repeat finds the row and renders the present state of result_id. Kept for two days.
create table platform.idempotency_key (
  principal text not null,
  route text not null,
  key text not null,
  body_hash bytea not null,
  result_id uuid not null,
  created_at timestamptz not null default now(),
  constraint idempotency_key_pkey primary key (principal, route, key)
);
-- What the retention sweep takes: the oldest first. A key is no id, so its time needs an index of its own.
create index idempotency_key_retention on platform.idempotency_key (created_at);

-- The secret of this shop, made when it is first needed: tokens of carts and orders are derived from it, so that a
-- repeated request can be answered with the same token although none is stored.
create table platform.secret (
  singleton boolean primary key default true constraint secret_singleton check (singleton),
  value bytea not null
);

-- Who of the staff, or which key, wrote what: inserted in the write's own transaction, never changed.
create table platform.audit_log (
  id uuid primary key,
  at timestamptz not null default now(),
  actor_kind text not null,
  actor_id uuid,
  route text not null,
  target jsonb not null,
  request_id text not null,
  -- The hash of the address and its salt: the chain vouches for an address that may be forgotten.
  origin_mark bytea
);
-- The list of staff, newest first; of an actor; of a route; of one request.
create index audit_newest on platform.audit_log (at desc, id desc);
create index audit_by_actor on platform.audit_log (actor_id, at desc, id desc);
create index audit_by_route on platform.audit_log (route, at desc, id desc);
create index audit_by_request on platform.audit_log (request_id);

-- Where a write came from. Personal data, so it stands apart and is forgotten after a year; the chain does not need it.
create table platform.audit_origin (
  entry_id uuid primary key,
  address text not null constraint audit_origin_address_length check (length(address) <= 45),
  salt bytea not null
);

-- The rows that a write changed: of an update the columns that differ. Personal data and secrets are named, not kept:
-- table and key say where they stand (or stood).
create table platform.audit_change (
  id bigint generated always as identity primary key,
  entry_id uuid not null,
  table_name text not null,
  row_key text not null,
  before jsonb,
  after jsonb
);
-- The changes of an entry, in their order; everything that happened to a thing.
create index audit_change_of_entry on platform.audit_change (entry_id, id);
create index audit_change_by_row on platform.audit_change (row_key, entry_id);

-- The chain. A head in the write itself would queue all staff behind one import, so a job seals what is committed.
-- audit_unsealed is its queue; audit_seal holds each entry's place and a hash over it and all before it; audit_head is
-- the end of the chain.
create table platform.audit_unsealed (entry_id uuid primary key)
  with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create table platform.audit_seal (
  number bigint primary key,
  entry_id uuid not null constraint audit_seal_once unique,
  hash bytea not null,
  sealed_at timestamptz not null default now()
);
create table platform.audit_head (
  singleton boolean primary key default true constraint audit_head_singleton check (singleton),
  number bigint not null,
  hash bytea not null
);
insert into platform.audit_head (number, hash) values (0, '');

create function platform.queue_seal() returns trigger language plpgsql as $$
begin
  with entry as (table added) insert into platform.audit_unsealed (entry_id) select id from entry;
  return null;
end $$;
create trigger audit_log_queue_seal after insert on platform.audit_log referencing new table as added
  for each statement execute function platform.queue_seal();

create function platform.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'platform.% is insert-only: what was written stays', tg_table_name;
end $$;
create trigger audit_log_insert_only before update or delete or truncate on platform.audit_log
  for each statement execute function platform.refuse_change();
create trigger audit_change_insert_only before update or delete or truncate on platform.audit_change
  for each statement execute function platform.refuse_change();
create trigger audit_seal_insert_only before update or delete or truncate on platform.audit_seal
  for each statement execute function platform.refuse_change();

-- What seals an entry. It names each column, so that a new one does not change the hashes of old entries.
create function platform.audit_digest(number bigint, previous bytea, entry platform.audit_log) returns bytea
language sql stable as $$
  select sha256(previous || convert_to(jsonb_build_array(
    number, entry.id, (extract(epoch from entry.at) * 1000000)::bigint, entry.actor_kind, entry.actor_id, entry.route,
    entry.target, entry.request_id, encode(entry.origin_mark, 'hex'),
    (select coalesce(jsonb_agg(jsonb_build_array(id, table_name, row_key, before, after) order by id), '[]')
      from platform.audit_change where entry_id = entry.id)
  )::text, 'UTF8'))
$$;

-- Seals the oldest of what is committed; answers how many. Two at once wait for each other at the head.
create function platform.seal_audit(at_most integer) returns integer language plpgsql as $$
declare
  head platform.audit_head;
  entry platform.audit_log;
  sealed integer := 0;
begin
  if not exists (select from platform.audit_unsealed) then
    return 0;
  end if;
  select * into head from platform.audit_head for update;
  for entry in
    select audit_log.* from platform.audit_unsealed join platform.audit_log on id = entry_id order by id limit at_most
  loop
    head.number := head.number + 1;
    head.hash := platform.audit_digest(head.number, head.hash, entry);
    insert into platform.audit_seal (number, entry_id, hash) values (head.number, entry.id, head.hash);
    delete from platform.audit_unsealed where entry_id = entry.id;
    sealed := sealed + 1;
  end loop;
  update platform.audit_head set number = head.number, hash = head.hash;
  return sealed;
end $$;

-- The trigger of every table that staff can change (src/watched-tables.ts makes them): notes the change when the
-- transaction belongs to an audit entry. Arguments: the columns of the key, and those whose values are not kept.
create function platform.note_change() returns trigger language plpgsql as $$
declare
  hidden text[] := tg_argv[1];
  was jsonb := case tg_op when 'INSERT' then '{}' else to_jsonb(old) end;
  became jsonb := case tg_op when 'DELETE' then '{}' else to_jsonb(new) end;
begin
  insert into platform.audit_change (entry_id, table_name, row_key, before, after)
  select current_setting('kontor.audit_entry')::uuid, format('%s.%s', tg_table_schema, tg_table_name),
    (select string_agg((was || became) ->> name, ',') from unnest(tg_argv[0]::text[]) as name),
    case when tg_op <> 'INSERT' then jsonb_object_agg(name, platform.kept(was -> name, name = any(hidden))) end,
    case when tg_op <> 'DELETE' then jsonb_object_agg(name, platform.kept(became -> name, name = any(hidden))) end
  from jsonb_object_keys(was || became) as name
  where was -> name is distinct from became -> name
  having count(*) > 0;
  return null;
end $$;

-- A long value is known by its hash.
create function platform.kept(value jsonb, hidden boolean) returns jsonb language sql immutable as $$
  select case
    when hidden and jsonb_typeof(value) <> 'null' then '"(hidden)"'
    when length(value::text) > 4000
      then jsonb_build_object('characters', length(value::text), 'sha256', encode(sha256(convert_to(value::text, 'UTF8')), 'hex'))
    else value
  end
$$;

-- The outbox. A change publishes its event in its own transaction; a worker turns due events into jobs and
-- stamps relayed_at.
create table platform.event (
  id uuid primary key,
  type text not null,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  available_at timestamptz not null default now(),
  relayed_at timestamptz
-- Each row dies once, when it is relayed: swept up by count, since a fifth of two weeks of events would be millions.
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
-- The relay's queue: an event enters it with its row and leaves it when it is relayed, which is why that is never HOT.
create index event_to_relay on platform.event (available_at, id) where relayed_at is null;

-- One event for one handler. A worker takes it on a lease (run_at lies in the future while somebody works on it, and
-- stays there while a failure waits for its next attempt), so what a worker held when it died comes back by itself.
-- Gone when the handler is done: a handler may delete it in its own transaction, and has one effect then.
create table platform.job (
  event_id uuid not null,
  handler text not null,
  attempts integer not null default 0,
  run_at timestamptz not null default now(),
  last_error text,
  given_up_at timestamptz,
  primary key (event_id, handler)
-- Each row lives for milliseconds.
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
-- What is due: the next attempt of a failure, and the work of a worker that died.
create index job_due on platform.job (run_at) where given_up_at is null;

-- Tags whose cached answers are out of date. Processes read the rows of every transaction that they may not have
-- seen: ids of a sequence become visible out of order, so "greater than the last id" would miss some.
create table platform.invalidation (
  id bigint generated always as identity primary key,
  tags text[] not null,
  transaction_id xid8 not null default pg_current_xact_id(),
  at timestamptz not null default now()
-- Read twice a second by every process.
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
-- What a process has not seen yet (platform/cache.ts looks twice a second).
create index invalidation_since on platform.invalidation (transaction_id);

-- Transactions that changed what a price rests on. Whoever keeps such facts in memory asks whether there is one that his
-- snapshot did not see (platform/terms.ts). Marks older than an hour are forgotten, and so is what is kept.
create table platform.terms_change (
  transaction_id xid8 primary key default pg_current_xact_id(),
  at timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- The tables of such facts call this for each row; the first row of a transaction leaves the mark. A trigger, because
-- whatever writes there, by whatever way, must not be missed.
create function platform.note_terms() returns trigger language plpgsql as $$
begin
  if current_setting('kontor.terms_noted', true) is distinct from pg_current_xact_id()::text then
    perform set_config('kontor.terms_noted', pg_current_xact_id()::text, true);
    insert into platform.terms_change default values;
  end if;
  return null;
end $$;

-- Counts anew what has doubled since it was counted. PostgreSQL does so by itself within minutes; until then a statement
-- that was planned when its table held twenty rows reads all of them, and the first hour of a shop is when that hurts.
create function platform.analyze_grown() returns integer language plpgsql as $$
declare
  grown text;
  count integer := 0;
begin
  for grown in
    select format('%I.%I', schemaname, stat.relname) from pg_stat_user_tables stat join pg_class on pg_class.oid = relid
    where n_mod_since_analyze > greatest(500, reltuples)
  loop
    execute 'analyze (skip_locked) ' || grown;
    count := count + 1;
  end loop;
  return count;
end $$;
