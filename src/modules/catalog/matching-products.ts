// Which products of a channel match words, a category, a collection and facets: a subquery, for pages, for counts, and
// for modules that know more about products than the catalogue does.
import { joined, none, sql, type Statement } from '../../platform/db.ts'
import { shownNow } from './get-listed-products.ts'

export type SearchFilter = {
  channelId: string
  /** Words; each may be the beginning of one. Accents and case do not count. */
  text?: string | undefined
  /** With everything below it. */
  categoryId?: string | undefined
  collectionId?: string | undefined
  /** Only among these: what another module found first. */
  productIds?: readonly string[] | undefined
  /**
   * By name of the facet ('vendor', 'type', 'tag', 'option.Colour', 'attribute.material'): one of its values must fit.
   */
  facets?: Readonly<Record<string, readonly string[]>> | undefined
}
/**
 * The matching products as a subquery: product_id, rank (0 without text), facets, published_from. For statements of
 * other modules too: `select … from (${matchingProducts(filter)}) as matching join pricing.… using (product_id)`.
 */
export function matchingProducts(filter: SearchFilter): Statement {
  const { channelId, text, categoryId, collectionId, productIds, facets = {} } = filter
  // A subquery of its own is evaluated once; the bare call would be, in a generic plan, once for each row.
  const query = text ? sql`(select catalog.search_query(${text}))` : none
  // So are ids: of a bare parameter the planner would weigh each of 100,000 values.
  return sql`
    select search.product_id, search.facets, publication.published_from,
           ${text ? sql`ts_rank(search.document, ${query})::float8` : sql`0::float8`} as rank
      from catalog.product_search search
      join catalog.publication on publication.product_id = search.product_id
     where publication.channel_id = ${channelId} and ${shownNow} and search.active
       ${text ? sql`and search.document @@ ${query}` : none}
       ${categoryId ? sql`and search.product_id in (
         select membership.product_id from catalog.product_category membership
           join catalog.category on category.id = membership.category_id
          where category.path @> array[${categoryId}::uuid])` : none}
       ${collectionId ? sql`and search.product_id in (
         select member.product_id from catalog.collection_product member where member.collection_id = ${collectionId})`
           : none}
       ${productIds ? sql`and search.product_id = any (array(select unnest(${[...productIds]}::uuid[])))` : none}
       ${joined(Object.entries(facets).map(([name, values]) =>
         sql`and search.facets && ${keys(name, values)}::text[]`), none)}`
}

export const SEPARATOR = '\u001f'        // between the name of a facet and its value
const keys = (name: string, values: readonly string[]): string[] => values.map((value) => name + SEPARATOR + value)
