-- Passkeys: a way in without a password. An owner who has one can do without the password.
set local lock_timeout = '5s';

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
create index passkey_by_staff on identity.passkey (staff_id, id);

create table identity.passkey_challenge (
  challenge_hash bytea primary key,
  staff_id uuid constraint passkey_challenge_staff references identity.staff,
  expires_at timestamptz not null
);
create index passkey_challenge_by_expiry on identity.passkey_challenge (expires_at);
create index passkey_challenge_by_staff on identity.passkey_challenge (staff_id);

create or replace function identity.keep_an_owner() returns trigger language plpgsql as $$
begin
  perform from identity.role where code = 'owner' for update;
  if not exists (select from identity.staff where role_code = 'owner' and active and (password_hash is not null
    or exists (select from identity.passkey where passkey.staff_id = staff.id))) then
    raise exception 'the last owner stays' using errcode = 'check_violation', constraint = 'staff_owner_remains';
  end if;
  return null;
end $$;
drop trigger staff_owner_remains on identity.staff;
create trigger staff_owner_remains after update or delete on identity.staff
  for each row when (old.role_code = 'owner' and old.active)
  execute function identity.keep_an_owner();
