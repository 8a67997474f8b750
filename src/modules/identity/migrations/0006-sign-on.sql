-- Links by mail that sign in, and single sign-on: accounts at an OpenID Connect provider.
set local lock_timeout = '5s';

alter table identity.one_time_token
  drop constraint one_time_token_purpose,
  add column browser_hash bytea,
  add constraint one_time_token_purpose check (purpose in ('password-reset', 'invitation', 'sign-in'));

create table identity.sign_on_attempt (
  state_hash bytea primary key,
  provider text not null,
  browser_hash bytea not null,
  expires_at timestamptz not null
);
create index sign_on_attempt_by_expiry on identity.sign_on_attempt (expires_at);

create table identity.sign_on_account (
  provider text not null constraint sign_on_account_provider check (provider ~ '^[a-z][a-z0-9-]{0,39}$'),
  subject text not null constraint sign_on_account_subject_length check (length(subject) between 1 and 255),
  staff_id uuid not null constraint sign_on_account_staff references identity.staff,
  created_at timestamptz not null default now(),
  primary key (provider, subject),
  constraint sign_on_account_one unique (staff_id, provider)
);
