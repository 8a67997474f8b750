set local lock_timeout = '5s';

with sold as (
  select gen_random_uuid() as entry_id, id as order_id, number, currency, placed_at, total_minor, subtotal_minor,
    shipping_minor, discount_minor, tax_minor,
    case when prices_include_tax then tax_minor else 0 end as included_minor,
    case when prices_include_tax then coalesce((delivery ->> 'taxMinor')::bigint, 0) else 0 end as delivery_tax_minor
  from orders."order" where state = 'placed' and total_minor + discount_minor > 0
), entry as (
  insert into payments.ledger_entry (id, source_type, source_id, kind, currency, order_id, note, at)
  select entry_id, 'order', order_id, 'sale', currency, order_id, 'order ' || number, placed_at from sold
)
insert into payments.ledger_line (entry_id, account, amount_minor)
select entry_id, account, amount_minor from sold, lateral (values
  ('receivable', total_minor),
  ('discount', discount_minor),
  ('revenue', included_minor - delivery_tax_minor - subtotal_minor),
  ('shipping', delivery_tax_minor - shipping_minor),
  ('tax', -tax_minor)
) as line (account, amount_minor) where amount_minor <> 0;
