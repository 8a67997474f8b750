// The statements that grow a shop (grow.ts), in the order in which they run. They read their numbers from settings of
// the transaction. Ids are UUIDv7 of the moment that they stand for, as the shop's own are: indexes fill as they would.

const products = `current_setting('grow.products')::int`
const orders = `current_setting('grow.orders')::int`
const channel = `current_setting('grow.channel')::uuid`
const here = `current_setting('grow.here')::uuid`
const there = `current_setting('grow.there')::uuid`

/** A moment for the n-th of all orders, evenly in the time before now. */
const within = (time: string): string => `now() - (1 - n / ${orders}::float8) * interval '${time}'`

const tools = `
  create function pg_temp.id_at(at timestamptz) returns uuid language sql volatile as $$
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3)
      || '8' || substr(md5(random()::text), 1, 15))::uuid $$;
  create function pg_temp.word(n int) returns text language sql immutable as $$
    select translate(substr(md5('word' || n), 1, 7), '0123456789', 'ghijklmnop') $$`

export const catalogue = [tools, `
  create temp table grown_product as
    select n, pg_temp.id_at(at) as id, at, n % 100 <> 0 as active
    from generate_series(1, ${products}) as n
    cross join lateral (
      select now() - interval '900 days' + (n / ${products}::float8) * interval '150 days' as at) as t`,
`insert into catalog.product (id, handle, title, description_html, vendor, type, tags, status, options, created_at)
  select id, 'thing-' || n,
    initcap(pg_temp.word(n) || ' ' || (array['mug', 'bowl', 'plate', 'lamp', 'chair'])[n % 5 + 1] || ' ' || n),
    '<p>Made by hand of ' || pg_temp.word(n / 2) || ', one like no other.</p>', 'Pottery ' || n % 300,
    'Kind ' || n % 60, array['tag-' || n % 40, 'tag-' || n % 37], case when active then 'active' else 'draft' end,
    '[{"name": "Size", "values": ["S", "M", "L"]}]', at
  from grown_product`,
`create temp table grown_variant as
  select (row_number() over (order by n, k))::int as n, pg_temp.id_at(at) as id, product.id as product_id,
    product.active, k, 500 + (n % 90) * 100 + k * 50 as unit_minor
  from grown_product as product cross join generate_series(1, 3) as k`,
`create unique index on grown_variant (n)`,
`insert into catalog.variant (id, product_id, options, title, position, sku, barcode, weight_grams)
  select id, product_id, jsonb_build_object('Size', (array['S', 'M', 'L'])[k]), (array['S', 'M', 'L'])[k], k,
    'sku-' || n, (4000000000000 + n)::text, 300 from grown_variant`,
`insert into catalog.publication (product_id, channel_id, published_from)
  select id, ${channel}, at from grown_product`,
`insert into media.asset (id, key, content_hash, filename, animated, touched_at, files)
  select id, translate(substr(md5('a' || n), 1, 26), '0189', 'wxyz'), sha256(('a' || n)::bytea), n || '.jpg', false, at,
    '[{"name": "640.webp", "width": 640, "height": 480, "bytes": 20311}]' from grown_product`,
`insert into media.asset_use (used_by, asset_id) select 'product:' || id, id from grown_product`,
`insert into catalog.product_image (id, product_id, asset_id, url, position)
  select pg_temp.id_at(at), id, case k when 0 then id end, '/media/' || n || '/' || k || '.webp', k
  from grown_product cross join generate_series(0, 1) as k`,
`insert into catalog.category (id, parent_id, path, handle, name)
  with root as (select n, pg_temp.id_at(now()) as id from generate_series(1, 10) as n),
  leaf as (
    select root.id as parent_id, pg_temp.id_at(now()) as id, n, k from root cross join generate_series(1, 20) as k)
  select id, null, array[id], 'root-' || n, 'Root ' || n from root
  union all select id, parent_id, array[parent_id, id], 'leaf-' || n || '-' || k, 'Leaf ' || k from leaf`,
`insert into catalog.product_category (product_id, category_id)
  with leaf as (
    select id, (row_number() over (order by handle))::int - 1 as n, count(*) over () as leaves
    from catalog.category where parent_id is not null)
  select product.id, leaf.id from grown_product as product join leaf on leaf.n in (
    product.n % leaves, product.n * 7 % leaves)`,
`insert into catalog.collection (id, handle, title)
  select pg_temp.id_at(now()), 'collection-' || n, 'Collection ' || n from generate_series(1, 20) as n`,
`insert into catalog.collection_product (collection_id, product_id, position)
  select collection.id, product.id, product.n
  from (select id, row_number() over (order by handle) as n from catalog.collection) as collection
  join grown_product as product on product.n % 400 = collection.n`,
`insert into catalog.former_handle (kind, handle, target_id)
  select 'product', 'once-' || n, id from grown_product where n % 10 = 0`,
`insert into pricing.price_list (id, channel_id, currency, name, priority, ends_at) values
  (pg_temp.id_at(now()), ${channel}, 'EUR', 'Base', 0, null),
  (pg_temp.id_at(now()), ${channel}, 'EUR', 'Sale', 10, now() + interval '9 days')`,
`insert into pricing.price (variant_id, price_list_id, min_quantity, unit_minor, compare_at_minor)
  select variant.id, list.id, 1, unit_minor - list.priority * 5,
    case when list.priority > 0 then unit_minor end
  from grown_variant as variant join pricing.price_list as list on list.priority = 0 or variant.n % 20 = 0`,
`insert into inventory.item (variant_id) select id from grown_variant`,
`drop table grown_product`]

