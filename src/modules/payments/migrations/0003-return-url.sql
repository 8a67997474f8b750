set local lock_timeout = '5s';

alter table payments.attempt add column return_url text;
