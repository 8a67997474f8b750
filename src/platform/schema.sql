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
  request_id text not null
);

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