// What an order was: state and age decide the rest. Bought is mostly what was bought before (the third power).
const sales = [`
  create temp table grown_order as
    select n, pg_temp.id_at(at) as id, at, 'buyer' || n % (${orders} / 3 + 1) || '@example.com' as email,
      case when n > ${orders} - 20 then 'awaiting_payment' when n % 33 = 0 then 'lapsed'
        when n % 34 = 0 then 'cancelled' else 'placed' end as state, n <= ${orders} * 0.98 as shipped
    from generate_series(1, ${orders}) as n
    cross join lateral (select ${within('730 days')} as at) as t`,
`create temp table grown_line as
  select one.id as order_id, one.state, one.shipped, one.at, picked.position, variant.n as variant,
    variant.id as variant_id, variant.product_id, 1 + (one.n + picked.position) % 2 as quantity, variant.unit_minor,
    case when variant.n % 3 = 0 and random() < 0.3 then ${there} else ${here} end as location_id
  from grown_order as one
  cross join lateral (
    select position, 1 + floor(power(random(), 3) * ${products} * 3)::int as variant
    from generate_series(1, 1 + one.n % 3) as position) as picked
  join grown_variant as variant on variant.n = picked.variant`,
`create index on grown_line (order_id)`,
`analyze grown_order, grown_line, grown_variant`,
`insert into orders."order" (id, number, channel_id, state, currency, email, shipping_address, token_hash,
    prices_include_tax, delivery, subtotal_minor, shipping_minor, discount_minor, tax_minor, total_minor,
    payment_method, holds_until, created_at, placed_at, closed_at)
  select one.id, nextval('orders.number'), ${channel}, one.state, 'EUR', email,
    '{"name": "Anna Holm", "line1": "Kai 7", "postalCode": "20457", "city": "Hamburg", "country": "DE"}',
    sha256(one.id::text::bytea), true, '{"code": "parcel", "amountMinor": 490, "taxMinor": 0, "totalMinor": 490}',
    subtotal, 490, 0, tax, subtotal + 490, 'card',
    one.at + interval '15 minutes', one.at, case when one.state in ('placed', 'cancelled') then one.at end,
    case when one.state in ('lapsed', 'cancelled') then one.at + interval '1 hour' end
  from grown_order as one join (
    select order_id, sum(unit_minor * quantity) as subtotal, sum(unit_minor * quantity * 19 / 119) as tax
    from grown_line group by 1) as sum on order_id = one.id
  order by one.n`,
`insert into orders.line (order_id, position, variant_id, product_id, sku, product_title, variant_title,
    requires_shipping, weight_grams, quantity, unit_minor, per_units, tax_rate_ppm, subtotal_minor, discount_minor,
    tax_minor, total_minor)
  select order_id, position, variant_id, product_id, 'sku-' || variant, 'Thing', 'M', true, 300, quantity, unit_minor,
    1, 190000, unit_minor * quantity, 0, unit_minor * quantity * 19 / 119, unit_minor * quantity
  from grown_line order by at, position`,
`insert into orders.timeline_entry (order_id, at, kind, actor)
  select id, at, kind, 'shopper' from grown_order cross join lateral unnest(case state
    when 'awaiting_payment' then array['created'] when 'placed' then array['created', 'placed']
    else array['created', state] end) as kind order by n`]

