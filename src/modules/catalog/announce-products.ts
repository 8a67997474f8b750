// What follows every change of products, in the transaction of the change: their search documents are rewritten, their
// versions raised, cached answers about them dropped, and one event published for the whole batch.
import { sql, type Tx } from '../../platform/db.ts'
import { invalidate } from '../../platform/cache.ts'
import { publish } from '../../platform/events.ts'
import { PRODUCTS_TAG, ProductChanged, productTag } from './catalog.ts'

/** Call it once, after the last statement that changes the products. Nothing happens for none. */
export async function announceProducts(tx: Tx, productIds: readonly string[]): Promise<void> {
  const ids = [...new Set(productIds)].sort()
  if (ids.length === 0) return
  await Promise.all([
    tx.run(sql`update catalog.product set version = version + 1, updated_at = now() where id = any (${ids}::uuid[])`),
    refreshSearch(tx, ids),
    invalidate(tx, [PRODUCTS_TAG, ...ids.map(productTag)]),
    publish(tx, ProductChanged, { productIds: ids }),
  ])
}

/**
 * Rewrites what search reads of these products. A facet is its name, the unit separator and the value. A document holds
 * less than a megabyte, so of thousands of SKUs only the first 100,000 characters are words of it.
 */
export async function refreshSearch(tx: Tx, productIds: readonly string[]): Promise<void> {
  await tx.run(sql`
    insert into catalog.product_search as present (product_id, active, facets, document)
    select product.id, product.status = 'active',
           array(select distinct facet from (
             select 'vendor' || chr(31) || product.vendor where product.vendor <> ''
             union all select 'type' || chr(31) || product.type where product.type <> ''
             union all select 'tag' || chr(31) || tag from unnest(product.tags) as tag
             union all select 'option.' || key || chr(31) || value
                         from catalog.variant cross join lateral jsonb_each_text(variant.options)
                        where variant.product_id = product.id and variant.active
             union all select 'attribute.' || code || chr(31) || left(product.attributes ->> code, 200)
                         from catalog.attribute where filterable and product.attributes ? code) as facets (facet)
                           order by facet),
           setweight(to_tsvector('simple', catalog.plain(product.title)), 'A') ||
           setweight(to_tsvector('simple', catalog.plain(
             concat_ws(' ', product.vendor, product.type, array_to_string(product.tags, ' '), left(codes.words,
             100000)))), 'B') ||
           setweight(to_tsvector('simple', catalog.plain(left(coalesce(choices.words, ''), 100000))), 'C') ||
           setweight(to_tsvector('simple', catalog.plain(left(regexp_replace(product.description_html,
           '<[^>]*>|&[a-z]+;', ' ', 'g'), 20000))), 'D')
      from catalog.product
     cross join lateral (select string_agg(concat_ws(' ', sku, barcode), ' ') as words
                           from catalog.variant where variant.product_id = product.id and active) as codes
     cross join lateral (select string_agg(distinct value, ' ') as words
                           from catalog.variant cross join lateral jsonb_each_text(variant.options)
                          where variant.product_id = product.id and active) as choices
     where product.id = any (${[...productIds]}::uuid[])
    on conflict (product_id) do update
      set active = excluded.active, facets = excluded.facets, document = excluded.document
    where (present.active, present.facets, present.document) is distinct
      from (excluded.active, excluded.facets, excluded.document)`)
}
