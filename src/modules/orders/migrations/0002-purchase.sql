-- What each address bought, for whoever counts it.
set local lock_timeout = '5s';

create view orders.purchase as
  select lower(email) as email, id, currency, total_minor, placed_at from orders."order" where state = 'placed';
