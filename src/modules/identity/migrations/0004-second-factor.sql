-- A second factor: codes of an authenticator app, and recovery codes; and when a session was last proven to be theirs.
set local lock_timeout = '5s';

alter table identity.session add column proven_at timestamptz default now();
update identity.session set proven_at = created_at;

create table identity.totp (
  staff_id uuid primary key constraint totp_staff references identity.staff,
  secret bytea not null,
  confirmed_at timestamptz,
  last_step bigint not null default 0
);

create table identity.recovery_code (
  staff_id uuid not null constraint recovery_code_staff references identity.staff,
  code_hash bytea not null,
  primary key (staff_id, code_hash)
);
