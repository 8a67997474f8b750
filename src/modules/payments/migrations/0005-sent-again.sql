set local lock_timeout = '5s';

alter table payments.attempt
  add column sent_again_at timestamptz,
  add column lost boolean not null default false;
