-- Where somebody signed in before, and how many requests were sent within the minute.
set local lock_timeout = '5s';

create table identity.known_origin (
  mark bytea primary key,
  last_at timestamptz not null default now()
);

create unlogged table identity.request_count (
  subject text primary key constraint request_count_subject_length check (length(subject) <= 100),
  minute bigint not null,
  requests integer not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
