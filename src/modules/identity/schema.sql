-- Who may do what: staff, their roles and sessions, and the keys of servers and shop pages. Secrets are stored as
-- hashes only: a password as argon2id, a 256-bit token as SHA-256 (there is nothing to guess in it). The accounts of
-- customers are in accounts.
create schema identity;

-- A role is a list of permissions. What a system role may do comes with the version of the code (identity.ts), so
-- that a new feature needs no change of data; a custom role says it itself.
create table identity.role (
  code text primary key constraint role_code_form check (code ~ '^[a-z][a-z0-9-]{0,39}$'),
  name text not null constraint role_name_length check (length(name) between 1 and 100),
  permissions text[] constraint role_permissions_count check (cardinality(permissions) <= 200),
  system boolean not null default false,
  created_at timestamptz not null default now(),
  -- What may be refunded of one payment, by currency, and given as a discount by hand; null: as much as there is.
  refund_limits jsonb constraint role_refund_limits_list check (jsonb_typeof(refund_limits) = 'array'),
  discount_limit_ppm integer
    constraint role_discount_limit_range check (discount_limit_ppm between 0 and 1000000),
  -- Whoever has the role and no second factor may do nothing but add one.
  second_factor boolean not null default false,
  constraint role_permissions_unless_system check (system = (permissions is null)),
  constraint role_system_unlimited check (not system or (refund_limits is null and discount_limit_ppm is null))
);
insert into identity.role (code, name, system) values
  ('owner', 'Owner', true), ('manager', 'Manager', true), ('support', 'Support', true), ('warehouse', 'Warehouse', true);

-- Somebody who works here. Nobody is deleted, because orders and the audit log name them: active = false ends it.
create table identity.staff (
  id uuid primary key,
  email text not null constraint staff_email_unique unique
    constraint staff_email_form check (email = lower(email) and length(email) between 3 and 254),
  name text not null constraint staff_name_length check (length(name) between 1 and 200),
  -- Empty until an invitation is accepted, or where a passkey is enough.
  password_hash text constraint staff_password_hash_length check (length(password_hash) <= 300),
  role_code text not null constraint staff_role references identity.role,
  active boolean not null default true,
  created_at timestamptz not null default now(),
  -- Where somebody may act; null: everywhere. Companies come with trade between businesses.
  channel_ids uuid[] constraint staff_channels_count check (cardinality(channel_ids) between 1 and 200),
  location_ids uuid[] constraint staff_locations_count check (cardinality(location_ids) between 1 and 200),
  company_ids uuid[] constraint staff_companies_count check (cardinality(company_ids) between 1 and 200),
  constraint staff_owner_everywhere check (
    role_code <> 'owner' or (channel_ids is null and location_ids is null and company_ids is null))
);
-- Deleting a role finds who has it (the foreign key).
create index staff_by_role on identity.staff (role_code);

-- An active owner who can sign in remains, whatever is done. The lock on the role makes two owners who give it up at
-- the same time wait for each other, so that the second sees what the first did.
create function identity.keep_an_owner() returns trigger language plpgsql as $$
begin
  perform from identity.role where code = 'owner' for update;
  if not exists (select from identity.staff where role_code = 'owner' and active and (password_hash is not null
    or exists (select from identity.passkey where passkey.staff_id = staff.id))) then
    raise exception 'the last owner stays' using errcode = 'check_violation', constraint = 'staff_owner_remains';
  end if;
  return null;
end $$;
create trigger staff_owner_remains after update or delete on identity.staff
  for each row when (old.role_code = 'owner' and old.active)
  execute function identity.keep_an_owner();

-- One sign-in on one device. It ends when it was idle for 8 hours, at expires_at, or by deletion of the row. While
-- proven_at is null it waits for the second factor and opens nothing; then it is the last time somebody proved that it
-- is theirs.
create table identity.session (
  id uuid primary key,
  token_hash bytea not null constraint session_token_unique unique,
  staff_id uuid not null constraint session_staff references identity.staff,
  created_at timestamptz not null default now(),
  -- Written at most once a minute.
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  address text not null constraint session_address_length check (length(address) <= 45),
  user_agent text not null constraint session_user_agent_length check (length(user_agent) <= 300),
  proven_at timestamptz default now()
) with (fillfactor = 80);
-- The sessions of a person: listed, ended together.
create index session_by_staff on identity.session (staff_id, id);
-- The sweep that forgets what is over.
create index session_by_expiry on identity.session (expires_at);

-- A session that sees the shop as a colleague does, for half an hour and without changing anything.
create table identity.viewing (
  session_id uuid primary key constraint viewing_session references identity.session on delete cascade,
  staff_id uuid not null constraint viewing_staff references identity.staff,
  until timestamptz not null
);
-- Whom is somebody seen as (the foreign key).
create index viewing_by_staff on identity.viewing (staff_id);

-- The authenticator app of a person (RFC 6238). The secret is sealed (platform/seal.ts). Each step of 30 seconds is
-- used once: last_step only grows.
create table identity.totp (
  staff_id uuid primary key constraint totp_staff references identity.staff,
  secret bytea not null,
  -- Null until the first code was right.
  confirmed_at timestamptz,
  last_step bigint not null default 0
);

-- What lets somebody in who lost their second factor. Using a code deletes its row.
create table identity.recovery_code (
  staff_id uuid not null constraint recovery_code_staff references identity.staff,
  code_hash bytea not null,
  primary key (staff_id, code_hash)
);

