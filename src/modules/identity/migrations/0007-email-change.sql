-- A link by mail that proves a new address.
set local lock_timeout = '5s';

alter table identity.one_time_token
  drop constraint one_time_token_purpose,
  add column email text
    constraint one_time_token_email_form check (email = lower(email) and length(email) between 3 and 254),
  add constraint one_time_token_purpose check (purpose in ('password-reset', 'invitation', 'sign-in', 'email-change'));
