// Finds the products that a channel shows: by words, category, collection and facets, with the counts beside each facet
// value. Prices and stock belong to others; `matchingProducts` is a subquery that they may join to sort and filter by
// theirs. Measured at 100,000 products: docs/decisions/search.md.
import { Type, type Static, type TSchema } from 'typebox'
import { joined, none, sql, type Conn, type Statement } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id, Timestamp } from '../../platform/http.ts'
import { correctSpelling } from './correct-spelling.ts'
import { shownNow } from './get-listed-products.ts'

export const SearchSort = Type.Enum(['relevance', 'newest', 'title', 'position'])
export type SearchSort = Static<typeof SearchSort>
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
export type SearchRequest = SearchFilter & {
  sort?: SearchSort | undefined
  limit?: number | undefined
  cursor?: string | undefined
  countFacets?: boolean | undefined
}

export const FacetValue = Type.Object({ value: Type.String(), count: Type.Integer() })
export const Facet = Type.Object({ name: Type.String(), values: Type.Array(FacetValue) })
export type SearchResult = {
  hits: { productId: string; rank: number }[]
  nextCursor: string | null
  /** How many there are in all, and how many with each facet value; undefined unless asked for. */
  counts: { total: number; facets: Static<typeof Facet>[] } | undefined
  /** What was searched instead, when the words as typed found nothing. */
  correctedText: string | undefined
}

const MAX_VALUES_PER_FACET = 100

/**
 * One page of what matches. Sorted by relevance when there is text, else newest first. A facet counts as if it were not
 * filtered itself, so that a shopper sees what another value would give. Throws InvalidCursor.
 */
export async function searchProducts(conn: Conn, request: SearchRequest): Promise<SearchResult> {
  const text = request.text?.trim() || undefined
  const found = await searchOnce(conn, { ...request, text })
  if (found.hits.length > 0 || request.cursor || !text) return { ...found, correctedText: undefined }
  const correctedText = await correctSpelling(conn, text)
  if (!correctedText) return { ...found, correctedText: undefined }
  return { ...await searchOnce(conn, { ...request, text: correctedText }), correctedText }
}

async function searchOnce(conn: Conn, request: SearchRequest): Promise<Omit<SearchResult, 'correctedText'>> {
  const [page, counts] = await Promise.all(
    [readPage(conn, request), request.countFacets ? countFacets(conn, request) : undefined])
  return { ...page, counts }
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

const SEPARATOR = '\u001f'
const keys = (name: string, values: readonly string[]): string[] => values.map((value) => name + SEPARATOR + value)

// What a page is sorted by: the expression, its type (for the cursor), and whether it descends; the product's id breaks
// ties the same way.
const sorts: Record<SearchSort, { key: Statement; type: Statement; schema: TSchema; descending: boolean }> = {
  relevance: { key: sql`matching.rank`, type: sql`float8`, schema: Type.Number(), descending: true },
  newest: { key: sql`matching.published_from`, type: sql`timestamptz`, schema: Timestamp, descending: true },
  title: { key: sql`product.title`, type: sql`text`, schema: Type.String(), descending: false },
  position: { key: sql`member.position`, type: sql`integer`,
    schema: Type.Integer({ minimum: 0, maximum: 2_147_483_647 }), descending: false },
}
const Hit = Type.Object({ productId: Type.String(), rank: Type.Number(),
  key: Type.Union([Type.String(), Type.Number()]) })

async function readPage(conn: Conn, request: SearchRequest): Promise<Pick<SearchResult, 'hits' | 'nextCursor'>> {
  const { limit = 20, cursor, text, collectionId } = request
  const sort = request.sort ?? (text ? 'relevance' : collectionId ? 'position' : 'newest')
  const { key, type, schema, descending } = sorts[sort === 'position' && !collectionId ? 'newest' : sort]
  const [after, id] = cursor ? decodeCursor(cursor, [schema, Id]) : []
  const direction = descending ? sql`desc` : none
  const rows = await conn.many(Hit, sql`
    select matching.product_id as "productId", matching.rank, ${key} as key
      from (${matchingProducts(request)}) as matching
      ${sort === 'title' ? sql`join catalog.product on product.id = matching.product_id` : none}
      ${sort === 'position' && collectionId
        ? sql`join catalog.collection_product member on member.product_id = matching.product_id
          and member.collection_id = ${collectionId}` : none}
     ${id ? sql`where (${key}, matching.product_id) ${descending ? sql`<` : sql`>`} (${after}::${type}, ${id}::uuid)`
       : none}
     order by ${key} ${direction}, matching.product_id ${direction}
     limit ${limit + 1}`)
  const last = rows[limit - 1]
  return {
    hits: rows.slice(0, limit).map(({ productId, rank }) => ({ productId, rank })),
    nextCursor: rows.length > limit && last ? encodeCursor([last.key, last.productId]) : null,
  }
}

const Counted = Type.Object({
  total: Type.Integer(), facets: Type.Array(Type.Object({ name: Type.String(), values: Type.Array(FacetValue) })),
})

/**
 * How many products match, and how many of them have each facet value: exactly, the 100 most frequent values of each. A
 * facet that is filtered counts what matches all other filters. The total is counted in the same pass, as a facet
 * without a name.
 */
export async function countFacets(conn: Conn, filter: SearchFilter): Promise<Static<typeof Counted>> {
  const { facets = {} } = filter
  const filtered = Object.keys(facets)
  const alone = filtered.map((name) => {
    const { [name]: _, ...others } = facets
    return sql` union all
      select facet, count(*) from (${matchingProducts({ ...filter, facets: others })}) as matching cross
        join lateral unnest(facets) as facet
       where starts_with(facet, ${name + SEPARATOR}) group by facet`
  })
  return conn.one(Counted, sql`
    with counted as materialized (
      select facet, count(*) as count
        from (${matchingProducts(filter)}) as matching cross
          join lateral unnest(array_append(facets, ${SEPARATOR})) as facet
       group by facet
      having split_part(facet, ${SEPARATOR}, 1) <> all (${filtered}::text[])
      ${joined(alone, none)}),
    ranked as (
      select split_part(facet, ${SEPARATOR}, 1) as name, split_part(facet, ${SEPARATOR}, 2) as value, count,
             row_number() over (partition by split_part(facet, ${SEPARATOR}, 1) order by count desc, facet) as place
        from counted where facet <> ${SEPARATOR})
    select coalesce((select count from counted where facet = ${SEPARATOR}), 0) as total,
           coalesce((select jsonb_agg(jsonb_build_object('name', name, 'values', values) order by name)
              from (select name, jsonb_agg(jsonb_build_object('value', value, 'count', count) order by place) as values
                      from ranked where place <= ${MAX_VALUES_PER_FACET} group by name) as named), '[]') as facets`)
}

/**
 * How many products each category holds in the channel now, those below it included. 200 ms for 100,000 products: ask
 * when it is shown.
 */
export async function countCategories(conn: Conn, channelId: string): Promise<{ categoryId: string; count: number }[]> {
  return conn.many(Type.Object({ categoryId: Type.String(), count: Type.Integer() }), sql`
    select ancestor as "categoryId", count(*) as count
      from (select distinct ancestor, membership.product_id
              from catalog.product_category membership
              join catalog.category on category.id = membership.category_id
             cross join lateral unnest(category.path) as ancestor) as member
      join catalog.product_search search on search.product_id = member.product_id and search.active
      join catalog.publication on publication.product_id = member.product_id and publication.channel_id = ${channelId}
        and ${shownNow}
     group by ancestor`)
}
