set local lock_timeout = '5s';

create index search_by_title_words on catalog.product_search using gin (ts_filter(document, '{a}'));

create view catalog.active_variant as
select id as variant_id, product_id from catalog.variant where active;
