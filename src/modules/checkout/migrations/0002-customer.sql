-- Whose a cart is, once they are signed in.
set local lock_timeout = '5s';

alter table checkout.cart add column customer_id uuid;
create index cart_by_customer on checkout.cart (customer_id, id) where customer_id is not null;
