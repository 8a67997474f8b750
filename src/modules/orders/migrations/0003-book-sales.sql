set local lock_timeout = '5s';

select payments.book_opening_sale(
  id, 'order ' || number, currency, placed_at, total_minor, discount_minor,
  subtotal_minor - case when prices_include_tax
    then tax_minor - coalesce((delivery ->> 'taxMinor')::bigint, 0) else 0 end,
  shipping_minor - case when prices_include_tax then coalesce((delivery ->> 'taxMinor')::bigint, 0) else 0 end,
  tax_minor)
from orders."order" where state = 'placed' and total_minor + discount_minor > 0;