const stock = [`
  create temp table grown_stock as
    select variant_id, location_id, sum(quantity) filter (where state = 'placed' and shipped) as gone,
      coalesce(sum(quantity) filter (
        where state = 'awaiting_payment' or state = 'placed' and not shipped), 0) as promised
    from grown_line group by 1, 2`,
`insert into grown_stock select id, ${here}, 0, 0 from grown_variant
  where id not in (select variant_id from grown_stock where location_id = ${here})`,
`insert into inventory.stock (variant_id, location_id, on_hand, reserved)
  select variant_id, location_id, promised + 100, promised from grown_stock`,
`insert into inventory.movement (variant_id, location_id, quantity, cause, actor, created_at)
  select variant_id, location_id, coalesce(gone, 0) + promised + 100, 'receipt', 'system', now() - interval '2 years'
  from grown_stock`,
`insert into inventory.movement (variant_id, location_id, quantity, cause, actor, reference, created_at)
  select variant_id, location_id, -sum(quantity), 'shipment', 'system', order_id::text, at
  from grown_line where state = 'placed' and shipped group by order_id, variant_id, location_id, at order by at`,
`insert into inventory.reservation (order_id, variant_id, location_id, quantity, shipped, state, expires_at, created_at)
  select order_id, variant_id, location_id, quantity, case when state = 'placed' and shipped then quantity else 0 end,
    case when state in ('lapsed', 'cancelled') then 'released' when state = 'awaiting_payment' then 'held'
      when shipped then 'shipped' else 'claimed' end,
    case state when 'awaiting_payment' then now() + interval '15 minutes' end, at
  from grown_line order by at`,
`update orders."order" set holds_until = now() + interval '15 minutes' where state = 'awaiting_payment'`]

