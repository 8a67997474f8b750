-- What a write changed, from where it came, and a chain that shows when somebody changes the log itself.
set local lock_timeout = '5s';

alter table platform.audit_log add column origin_mark bytea;
create index audit_newest on platform.audit_log (at desc, id desc);
create index audit_by_actor on platform.audit_log (actor_id, at desc, id desc);
create index audit_by_route on platform.audit_log (route, at desc, id desc);
create index audit_by_request on platform.audit_log (request_id);

create table platform.audit_origin (
  entry_id uuid primary key,
  address text not null constraint audit_origin_address_length check (length(address) <= 45),
  salt bytea not null
);

create table platform.audit_change (
  id bigint generated always as identity primary key,
  entry_id uuid not null,
  table_name text not null,
  row_key text not null,
  before jsonb,
  after jsonb
);
create index audit_change_of_entry on platform.audit_change (entry_id, id);
create index audit_change_by_row on platform.audit_change (row_key, entry_id);

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
insert into platform.audit_unsealed (entry_id) select id from platform.audit_log;

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

create function platform.audit_digest(number bigint, previous bytea, entry platform.audit_log) returns bytea
language sql stable as $$
  select sha256(previous || convert_to(jsonb_build_array(
    number, entry.id, (extract(epoch from entry.at) * 1000000)::bigint, entry.actor_kind, entry.actor_id, entry.route,
    entry.target, entry.request_id, encode(entry.origin_mark, 'hex'),
    (select coalesce(jsonb_agg(jsonb_build_array(id, table_name, row_key, before, after) order by id), '[]')
      from platform.audit_change where entry_id = entry.id)
  )::text, 'UTF8'))
$$;

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

create function platform.kept(value jsonb, hidden boolean) returns jsonb language sql immutable as $$
  select case
    when hidden and jsonb_typeof(value) <> 'null' then '"(hidden)"'
    when length(value::text) > 4000
      then jsonb_build_object('characters', length(value::text), 'sha256', encode(sha256(convert_to(value::text, 'UTF8')), 'hex'))
    else value
  end
$$;
