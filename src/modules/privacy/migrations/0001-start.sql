-- Requests of people about their data.
set local lock_timeout = '5s';

create schema privacy;

create table privacy.request (
  id uuid primary key,
  kind text not null constraint request_kind check (kind in ('export', 'erasure')),
  subject text not null,
  counts jsonb not null,
  at timestamptz not null default now()
);
-- What was done for a person.
create index request_of_subject on privacy.request (subject, at desc);
