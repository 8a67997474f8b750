-- Roles whose people need a second factor.
set local lock_timeout = '5s';

alter table identity.role add column second_factor boolean not null default false;
