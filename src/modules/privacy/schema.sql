-- Requests of people about their data: what was exported or erased, when, and how much. It proves that it was done and
-- names nobody: the subject is a mark that only the shop's secret makes from a mail address.
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
