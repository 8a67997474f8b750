-- Whose an order is, where they were signed in or have shown since that it is theirs.
set local lock_timeout = '5s';

alter table orders."order" add column customer_id uuid;
create index order_list_by_customer on orders."order" (customer_id, created_at desc, id desc) where customer_id is not null;

create or replace view orders.purchase as
  select lower(email) as email, id, currency, total_minor, placed_at, customer_id from orders."order" where state = 'placed';
