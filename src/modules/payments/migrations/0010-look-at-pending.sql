-- What a gateway called under way is looked at from now on; where people look after it, the first look ends that again.
set local lock_timeout = '5s';
update payments.attempt set next_check_at = now() + interval '1 hour' where state = 'pending' and next_check_at is null;