-- What a device of a person signs with. The counter only grows where the device counts; many do not, and stay at 0.
create table identity.passkey (
  id uuid primary key,
  staff_id uuid not null constraint passkey_staff references identity.staff,
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
-- The passkeys of a person.
create index passkey_by_staff on identity.passkey (staff_id, id);

-- What a device has to sign: used once, within minutes. With a person it adds a passkey to them, without it signs in.
create table identity.passkey_challenge (
  challenge_hash bytea primary key,
  staff_id uuid constraint passkey_challenge_staff references identity.staff,
  expires_at timestamptz not null
);
-- The sweep that forgets what is over; of a person (the foreign key).
create index passkey_challenge_by_expiry on identity.passkey_challenge (expires_at);
create index passkey_challenge_by_staff on identity.passkey_challenge (staff_id);

-- A secret that was sent by mail: one purpose, one person, one use. Using it deletes the row, so of many at once one
-- wins.
create table identity.one_time_token (
  token_hash bytea primary key,
  purpose text not null constraint one_time_token_purpose
    check (purpose in ('password-reset', 'invitation', 'sign-in', 'email-change')),
  staff_id uuid not null constraint one_time_token_staff references identity.staff,
  expires_at timestamptz not null,
  -- Of a sign-in: the browser that asked for it. Another one has to confirm.
  browser_hash bytea,
  -- The new address of a change.
  email text
    constraint one_time_token_email_form check (email = lower(email) and length(email) between 3 and 254)
);
-- A new token replaces the old ones of a person.
create index one_time_token_by_staff on identity.one_time_token (staff_id);
-- The sweep that forgets what is over.
create index one_time_token_by_expiry on identity.one_time_token (expires_at);

-- Somebody who was sent to an OpenID Connect provider and is expected back, once and in the same browser.
create table identity.sign_on_attempt (
  state_hash bytea primary key,
  provider text not null,
  browser_hash bytea not null,
  expires_at timestamptz not null
);
-- The sweep that forgets what is over.
create index sign_on_attempt_by_expiry on identity.sign_on_attempt (expires_at);

-- Who somebody is at a provider, since they came from there with a proven address. One account of each provider: who
-- gets the address of a former colleague there does not become them here.
create table identity.sign_on_account (
  provider text not null constraint sign_on_account_provider check (provider ~ '^[a-z][a-z0-9-]{0,39}$'),
  subject text not null constraint sign_on_account_subject_length check (length(subject) between 1 and 255),
  staff_id uuid not null constraint sign_on_account_staff references identity.staff,
  created_at timestamptz not null default now(),
  primary key (provider, subject),
  constraint sign_on_account_one unique (staff_id, provider)
);

-- The key of a server, shown once. It may do what its permissions say, whatever becomes of who made it.
create table identity.secret_key (
  id uuid primary key,
  token_hash bytea not null constraint secret_key_token_unique unique,
  -- The first characters, by which people tell their keys apart.
  prefix text not null constraint secret_key_prefix_length check (length(prefix) between 3 and 20),
  name text not null constraint secret_key_name_length check (length(name) between 1 and 100),
  permissions text[] not null constraint secret_key_permissions_count check (cardinality(permissions) <= 200),
  created_by uuid,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  -- As of staff and their role, taken from whoever made the key.
  channel_ids uuid[] constraint secret_key_channels_count check (cardinality(channel_ids) between 1 and 200),
  location_ids uuid[]
    constraint secret_key_locations_count check (cardinality(location_ids) between 1 and 200),
  company_ids uuid[]
    constraint secret_key_companies_count check (cardinality(company_ids) between 1 and 200),
  refund_limits jsonb
    constraint secret_key_refund_limits_list check (jsonb_typeof(refund_limits) = 'array'),
  discount_limit_ppm integer
    constraint secret_key_discount_limit_range check (discount_limit_ppm between 0 and 1000000),
  -- The networks it may be used from; null: any.
  addresses inet[] constraint secret_key_addresses_count check (cardinality(addresses) between 1 and 50),
  -- The key that took its place; from then on it has an end. A key is replaced once.
  replaced_by uuid constraint secret_key_replaced_once unique
    constraint secret_key_replacement references identity.secret_key
) with (fillfactor = 80);

-- The key of a shop page. Everybody can read it there, so it is no secret: it says which channel is meant.
create table identity.publishable_key (
  id uuid primary key,
  key text not null constraint publishable_key_unique unique
    constraint publishable_key_form check (key ~ '^pk_[A-Za-z0-9_-]{43}$'),
  channel_id uuid not null,
  name text not null constraint publishable_key_name_length check (length(name) between 1 and 100),
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);

-- A leaking bucket for each thing that is limited (an account, an address): it is empty again at drained_at, each act
-- moves that ahead, and never further than capacity from now. Unlogged: a crash empties the buckets, which costs
-- nothing. No index on drained_at, so that each act is a HOT update; the sweep reads the few buckets that there are.
create unlogged table identity.rate_limit (
  key text primary key constraint rate_limit_key_length check (length(key) <= 100),
  drained_at timestamptz not null,
  capacity interval not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Who signed in from where: a hash of the account and the address prefix. There, guesses from elsewhere are no reason to
-- refuse them.
create table identity.known_origin (
  mark bytea primary key,
  last_at timestamptz not null default now()
);

-- Requests of a key or an address within the minute, over all processes (limit-requests.ts).
create unlogged table identity.request_count (
  subject text primary key constraint request_count_subject_length check (length(subject) <= 100),
  minute bigint not null,
  requests integer not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
