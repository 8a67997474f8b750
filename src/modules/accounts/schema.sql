-- Accounts of customers: how somebody of customers.customer signs in to the shop. Nobody has one who did not open a link
-- in their mailbox, but those who were imported with the password of another shop. Secrets are stored as hashes only.
create schema accounts;

create table accounts.account (
  -- The id of the customer.
  customer_id uuid constraint account_pkey primary key,
  email text not null constraint account_email_unique unique
    constraint account_email_form check (email = lower(email) and length(email) between 3 and 254),
  -- Empty where links by mail are enough.
  password_hash text constraint account_password_hash_length check (length(password_hash) <= 300),
  -- When they showed that the mailbox is theirs: from then on what was ordered with it is theirs to see.
  email_proven_at timestamptz,
  created_at timestamptz not null default now()
);

-- The addresses that they had here before, and until when: what came to one before that is theirs, what comes to it later
-- is somebody else's.
create table accounts.former_email (
  id uuid constraint former_email_pkey primary key,
  customer_id uuid not null
    constraint former_email_account references accounts.account (customer_id) on delete cascade,
  email text not null,
  until timestamptz not null default now(),
  constraint former_email_unique unique (customer_id, email)
);

-- One sign-in on one device. It ends when it was idle for 30 days, at expires_at, or by deletion of the row.
create table accounts.session (
  id uuid constraint session_pkey primary key,
  token_hash bytea not null constraint session_token_unique unique,
  customer_id uuid not null
    constraint session_account references accounts.account (customer_id) on delete cascade,
  created_at timestamptz not null default now(),
  -- Written at most once a minute.
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  address text not null constraint session_address_length check (length(address) <= 45),
  user_agent text not null constraint session_user_agent_length check (length(user_agent) <= 300),
  -- The last time somebody proved that it is theirs.
  proven_at timestamptz not null default now()
) with (fillfactor = 80);
-- The sessions of a customer: listed, ended together.
create index session_by_customer on accounts.session (customer_id, id);
-- The sweep that forgets what is over.
create index session_by_expiry on accounts.session (expires_at);

-- A link that was asked for. The request writes the same row for known and unknown addresses; the job behind it makes the
-- secret and the mail, or removes the row. Using it deletes the row, so of many at once one wins.
create table accounts.link (
  id uuid constraint link_pkey primary key,
  purpose text not null constraint link_purpose
    check (purpose in ('registration', 'sign-in', 'password-reset', 'email-change')),
  email text not null
    constraint link_email_form check (email = lower(email) and length(email) between 3 and 254),
  -- Whose address is to change.
  customer_id uuid constraint link_account references accounts.account (customer_id) on delete cascade,
  -- Null until it was mailed.
  token_hash bytea constraint link_token_unique unique,
  -- Of a sign-in: the browser that asked for it. Another one has to confirm.
  browser_hash bytea,
  expires_at timestamptz not null,
  constraint link_customer_of_change check ((purpose = 'email-change') = (customer_id is not null))
);
-- A newer link replaces the older; of a customer (the foreign key).
create index link_by_email on accounts.link (email, purpose);
create index link_by_customer on accounts.link (customer_id);
-- The sweep that forgets what is over.
create index link_by_expiry on accounts.link (expires_at);

-- What a device of a customer signs with, as those of staff (identity.passkey).
create table accounts.passkey (
  id uuid constraint passkey_pkey primary key,
  customer_id uuid not null
    constraint passkey_account references accounts.account (customer_id) on delete cascade,
  credential_id text not null constraint passkey_credential_unique unique
    constraint passkey_credential_length check (length(credential_id) between 1 and 1400),
  public_key bytea not null constraint passkey_public_key_length check (length(public_key) <= 4000),
  -- Only grows where the device counts; many do not, and stay at 0.
  counter bigint not null,
  transports text[] not null constraint passkey_transports_count check (cardinality(transports) <= 10),
  name text not null constraint passkey_name_length check (length(name) between 1 and 100),
  synced boolean not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz
);
-- The passkeys of a customer.
create index passkey_by_customer on accounts.passkey (customer_id, id);

-- What a device has to sign: used once, within minutes. With a customer it adds a passkey to them, without it signs in.
create table accounts.passkey_challenge (
  challenge_hash bytea constraint passkey_challenge_pkey primary key,
  customer_id uuid
    constraint passkey_challenge_account references accounts.account (customer_id) on delete cascade,
  expires_at timestamptz not null
);
-- The sweep that forgets what is over; of a customer (the foreign key).
create index passkey_challenge_by_expiry on accounts.passkey_challenge (expires_at);
create index passkey_challenge_by_customer on accounts.passkey_challenge (customer_id);

-- Who a customer is at a provider of OpenID Connect, since they came from there with a verified address. One of each
-- provider: whoever gets that address there later does not become them here.
create table accounts.sign_on_account (
  provider text not null,
  subject text not null constraint sign_on_account_subject_length check (length(subject) between 1 and 255),
  customer_id uuid not null
    constraint sign_on_account_account references accounts.account (customer_id) on delete cascade,
  created_at timestamptz not null default now(),
  constraint sign_on_account_pkey primary key (provider, subject),
  constraint sign_on_account_one unique (customer_id, provider)
);
