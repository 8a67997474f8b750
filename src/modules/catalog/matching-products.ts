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
  /** Only among these: a subquery of product ids by what another module knows, and what tells it from others. */
  among?: { ids: Statement; key: string } | undefined
  /**
   * By name of the facet ('vendor', 'type', 'tag', 'option.Colour', 'attribute.material'): one of its values must fit.
   */
  facets?: Readonly<Record<string, readonly string[]>> | undefined
}
/**
 * The matching products as a subquery: product_id, rank (0 without text), facets, published_from. For statements of
 * other modules too: `select … from (${matchingProducts(filter)}) as matching join browse.… using (product_id)`.
 * Make it `replanned`. `words`: only those with all words in the title, or only the others.
 */
export function matchingProducts(filter: SearchFilter, words?: 'in title' | 'elsewhere'): Statement {
  const { channelId, text, categoryId, collectionId, among, facets = {} } = filter
  // Immutable, so a statement that is planned for its values (`replanned`) holds its result, and knows how many match.
  const query = text ? sql`catalog.search_query(${text})` : none
  const inTitle = sql`ts_filter(search.document, '{a}') @@ ${query}`
  return sql`
    select search.product_id, search.facets, publication.published_from,
           ${text ? sql`ts_rank(search.document, ${query})::float8` : sql`0::float8`} as rank
      from catalog.product_search search
      join catalog.publication on publication.product_id = search.product_id
     where publication.channel_id = ${channelId} and ${shownNow} and search.active
       ${text && words !== 'in title' ? sql`and search.document @@ ${query}` : none}
       ${words ? sql`and ${words === 'in title' ? none : sql`not`} ${inTitle}` : none}
       ${categoryId ? sql`and search.product_id in (
         select membership.product_id from catalog.product_category membership
           join catalog.category on category.id = membership.category_id
          where category.path @> array[${categoryId}::uuid])` : none}
       ${collectionId ? sql`and search.product_id in (
         select member.product_id from catalog.collection_product member where member.collection_id = ${collectionId})`
           : none}
       ${among ? sql`and search.product_id in (${among.ids})` : none}
       ${joined(Object.entries(facets).map(([name, values]) =>
         sql`and search.facets && ${keys(name, values)}::text[]`), none)}`
}

export const SEPARATOR = '\u001f'        // between the name of a facet and its value
const keys = (name: string, values: readonly string[]): string[] => values.map((value) => name + SEPARATOR + value)
