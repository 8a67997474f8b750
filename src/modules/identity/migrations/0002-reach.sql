-- How far roles, staff and keys reach: limits of amounts, channels and locations; addresses and rotation of keys; and
-- seeing the shop as a colleague does.
set local lock_timeout = '5s';

alter table identity.role
  add column refund_limits jsonb constraint role_refund_limits_list check (jsonb_typeof(refund_limits) = 'array'),
  add column discount_limit_ppm integer
    constraint role_discount_limit_range check (discount_limit_ppm between 0 and 1000000),
  add constraint role_system_unlimited check (not system or (refund_limits is null and discount_limit_ppm is null));

alter table identity.staff
  add column channel_ids uuid[] constraint staff_channels_count check (cardinality(channel_ids) between 1 and 200),
  add column location_ids uuid[] constraint staff_locations_count check (cardinality(location_ids) between 1 and 200),
  add column company_ids uuid[] constraint staff_companies_count check (cardinality(company_ids) between 1 and 200),
  add constraint staff_owner_everywhere check (
    role_code <> 'owner' or (channel_ids is null and location_ids is null and company_ids is null));

alter table identity.secret_key
  add column channel_ids uuid[] constraint secret_key_channels_count check (cardinality(channel_ids) between 1 and 200),
  add column location_ids uuid[]
    constraint secret_key_locations_count check (cardinality(location_ids) between 1 and 200),
  add column company_ids uuid[]
    constraint secret_key_companies_count check (cardinality(company_ids) between 1 and 200),
  add column refund_limits jsonb
    constraint secret_key_refund_limits_list check (jsonb_typeof(refund_limits) = 'array'),
  add column discount_limit_ppm integer
    constraint secret_key_discount_limit_range check (discount_limit_ppm between 0 and 1000000),
  add column addresses inet[] constraint secret_key_addresses_count check (cardinality(addresses) between 1 and 50),
  add column replaced_by uuid constraint secret_key_replaced_once unique
    constraint secret_key_replacement references identity.secret_key;

create table identity.viewing (
  session_id uuid primary key constraint viewing_session references identity.session on delete cascade,
  staff_id uuid not null constraint viewing_staff references identity.staff,
  until timestamptz not null
);
create index viewing_by_staff on identity.viewing (staff_id);
