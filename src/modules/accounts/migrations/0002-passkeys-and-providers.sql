-- Ways in beside passwords and links: passkeys, and providers of OpenID Connect.
set local lock_timeout = '5s';

create table accounts.passkey (
  id uuid constraint passkey_pkey primary key,
  customer_id uuid not null
    constraint passkey_account references accounts.account (customer_id) on delete cascade,
  credential_id text not null constraint passkey_credential_unique unique
    constraint passkey_credential_length check (length(credential_id) between 1 and 1400),
  public_key bytea not null constraint passkey_public_key_length check (length(public_key) <= 4000),
  counter bigint not null,
  transports text[] not null constraint passkey_transports_count check (cardinality(transports) <= 10),
  name text not null constraint passkey_name_length check (length(name) between 1 and 100),
  synced boolean not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz
);
create index passkey_by_customer on accounts.passkey (customer_id, id);

create table accounts.passkey_challenge (
  challenge_hash bytea constraint passkey_challenge_pkey primary key,
  customer_id uuid
    constraint passkey_challenge_account references accounts.account (customer_id) on delete cascade,
  expires_at timestamptz not null
);
create index passkey_challenge_by_expiry on accounts.passkey_challenge (expires_at);
create index passkey_challenge_by_customer on accounts.passkey_challenge (customer_id);

create table accounts.sign_on_account (
  provider text not null,
  subject text not null constraint sign_on_account_subject_length check (length(subject) between 1 and 255),
  customer_id uuid not null
    constraint sign_on_account_account references accounts.account (customer_id) on delete cascade,
  created_at timestamptz not null default now(),
  constraint sign_on_account_pkey primary key (provider, subject),
  constraint sign_on_account_one unique (customer_id, provider)
);
