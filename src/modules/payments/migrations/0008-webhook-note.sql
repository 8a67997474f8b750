-- What a gateway wants people to know, apart from why a message was quarantined: asked again, the second may be over.
set local lock_timeout = '5s';
alter table payments.webhook_event add column note text;
update payments.webhook_event set note = reason where reason is not null and not (reason like any (array[
  'it belongs to the account %', 'it speaks of %', 'no payment of ours %', 'the gateway took money for what is %']));
