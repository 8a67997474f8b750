-- Accounts of customers.
set local lock_timeout = '5s';

create schema accounts;

create table accounts.account (
  customer_id uuid constraint account_pkey primary key,
  email text not null constraint account_email_unique unique
    constraint account_email_form check (email = lower(email) and length(email) between 3 and 254),
  password_hash text constraint account_password_hash_length check (length(password_hash) <= 300),
  email_proven_at timestamptz,
  created_at timestamptz not null default now()
);

create table accounts.former_email (
  id uuid constraint former_email_pkey primary key,
  customer_id uuid not null
    constraint former_email_account references accounts.account (customer_id) on delete cascade,
  email text not null,
  until timestamptz not null default now(),
  constraint former_email_unique unique (customer_id, email)
);

create table accounts.session (
  id uuid constraint session_pkey primary key,
  token_hash bytea not null constraint session_token_unique unique,
  customer_id uuid not null
    constraint session_account references accounts.account (customer_id) on delete cascade,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  address text not null constraint session_address_length check (length(address) <= 45),
  user_agent text not null constraint session_user_agent_length check (length(user_agent) <= 300),
  proven_at timestamptz not null default now()
) with (fillfactor = 80);
create index session_by_customer on accounts.session (customer_id, id);
create index session_by_expiry on accounts.session (expires_at);

create table accounts.link (
  id uuid constraint link_pkey primary key,
  purpose text not null constraint link_purpose
    check (purpose in ('registration', 'sign-in', 'password-reset', 'email-change')),
  email text not null
    constraint link_email_form check (email = lower(email) and length(email) between 3 and 254),
  customer_id uuid constraint link_account references accounts.account (customer_id) on delete cascade,
  token_hash bytea constraint link_token_unique unique,
  browser_hash bytea,
  expires_at timestamptz not null,
  constraint link_customer_of_change check ((purpose = 'email-change') = (customer_id is not null))
);
create index link_by_email on accounts.link (email, purpose);
create index link_by_customer on accounts.link (customer_id);
create index link_by_expiry on accounts.link (expires_at);
