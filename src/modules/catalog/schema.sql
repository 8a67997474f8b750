-- What is sold, and where it is shown. Prices and stock belong to other modules; they meet the catalogue by variant id.
-- A variant's id is for ever: orders, stock and prices hold it, so variants are retired and products archived, never
-- deleted.
create schema catalog;

-- Words in lower case without accents and ASCII punctuation: "Crème-Brûlée" is "creme brulee". unaccent() is only
-- stable because its dictionary could be changed; naming the dictionary and promising not to change it makes the
-- wrapper fit for stored documents.
create function catalog.plain(words text) returns text language sql immutable strict parallel safe
  return regexp_replace(lower(extensions.unaccent('extensions.unaccent', words)),
    '[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+', ' ', 'g');

-- What a shopper typed as a query: every word, each as the beginning of one ("shirt" finds "shirts").
create function catalog.search_query(words text) returns tsquery language sql immutable strict parallel safe
  return (select to_tsquery('simple', string_agg(quote_literal(word) || ':*', ' & '))
            from unnest(string_to_array(catalog.plain(words), ' ')) as word where word <> '');

-- A shop front: what it sells in (currencies), for whom (country, locale), and whether its prices show tax included.
create table catalog.channel (
  id uuid primary key,
  code text not null constraint channel_code_unique unique
    constraint channel_code_form check (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(code) <= 60),
  name text not null constraint channel_name_length check (length(name) between 1 and 200),
  currencies text[] not null
    constraint channel_currencies_form check (
      cardinality(currencies) between 1 and 50 and array_to_string(currencies, '') ~ '^([A-Z]{3})+$'),
  default_currency text not null
    constraint channel_default_currency_offered check (default_currency = any (currencies)),
  default_locale text not null constraint channel_default_locale_length check (length(default_locale) between 2 and 35),
  country text not null constraint channel_country_form check (country ~ '^[A-Z]{2}$'),
  prices_include_tax boolean not null,
  active boolean not null default true,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- The definitions of typed attributes; the values lie in product.attributes and are checked against them on write.
create table catalog.attribute (
  code text primary key
    constraint attribute_code_form check (code ~ '^[a-z0-9]+([_-][a-z0-9]+)*$' and length(code) <= 60),
  name text not null constraint attribute_name_length check (length(name) between 1 and 200),
  kind text not null constraint attribute_kind_known check (kind in ('text', 'number', 'boolean', 'date', 'choice')),
  choices text[] not null default '{}',
  filterable boolean not null default false,
  constraint attribute_choices_fit_kind check ((kind = 'choice') = (cardinality(choices) > 0))
);

create table catalog.product (
  id uuid primary key,
  handle text not null constraint product_handle_unique unique
    constraint product_handle_form check (
      length(handle) between 1 and 200 and handle !~ '[[:space:]/?#%]' and handle = lower(handle)),
  title text not null constraint product_title_length check (length(title) between 1 and 300),
  description_html text not null default ''
    constraint product_description_length check (length(description_html) <= 100000),
  vendor text not null default '' constraint product_vendor_length check (length(vendor) <= 200),
  type text not null default '' constraint product_type_length check (length(type) <= 200),
  tags text[] not null default '{}' constraint product_tags_count check (cardinality(tags) <= 250),
  status text not null default 'draft'
    constraint product_status_known check (status in ('draft', 'active', 'archived')),
  tax_class text not null default 'standard'
    constraint product_tax_class_length check (length(tax_class) between 1 and 60),
  seo_title text not null default '' constraint product_seo_title_length check (length(seo_title) <= 300),
  seo_description text not null default ''
    constraint product_seo_description_length check (length(seo_description) <= 1000),
  -- [{"name": "Colour", "values": ["Red", "Blue"]}] in the merchant's order. It is read and replaced as a whole, under
  -- the product's row lock; the variants hold their own values.
  options jsonb not null default '[]'
    constraint product_options_form check (jsonb_typeof(options) = 'array' and jsonb_array_length(options) <= 8),
  attributes jsonb not null default '{}' constraint product_attributes_form check (jsonb_typeof(attributes) = 'object'),
  metadata jsonb not null default '{}' constraint product_metadata_form check (jsonb_typeof(metadata) = 'object'),
  -- Counts every change of the product and of what hangs on it (variants, images): it is the ETag.
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
-- The list of staff, newest first.
create index product_list_newest on catalog.product (created_at desc, id desc);
-- The same by status.
create index product_list_by_status on catalog.product (status, created_at desc, id desc);
-- Search sorted by title: the walk that a page ends early.
create index product_sort_by_title on catalog.product (title, id);

-- An image is an asset of module media, or an address elsewhere (an import before its pictures are fetched).
create table catalog.product_image (
  id uuid primary key,
  product_id uuid not null references catalog.product on delete cascade,
  asset_id uuid,
  url text not null constraint product_image_url_length check (length(url) between 1 and 2000),
  alt text not null default '' constraint product_image_alt_length check (length(alt) <= 500),
  position integer not null,
  constraint product_image_once unique (product_id, url),
  constraint product_image_of_product unique (product_id, id)
);
-- The pictures of a product.
create index product_images_in_order on catalog.product_image (product_id, position);

create table catalog.variant (
  id uuid primary key,
  product_id uuid not null references catalog.product on delete cascade,
  -- {"Colour": "Red", "Size": "M"}. A combination is one variant for ever: when it comes back it is the same variant
  -- again.
  options jsonb not null default '{}',
  title text not null,
  position integer not null,
  -- Checked at the end of a statement, so that one call can swap two SKUs.
  sku text constraint variant_sku_length check (length(sku) between 1 and 200)
    constraint variant_sku_unique unique deferrable initially immediate,
  barcode text constraint variant_barcode_length check (length(barcode) between 1 and 100),
  weight_grams integer not null default 0 constraint variant_weight_not_negative check (weight_grams >= 0),
  requires_shipping boolean not null default true,
  tax_class text constraint variant_tax_class_length check (length(tax_class) between 1 and 60),
  image_id uuid,
  active boolean not null default true,
  metadata jsonb not null default '{}' constraint variant_metadata_form check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  constraint variant_combination_once unique (product_id, options),
  constraint variant_image_of_product foreign key (product_id, image_id)
    references catalog.product_image (product_id, id) on delete set null (image_id)
);
-- The variants of a product.
create index variants_in_order on catalog.variant (product_id, position);
-- Staff and scanners look for a barcode.
create index variant_by_barcode on catalog.variant (barcode) where barcode is not null;
-- Deleting an image finds the variants that show it (the foreign key).
create index variant_by_image on catalog.variant (product_id, image_id) where image_id is not null;

-- A product is shown in a channel from a moment, until another or for good.
create table catalog.publication (
  product_id uuid not null constraint publication_of_product references catalog.product on delete cascade,
  channel_id uuid not null constraint publication_in_channel references catalog.channel on delete cascade,
  published_from timestamptz not null,
  published_until timestamptz constraint publication_ends_after_start check (published_until > published_from),
  -- When the product next appears or disappears by itself; a sweep then tells the caches. Null: never.
  changes_at timestamptz,
  primary key (product_id, channel_id)
);
-- What a channel shows, newest first: the walk that a page ends early.
create index publication_newest on catalog.publication (channel_id, published_from desc, product_id desc);
-- The sweep that tells the caches what appears or disappears by itself.
create index publication_due on catalog.publication (changes_at) where changes_at is not null;

-- A tree. path runs from the root to the category itself, so a subtree is one index condition and a cycle cannot be
-- written: a move rewrites the paths below it in one statement, and moves queue behind a table lock that readers do not
-- notice.
create table catalog.category (
  id uuid primary key,
  parent_id uuid constraint category_parent_exists references catalog.category,
  path uuid[] not null
    constraint category_path_ends_here check (
      path[cardinality(path)] = id and array_position(path, id) = cardinality(path))
    constraint category_depth check (cardinality(path) <= 16),
  handle text not null constraint category_handle_unique unique
    constraint category_handle_form check (
      length(handle) between 1 and 200 and handle !~ '[[:space:]/?#%]' and handle = lower(handle)),
  name text not null constraint category_name_length check (length(name) between 1 and 200),
  description_html text not null default ''
    constraint category_description_length check (length(description_html) <= 100000),
  position integer not null default 0,
  active boolean not null default true,
  version integer not null default 1,
  constraint category_path_follows_parent check (parent_id is not distinct from path[cardinality(path) - 1]),
  constraint category_name_once unique nulls not distinct (parent_id, name)
);
-- Everything below a category.
create index category_subtree on catalog.category using gin (path);

create table catalog.product_category (
  product_id uuid not null references catalog.product on delete cascade,
  category_id uuid not null constraint product_category_exists references catalog.category on delete cascade,
  primary key (product_id, category_id)
);
-- The products of a category.
create index products_of_category on catalog.product_category (category_id, product_id);

-- kind leaves room for collections whose members follow from a rule.
create table catalog.collection (
  id uuid primary key,
  handle text not null constraint collection_handle_unique unique
    constraint collection_handle_form check (
      length(handle) between 1 and 200 and handle !~ '[[:space:]/?#%]' and handle = lower(handle)),
  title text not null constraint collection_title_length check (length(title) between 1 and 300),
  description_html text not null default ''
    constraint collection_description_length check (length(description_html) <= 100000),
  kind text not null default 'manual' constraint collection_kind_known check (kind in ('manual')),
  active boolean not null default true,
  version integer not null default 1,
  created_at timestamptz not null default now()
);

create table catalog.collection_product (
  collection_id uuid not null
    constraint collection_product_in_collection references catalog.collection on delete cascade,
  product_id uuid not null constraint collection_product_exists references catalog.product on delete cascade,
  position integer not null,
  primary key (collection_id, product_id)
);
-- A collection in its order.
create index collection_in_order on catalog.collection_product (collection_id, position, product_id);
-- The collections of a product; also for the foreign key.
create index collections_of_product on catalog.collection_product (product_id);

-- Handles that once led somewhere and still should. A present handle always wins, so taking over an old one is allowed.
create table catalog.former_handle (
  kind text not null constraint former_handle_kind_known check (kind in ('product', 'category', 'collection')),
  handle text not null,
  target_id uuid not null,
  since timestamptz not null default now(),
  primary key (kind, handle)
);

-- What search reads: one row per product, rewritten by refreshSearch() in the transaction of the change.
create table catalog.product_search (
  product_id uuid primary key references catalog.product on delete cascade,
  active boolean not null,
  -- name, unit separator, value: 'vendor␟Acme', 'option.Colour␟Red'. Counted by unnesting: 100,000 products take 140
  -- ms.
  facets text[] not null,
  document tsvector not null
);
-- Matching words.
create index search_by_words on catalog.product_search using gin (document);
-- Matching words in titles: of a thousand matches and more those come first.
create index search_by_title_words on catalog.product_search using gin (ts_filter(document, '{a}'));
-- Filtering by facets.
create index search_by_facets on catalog.product_search using gin (facets);

-- Every word that search documents hold: a misspelt word is replaced by its nearest neighbour here.
create table catalog.search_word (
  word text collate "C" primary key constraint search_word_length check (length(word) between 3 and 40)
);
-- Correcting a typo: the nearest words.
create index search_word_nearest on catalog.search_word using gist (word extensions.gist_trgm_ops);

-- Published: what may be bought in which channel at this moment. sku is '' for a variant without one.
create view catalog.sellable_variant as
select v.id as variant_id, u.channel_id, p.id as product_id, p.handle as product_handle, p.title as product_title,
       v.title as variant_title, coalesce(v.sku, '') as sku, v.weight_grams, v.requires_shipping,
       coalesce(v.tax_class, p.tax_class) as tax_class,
       (select i.url from catalog.product_image i where i.product_id = p.id
         order by i.id = v.image_id desc nulls last, i.position limit 1) as image_url,
       u.published_until as sold_until
  from catalog.variant v
  join catalog.product p on p.id = v.product_id
  join catalog.publication u on u.product_id = p.id
  join catalog.channel c on c.id = u.channel_id
 where v.active and p.status = 'active' and c.active
   and u.published_from <= now() and (u.published_until is null or u.published_until > now());

-- Published: the variants that are for sale wherever, and whenever, their product is.
create view catalog.active_variant as
select id as variant_id, product_id from catalog.variant where active;

-- Published: the channels that sell.
create view catalog.selling_channel as
select id as channel_id, code, currencies, default_currency, default_locale, country, prices_include_tax
  from catalog.channel
 where active;

-- What a quote rests on: see pricing/internal/kept-facts.ts.
create trigger channel_terms after insert or update or delete on catalog.channel
  for each row execute function platform.note_terms();
create trigger product_terms after insert or update or delete on catalog.product
  for each row execute function platform.note_terms();
create trigger product_image_terms after insert or update or delete on catalog.product_image
  for each row execute function platform.note_terms();
create trigger variant_terms after insert or update or delete on catalog.variant
  for each row execute function platform.note_terms();
create trigger publication_terms after insert or update or delete on catalog.publication
  for each row execute function platform.note_terms();