const money = [`
  insert into payments.payment (id, order_id, currency, amount_minor, authorized_minor, captured_minor,
    refunded_minor, closed, created_at)
  select pg_temp.id_at(created_at), id, 'EUR', total_minor, took, took,
    case state when 'cancelled' then total_minor else 0 end, state in ('cancelled', 'lapsed'), created_at
  from orders."order"
  cross join lateral (select case when state in ('placed', 'cancelled') then total_minor else 0 end as took) as t
  order by created_at`,
`insert into payments.attempt (id, payment_id, method, gateway, state, capture, reference, next_check_at, created_at)
  select pg_temp.id_at(payment.created_at), payment.id, 'card', 'simulator',
    case state when 'awaiting_payment' then 'requires_action' when 'lapsed' then 'declined' else 'captured' end, true,
    'ch_' || payment.id, case state when 'awaiting_payment' then now() + interval '5 minutes' end, payment.created_at
  from payments.payment join orders."order" on "order".id = order_id order by payment.created_at`,
`insert into payments.operation (id, payment_id, attempt_id, kind, amount_minor, state, reference, created_at)
  select pg_temp.id_at(payment.created_at), payment.id, attempt.id, 'refund', amount_minor, 'done', 're_' || payment.id,
    payment.created_at
  from payments.payment join payments.attempt on payment_id = payment.id where refunded_minor > 0`,
`create temp table grown_entry as
  select pg_temp.id_at(at) as id, source_type, source_id, kind, order_id, payment_id, at, goods, shipping_minor,
    tax_minor, sale, money
  from (
    select id as order_id, created_at as at, state, total_minor, shipping_minor, tax_minor,
      subtotal_minor - tax_minor as goods
    from orders."order"
  ) as "order"
  cross join lateral (select id as payment_id from payments.payment where payment.order_id = "order".order_id) as paid
  cross join lateral (values
    ('order', order_id, 'sale', 1, 0), ('payment', payment_id, 'capture', 0, total_minor),
    ('order', order_id, 'cancellation', -1, 0), ('payment', payment_id, 'refund', 0, -total_minor)
  ) as entry (source_type, source_id, kind, sale, money)
  where state = 'cancelled' or state = 'placed' and kind in ('sale', 'capture')`,
`insert into payments.ledger_entry (id, source_type, source_id, kind, currency, order_id, payment_id, at)
  select id, source_type, source_id, kind, 'EUR', order_id, case when money <> 0 then payment_id end, at
  from grown_entry order by at`,
`insert into payments.ledger_line (entry_id, account, amount_minor)
  select id, account, amount from grown_entry cross join lateral (values
    ('receivable', sale * (goods + tax_minor + shipping_minor) - money), ('revenue', -sale * goods),
    ('tax', -sale * tax_minor), ('shipping', -sale * shipping_minor), ('clearing:simulator', money)
  ) as line (account, amount) where amount <> 0 order by at`,
`insert into payments.webhook_event (gateway, event_id, about, reference, state, next_try_at, received_at)
  select 'simulator', 'evt_' || n, 'charge', 'ch_' || id, 'done', null, now() - n * interval '30 days' / ${orders}
  from grown_order where n % 4 = 0`,
`insert into pricing.promotion (id, name, kind, rate_ppm, automatic)
  values (pg_temp.id_at(now()), 'Welcome', 'percentage', 100000, false)`,
`create temp table grown_coupon as
  select promotion.id as promotion_id, one.id as order_id, 'WELCOME-' || n as code
  from grown_order as one cross join pricing.promotion where n % 10 = 0 and state = 'placed'`,
`insert into pricing.coupon (id, promotion_id, code, use_limit)
  select pg_temp.id_at(now()), promotion_id, code, 1 from grown_coupon`,
`insert into pricing.use_count (promotion_id, scope, used, use_limit)
  select promotion_id, 'code:' || code, 1, 1 from grown_coupon`,
`insert into pricing.coupon_use (order_id, promotion_id, scope, state)
  select order_id, promotion_id, 'code:' || code, 'confirmed' from grown_coupon`]

// What is kept for a while, as much of it as a shop with so many orders has.
const passing = [`
  insert into checkout.cart (id, channel_id, token_hash, currency, lines, email, order_id, created_at, updated_at,
    expires_at)
  select pg_temp.id_at(moment), ${channel}, sha256(one.n::text::bytea), 'EUR',
    jsonb_build_array(jsonb_build_object('variantId', variant.id, 'quantity', 1)), email,
    case when one.n % 8 = 0 then one.id end, moment, moment, moment + interval '60 days'
  from (select *, ${within('59 days')} as moment from grown_order where n % 4 = 0) as one
  join grown_variant as variant on variant.n = 1 + one.n % (${products} * 3)`,
`insert into platform.idempotency_key (principal, route, key, body_hash, result_id, created_at)
  select 'cart:' || n, 'POST /store/carts/:cartId/complete', 'key-' || n, sha256(n::text::bytea), id,
    ${within('47 hours')} from grown_order where n % 4 = 0`,
`insert into platform.audit_log (id, at, actor_kind, route, target, request_id)
  select pg_temp.id_at(at), at, 'system', 'POST /admin/orders/:orderId/cancel', '{}', 'request'
  from grown_order where n % 2 = 0`,
'select platform.seal_audit(1000000)',
`insert into platform.event (id, type, payload, created_at, available_at, relayed_at)
  select pg_temp.id_at(moment), 'order.placed', jsonb_build_object('orderId', id), moment, moment, moment
  from (select *, ${within('13 days')} as moment from grown_order where n % 4 = 0) as one`,
`insert into platform.invalidation (tags, at)
  select array['product:' || n], ${within('59 minutes')} from grown_order where n > ${orders} - 1000`,
`insert into notifications.message (id, template, recipient, data, state, attempts, created_at, due_at, sent_at)
  select pg_temp.id_at(moment), 'order-confirmation', email, '{}', 'sent', 1, moment, moment, moment
  from (select *, ${within('29 days')} as moment from grown_order where n % 4 = 0) as one`,
`drop table grown_order, grown_line, grown_stock, grown_coupon, grown_variant`]

export const history = [...sales, ...stock, ...money, ...passing]
